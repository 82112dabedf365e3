"""Predictions and decisions as tables, one row per image."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def names_of(images: Sequence[Any]) -> list[Any]:
    """Return the path of each image that is a file, and the index of each other."""
    return [
        os.fspath(image) if isinstance(image, str | os.PathLike) else index
        for index, image in enumerate(images)
    ]


def reasons(
    score: NDArray[np.float64], out_of_distribution: NDArray[np.bool_] | None, rule: Any
) -> list[str]:
    """Return a sentence per image: why the rule decided as it did."""
    if rule.band_ is None:
        lower = upper = float(rule.threshold_)
    else:
        lower, upper = rule.band_.lower_, rule.band_.upper_
    unknown = np.zeros(len(score), bool)
    if out_of_distribution is not None:
        unknown = out_of_distribution
    texts = []
    for p, out in zip(score.tolist(), unknown.tolist(), strict=True):
        found = ["out of distribution: features far from those of the training images"] * out
        if not out or lower <= p < upper:
            found.append(_by_thresholds(p, lower, upper))
        texts.append("; ".join(found))
    return texts


def _by_thresholds(p: float, lower: float, upper: float) -> str:
    value, low, high = _told_apart(p, lower, upper)
    if lower == upper:
        side = "below" if p < lower else "not below"
        return f"score {value} is {side} the threshold {low}"
    where = "is below" if p < lower else "lies in" if p < upper else "is above"
    return f"score {value} {where} the suspicious band {low} to {high}"


def _told_apart(*numbers: float) -> list[str]:
    """Write numbers with two decimals, or as many as tell different ones apart."""
    for decimals in range(2, 12):
        texts = [f"{number:.{decimals}f}" for number in numbers]
        if len(set(texts)) == len(set(numbers)):
            return texts
    return [repr(number) for number in numbers]
