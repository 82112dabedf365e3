"""Synthetic chest X-rays: two dark lungs with ribs, and bright patches in the abnormal ones.

They are sufficient to run every step of `train_chest_xray` in two minutes, but not medically
realistic.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import expit

__all__ = ["simulate_xrays"]

SIZE = 64  # pixels


def _ellipse(centre: tuple[float, float], radii: tuple[float, float]) -> NDArray[np.float64]:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    distance = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2
    inside: NDArray[np.float64] = expit(12 * (1 - distance))
    return inside


def _patient(random: np.random.Generator) -> dict[str, float]:
    return {
        "height": random.uniform(0.28, 0.36),
        "width": random.uniform(0.14, 0.19),
        "tilt": random.normal(0, 0.02),
        "ribs": random.uniform(5, 8),
        "exposure": random.uniform(0.8, 1.2),
    }


def _xray(body: dict[str, float], abnormal: bool, random: np.random.Generator) -> NDArray[np.uint8]:
    shift = random.normal(0, 0.015, size=2)
    centres = [
        (0.5 + shift[0] + side * body["tilt"], 0.5 + shift[1] + side * 0.2) for side in (-1, 1)
    ]
    lungs = sum(_ellipse(centre, (body["height"], body["width"])) for centre in centres)
    rows = np.arange(SIZE)[:, None] / SIZE
    image = 0.75 - 0.5 * lungs + 0.06 * lungs * np.sin(2 * np.pi * body["ribs"] * rows)
    if abnormal:
        for _ in range(random.integers(1, 4)):
            row, column = centres[random.integers(2)] + random.normal(0, [0.1, 0.05])
            patch = _ellipse((row, column), tuple(random.uniform(0.04, 0.11, size=2)))
            image += random.uniform(0.05, 0.2) * gaussian_filter(patch, 1.5) * lungs
    image = gaussian_filter(image, 0.7) + random.normal(0, 0.03, size=image.shape)
    pixels: NDArray[np.uint8] = (255 * np.clip(image, 0, 1) ** body["exposure"]).astype(np.uint8)
    return pixels


def simulate_xrays(
    n_patients: int = 1200, seed: int = 0
) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64], NDArray[np.int64]]:
    """Return images, labels (1 is abnormal), and the patient number of each image.

    Each patient has one to three images; every second patient is ill, in all of their images.
    """
    random = np.random.default_rng(seed)
    images, labels, patients = [], [], []
    for number in range(n_patients):
        body = _patient(random)
        for _ in range(random.integers(1, 4)):
            images.append(_xray(body, number % 2 == 1, random))
            labels.append(number % 2)
            patients.append(number)
    return images, np.array(labels), np.array(patients)
