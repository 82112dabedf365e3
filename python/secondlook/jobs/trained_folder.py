"""Result of training an image classifier on a folder per class."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.plain_values import plain
from secondlook.decide.binomial_interval import Estimate, binomial_interval

__all__ = ["Figure", "TrainedFolder", "fraction_of", "listed"]

_N_SHOWN = 10


class Figure(NamedTuple):
    """A fraction of images, with its exact 95 % interval and their number.

    The interval takes the images for independent: with several per group it is too narrow.
    """

    value: float
    low: float
    high: float
    n_images: int

    def __str__(self) -> str:
        return f"{Estimate(self.value, self.low, self.high)}, {self.n_images} images"


@dataclass
class TrainedFolder:
    """Result of `train_folder`.

    ``str`` formats the figures.

    Attributes
    ----------
    file : Path
        The model.
    n_training, n_held_out : int
        Number of images.
    accuracy : Figure
        Over the images held out.
    recall : dict of str to Figure
        Of each class.
    confusion : dict of str to dict of str to int
        Images held out, by class and by predicted class.
    normal : str or None
        The normal class of the decision rule; None if there is no rule.
    referral_rate, miss_rate, false_alarm_rate : Figure or None
        Fraction of the images held out that are referred, of the abnormal ones that are decided
        negative, and of the normal ones that are decided positive. The rule in the file is fitted
        on all images held out; here each is decided by a rule that was fitted on others of them.
        None if there is no rule, or too few groups are held out for that.
    skipped : dict of str to str
        Images that could not be read and were left out, with the reasons.
    notes : list of str
    """

    file: Path
    n_training: int
    n_held_out: int
    accuracy: Figure
    recall: dict[str, Figure]
    confusion: dict[str, dict[str, int]]
    normal: str | None = None
    referral_rate: Figure | None = None
    miss_rate: Figure | None = None
    false_alarm_rate: Figure | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        recalls = {f"recall of {name}": found for name, found in self.recall.items()}
        lines = [
            f"{self.n_training} images trained on, {self.n_held_out} held out; of these",
            *_table({"accuracy": self.accuracy, **recalls}),
        ]
        if self.normal is not None:
            lines.append(f"decision rule, fitted on the images held out; normal is {self.normal}")
        if self.referral_rate is not None:
            lines.append("each of them decided by a rule that was fitted on others of them:")
            lines += _table(
                {
                    "referred": self.referral_rate,
                    "missed, of the abnormal": self.miss_rate,
                    "false alarms, of the normal": self.false_alarm_rate,
                }
            )
        if self.skipped:
            lines.append(f"left out, as they cannot be read: {listed(self.skipped)}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        result: dict[str, Any] = plain(self)
        return result


def fraction_of(right: NDArray[np.bool_]) -> Figure:
    """Return the fraction of images of which something is true."""
    n_right, n_images = int(right.sum()), len(right)
    return Figure(n_right / n_images, *binomial_interval(n_right, n_images), n_images)


def listed(skipped: dict[str, str]) -> str:
    """Return the first files with the reasons why they cannot be read, for a message."""
    told = [f"{file} ({why})" for file, why in skipped.items()]
    more = [f"and {len(told) - _N_SHOWN} more"] if len(told) > _N_SHOWN else []
    return ", ".join([*told[:_N_SHOWN], *more])


def _table(figures: dict[str, Any]) -> list[str]:
    width = max(map(len, figures))
    return [f"  {name:{width}}  {figure}" for name, figure in figures.items()]
