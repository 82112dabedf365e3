"""Reader of the frames that reports are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.required import required
from secondlook._shared.table import columns_of, is_table, read_table
from secondlook.series.time_table import TimeTable

if TYPE_CHECKING:
    import pandas as pd

WHO = "report"


@dataclass(frozen=True)
class Frame:
    """Rows of numbers with their names and labels.

    Attributes
    ----------
    values : ndarray of float64 of shape (n_rows, n_features)
        NaN is missing.
    names : list of str
        Names of the features.
    index : pandas Index
        The labels that the rows came with.
    left_out : list of str
        Columns that hold no numbers.
    """

    values: NDArray[np.float64]
    names: list[str]
    index: "pd.Index[Any]"
    left_out: list[str]

    @property
    def is_series(self) -> bool:
        """Whether the rows are samples in order of time."""
        return hasattr(self.index, "tz") or len(self.names) == 1


def read_frame(frame: Any, features: Sequence[str] | None = None) -> Frame:
    """Read a frame of pandas, polars, Arrow or NumPy, a series, or a `TimeTable`.

    Parameters
    ----------
    features : sequence of str, optional
        Names of the columns to use; by default all that hold numbers. A column of times becomes
        the index.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If a feature is missing, or there are no numbers.
    """
    with required(WHO, "pandas"):
        import pandas as pd
    table = _as_pandas(pd, frame)
    if not isinstance(table.index, pd.DatetimeIndex):
        times = [name for name in table.columns if hasattr(table[name], "dt")]
        times = [name for name in times if pd.api.types.is_datetime64_any_dtype(table[name])]
        if len(times) == 1:
            table = table.set_index(times[0])
    named = features is not None and all(isinstance(name, str) for name in table.columns)
    if features is not None and named:
        if missing := [name for name in features if name not in table.columns]:
            raise ValueError(
                f"{WHO}: expected the detector's features as columns, got none named {missing}; "
                f"the columns are {[str(name) for name in table.columns]}"
            )
        chosen = list(features)
    else:
        chosen = [name for name in table.columns if _holds_numbers(pd, table[name])]
    left_out = [str(name) for name in table.columns if name not in chosen]
    if not chosen or not len(table):
        raise ValueError(
            f"{WHO}: expected a frame with rows and columns of numbers, got {len(table)} rows and "
            f"the columns {left_out}"
        )
    values = np.asarray(read_table(WHO, table[chosen]).values, dtype=np.float64)
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        raise ValueError(
            f"{WHO}: expected finite values, got infinite ones in column "
            f"{str(chosen[int(np.argmax(infinite))])!r}; replace them, or set them to NaN (missing)"
        )
    names = [name if isinstance(name, str) else f"feature {name}" for name in chosen]
    return Frame(np.ascontiguousarray(values), names, table.index, left_out)


def _as_pandas(pd: Any, frame: Any) -> Any:
    if isinstance(frame, TimeTable):
        return frame.to_pandas()
    if isinstance(frame, pd.DataFrame):
        return frame
    if isinstance(frame, pd.Series):
        return frame.to_frame("value" if frame.name is None else frame.name)
    if is_table(frame):
        names, columns = columns_of(WHO, frame)
        return pd.DataFrame(
            {name: np.asarray(column) for name, column in zip(names, columns, strict=True)}
        )
    array = np.asarray(frame)
    if array.ndim not in (1, 2):
        raise ValueError(
            f"{WHO}: expected a table or one series, got {type(frame).__name__} of shape "
            f"{array.shape}"
        )
    return pd.DataFrame({"value": array}) if array.ndim == 1 else pd.DataFrame(array)


def _holds_numbers(pd: Any, column: Any) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return True
    if column.dtype != object:
        return False
    present = column.dropna()
    return bool(len(present)) and all(isinstance(value, int | float) for value in present)
