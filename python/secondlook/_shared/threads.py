"""How the number of threads is asked for."""

from typing import Any

import numpy as np


def requested_threads(who: str, n_jobs: Any) -> int:
    """Read `n_jobs` as scikit-learn does, for the core, which takes 0 for None.

    Raises
    ------
    ValueError
        Unless it is None or a whole number but 0.
    """
    if n_jobs is None:
        return 0
    if not isinstance(n_jobs, int | np.integer) or n_jobs == 0:
        raise ValueError(f"{who}: expected n_jobs as None or a number but 0, got {n_jobs!r}")
    return int(n_jobs)
