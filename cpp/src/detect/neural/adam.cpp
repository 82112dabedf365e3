#include "detect/neural/adam.hpp"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/neural/adam.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr double kFirstDecay = 0.9;
constexpr double kSecondDecay = 0.999;
constexpr double kFloor = 1e-8;

template <class T>
HWY_INLINE void update(std::size_t n, std::uint64_t n_steps, double learning_rate,
                       double weight_decay, const T* gradients, T* weights, T* moments) {
  const hn::ScalableTag<T> d;
  const auto set = [&](double value) { return hn::Set(d, static_cast<T>(value)); };
  const auto steps = static_cast<double>(n_steps);
  const auto rate = set(learning_rate / (1 - std::pow(kFirstDecay, steps)));
  const auto bias = set(1 / std::sqrt(1 - std::pow(kSecondDecay, steps)));
  const auto decay = set(weight_decay);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto w = hn::LoadU(d, weights + i);
    const auto g = hn::MulAdd(decay, w, hn::LoadU(d, gradients + i));
    const auto first =
        hn::MulAdd(set(kFirstDecay), hn::LoadU(d, moments + i), hn::Mul(set(1 - kFirstDecay), g));
    const auto second = hn::MulAdd(set(kSecondDecay), hn::LoadU(d, moments + n + i),
                                   hn::Mul(set(1 - kSecondDecay), hn::Mul(g, g)));
    hn::StoreU(first, d, moments + i);
    hn::StoreU(second, d, moments + n + i);
    const auto size = hn::MulAdd(hn::Sqrt(second), bias, set(kFloor));
    hn::StoreU(hn::Sub(w, hn::Div(hn::Mul(rate, first), size)), d, weights + i);
  }
}

void UpdateFloat(std::size_t n, std::uint64_t n_steps, double learning_rate, double weight_decay,
                 const float* gradients, float* weights, float* moments) {
  update(n, n_steps, learning_rate, weight_decay, gradients, weights, moments);
}
void UpdateDouble(std::size_t n, std::uint64_t n_steps, double learning_rate, double weight_decay,
                  const double* gradients, double* weights, double* moments) {
  update(n, n_steps, learning_rate, weight_decay, gradients, weights, moments);
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(UpdateFloat);
HWY_EXPORT(UpdateDouble);

template <>
void Adam<float>::step(std::span<const float> gradients, double learning_rate, double weight_decay,
                       std::span<float> weights) {
  HWY_DYNAMIC_DISPATCH(UpdateFloat)
  (weights.size(), ++n_steps_, learning_rate, weight_decay, gradients.data(), weights.data(),
   moments_.data());
}

template <>
void Adam<double>::step(std::span<const double> gradients, double learning_rate,
                        double weight_decay, std::span<double> weights) {
  HWY_DYNAMIC_DISPATCH(UpdateDouble)
  (weights.size(), ++n_steps_, learning_rate, weight_decay, gradients.data(), weights.data(),
   moments_.data());
}

}  // namespace secondlook::detect
#endif
