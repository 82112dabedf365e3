"""Decisions on a folder of images by an image model's file."""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.plain_values import plain
from secondlook._shared.whole_file import write_text
from secondlook.jobs.model_of_kind import IMAGE_KINDS, load_of_kind

if TYPE_CHECKING:
    from secondlook.image import ImageClassifier

__all__ = ["FolderDecisions", "decide_folder"]

_N_SHOWN = 10


@dataclass
class FolderDecisions:
    """Decisions on images.

    ``str`` counts them, and lists some of the referred images.

    Attributes
    ----------
    files : list of Path
        Relative to the folder.
    normal : str
        The class that counts as normal.
    score : ndarray of shape (n_images,)
        The model's probability of not being normal.
    probability : ndarray of shape (n_images,) or None
        The same, calibrated; None if the model's rule has no calibration.
    decision : ndarray of str of shape (n_images,)
        "negative", "refer" or "positive".
    out_of_distribution : ndarray of bool of shape (n_images,) or None
        Images unlike the training images, which are referred whatever their score; None if the
        model's rule does not test that.
    """

    files: list[Path]
    normal: str
    score: NDArray[np.float64]
    probability: NDArray[np.float64] | None
    decision: NDArray[np.str_]
    out_of_distribution: NDArray[np.bool_] | None

    @property
    def counts(self) -> dict[str, int]:
        """Number of images per decision."""
        counts = Counter(self.decision.tolist())
        return {name: counts[name] for name in ("negative", "refer", "positive")}

    def __str__(self) -> str:
        counts = self.counts
        lines = [
            f"{len(self.files)} images: {counts['negative']} negative, {counts['positive']} "
            f"positive, {counts['refer']} referred to a person (normal: {self.normal})"
        ]
        referred = np.flatnonzero(self.decision == "refer").tolist()
        for i in referred[:_N_SHOWN]:
            unlike = self.out_of_distribution is not None and self.out_of_distribution[i]
            why = "out of distribution" if unlike else f"score {self.score[i]:.3f}"
            lines.append(f"  {self.files[i].as_posix()}  {why}")
        if len(referred) > _N_SHOWN:
            lines.append(f"  and {len(referred) - _N_SHOWN} more")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the decisions as plain values."""
        result: dict[str, Any] = plain(
            {
                "normal": self.normal,
                "n_images": len(self.files),
                "counts": self.counts,
                "images": [
                    dict(zip(self._columns(), row, strict=True))
                    for row in zip(*self._columns().values(), strict=True)
                ],
            }
        )
        return result

    def to_csv(self) -> str:
        """Return the decisions as CSV, one line per image."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = self._columns()
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_as_field(value) for value in row])
        return text.getvalue()

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the decisions to a CSV file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_text(path, self.to_csv())

    def _columns(self) -> dict[str, Sequence[Any]]:
        n = len(self.files)
        unlike = self.out_of_distribution
        return {
            "file": [file.as_posix() for file in self.files],
            "score": self.score.tolist(),
            "probability": [None] * n if self.probability is None else self.probability.tolist(),
            "decision": self.decision.tolist(),
            "out_of_distribution": [None] * n if unlike is None else unlike.tolist(),
        }


def decide_folder(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    normal: str | None = None,
    test_time_augmentation: Sequence[str] | None = None,
) -> FolderDecisions:
    """Decide on the images of a folder by the decision rule in a model's file.

    Parameters
    ----------
    model : path
        File of an `ImageClassifier` with a `decision_rule_`.
    folder : path
        All image files in it and below it are decided.
    normal : str or None, default=None
        The normal class, as when the rule was fitted. None: as stored with the rule, otherwise the
        first of two.
    test_time_augmentation : sequence of str or None, default=None
        As when the rule was fitted; see `ImageClassifier.predict_proba`. None: as stored with the
        rule, otherwise none.

    Returns
    -------
    FolderDecisions

    Raises
    ------
    ValueError
        If the model is of another kind or has no rule, `normal` is not one of its classes, or the
        folder has no images or a broken one.
    OSError
        If a file cannot be read.
    ImportError
        If torch is missing.
    """
    way_out = "for the rows of a table use score"
    classifier = cast("ImageClassifier", load_of_kind(model, IMAGE_KINDS, way_out)[1])
    if not hasattr(classifier, "decision_rule_"):
        raise ValueError(
            f"'{os.fspath(model)}': expected a model with a decision rule, got none; fit a "
            "DecisionRule on labelled images, set decision_rule_ and save the model again"
        )
    rule = classifier.decision_rule_
    from secondlook.image import list_images

    files = list_images(folder)
    known = [label for label in classifier.classes_.tolist() if str(label) == normal]
    label = known[0] if known else normal
    who = "ImageClassifier.decide"
    column, _ = classifier._score_of_rule(who, rule, label, test_time_augmentation)
    score, unlike = classifier._judged(who, rule, files, label, test_time_augmentation)
    return FolderDecisions(
        [file.relative_to(folder) for file in files],
        str(classifier.classes_[column]),
        score,
        None if rule.calibration_ is None else rule.probability(score),
        rule.decide(score, unlike),
        unlike,
    )


def _as_field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
