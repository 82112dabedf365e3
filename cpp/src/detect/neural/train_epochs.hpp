#pragma once

#include <cmath>
#include <memory>
#include <utility>

#include "core/validation.hpp"
#include "detect/neural/early_stopping.hpp"
#include "secondlook/core/error.hpp"

namespace secondlook::detect {

/// Trains a state (a TrainingState and its network) epoch by epoch until early stopping or
/// max_epochs. Passes the state of the best epoch, with the whole history, to `keep`, even if
/// training is cancelled after that epoch.
///
/// `pass` trains for an epoch at a learning rate and returns its loss; `evaluate` returns the loss
/// on held-out data.
/// @throws InvalidArgument, with `who` in its message, if the loss diverges; nothing is kept then
template <class State, class Parameters, class Pass, class Evaluate, class Keep>
void train_epochs(const char* who, const Parameters& parameters, State& state, const Pass& pass,
                  const Evaluate& evaluate, const Keep& keep) {
  EarlyStopping stopping(parameters.learning_rate, parameters.patience);
  std::unique_ptr<State> best;
  const auto keep_best = [&] {
    best->history = state.history;
    keep(std::move(best));
  };
  try {
    while (state.n_passes < parameters.max_epochs && !stopping.exhausted()) {
      const double rate = stopping.learning_rate();
      const double loss = pass(rate);
      const double validation_loss = evaluate();
      require(std::isfinite(loss) && std::isfinite(validation_loss),
              "{}: the loss diverged in epoch {}; use a learning_rate below {}", who,
              state.n_passes + 1, parameters.learning_rate);
      ++state.n_passes;
      state.history.push_back({loss, validation_loss, rate});
      state.learning_rate = stopping.learning_rate();
      if (stopping.update(validation_loss)) best = std::make_unique<State>(state);
    }
  } catch (const Cancelled&) {
    if (best) keep_best();
    throw;
  }
  keep_best();
}

}  // namespace secondlook::detect
