"""Picture of the clearest and the hardest X-rays, with heat maps, and of the band."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from secondlook.decide.suspicious_band import SuspiciousBand
from secondlook.jobs.xray_cases import Cases

if TYPE_CHECKING:
    from secondlook.image import ImageClassifier

__all__ = ["draw"]


def draw(
    classifier: ImageClassifier,
    band: SuspiciousBand,
    cases: Cases,
    p: NDArray[np.float64],
    file: Path,
) -> None:
    """Draw the clearest case and the two hardest, with their heat maps, and the band."""
    from secondlook.image import read_image

    clearest = int(np.argmax(np.where(cases.labels == 1, p, 0)))
    hardest = np.argsort(-np.abs(cases.labels - p))[:2]
    figure = Figure(figsize=(15, 3.2), layout="constrained")
    axes: dict[str, Any] = figure.subplot_mosaic([["image", "why", "a", "b", "band", "band"]])
    axes["image"].imshow(read_image(cases.images[clearest]), cmap="gray")
    axes["image"].set_title("an X-ray", fontsize=9)
    for index, name in zip((clearest, *hardest), ("why", "a", "b"), strict=True):
        axes[name].imshow(classifier.overlay(cases.images[index], label=classifier.classes_[1]))
        truth = "abnormal" if cases.labels[index] else "normal"
        decision = band.decide(p[[index]])[0]
        axes[name].set_title(f"is {truth}, scores {p[index]:.2f}: {decision}", fontsize=9)
    for name in ("image", "why", "a", "b"):
        axes[name].axis("off")
    band.plot(p, cases.labels, ax=axes["band"])
    axes["band"].set_xlabel("probability of pneumonia")
    figure.savefig(file, dpi=110)
