#include "series/repeated_hour.hpp"

#include <vector>

namespace secondlook {

std::optional<std::size_t> find_put_back(const RepeatedHour& hour) {
  const auto& local = hour.local_ns;
  const std::int64_t length = hour.change.length_ns();
  std::vector<std::size_t> back;
  std::vector<std::size_t> far_back;  // without lines that are only slightly out of order
  for (std::size_t i = 1; i < local.size(); ++i) {
    if (local[i] < local[i - 1]) back.push_back(i);
    if (local[i - 1] - local[i] >= length / 2) far_back.push_back(i);
  }
  if (back.size() == 1) return back[0];
  if (!back.empty()) return far_back.size() == 1 ? std::optional(far_back[0]) : std::nullopt;

  const std::int64_t first_ns = local.front() - hour.change.before_ns;
  const std::int64_t last_ns = local.back() - hour.change.after_ns;
  const auto since_previous = hour.previous_ns ? first_ns - *hour.previous_ns : length + 1;
  const auto until_next = hour.next_ns ? *hour.next_ns - last_ns : length + 1;
  const bool follows = since_previous >= 0 && since_previous <= length;
  const bool is_followed = until_next >= 0 && until_next <= length;
  // Hourly readings have the same time twice.
  const bool hourly = since_previous == length || until_next == length;
  if (local.size() == 2 && local[0] == local[1] && hourly) return 1;
  if (follows == is_followed) return std::nullopt;
  return follows ? local.size() : 0;
}

}  // namespace secondlook
