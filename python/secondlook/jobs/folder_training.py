"""Training of an image classifier on a folder per class, with figures and a decision rule."""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from secondlook._shared.whole_file import require_writable
from secondlook.decide.decision_rule import DecisionRule
from secondlook.decide.feature_distance import FeatureDistance
from secondlook.decide.suspicious_band import SuspiciousBand
from secondlook.jobs.cross_fitting import cross_fitted_decisions, fewest_groups
from secondlook.jobs.trained_folder import TrainedFolder, fraction_of, listed

if TYPE_CHECKING:
    from secondlook.image import ImageClassifier, ImageFolder
    from secondlook.image.predictions import Predictions

__all__ = ["TrainOptions", "train_folder"]

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
    skip_broken : bool
        Leave out images that cannot be read; otherwise they are an error.
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
    skip_broken: bool = False


def train_folder(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: TrainOptions | None = None,
) -> TrainedFolder:
    """Train an `ImageClassifier` on a folder per class, and save it with a decision rule.

    A fifth of the images, by whole groups, is held out. They give the figures, and the decision
    rule in the file, which `decide_folder` uses, is fitted on all of them. To judge the rule, they
    are divided in five, by groups, and each part is decided by a rule fitted on the other four.

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
        If the folder has fewer than two classes or too few images, images cannot be read (unless
        `skip_broken`), or an option is invalid.
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
    normal = _normal_class(sorted(images.classes), options.normal)
    images, skipped = _readable(images, skip_broken=options.skip_broken)
    labels = images.labels
    # Without groups, every image is its own.
    groups = np.array(images.paths, dtype=str) if images.groups is None else images.groups
    training, held_out = (
        _Part([images.paths[i] for i in part], labels[part], groups[part])
        for part in _split(labels, groups, options.seed)
    )
    model = _untrained(options)
    model.fit(
        training.files,
        training.labels,
        groups=None if options.group_pattern is None else training.groups,
    )
    found = model._predictions("train_folder", held_out.files, {}, with_features=True)
    result = _figures(
        Path(out), len(training.files), model.classes_, found.probabilities, held_out.labels
    )
    result.skipped = skipped
    if normal is None:
        result.notes.append("no decision rule, as there are several classes and no normal one")
    else:
        _fit_rule(model, options, normal, training, held_out, found, result)
    model.save(out)
    return result


class _Part(NamedTuple):
    files: list[Path]
    labels: NDArray[np.str_]
    groups: NDArray[np.str_]


def _readable(images: ImageFolder, *, skip_broken: bool) -> tuple[ImageFolder, dict[str, str]]:
    """Return the images that can be read, and why others cannot; these are not skipped unasked."""
    from secondlook.image.broken_images import broken_images

    broken = broken_images(images.paths)
    skipped = {
        images.paths[index].relative_to(images.root).as_posix(): why
        for index, why in broken.items()
    }
    if broken and not skip_broken:
        raise ValueError(
            f"train_folder: expected images that can be read, got {len(broken)} that cannot: "
            f"{listed(skipped)}; mend or remove them, or leave them out with skip_broken "
            "(--skip-broken)"
        )
    kept = [index for index in range(len(images)) if index not in broken]
    lost = set(images.classes) - set(images.labels[kept])
    if lost:
        raise ValueError(
            f"train_folder: expected images that can be read in every class, got none in "
            f"{min(lost)!r}: {listed(skipped)}"
        )
    return images._part(kept), skipped


def _normal_class(classes: list[str], normal: str | None) -> str | None:
    if normal is not None and normal not in classes:
        raise ValueError(f"expected the normal class as one of {classes}, got {normal!r}")
    return classes[0] if normal is None and len(classes) == 2 else normal


def _split(
    labels: NDArray[np.str_], groups: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the images to train on and those held out, each with all classes."""
    fewest, n_groups = fewest_groups(labels, groups)
    if n_groups < 2:
        raise ValueError(
            "expected at least 2 images per class, of different groups, one to train on and one to "
            f"judge by; got {n_groups} in {fewest!r}: add images, or move the folder away"
        )
    folds = StratifiedGroupKFold(min(_N_FOLDS, n_groups), shuffle=True, random_state=seed)
    n_classes = len(np.unique(labels))
    for training, held_out in folds.split(labels, labels, groups):
        if all(len(np.unique(labels[part])) == n_classes for part in (training, held_out)):
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
        fraction_of(predicted == labels),
        {name: fraction_of(predicted[labels == name] == name) for name in classes.tolist()},
        {
            name: {other: int((predicted[labels == name] == other).sum()) for other in classes}
            for name in classes.tolist()
        },
    )


def _fit_rule(
    model: ImageClassifier,
    options: TrainOptions,
    normal: str,
    training: _Part,
    held_out: _Part,
    found: Predictions,
    result: TrainedFolder,
) -> None:
    """Give the model a rule, fitted on the images held out, and judge it by cross-fitting."""
    from secondlook.image.predictions import not_in_column

    guard = _guard(model, training, options.seed, result)
    far = None
    if guard is not None and found.features is not None:
        far = guard.is_out_of_distribution(found.features)
    rule = DecisionRule(
        SuspiciousBand(options.max_miss_rate, options.max_false_alarm_rate),
        calibration="platt",
        feature_distance=guard,
        score_parameters={"normal": normal},
    )
    score = not_in_column(found.probabilities, model.classes_.tolist().index(normal))
    abnormal = held_out.labels != normal
    model.decision_rule_ = rule.fit(score, abnormal.astype(np.int64), held_out.groups)
    result.normal = normal
    decisions = cross_fitted_decisions(rule, score, abnormal, held_out.groups, far, options.seed)
    if decisions is None:
        result.notes.append(
            "no figures of the decision rule: too few groups are held out to fit it on some and "
            f"judge it by others ({int(abnormal.sum())} abnormal and {int((~abnormal).sum())} "
            "normal images)"
        )
        return
    result.referral_rate = fraction_of(decisions == "refer")
    result.miss_rate = fraction_of(decisions[abnormal] == "negative")
    result.false_alarm_rate = fraction_of(decisions[~abnormal] == "positive")


def _guard(
    model: ImageClassifier, training: _Part, seed: int, result: TrainedFolder
) -> FeatureDistance | None:
    """Return the test of whether an image is out of distribution, if there are enough images."""
    features = model.features(training.files)
    try:
        return FeatureDistance(random_state=seed).fit(
            features, training.labels, groups=training.groups
        )
    except ValueError:  # too few images to set its threshold
        result.notes.append(
            "too few images for a test of whether an image is out of distribution; the rule has "
            "none"
        )
        return None
