"""Labelled X-rays, divided by patient, and as another scanner might have taken them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter, zoom
from sklearn.model_selection import StratifiedGroupKFold

__all__ = ["Cases", "another_scanner", "read_xrays", "split"]

PATIENT = re.compile(r"(person\d+|NORMAL2-IM-\d+|IM-\d+)")
CLASSES = ("NORMAL", "PNEUMONIA")
N_FOLDS = 6  # one for tuning, one for judging, the others for training


@dataclass
class Cases:
    """Images with their labels (1 is abnormal) and patients."""

    images: list[Any]
    labels: NDArray[np.int64]
    patients: NDArray[Any]

    def __getitem__(self, indices: NDArray[np.int64]) -> "Cases":
        return Cases(
            [self.images[i] for i in indices], self.labels[indices], self.patients[indices]
        )


def read_xrays(folder: str | os.PathLike[str]) -> Cases:
    """Return the X-rays of a folder with the folders NORMAL and PNEUMONIA.

    Raises
    ------
    ValueError
        If one of the two is missing or empty.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"expected a folder, got '{root}'")
    files: list[Path] = []
    for name in CLASSES:
        found = sorted((root / name).glob("*"))
        if not found:
            raise ValueError(f"expected X-rays in '{root / name}', found none")
        files += found
    labels = np.array([file.parent.name == CLASSES[1] for file in files], dtype=np.int64)
    matches = [PATIENT.match(file.name) for file in files]
    patients = np.array(
        [match[0] if match else file.stem for match, file in zip(matches, files, strict=True)]
    )
    return Cases(list(files), labels, patients)


def split(cases: Cases, seed: int = 0) -> tuple[Cases, Cases, Cases]:
    """Return cases for training, tuning and judging; no patient is in two of them.

    Raises
    ------
    ValueError
        If a class has fewer than six patients.
    """
    for label, name in enumerate(CLASSES):
        n_patients = len(np.unique(cases.patients[cases.labels == label]))
        if n_patients < N_FOLDS:
            raise ValueError(
                f"expected X-rays of at least {N_FOLDS} patients in {name}, got {n_patients}; "
                "training, tuning and judging each need some"
            )
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    parts = [test for _, test in folds.split(cases.labels, cases.labels, cases.patients)]
    return cases[np.concatenate(parts[2:])], cases[parts[1]], cases[parts[0]]


def another_scanner(cases: Cases, seed: int = 1) -> Cases:
    """Return the images as another scanner might have taken them, each changed at random.

    Framing, aspect, resolution, exposure, contrast and noise change. This uses numpy and scipy, not
    the augmentation used in training.
    """
    from secondlook.image import read_image  # needs torch

    random = np.random.default_rng(seed)
    changed = []
    for image in cases.images:
        pixels = np.asarray(read_image(image), dtype=np.float64)
        grey = (pixels.mean(axis=2) if pixels.ndim == 3 else pixels) / 255
        size = grey.shape
        grey = _reframed(grey, random)
        coarse = zoom(
            gaussian_filter(grey, random.uniform(0, 1)), random.uniform(0.5, 0.9), order=1
        )
        grey = zoom(coarse, np.array(size) / coarse.shape, order=1)[: size[0], : size[1]]
        grey = np.clip(grey, 0, 1) ** np.exp(random.uniform(-0.5, 0.5))
        grey = 0.5 + (grey - 0.5) * random.uniform(0.6, 1.1) + random.uniform(-0.1, 0.1)
        grey += random.normal(0, random.uniform(0, 0.05), size=grey.shape)
        changed.append((255 * np.clip(grey, 0, 1)).astype(np.uint8))
    return Cases(changed, cases.labels, cases.patients)


def _reframed(grey: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the image zoomed, with a changed aspect, and slightly rotated and shifted."""
    zoomed = np.exp(random.uniform(-0.15, 0.2))
    half_aspect = np.exp(random.uniform(-0.1, 0.1))
    angle = np.deg2rad(random.uniform(-5, 5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([half_aspect, 1 / half_aspect]) / zoomed
    centre = (np.array(grey.shape) - 1) / 2
    shift = random.uniform(-0.05, 0.05, size=2) * grey.shape
    offset = centre - matrix @ (centre + shift)
    moved: NDArray[np.float64] = affine_transform(grey, matrix, offset, order=1, mode="nearest")
    return moved
