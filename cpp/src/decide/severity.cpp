#include "secondlook/decide/severity.hpp"

#include <array>

namespace secondlook {

Severity grade(std::size_t n_votes, std::size_t n_needed, double margin) noexcept {
  if (n_votes < n_needed) return Severity::normal;
  const int steps = (n_votes > n_needed ? 1 : 0) + (margin >= kClearMargin ? 1 : 0);
  return static_cast<Severity>(static_cast<int>(Severity::medium) + steps);
}

std::string_view name_of(Severity severity) noexcept {
  constexpr std::array<std::string_view, 4> names{"Normal", "Medium", "High", "Critical"};
  return names[static_cast<std::size_t>(severity)];
}

}  // namespace secondlook
