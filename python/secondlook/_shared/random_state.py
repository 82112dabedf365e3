"""Seeds from scikit-learn's `random_state`."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def seed_of(random_state: Any) -> int:
    """Return the core's seed for a `random_state`; an integer is the same seed as in C++."""
    if not isinstance(random_state, int | np.integer):
        random_state = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return int(random_state) % 2**64
