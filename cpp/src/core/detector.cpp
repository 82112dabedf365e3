#include "secondlook/core/detector.hpp"

namespace secondlook {

Detector::~Detector() = default;

}  // namespace secondlook
