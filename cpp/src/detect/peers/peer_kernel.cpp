#include "detect/peers/peer_kernel.hpp"

#include <bit>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/peers/peer_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// The pass for the moments reads an instant from memory and is limited by memory bandwidth. It also
// computes the extremes of every class: ratios increase with readings, so if the extremes of a
// class stay below the smallest of its triggers, none of its readings needs a closer look. The pass
// for the events reads extremes and triggers from the first-level cache, and readings only of
// groups that have an event. It is interleaved with the pass for the moments of the next instant,
// which waits for memory.

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, kPeerClasses>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kSums = 4;           // enough to hide the latency of an addition
constexpr std::size_t kAheadBytes = 8192;  // fetched to the second-level cache before it is read
constexpr std::size_t kLineBytes = 64;

inline V load(D d, const double* from) { return hn::LoadU(d, from); }
inline V load(D d, const float* from) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), from));
}

struct Sums {
  explicit Sums(double from) : origin(hn::Set(D(), from)) {
    for (std::size_t k = 0; k < kSums; ++k) distances[k] = squares[k] = counts[k] = hn::Zero(D());
  }

  V origin;
  V distances[kSums];
  V squares[kSums];
  V counts[kSums];
};

template <bool kAll, class Scalar>
HWY_INLINE void add_to_sums(const Scalar* readings, std::size_t n, Sums& sums) {
  const D d;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t k = i / kLanes % kSums;
    const V x = load(d, readings + i);
    V distance = hn::Sub(x, sums.origin);
    if constexpr (!kAll) {
      const auto present = hn::Eq(x, x);
      distance = hn::IfThenElseZero(present, distance);
      sums.counts[k] = hn::Add(sums.counts[k], hn::IfThenElseZero(present, hn::Set(d, 1.0)));
    }
    sums.distances[k] = hn::Add(sums.distances[k], distance);
    sums.squares[k] = hn::MulAdd(distance, distance, sums.squares[k]);
  }
}

// Compares in the readings' type: a vector holds twice as many floats as doubles.
template <bool kAll, class Scalar>
HWY_INLINE void find_extremes(const Scalar* readings, std::size_t n, double* lowest,
                              double* highest) {
  const hn::ScalableTag<Scalar> d;
  using Readings = hn::Vec<decltype(d)>;
  constexpr std::size_t kStep = hn::MaxLanes(d);
  constexpr std::size_t kWidth = kStep > kPeerClasses ? kStep : kPeerClasses;
  constexpr std::size_t kVectors = kWidth / kStep;
  Readings low[kVectors];
  Readings high[kVectors];
  Readings missing[kVectors];  // 0, or NaN once a reading is missing
  for (std::size_t v = 0; v < kVectors; ++v) {
    low[v] = hn::Set(d, std::numeric_limits<Scalar>::infinity());
    high[v] = hn::Neg(low[v]);
    missing[v] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < n; i += kStep) {
    const std::size_t v = i / kStep % kVectors;
    const Readings x = hn::LoadU(d, readings + i);
    if constexpr (kAll) {
      low[v] = hn::Min(low[v], x);
      high[v] = hn::Max(high[v], x);
    } else {
      const auto present = hn::Eq(x, x);
      missing[v] = hn::IfThenElse(present, missing[v], x);
      low[v] = hn::IfThenElse(present, hn::Min(low[v], x), low[v]);
      high[v] = hn::IfThenElse(present, hn::Max(high[v], x), high[v]);
    }
  }
  HWY_ALIGN Scalar lows[kWidth];
  HWY_ALIGN Scalar highs[kWidth];
  HWY_ALIGN Scalar gaps[kWidth];
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::Store(low[v], d, lows + v * kStep);
    hn::Store(high[v], d, highs + v * kStep);
    if constexpr (!kAll) hn::Store(missing[v], d, gaps + v * kStep);
  }
  for (std::size_t c = 0; c < kPeerClasses; c += kLanes) {
    V l = load(D(), lows + c);
    V h = load(D(), highs + c);
    if constexpr (kWidth > kPeerClasses) {
      l = hn::Min(l, load(D(), lows + kPeerClasses + c));
      h = hn::Max(h, load(D(), highs + kPeerClasses + c));
    }
    if constexpr (!kAll) {
      V gap = load(D(), gaps + c);
      if constexpr (kWidth > kPeerClasses) gap = hn::Add(gap, load(D(), gaps + kPeerClasses + c));
      l = hn::Add(l, gap);
      h = hn::Add(h, gap);
    }
    hn::StoreU(l, D(), lowest + c);
    hn::StoreU(h, D(), highest + c);
  }
}

inline double total(const V* values) {
  const V sum = hn::Add(hn::Add(values[0], values[1]), hn::Add(values[2], values[3]));
  return hn::GetLane(hn::SumOfLanes(D(), sum));
}

template <bool kAll, class Scalar>
HWY_INLINE void add_group(const Scalar* readings, Sums& sums, double* lowest, double* highest) {
  for (std::size_t line = 0; line < kPeerGroup * sizeof(Scalar); line += kLineBytes)
    __builtin_prefetch(reinterpret_cast<const char*>(readings) + kAheadBytes + line, 0, 2);
  add_to_sums<kAll>(readings, kPeerGroup, sums);
  find_extremes<kAll>(readings, kPeerGroup, lowest, highest);
}

// Moments of n readings, after adding the last, incomplete group of `n_rest` readings.
template <bool kAll, class Scalar>
inline Moments finish(const Scalar* rest, std::size_t n_rest, std::size_t n, double origin,
                      Sums& sums, double* lowest, double* highest) {
  const std::size_t n_padding = (kPeerClasses - n_rest % kPeerClasses) % kPeerClasses;
  if (n_rest != 0) {
    double padded[kPeerGroup];
    std::size_t i = 0;
    for (; i + kLanes <= n_rest; i += kLanes) hn::StoreU(load(D(), rest + i), D(), padded + i);
    for (; i < n_rest; ++i) padded[i] = static_cast<double>(rest[i]);
    for (; i < n_rest + n_padding; ++i) padded[i] = origin;
    add_to_sums<kAll>(padded, n_rest + n_padding, sums);
    find_extremes<kAll>(padded, n_rest + n_padding, lowest, highest);
  }
  return {total(sums.distances), total(sums.squares),
          kAll ? n : static_cast<std::size_t>(total(sums.counts)) - n_padding};
}

template <bool kAll, class Scalar>
inline Moments moments(const Scalar* readings, std::size_t n, double origin, double* lowest,
                       double* highest) {
  Sums sums(origin);
  const std::size_t n_whole = n / kPeerGroup;
  for (std::size_t g = 0; g < n_whole; ++g)
    add_group<kAll>(readings + g * kPeerGroup, sums, lowest + g * kPeerClasses,
                    highest + g * kPeerClasses);
  return finish<kAll>(readings + n_whole * kPeerGroup, n % kPeerGroup, n, origin, sums,
                      lowest + n_whole * kPeerClasses, highest + n_whole * kPeerClasses);
}

// Vectors that are the same for all groups of an instant.
struct Scaled {
  explicit Scaled(const PeerScale& scale)
      : centre(hn::Set(D(), scale.centre)),
        factor(hn::Set(D(), scale.factor)),
        sign(scale.magnitude ? hn::Set(D(), -0.0) : hn::Zero(D())) {}

  [[nodiscard]] HWY_INLINE V ratio(V reading) const {
    return hn::AndNot(sign, hn::Mul(hn::Sub(reading, centre), factor));
  }

  V centre;
  V factor;
  V sign;
};

HWY_INLINE bool all_quiet(const Scaled& scaled, const double* lowest, const double* highest,
                          const double* least_trigger) {
  const D d;
  auto quiet = hn::FirstN(d, kLanes);
  for (std::size_t c = 0; c < kPeerClasses; c += kLanes) {
    // If a reading is missing, both are NaN and the comparison is false.
    const V most =
        hn::Max(scaled.ratio(hn::LoadU(d, lowest + c)), scaled.ratio(hn::LoadU(d, highest + c)));
    quiet = hn::And(quiet, hn::Le(most, hn::LoadU(d, least_trigger + c)));
  }
  return hn::AllTrue(d, quiet);
}

// Writes the indices of those of n readings (whole vectors of one group) that are above their
// trigger or missing.
template <class Scalar>
HWY_INLINE std::size_t write_events(const Scalar* readings, std::size_t n, const Scaled& scaled,
                                    const double* trigger, std::size_t first,
                                    std::uint32_t* indices) {
  const D d;
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const auto quiet = hn::Le(scaled.ratio(load(d, readings + i)), hn::LoadU(d, trigger + i));
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::Not(quiet), bits);
    events |= static_cast<std::uint64_t>(bits[0]) << i;
  }
  std::size_t n_events = 0;
  for (; events != 0; events &= events - 1)
    indices[n_events++] =
        static_cast<std::uint32_t>(first + static_cast<std::size_t>(std::countr_zero(events)));
  return n_events;
}

template <class Scalar>
inline std::size_t events_of(const Scalar* readings, std::size_t n, const PeerScale& scale,
                             const PeerExtremes& extremes, const double* trigger,
                             const double* least_trigger, std::uint32_t* indices,
                             PeerAhead<Scalar>* ahead) {
  const Scaled scaled(scale);
  const double* lowest = extremes.lowest.data();
  const double* highest = extremes.highest.data();
  double* next_lowest = ahead != nullptr ? ahead->extremes.lowest.data() : nullptr;
  double* next_highest = ahead != nullptr ? ahead->extremes.highest.data() : nullptr;
  Sums sums(ahead != nullptr ? ahead->origin : 0);
  std::size_t n_events = 0;
  std::size_t i = 0;
  std::size_t c = 0;
  for (; i + kPeerGroup <= n; i += kPeerGroup, c += kPeerClasses) {
    if (ahead != nullptr)
      add_group<true>(ahead->readings + i, sums, next_lowest + c, next_highest + c);
    if (HWY_LIKELY(all_quiet(scaled, lowest + c, highest + c, least_trigger + c))) continue;
    n_events += write_events(readings + i, kPeerGroup, scaled, trigger + i, i, indices + n_events);
  }
  if (ahead != nullptr)
    ahead->moments = finish<true>(ahead->readings + i, n - i, n, ahead->origin, sums,
                                  next_lowest + c, next_highest + c);
  if (i == n || all_quiet(scaled, lowest + c, highest + c, least_trigger + c)) return n_events;
  const std::size_t n_vectors = (n - i) / kLanes * kLanes;
  n_events += write_events(readings + i, n_vectors, scaled, trigger + i, i, indices + n_events);
  for (i += n_vectors; i < n; ++i) {
    double ratio = (static_cast<double>(readings[i]) - scale.centre) * scale.factor;
    if (scale.magnitude) ratio = ratio < 0 ? -ratio : ratio;
    if (!(ratio <= trigger[i])) indices[n_events++] = static_cast<std::uint32_t>(i);
  }
  return n_events;
}

Moments AllF32(const float* r, std::size_t n, double o, double* l, double* h) {
  return moments<true>(r, n, o, l, h);
}
Moments AllF64(const double* r, std::size_t n, double o, double* l, double* h) {
  return moments<true>(r, n, o, l, h);
}
Moments PresentF32(const float* r, std::size_t n, double o, double* l, double* h) {
  return moments<false>(r, n, o, l, h);
}
Moments PresentF64(const double* r, std::size_t n, double o, double* l, double* h) {
  return moments<false>(r, n, o, l, h);
}
std::size_t EventsF32(const float* r, std::size_t n, const PeerScale& s, const PeerExtremes& e,
                      const double* t, const double* l, std::uint32_t* p, PeerAhead<float>* a) {
  return events_of(r, n, s, e, t, l, p, a);
}
std::size_t EventsF64(const double* r, std::size_t n, const PeerScale& s, const PeerExtremes& e,
                      const double* t, const double* l, std::uint32_t* p, PeerAhead<double>* a) {
  return events_of(r, n, s, e, t, l, p, a);
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
Moments moments_of_all(std::span<const float> r, double origin, PeerExtremes& e) {
  return HWY_DYNAMIC_DISPATCH(AllF32)(r.data(), r.size(), origin, e.lowest.data(),
                                      e.highest.data());
}
template <>
Moments moments_of_all(std::span<const double> r, double origin, PeerExtremes& e) {
  return HWY_DYNAMIC_DISPATCH(AllF64)(r.data(), r.size(), origin, e.lowest.data(),
                                      e.highest.data());
}
template <>
Moments moments_of_present(std::span<const float> r, double origin, PeerExtremes& e) {
  return HWY_DYNAMIC_DISPATCH(PresentF32)(r.data(), r.size(), origin, e.lowest.data(),
                                          e.highest.data());
}
template <>
Moments moments_of_present(std::span<const double> r, double origin, PeerExtremes& e) {
  return HWY_DYNAMIC_DISPATCH(PresentF64)(r.data(), r.size(), origin, e.lowest.data(),
                                          e.highest.data());
}
template <>
std::size_t row_events(std::span<const float> r, const PeerScale& scale, const PeerExtremes& e,
                       const double* trigger, const double* least_trigger, std::uint32_t* indices,
                       PeerAhead<float>* ahead) {
  return HWY_DYNAMIC_DISPATCH(EventsF32)(r.data(), r.size(), scale, e, trigger, least_trigger,
                                         indices, ahead);
}
template <>
std::size_t row_events(std::span<const double> r, const PeerScale& scale, const PeerExtremes& e,
                       const double* trigger, const double* least_trigger, std::uint32_t* indices,
                       PeerAhead<double>* ahead) {
  return HWY_DYNAMIC_DISPATCH(EventsF64)(r.data(), r.size(), scale, e, trigger, least_trigger,
                                         indices, ahead);
}

}  // namespace secondlook::detect
#endif
