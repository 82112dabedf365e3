#include "secondlook/core/matrix.hpp"

#include <cstdlib>
#include <new>

#include "core/validation.hpp"

namespace secondlook::detail {

void* allocate_matrix(Index rows, Index cols, std::size_t value_size) {
  require(rows >= 0 && cols >= 0, "Matrix: expected a shape of numbers from 0 on, got ({}, {})",
          rows, cols);
  Index n_values = 0;
  Index n_bytes = 0;
  if (__builtin_mul_overflow(rows, cols, &n_values) ||
      __builtin_mul_overflow(n_values, value_size, &n_bytes))
    throw std::bad_alloc();
  if (n_values == 0) return nullptr;
  // Large blocks come zeroed from the kernel, page by page as they are touched.
  void* values = std::calloc(static_cast<std::size_t>(n_values), value_size);
  if (values == nullptr) throw std::bad_alloc();
  return values;
}

void free_matrix(void* values) noexcept { std::free(values); }

void refuse_ragged_rows(Index expected, Index got, Index row) {
  require(false, "Matrix: expected rows of {} values as the first has, got {} in row {}", expected,
          got, row);
  std::abort();
}

}  // namespace secondlook::detail
