#include "secondlook/core/matrix.hpp"

#include <cstdlib>
#include <new>

#include "core/validation.hpp"

namespace secondlook::detail {

void* allocate_matrix(Index rows, Index cols, std::size_t value_size) {
  require(rows >= 0 && cols >= 0, "Matrix: expected a shape without negative numbers, got ({}, {})",
          rows, cols);
  Index n_values = 0;
  Index n_bytes = 0;
  if (__builtin_mul_overflow(rows, cols, &n_values) ||
      __builtin_mul_overflow(n_values, value_size, &n_bytes))
    throw std::bad_alloc();
  if (n_values == 0) return nullptr;
  // The kernel zeroes the pages of large blocks when they are first used.
  void* values = std::calloc(static_cast<std::size_t>(n_values), value_size);
  if (values == nullptr) throw std::bad_alloc();
  return values;
}

void free_matrix(void* values) noexcept { std::free(values); }

void refuse_ragged_rows(Index expected, Index got, Index row) {
  require(false, "Matrix: expected {} values in each row, as in the first, got {} in row {}",
          expected, got, row);
  std::abort();
}

}  // namespace secondlook::detail
