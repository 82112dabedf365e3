#include "detect/surprise/window_kernel.hpp"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/surprise/window_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Each lane is a window and adds its squared differences from the newest sample to the oldest, so
// the sum of a window does not depend on the vector width. Several vectors hide the latency of the
// sums; they are abandoned together as soon as none of them can be the nearest. A vector takes a
// subtraction, a multiply-add and a load from the second-level cache, so arithmetic is the limit.
// White noise, where the fewest windows can be abandoned early, reaches a third of it.

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kSamplesPerCheck = 8;

struct Windows {
  const double* values;
  const std::size_t* starts;
  const double* samples;
  std::size_t width;
  std::size_t count;
};

template <std::size_t kVectors, class D>
class Scan {
 public:
  using V = hn::Vec<D>;

  Scan(const Windows& windows, std::size_t first_guess) : windows_(windows) {
    const std::size_t last = windows.count - block();
    visit(std::min(first_guess, last));
    for (std::size_t begin = 0; begin < last; begin += block()) visit(begin);
    visit(last);
  }

  static std::size_t block() { return kVectors * hn::Lanes(D()); }

  double best = std::numeric_limits<double>::infinity();
  std::size_t nearest = 0;

 private:
  void visit(std::size_t begin) {
    const D d;
    V sums[kVectors];
    for (V& sum : sums) sum = hn::Zero(d);
    for (std::size_t j = 0; j < windows_.width;) {
      for (const std::size_t stop = std::min(j + kSamplesPerCheck, windows_.width); j < stop; ++j) {
        const V sample = hn::Set(d, windows_.samples[j]);
        const double* values = windows_.values + windows_.starts[j] + begin;
        for (std::size_t k = 0; k < kVectors; ++k) {
          const V gap = hn::Sub(sample, hn::LoadU(d, values + k * hn::Lanes(d)));
          sums[k] = hn::MulAdd(gap, gap, sums[k]);
        }
      }
      V least = sums[0];
      for (std::size_t k = 1; k < kVectors; ++k) least = hn::Min(least, sums[k]);
      if (hn::AllTrue(d, hn::Ge(least, hn::Set(d, best)))) return;
    }
    HWY_ALIGN double lanes[kVectors * HWY_MAX_BYTES / sizeof(double)];
    for (std::size_t k = 0; k < kVectors; ++k) hn::StoreU(sums[k], d, lanes + k * hn::Lanes(d));
    const double* least = std::min_element(lanes, lanes + block());
    best = *least;
    nearest = begin + static_cast<std::size_t>(least - lanes);
  }

  const Windows& windows_;
};

template <class S>
double search(const Windows& windows, std::size_t& nearest) {
  const S scan(windows, nearest);
  nearest = scan.nearest;
  return scan.best;
}

double Nearest(const double* values, const std::size_t* starts, const double* samples,
               std::size_t width, std::size_t n_windows, std::size_t& nearest) {
  const Windows windows{values, starts, samples, width, n_windows};
  using Wide = Scan<4, hn::ScalableTag<double>>;
  using Narrow = Scan<1, hn::CappedTag<double, 1>>;
  return n_windows >= Wide::block() ? search<Wide>(windows, nearest)
                                    : search<Narrow>(windows, nearest);
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(Nearest);

double nearest_window(const double* values, const std::size_t* starts, const double* samples,
                      std::size_t width, std::size_t n_windows, std::size_t& nearest) {
  return HWY_DYNAMIC_DISPATCH(Nearest)(values, starts, samples, width, n_windows, nearest);
}

}  // namespace secondlook::detect
#endif
