"""Finding defective photovoltaic modules in infrared images, and classifying their defects.

A fifth of the images is held out to judge the classes, and the decision between defective and
intact with a threshold and a suspicious band that were chosen on other images. A small network gets
the images in their original size; with initial weights, MobileNetV2 networks get them enlarged, and
their probabilities are averaged.
"""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from secondlook._shared.plain_values import plain
from secondlook.decide.binomial_interval import binomial_interval
from secondlook.decide.decision_rule import DecisionRule
from secondlook.decide.feature_distance import FeatureDistance
from secondlook.decide.suspicious_band import SuspiciousBand
from secondlook.decide.tune_threshold import tune_threshold
from secondlook.jobs.decision_table import DecisionTable, TableRow, at_threshold, with_band
from secondlook.jobs.simulated_modules import simulate_modules

if TYPE_CHECKING:
    from secondlook.image import Augmentation, ImageClassifier

__all__ = [
    "SOUND",
    "ModuleOptions",
    "ModuleResult",
    "read_modules",
    "train_modules",
    "variations",
]

SOUND = "No-Anomaly"
MIRRORED = ("flip", "vertical_flip")
# Each class needs an image for training, for tuning and for judging, whatever the fractions.
FEWEST_PER_CLASS = 8

Labels = NDArray[np.str_]


@dataclass(frozen=True)
class ModuleOptions:
    """Options of `train_modules`.

    Attributes
    ----------
    weights : path or None
        Initial weights of MobileNetV2; None: only the small network is trained.
    epochs : int or None
        None: about 20, or 8 on the synthetic set.
    n_images : int
        Number of images of the synthetic set.
    """

    weights: str | os.PathLike[str] | None = None
    epochs: int | None = None
    n_images: int = 3000

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"train_modules: expected epochs of at least 1, got {self.epochs}")


@dataclass
class ModuleResult:
    """Result of `train_modules`.

    Attributes
    ----------
    n_training, n_tuning, n_judging : int
        Number of images.
    accuracy : float
        Fraction of the judged images whose class is right.
    classes : list of dict
        For each class its ``name``, the number of ``images``, its ``recall``, and the class
        ``mistaken_for`` most often, or None.
    rows : list of TableRow
        The decisions between defective and intact.
    files : list of Path
        The networks, each with a decision rule.
    """

    n_training: int
    n_tuning: int
    n_judging: int
    accuracy: float = float("nan")
    classes: list[dict[str, Any]] = field(default_factory=list)
    rows: list[TableRow] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        result: dict[str, Any] = plain(self)
        return result


def variations() -> Augmentation:
    """Return how images of a module may differ: it looks the same mirrored or upside down."""
    from secondlook.image import Augmentation

    return Augmentation(
        horizontal_flip=0.5, vertical_flip=0.5, shift=0.04, zoom=0.05, brightness=0.05, contrast=0.1
    )


def read_modules(folder: str | os.PathLike[str]) -> tuple[list[Path], Labels]:
    """Return the images of a folder and the class of each.

    Raises
    ------
    ValueError
        If `module_metadata.json`, which lists both, is missing or lists something else.
    """
    root = Path(folder)
    file = root / "module_metadata.json"
    if not file.is_file():
        raise ValueError(f"expected '{file}', which lists images and their classes; found none")
    try:
        modules = json.loads(file.read_text("utf-8")).values()
        paths = [root / module["image_filepath"] for module in modules]
        return paths, np.array([str(module["anomaly_class"]) for module in modules])
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{file}': expected an object of modules with image_filepath and anomaly_class: "
            f"{error!r}"
        ) from None


def train_modules(
    folder: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: ModuleOptions | None = None,
    *,
    announce: Callable[[str], object] = print,
) -> ModuleResult:
    """Train networks on images of modules, and judge classes and decisions on images held out.

    Parameters
    ----------
    folder : path or None
        Contains `module_metadata.json` and the images that it lists (the layout of
        InfraredSolarModules). None: a small synthetic set.
    out : path
        Folder for the networks; created if it does not exist.
    options : ModuleOptions or None, default=None
    announce : callable, default=print
        Called with each line of the tables, as they are known.

    Returns
    -------
    ModuleResult

    Raises
    ------
    ValueError
        If the folder has another layout, or a class has too few images.
    ImportError
        If torch is missing.
    """
    import secondlook.image  # noqa: F401  (if torch is missing, say so before reading)

    options = options or ModuleOptions()
    images, labels = _images_and_labels(folder, options, announce)
    indices = np.arange(len(labels))
    rest, judging = train_test_split(indices, test_size=0.2, stratify=labels, random_state=0)
    training, tuning = train_test_split(rest, test_size=0.15, stratify=labels[rest], random_state=0)
    job = _Job(images, labels, training, tuning, judging, announce)
    job.train(_networks(options, synthetic=folder is None))
    job.judge()
    Path(out).mkdir(parents=True, exist_ok=True)
    job.save(Path(out))
    return job.result


def _images_and_labels(
    folder: str | os.PathLike[str] | None,
    options: ModuleOptions,
    announce: Callable[[str], object],
) -> tuple[list[Any], Labels]:
    if folder is None:
        announce(f"A synthetic set of {options.n_images} modules.")
        simulated, labels = simulate_modules(options.n_images)
        images: list[Any] = list(simulated)
    else:
        paths, labels = read_modules(folder)
        from secondlook.image import read_image

        images = [read_image(path) for path in paths]
    names, counts = np.unique(labels, return_counts=True)
    if SOUND not in names or len(names) < 2:
        raise ValueError(
            f"expected modules of the class {SOUND!r} and of defects, got {names.tolist()}"
        )
    if counts.min() < FEWEST_PER_CLASS:
        raise ValueError(
            f"expected at least {FEWEST_PER_CLASS} images per class, got {counts.min()} of "
            f"{names[counts.argmin()].item()!r}; leave the class out, or merge it with another"
        )
    return images, labels


@dataclass
class _Job:
    """The steps of the job, and what they hand on."""

    images: list[Any]
    labels: Labels
    training: NDArray[np.int64]
    tuning: NDArray[np.int64]
    judging: NDArray[np.int64]
    announce: Callable[[str], object]

    def __post_init__(self) -> None:
        n = [len(part) for part in (self.training, self.tuning, self.judging)]
        self.announce(f"{n[0]} images for training, {n[1]} for tuning, {n[2]} held out\n")
        self.result = ModuleResult(n[0], n[1], n[2])

    def train(self, networks: list[ImageClassifier]) -> None:
        """Train the networks; the small one is kept only if it is the only one."""
        y = self.labels[self.judging]
        scores = []
        for network in networks:
            begin = time.perf_counter()
            # It is unknown which images show the same module, so each image is its own group.
            network.fit(self._of(self.training), self.labels[self.training], groups=self.training)
            minutes = (time.perf_counter() - begin) / 60
            scores.append(
                [
                    network.predict_proba(self._of(part), test_time_augmentation=MIRRORED)
                    for part in (self.tuning, self.judging)
                ]
            )
            self.classes = network.classes_
            self._state_accuracy(scores[-1][1], y)
            rows, columns = network._size()
            self.announce(
                f"({network.architecture}, {columns} × {rows}, {minutes:.1f} min of training)"
            )
        self.kept = networks[1:] or networks
        self.scores = scores[-len(self.kept) :]
        self.tuning_p, self.judging_p = (np.mean(p, axis=0) for p in zip(*self.scores, strict=True))
        if len(self.kept) > 1:
            self._state_accuracy(self.judging_p, y)
            self.announce("(averaged)")

    def judge(self) -> None:
        """Judge the classes, and the decision between defective and intact."""
        self._judge_classes()
        p_tuning, p = (1 - part[:, self._sound] for part in (self.tuning_p, self.judging_p))
        y_tuning, y = self._defective(self.tuning), self._defective(self.judging)
        self.announce("\nDefective or not:\n")
        table = DecisionTable(self.announce, self.result.rows)
        table.add(at_threshold("at one half", y, p, 0.5))
        boundary = tune_threshold(y_tuning, p_tuning).threshold
        table.add(at_threshold(f"boundary tuned to {boundary:.2f}", y, p, boundary))
        budget = SuspiciousBand(max_referral_rate=0.1).fit(p_tuning, y_tuning)
        table.add(with_band("band that refers a tenth", budget, y, p))
        guaranteed = SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05)
        guaranteed.fit(p_tuning, y_tuning)
        table.add(with_band("band, 3 % missed, 5 % false alarms", guaranteed, y, p))

    def save(self, out: Path) -> None:
        """Write the networks that are kept, each with a decision rule of its own."""
        self.announce("")
        for number, (network, (own_p, _)) in enumerate(
            zip(self.kept, self.scores, strict=True), start=1
        ):
            guard = FeatureDistance(random_state=0)
            guard.fit(network.features(self._of(self.training)), self.labels[self.training])
            network.decision_rule_ = DecisionRule(
                SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05),
                threshold={},
                calibration="isotonic",
                feature_distance=guard,
                score_parameters={"normal": SOUND, "test_time_augmentation": MIRRORED},
            ).fit(1 - own_p[:, self._sound], self._defective(self.tuning))
            file = out / f"infrared_modules_{number}.safetensors"
            network.save(file)
            self.result.files.append(file)
            self.announce(f"network with its decision rule: {file}")

    @property
    def _sound(self) -> int:
        return int(np.flatnonzero(self.classes == SOUND)[0])

    def _of(self, part: NDArray[np.int64]) -> list[Any]:
        return [self.images[i] for i in part]

    def _defective(self, part: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(self.labels[part] != SOUND, dtype=np.int64)

    def _state_accuracy(self, p: NDArray[np.float64], y: Labels) -> None:
        """State the fraction of correct classes, with its exact interval."""
        n_right = int((self.classes[p.argmax(axis=1)] == y).sum())
        low, high = binomial_interval(n_right, len(y))
        self.result.accuracy = n_right / len(y)
        self.announce(
            f"accuracy over {len(self.classes)} classes: {n_right / len(y):.1%} "
            f"({low:.1%}–{high:.1%})"
        )

    def _judge_classes(self) -> None:
        """State how well each class is found, and what it is most often mistaken for."""
        y = self.labels[self.judging]
        predicted = self.classes[self.judging_p.argmax(axis=1)]
        self.announce("\n| class | images | found | most often mistaken for |\n|---|---|---|---|")
        for name in self.classes.tolist():
            own = predicted[y == name]
            names, counts = np.unique(own[own != name], return_counts=True)
            mostly = names[counts.argmax()].item() if len(names) else None
            recall = float(np.mean(own == name))
            self.result.classes.append(
                {"name": name, "images": len(own), "recall": recall, "mistaken_for": mostly}
            )
            told = "–" if mostly is None else f"{mostly} ({counts.max()})"
            self.announce(f"| {name} | {len(own)} | {recall:.1%} | {told} |")


def _networks(options: ModuleOptions, *, synthetic: bool) -> list[ImageClassifier]:
    """Return untrained classifiers: a small one, and with weights two that get larger images."""
    from secondlook.image import ImageClassifier

    # Architecture, enlargement, epochs and fraction held out while training.
    plans: list[tuple[Any, int, int, float]] = [("small_cnn", 1, 24, 0.1)]
    if options.weights is not None:
        plans += [("mobilenet_v2", 3, 24, 0.1), ("mobilenet_v2", 4, 22, 0.06)]
    return [
        ImageClassifier(
            architecture,
            None if architecture == "small_cnn" else options.weights,
            image_size=(40 * scale, 24 * scale),
            channels=1 if architecture == "small_cnn" else None,
            augmentation=variations(),
            label_smoothing=0.05,
            weight_averaging=0.995,
            validation_fraction=validation_fraction,
            max_epochs=options.epochs or (8 if synthetic else epochs),
            random_state=0,
        )
        for architecture, scale, epochs, validation_fraction in plans
    ]
