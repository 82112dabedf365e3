"""Synthetic infrared images of photovoltaic modules of 24 × 40 pixels, intact and defective.

They are sufficient to run every step of `train_modules` in two minutes.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

__all__ = ["CLASSES", "simulate_modules"]

CLASSES = ("No-Anomaly", "Cell", "Cell-Multi", "Diode", "Offline-Module", "Shadowing")
ROWS, COLUMNS, CELL = 40, 24, 4


def _heat(kind: str, random: np.random.Generator) -> NDArray[np.float64]:
    heat = np.zeros((ROWS, COLUMNS))
    if kind in ("Cell", "Cell-Multi"):
        for _ in range(1 if kind == "Cell" else random.integers(2, 5)):
            row, column = random.integers(ROWS // CELL), random.integers(COLUMNS // CELL)
            heat[row * CELL :, column * CELL :][:CELL, :CELL] += random.uniform(0.15, 0.5)
    elif kind == "Diode":
        string = random.integers(3) * COLUMNS // 3
        heat[:, string : string + COLUMNS // 3] += random.uniform(0.12, 0.35)
    elif kind == "Offline-Module":
        heat += random.uniform(0.15, 0.35)
    elif kind == "Shadowing":
        edge = random.integers(6, ROWS // 2)
        heat[:edge] -= random.uniform(0.12, 0.3)
    return heat


def simulate_modules(n: int = 3000, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return n images and the class of each; half of them are intact."""
    random = np.random.default_rng(seed)
    images = np.empty((n, ROWS, COLUMNS), np.uint8)
    labels = []
    for i in range(n):
        kind = CLASSES[0] if i % 2 == 0 else CLASSES[random.integers(1, len(CLASSES))]
        level = random.uniform(0.35, 0.5) + random.normal(
            0, 0.03, size=(ROWS // CELL, COLUMNS // CELL)
        )
        image = np.kron(level, np.ones((CELL, CELL))) + _heat(kind, random)
        image = gaussian_filter(image, 0.6) + random.normal(0, 0.02, size=image.shape)
        images[i] = (255 * np.clip(image, 0, 1)).astype(np.uint8)
        labels.append(kind)
    return images, np.array(labels)
