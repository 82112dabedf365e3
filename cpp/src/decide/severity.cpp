#include "secondlook/decide/severity.hpp"

namespace secondlook {

Severity grade(std::size_t n_votes, std::size_t n_needed, double margin) noexcept {
  if (n_votes < n_needed) return Severity::normal;
  const int steps = (n_votes > n_needed ? 1 : 0) + (margin >= kClearMargin ? 1 : 0);
  return static_cast<Severity>(static_cast<int>(Severity::medium) + steps);
}

}  // namespace secondlook
