"""Validation of the rows of features that an estimator is fitted on or applied to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from secondlook._shared.table import (
    is_table,
    read_table,
    refuse_list_of_columns,
    without_missing_objects,
)

__all__ = ["validated_rows"]


def validated_rows(who: str, estimator: Any, X: Any, *, reset: bool, **checks: Any) -> NDArray[Any]:
    """Return rows as a C-contiguous float array, and check or set the estimator's features.

    Tables of pandas, polars and Arrow, masked arrays and objects are read with NaN for missing
    values. Sparse matrices, where they are accepted, are returned in canonical form: the columns
    of a row increase.

    Parameters
    ----------
    who : str
        Beginning of error messages.
    reset : bool
        Whether the rows define the features, as in `fit`.
    **checks
        Arguments of scikit-learn's `check_array`, such as `dtype` and `ensure_all_finite`.
    """
    if is_table(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)  # names
        values = read_table(who, X).values
        checked: NDArray[Any] = check_array(
            values, order="C", estimator=estimator, input_name="X", **checks
        )
        return checked
    if isinstance(X, np.ma.MaskedArray):
        X = read_table(who, X).values
    else:
        refuse_list_of_columns(who, X)
        X = without_missing_objects(X)
    rows: Any = validate_data(estimator, X, reset=reset, order="C", **checks)
    if issparse(rows) and not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    array: NDArray[Any] = rows
    return array
