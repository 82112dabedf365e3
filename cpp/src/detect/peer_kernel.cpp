#include "detect/peer_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/peer_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Three passes over an instant's readings. The first brings them from memory, the others find them
// in the cache: for rows of some 10,000 sensors memory bandwidth is the limit.

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;

inline V load(D d, const double* from) { return hn::LoadU(d, from); }
inline V load(D d, const float* from) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), from));
}

// Calls body(vector, accumulator index) over [0, n): whole vectors, four at a time to hide
// the latency of sums; the rest comes padded with `padding`.
template <class Scalar, class Body>
inline void for_each_vector(const Scalar* readings, std::size_t n, double padding,
                            const Body& body) {
  const D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes)
    for (std::size_t k = 0; k < 4; ++k) body(load(d, readings + i + k * lanes), k);
  for (; i < n; i += lanes) {
    if (i + lanes <= n) {
      body(load(d, readings + i), 0);
      continue;
    }
    HWY_ALIGN double rest[HWY_MAX_BYTES / sizeof(double)];
    for (std::size_t lane = 0; lane < lanes; ++lane)
      rest[lane] = i + lane < n ? static_cast<double>(readings[i + lane]) : padding;
    body(hn::Load(d, rest), 0);
  }
}

template <bool kAll, class Scalar>
inline Moments moments(const Scalar* readings, std::size_t n, double origin) {
  const D d;
  V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  V squares[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  V counts[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  const V from = hn::Set(d, origin);
  const V one = hn::Set(d, 1.0);
  for_each_vector(readings, n, kAll ? origin : __builtin_nan(""), [&](V x, std::size_t k) {
    V distance = hn::Sub(x, from);
    if constexpr (!kAll) {
      const auto present = hn::Eq(x, x);
      distance = hn::IfThenElseZero(present, distance);
      counts[k] = hn::Add(counts[k], hn::IfThenElseZero(present, one));
    }
    sums[k] = hn::Add(sums[k], distance);
    squares[k] = hn::MulAdd(distance, distance, squares[k]);
  });
  const auto total = [&](const V* v) {
    return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(v[0], v[1]), hn::Add(v[2], v[3]))));
  };
  return {total(sums), total(squares), kAll ? n : static_cast<std::size_t>(total(counts))};
}

template <class Scalar>
inline std::size_t events_of(const Scalar* readings, std::size_t n, double centre, double factor,
                             bool magnitude, const double* trigger, std::uint32_t* places,
                             const Scalar* next) {
  const D d;
  const V middle = hn::Set(d, centre);
  const V scale = hn::Set(d, factor);
  std::size_t n_events = 0;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    if (next != nullptr) __builtin_prefetch(next + i);
    V ratio = hn::Mul(hn::Sub(load(d, readings + i), middle), scale);
    if (magnitude) ratio = hn::Abs(ratio);
    const auto quiet = hn::Le(ratio, hn::LoadU(d, trigger + i));  // false for a missing reading
    if (HWY_LIKELY(hn::AllTrue(d, quiet))) continue;
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(d, quiet, bits);
    for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane)
      if ((bits[lane / 8] >> lane % 8 & 1) == 0)
        places[n_events++] = static_cast<std::uint32_t>(i + lane);
  }
  for (; i < n; ++i) {
    double ratio = (static_cast<double>(readings[i]) - centre) * factor;
    if (magnitude) ratio = ratio < 0 ? -ratio : ratio;
    if (!(ratio <= trigger[i])) places[n_events++] = static_cast<std::uint32_t>(i);
  }
  return n_events;
}

Moments AllF32(const float* r, std::size_t n, double o) { return moments<true>(r, n, o); }
Moments AllF64(const double* r, std::size_t n, double o) { return moments<true>(r, n, o); }
Moments PresentF32(const float* r, std::size_t n, double o) { return moments<false>(r, n, o); }
Moments PresentF64(const double* r, std::size_t n, double o) { return moments<false>(r, n, o); }
std::size_t EventsF32(const float* r, std::size_t n, double c, double f, bool m, const double* t,
                      std::uint32_t* p, const float* next) {
  return events_of(r, n, c, f, m, t, p, next);
}
std::size_t EventsF64(const double* r, std::size_t n, double c, double f, bool m, const double* t,
                      std::uint32_t* p, const double* next) {
  return events_of(r, n, c, f, m, t, p, next);
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(AllF32);
HWY_EXPORT(AllF64);
HWY_EXPORT(PresentF32);
HWY_EXPORT(PresentF64);
HWY_EXPORT(EventsF32);
HWY_EXPORT(EventsF64);

template <>
Moments moments_of_all(const float* readings, std::size_t n, double origin) {
  return HWY_DYNAMIC_DISPATCH(AllF32)(readings, n, origin);
}
template <>
Moments moments_of_all(const double* readings, std::size_t n, double origin) {
  return HWY_DYNAMIC_DISPATCH(AllF64)(readings, n, origin);
}
template <>
Moments moments_of_present(const float* readings, std::size_t n, double origin) {
  return HWY_DYNAMIC_DISPATCH(PresentF32)(readings, n, origin);
}
template <>
Moments moments_of_present(const double* readings, std::size_t n, double origin) {
  return HWY_DYNAMIC_DISPATCH(PresentF64)(readings, n, origin);
}
template <>
std::size_t row_events(const float* readings, std::size_t n, double centre, double factor,
                       bool magnitude, const double* trigger, std::uint32_t* places,
                       const float* next) {
  return HWY_DYNAMIC_DISPATCH(EventsF32)(readings, n, centre, factor, magnitude, trigger, places,
                                         next);
}
template <>
std::size_t row_events(const double* readings, std::size_t n, double centre, double factor,
                       bool magnitude, const double* trigger, std::uint32_t* places,
                       const double* next) {
  return HWY_DYNAMIC_DISPATCH(EventsF64)(readings, n, centre, factor, magnitude, trigger, places,
                                         next);
}

}  // namespace secondlook::detect
#endif
