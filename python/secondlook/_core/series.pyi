import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt

class BatteryFeatures:
    names: ClassVar[list[str]]
    def __init__(self, *, window: int, max_gap_ns: int) -> None: ...
    def push_many(
        self,
        time_ns: npt.NDArray[np.int64],
        clock_ns: npt.NDArray[np.int64],
        samples: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]: ...
    @property
    def window_times(self) -> npt.NDArray[np.int64]: ...
    @property
    def window_samples(self) -> npt.NDArray[np.float64]: ...

class CsvContents(TypedDict):
    time_ns: npt.NDArray[np.int64]
    is_utc: bool
    columns: list[str]
    values: npt.NDArray[np.float64]
    problems: list[tuple[str, int, int, str]]
    n_problems: int
    n_lines: int
    n_repeated_times: int
    n_repeated_in_file: int
    n_contradictory_times: int
    n_out_of_order: int
    n_spread_times: int

def read_csv(
    sources: Sequence[tuple[str | os.PathLike[str], bytes | None]],
    options: dict[str, Any],
    n_jobs: int,
    progress: Callable[[int, int], object] | None,
) -> CsvContents: ...
def grid_over(time_ns: npt.NDArray[np.int64], step_ns: int) -> tuple[int, int]: ...
def common_grid(grids: Sequence[tuple[int, int]], step_ns: int, span: str) -> tuple[int, int]: ...
def resample(
    time_ns: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    start_ns: int,
    step_ns: int,
    n_steps: int,
    how: str,
    n_jobs: int,
) -> npt.NDArray[np.float64]: ...
def interpolate(
    time_ns: npt.NDArray[np.int64], values: npt.NDArray[np.float64], limit_ns: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]: ...
