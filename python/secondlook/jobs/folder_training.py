"""Training of an image classifier on a folder per class, with figures and a decision rule."""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from secondlook._shared.plain_values import plain
from secondlook._shared.whole_file import require_writable
from secondlook.decide.binomial_interval import Estimate, binomial_interval
from secondlook.decide.decision_rule import DecisionRule
from secondlook.decide.feature_distance import FeatureDistance
from secondlook.decide.suspicious_band import SuspiciousBand

if TYPE_CHECKING:
    from secondlook.image import ImageClassifier

__all__ = ["TrainOptions", "TrainedFolder", "train_folder"]

Architecture = Literal[
    "efficientnet_lite0", "efficientnet_lite2", "mobilenet_v2", "small_cnn", "vgg16", "mlp"
]
_N_FOLDS = 5  # one is held out


@dataclass(frozen=True)
class TrainOptions:
    """Options of `train_folder`.

    Attributes
    ----------
    architecture : str or None
        See `ImageClassifier`. None: MobileNetV2 with `weights`; without, EfficientNet-lite0 if its
        pretrained weights are installed and the images have at least 64 pixels, otherwise the small
        network.
    weights : path or None
        Initial weights. None: the pretrained ones that are installed, if the architecture has any.
    image_size : int or None
        None: 224 pixels with `weights`, otherwise 96.
    epochs : int
    group_pattern : str or None
        See `load_folder`; images of one group are not both trained on and held out.
    normal : str or None
        The normal class; None: the first of two. With more than two classes and no normal one
        there is no decision rule.
    max_miss_rate, max_false_alarm_rate : float
        Guarantee of the decision rule, see `SuspiciousBand`.
    seed : int
    """

    architecture: Architecture | None = None
    weights: str | os.PathLike[str] | None = None
    image_size: int | None = None
    epochs: int = 12
    group_pattern: str | None = None
    normal: str | None = None
    max_miss_rate: float = 0.05
    max_false_alarm_rate: float = 0.05
    seed: int = 0


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
    accuracy : Estimate
        Over the images held out.
    recall : dict of str to Estimate
        Of each class.
    confusion : dict of str to dict of str to int
        Images held out, by class and by predicted class.
    normal : str or None
        The normal class of the decision rule; None if there is no rule.
    referral_rate : float or None
        Fraction of the images held out, on which the rule was fitted, that it refers.
    notes : list of str
    """

    file: Path
    n_training: int
    n_held_out: int
    accuracy: Estimate
    recall: dict[str, Estimate]
    confusion: dict[str, dict[str, int]]
    normal: str | None = None
    referral_rate: float | None = None
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        recalls = {f"recall of {name}": found for name, found in self.recall.items()}
        width = max(map(len, recalls))
        lines = [
            f"{self.n_training} images trained on, {self.n_held_out} held out; of these",
            f"  {'accuracy':{width}}  {self.accuracy}",
            *(f"  {name:{width}}  {found}" for name, found in recalls.items()),
        ]
        if self.referral_rate is not None:
            lines.append(
                f"decision rule: normal is {self.normal}, {self.referral_rate:.1%} referred"
            )
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        result: dict[str, Any] = plain(self)
        return result


def train_folder(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: TrainOptions | None = None,
) -> TrainedFolder:
    """Train an `ImageClassifier` on a folder per class, and save it with a decision rule.

    A fifth of the images, by whole groups, is held out: it gives the figures and the decision rule,
    which `decide_folder` uses.

    Parameters
    ----------
    folder : path
        Contains a folder per class, whose name is the class.
    out : path
        The model's file, replaced atomically.
    options : TrainOptions or None, default=None

    Returns
    -------
    TrainedFolder

    Raises
    ------
    ValueError
        If the folder has fewer than two classes or too few images, or an option is invalid.
    OSError
        If a file cannot be read or written.
    ImportError
        If torch is missing.
    """
    options = options or TrainOptions()
    require_writable("train_folder", out)
    from secondlook.image import load_folder  # needs torch

    images = load_folder(folder, groups=options.group_pattern)
    if len(images.classes) < 2:
        raise ValueError(
            f"expected a folder per class in '{os.fspath(folder)}', at least two, got "
            f"{images.classes}"
        )
    files, labels = images.paths, images.labels
    # Without groups, every image is its own.
    groups = np.array(files, dtype=str) if images.groups is None else images.groups
    normal = _normal_class(np.unique(labels).tolist(), options.normal)
    training, held_out = _split(labels, groups, options.seed)
    model = _untrained(options)
    model.fit(
        [files[i] for i in training],
        labels[training],
        groups=None if options.group_pattern is None else groups[training],
    )
    p = model.predict_proba([files[i] for i in held_out])
    result = _figures(Path(out), len(training), model.classes_, p, labels[held_out])
    if normal is None:
        result.notes.append("no decision rule, as there are several classes and no normal one")
    else:
        _fit_rule(model, options, normal, files, labels, groups, training, held_out, p, result)
    model.save(out)
    return result


def _normal_class(classes: list[str], normal: str | None) -> str | None:
    if normal is not None and normal not in classes:
        raise ValueError(f"expected the normal class as one of {classes}, got {normal!r}")
    return classes[0] if normal is None and len(classes) == 2 else normal


def _split(
    labels: NDArray[np.str_], groups: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the images to train on and those held out, each with all classes."""
    n_groups = {name: len(np.unique(groups[labels == name])) for name in np.unique(labels).tolist()}
    fewest = min(n_groups, key=lambda name: n_groups[name])
    if n_groups[fewest] < 2:
        raise ValueError(
            "expected at least 2 images per class, of different groups, one to train on and one to "
            f"judge by; got {n_groups[fewest]} in {fewest!r}: add images, or move the folder away"
        )
    folds = StratifiedGroupKFold(min(_N_FOLDS, n_groups[fewest]), shuffle=True, random_state=seed)
    for training, held_out in folds.split(labels, labels, groups):
        if all(len(np.unique(labels[part])) == len(n_groups) for part in (training, held_out)):
            return training, held_out
    raise ValueError(
        "expected groups by which every class can be both trained on and held out; "
        f"there are too few of the class {fewest!r}"
    )


def _untrained(options: TrainOptions) -> ImageClassifier:
    from secondlook.image import Augmentation, ImageClassifier
    from secondlook.image.pretrained import weights_installed

    has_weights = options.weights is not None
    size = options.image_size or (224 if has_weights else 96)
    architecture: Architecture
    if options.architecture is not None:
        architecture = options.architecture
    elif has_weights:
        architecture = "mobilenet_v2"
    else:
        can_fine_tune = size >= 64 and weights_installed("efficientnet_lite0")
        architecture = "efficientnet_lite0" if can_fine_tune else "small_cnn"
    return ImageClassifier(
        architecture,
        options.weights or ("auto" if architecture.startswith("efficientnet") else None),
        image_size=size,
        augmentation=Augmentation(
            rotation=8, zoom=0.1, shift=0.05, brightness=0.1, contrast=0.2, noise=0.02
        ),
        class_weight="balanced",
        max_epochs=options.epochs,
        random_state=options.seed,
    )


def _figures(
    out: Path,
    n_training: int,
    classes: NDArray[Any],
    p: NDArray[np.float64],
    labels: NDArray[np.str_],
) -> TrainedFolder:
    predicted = classes[p.argmax(axis=1)]
    return TrainedFolder(
        out,
        n_training,
        len(labels),
        _fraction(predicted == labels),
        {name: _fraction(predicted[labels == name] == name) for name in classes.tolist()},
        {
            name: {other: int((predicted[labels == name] == other).sum()) for other in classes}
            for name in classes.tolist()
        },
    )


def _fraction(right: NDArray[np.bool_]) -> Estimate:
    n_right = int(right.sum())
    return Estimate(n_right / len(right), *binomial_interval(n_right, len(right)))


def _fit_rule(
    model: ImageClassifier,
    options: TrainOptions,
    normal: str,
    files: Sequence[Path],
    labels: NDArray[np.str_],
    groups: NDArray[np.str_],
    training: NDArray[np.int64],
    held_out: NDArray[np.int64],
    p: NDArray[np.float64],
    result: TrainedFolder,
) -> None:
    """Give the model a rule, fitted on the images held out."""
    guard: FeatureDistance | None = FeatureDistance(random_state=options.seed)
    features = model.features([files[i] for i in training])
    try:
        guard = FeatureDistance(random_state=options.seed).fit(
            features, labels[training], groups=groups[training]
        )
    except ValueError:  # too few images to set its threshold
        guard = None
        result.notes.append(
            "too few images for a test of whether an image is out of distribution; the rule has "
            "none"
        )
    score = 1 - p[:, model.classes_.tolist().index(normal)]
    rule = DecisionRule(
        SuspiciousBand(options.max_miss_rate, options.max_false_alarm_rate),
        calibration="platt",
        feature_distance=guard,
        score_parameters={"normal": normal},
    )
    rule.fit(score, (labels[held_out] != normal).astype(np.int64), groups=groups[held_out])
    model.decision_rule_ = rule
    result.normal = normal
    decisions = rule.decide(score, np.zeros(len(score), dtype=bool))
    result.referral_rate = float((decisions == "refer").mean())
