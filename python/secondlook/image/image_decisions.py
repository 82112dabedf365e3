"""Decisions on images, with their reasons: a table with one row per image."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.plain_values import plain
from secondlook._shared.required import require_pandas
from secondlook._shared.written_results import WrittenAsCsv

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("file", "score", "probability", "decision", "out_of_distribution", "reasons")
_DECISIONS = ("negative", "refer", "positive", "unknown")
_N_SHOWN = 10


@dataclass
class ImageDecisions(WrittenAsCsv):
    """Decisions on images.

    ``str`` counts them, and lists some of the images that were referred or could not be read.

    Attributes
    ----------
    normal : class
        The class that counts as normal.
    file : list of str or int
        The path of each image, or its index if it is not a file.
    score : ndarray of shape (n_images,)
        The model's probability of not being normal; NaN if the image could not be read.
    probability : ndarray of shape (n_images,)
        The same, calibrated; NaN if the model's rule has no calibration.
    decision : ndarray of str of shape (n_images,)
        "negative", "refer" or "positive"; "unknown" if the image could not be read.
    out_of_distribution : list of bool or None
        Whether the image is unlike the training images, and so referred whatever its score. None
        if the model's rule does not test that, or the image could not be read.
    reasons : list of str
        Why it was decided so, or why the image could not be read.
    """

    normal: Any
    file: list[Any]
    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    decision: NDArray[np.str_]
    out_of_distribution: list[bool | None]
    reasons: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """Number of images per decision."""
        counts = Counter(self.decision.tolist())
        return {name: counts[name] for name in _DECISIONS}

    def __str__(self) -> str:
        counts = self.counts
        unknown = f", {counts['unknown']} that cannot be read" if counts["unknown"] else ""
        lines = [
            f"{len(self.file)} images: {counts['negative']} negative, {counts['positive']} "
            f"positive, {counts['refer']} referred to a person{unknown} (normal: {self.normal})"
        ]
        for decision in ("unknown", "refer"):
            found = np.flatnonzero(self.decision == decision).tolist()
            lines += [f"  {self.file[i]}  {self.reasons[i]}" for i in found[:_N_SHOWN]]
            if len(found) > _N_SHOWN:
                lines.append(f"  and {len(found) - _N_SHOWN} more")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the decisions as plain values."""
        columns = self._columns()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        result: dict[str, Any] = plain(
            {
                "normal": self.normal,
                "n_images": len(self.file),
                "counts": self.counts,
                "images": rows,
            }
        )
        return result

    def to_pandas(self) -> "pd.DataFrame":
        """Return the decisions as a table, with the columns of the CSV file."""
        table = require_pandas("ImageDecisions.to_pandas").DataFrame(self._columns())
        return table.astype({"out_of_distribution": "boolean"})

    def _columns(self) -> dict[str, Sequence[Any]]:
        return {name: np.asarray(getattr(self, name), dtype=object).tolist() for name in _COLUMNS}
