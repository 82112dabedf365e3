"""A tree of an isolation forest, to be looked at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from secondlook import _core

__all__ = ["IsolationTree", "trees_of"]


@dataclass(frozen=True, eq=False, repr=False)
class IsolationTree:
    """A complete binary tree: node 1 is the root, and node i has the children 2i and 2i + 1.

    Rows whose value is below the threshold go to node 2i + 1, others to 2i. Below a leaf the tree
    continues as a chain of nodes 2i down to the last level.
    """

    max_depth: int
    """Number of levels."""
    feature: NDArray[np.int32]
    """Feature that each node splits on, shape (2 ** max_depth,): -1 at a leaf and below, and
    n_features + f for feature f with missing values below the threshold. Entry 0 is unused."""
    threshold: NDArray[np.float32]
    """Threshold of each node, shape (2 ** max_depth,)."""
    path_length: NDArray[np.float32]
    """Path length at each node of the last level, shape (2 ** max_depth,)."""
    n_node_samples: NDArray[np.uint32]
    """Training rows that reached each node, shape (2 ** (max_depth + 1),)."""

    def __repr__(self) -> str:
        n_splits = int((self.feature >= 0).sum())
        return f"<IsolationTree of {n_splits} splits on {self.max_depth} levels>"


def trees_of(file: "_core.store.ModelFile") -> list[IsolationTree]:
    """Return the trees of a forest's file."""
    tensors = file.tensors
    names = ("features", "thresholds", "path_lengths", "covers")
    return [
        IsolationTree(len(arrays[0]).bit_length() - 1, *arrays)
        for arrays in zip(*(tensors[name] for name in names), strict=True)
    ]
