#include "secondlook/core/detector.hpp"

namespace secondlook {

Detector::~Detector() = default;
DetectorSource::~DetectorSource() = default;

void Detector::refresh_offset(MatrixView<double>) {}

}  // namespace secondlook
