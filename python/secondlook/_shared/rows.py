"""Rows of features that an estimator is fitted on or applied to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from secondlook._shared.table import (
    is_table,
    read_table,
    refuse_list_of_columns,
    without_missing_objects,
)

__all__ = ["validated_rows"]


def validated_rows(who: str, estimator: Any, X: Any, *, reset: bool, **checks: Any) -> NDArray[Any]:
    """Return rows as a C-contiguous float array, with the estimator's features checked or set.

    Tables of pandas, polars and Arrow, masked arrays and objects are read with NaN where a value is
    missing.

    Parameters
    ----------
    who : str
        Begins the messages of errors.
    reset : bool
        Whether the rows say which features there are, as in `fit`.
    **checks
        For scikit-learn's `check_array`, such as `dtype` and `ensure_all_finite`.
    """
    if is_table(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)  # names
        values = read_table(who, X).values
        return check_array(values, order="C", estimator=estimator, input_name="X", **checks)
    if isinstance(X, np.ma.MaskedArray):
        X = read_table(who, X).values
    else:
        refuse_list_of_columns(who, X)
        X = without_missing_objects(X)
    array: NDArray[Any] = validate_data(estimator, X, reset=reset, order="C", **checks)
    return array
