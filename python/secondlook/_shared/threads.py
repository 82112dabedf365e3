"""Number of threads from scikit-learn's `n_jobs`."""

from typing import Any

import numpy as np


def requested_threads(who: str, n_jobs: Any) -> int:
    """Return `n_jobs` for the core, which has the same meaning except that None is 0.

    Raises
    ------
    ValueError
        If it is neither None nor a non-zero integer.
    """
    if n_jobs is None:
        return 0
    if not isinstance(n_jobs, int | np.integer) or n_jobs == 0:
        raise ValueError(f"{who}: expected n_jobs as None or a non-zero integer, got {n_jobs!r}")
    return int(n_jobs)
