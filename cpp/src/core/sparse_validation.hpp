#pragma once

#include <cstddef>
#include <string_view>

#include "core/validation.hpp"
#include "secondlook/core/sparse_view.hpp"

namespace secondlook {

/// Checks that there is at least one row and `n_features` columns (0: any positive number), that
/// the entries lie in the matrix and in order, and that they are finite (or NaN, if allowed).
template <class Scalar>
void require_samples(std::string_view who, const SparseView<Scalar>& x, std::size_t n_features,
                     Missing missing = Missing::refuse);

}  // namespace secondlook
