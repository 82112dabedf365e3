"""Telling pneumonia from healthy lungs, and referring what is too uncertain to decide.

Several networks, from a simple one to fine-tuned ones, are trained on the same patients, and the
best are averaged. On other patients the threshold is tuned and the suspicious band fitted. All are
judged on a third group of patients: on the original images, and on images as another scanner might
have taken them.
"""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.html_page import can_draw
from secondlook._shared.plain_values import plain
from secondlook._shared.whole_file import whole_file
from secondlook.decide.confusion_matrix import confusion_matrix
from secondlook.decide.decision_rule import DecisionRule
from secondlook.decide.feature_distance import FeatureDistance
from secondlook.decide.suspicious_band import SuspiciousBand
from secondlook.decide.tune_threshold import tune_threshold
from secondlook.jobs.decision_table import DecisionTable, TableRow, at_threshold, with_band
from secondlook.jobs.simulated_xrays import simulate_xrays
from secondlook.jobs.xray_cases import Cases, another_scanner, read_xrays, split

if TYPE_CHECKING:
    from secondlook.image import Augmentation, ImageClassifier
    from secondlook.image.preprocessing import Contrast

__all__ = ["XrayOptions", "XrayResult", "train_chest_xray", "variations"]

_MIRRORED = ("flip",)


@dataclass(frozen=True)
class XrayOptions:
    """Options of `train_chest_xray`.

    Attributes
    ----------
    weights : path or None
        Initial weights of MobileNetV2; None: only small networks are trained.
    epochs : int or None
        Of the networks that are kept; None: 10 to 12.
    n_networks : int
        Number of networks that are kept and averaged, 1 to 3.
    image_size : int
        Image size of MobileNetV2 in pixels.
    n_patients : int
        Number of patients of the synthetic set.
    """

    weights: str | os.PathLike[str] | None = None
    epochs: int | None = None
    n_networks: int = 3
    image_size: int = 160
    n_patients: int = 1200

    def __post_init__(self) -> None:
        if not 1 <= self.n_networks <= 3:
            raise ValueError(
                f"train_chest_xray: expected n_networks from 1 to 3, got {self.n_networks}"
            )
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"train_chest_xray: expected epochs of at least 1, got {self.epochs}")


@dataclass
class XrayResult:
    """Result of `train_chest_xray`.

    Attributes
    ----------
    n_training, n_tuning, n_judging : int
        Number of images; no patient is in two of these groups.
    rows : list of TableRow
        The table, one row per step and kind of image.
    out_of_distribution : dict of str to float
        Fraction of images that are referred as out of distribution, by the kind of image.
    files : list of Path
        The networks, each with a decision rule, and the picture, if matplotlib is installed.
    """

    n_training: int
    n_tuning: int
    n_judging: int
    rows: list[TableRow]
    out_of_distribution: dict[str, float] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        result: dict[str, Any] = plain(self)
        return result


def variations() -> Augmentation:
    """Return how images of another scanner may differ, without mirroring.

    Framing and aspect must not be informative: in the published data, healthy children stand
    farther away, and ill ones lie close.
    """
    from secondlook.image import Augmentation

    return Augmentation(
        rotation=8,
        shear=4,
        zoom=0.16,
        aspect=0.2,
        shift=0.07,
        brightness=0.12,
        contrast=0.3,
        gamma=0.35,
        blur=1.2,
        noise=0.03,
        erasing=0.1,
    )


def train_chest_xray(
    folder: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: XrayOptions | None = None,
    *,
    announce: Callable[[str], object] = print,
) -> XrayResult:
    """Train networks on X-rays, tune the boundary and the band, and judge all on other patients.

    Parameters
    ----------
    folder : path or None
        Contains the folders NORMAL and PNEUMONIA, or `train` with those two and optionally `test`;
        file names contain the patient. None: a small synthetic set.
    out : path
        Folder for the networks and the picture; created if it does not exist.
    options : XrayOptions or None, default=None
    announce : callable, default=print
        Called with each line of the table and of the summary, as they are known.

    Returns
    -------
    XrayResult

    Raises
    ------
    ValueError
        If the folder has no X-rays, or a class has too few patients.
    ImportError
        If torch is missing.
    """
    import secondlook.image  # noqa: F401  (if torch is missing, say so before reading)

    options = options or XrayOptions()
    test = None
    if folder is None:
        announce(f"A synthetic set of {options.n_patients} patients, not images of real persons.")
        cases = Cases(*simulate_xrays(options.n_patients))
    else:
        train = Path(folder) / "train"
        cases = read_xrays(train if train.is_dir() else folder)
        if train.is_dir() and (Path(folder) / "test").is_dir():
            test = read_xrays(Path(folder) / "test")
    training, tuning, judging = split(cases)
    # Which cases the guard holds out does not depend on the features: too few are refused now.
    _fitted_guard(np.random.default_rng(0).normal(size=(len(training.labels), 2)), training)
    job = _Job(training, tuning, judging, test, options, folder is None, announce)
    job.train()
    job.judge()
    Path(out).mkdir(parents=True, exist_ok=True)
    job.save(Path(out))
    return job.result


@dataclass
class _Job:
    """The steps of the job, and what they hand on."""

    training: Cases
    tuning: Cases
    judging: Cases
    test: Cases | None
    options: XrayOptions
    synthetic: bool
    announce: Callable[[str], object]

    def __post_init__(self) -> None:
        n = [len(part.labels) for part in (self.training, self.tuning, self.judging)]
        self.announce(
            f"{n[0]} images for training, {n[1]} for tuning, {n[2]} for judging; no patient is in "
            "two of these.\n"
        )
        self.shifted_tuning = another_scanner(self.tuning, seed=1)
        self.shifted = another_scanner(self.judging, seed=2)
        self.table = DecisionTable(self.announce)
        self.result = XrayResult(n[0], n[1], n[2], self.table.rows)
        self.networks = _networks_to_keep(self.options, self.synthetic)

    def train(self) -> None:
        """Train the networks for comparison and those that are kept, and average the latter."""
        steps = _first_networks(self.options, self.synthetic)
        kept = "small CNN" if self.options.weights is None else "MobileNetV2, fine-tuned"
        steps |= {f"{kept}, contrast {network.contrast}": network for network in self.networks}
        judging, shifted = self.judging, self.shifted
        scores = []
        for name, classifier in steps.items():
            begin = time.perf_counter()
            classifier.fit(
                self.training.images, self.training.labels, groups=self.training.patients
            )
            minutes = (time.perf_counter() - begin) / 60
            here, there = _score(classifier, judging), _score(classifier, shifted)
            self.table.add(at_threshold(name, judging.labels, here, 0.5, minutes))
            self.table.add(at_threshold(f"{name}, another scanner", shifted.labels, there, 0.5))
            scores.append((here, there))
        # The last steps are the networks that are kept.
        self.p, self.p_shifted = np.mean(scores[-len(self.networks) :], axis=0)
        if len(self.networks) > 1:
            self.table.add(at_threshold("averaged", judging.labels, self.p, 0.5))
            self.table.add(
                at_threshold("averaged, another scanner", shifted.labels, self.p_shifted, 0.5)
            )

    def judge(self) -> None:
        """Choose the boundary and the bands on the tuning patients, and judge them on others."""
        # Threshold and bands are chosen on images of both scanners. A band uses one image per
        # patient, as its guarantee requires independent cases.
        self.tuned = np.array(
            [
                [_score(network, part) for part in (self.tuning, self.shifted_tuning)]
                for network in self.networks
            ]
        )
        both = self.tuned.mean(axis=0).ravel()
        y_both, patients_both = self._of_both_scanners()
        boundary = tune_threshold(y_both, both, min_recall=0.98).threshold
        guaranteed = SuspiciousBand(max_miss_rate=0.02, max_false_alarm_rate=0.05)
        guaranteed.fit(both, y_both, groups=patients_both)
        self.budget = SuspiciousBand(max_referral_rate=0.06).fit(both, y_both)
        judgements = [
            ("", self.judging, self.p),
            (", another scanner", self.shifted, self.p_shifted),
        ]
        if self.test is not None:
            p_test = np.mean([_score(network, self.test) for network in self.networks], axis=0)
            judgements.append((", test folder", self.test, p_test))
        for where, them, p in judgements:
            y = them.labels
            self.table.add(at_threshold(f"boundary tuned to {boundary:.2f}{where}", y, p, boundary))
            self.table.add(
                with_band(f"band, 2 % missed, 5 % false alarms{where}", guaranteed, y, p)
            )
            self.table.add(with_band(f"band that refers 6 %{where}", self.budget, y, p))

        # For another hospital: it labels a few hundred images, and the band is fitted to those.
        there = SuspiciousBand(max_miss_rate=0.05, max_false_alarm_rate=0.05)
        there.fit(self.tuned[:, 1].mean(axis=0), self.tuning.labels, groups=self.tuning.patients)
        name = "band fitted there, 5 % of either error"
        self.table.add(with_band(name, there, self.shifted.labels, self.p_shifted))

        for where, them, p in judgements:
            self.announce(f"\nBy the tuned boundary, and by the band that refers 6 %{where}:")
            self.announce(str(confusion_matrix(them.labels, p, boundary)))
            self.announce(str(self.budget.report(p, them.labels)))
        self._judge_out_of_distribution()

    def save(self, out: Path) -> None:
        """Write the networks, each with a decision rule of its own, and the picture."""
        y_both, patients_both = self._of_both_scanners()
        kept = zip(self.networks, self.guards, self.tuned, strict=True)
        self.announce("")
        for number, (network, guard, its_scores) in enumerate(kept, start=1):
            network.decision_rule_ = DecisionRule(
                SuspiciousBand(max_miss_rate=0.02, max_false_alarm_rate=0.05),
                threshold={"min_recall": 0.98},
                calibration="platt",
                feature_distance=guard,
                score_parameters={
                    "normal": network.classes_[0].item(),
                    "test_time_augmentation": _MIRRORED,
                },
            ).fit(its_scores.ravel(), y_both, groups=patients_both)
            file = out / f"chest_xray_{number}.safetensors"
            network.save(file)
            self.result.files.append(file)
            self.announce(f"network with its decision rule: {file}")
        if can_draw():
            from secondlook.jobs.xray_picture import draw

            file = out / "chest_xray.png"
            with whole_file(file) as beside:
                draw(self.networks[0], self.budget, self.judging, self.p, beside)
            self.result.files.append(file)
            self.announce(f"picture: {file}")

    def _of_both_scanners(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return labels and patients of the tuning images, once per scanner."""
        return np.tile(self.tuning.labels, 2), np.tile(self.tuning.patients, 2)

    def _judge_out_of_distribution(self) -> None:
        """State the fraction of images that `DecisionRule.decide` refers by their features."""
        from secondlook.image import read_image

        self.guards = [_feature_distance_of(network, self.training) for network in self.networks]
        self.announce("\nOut of distribution, so referred whatever the score:")
        others: dict[str, list[Any]] = {
            "the judged patients": self.judging.images,
            "another scanner": self.shifted.images,
            "upside down": [np.flipud(read_image(image)) for image in self.judging.images],
            "on their side": [np.rot90(read_image(image)) for image in self.judging.images],
        }
        for name, images in others.items():
            features = self.networks[0].features(images)
            fraction = float(self.guards[0].is_out_of_distribution(features).mean())
            self.result.out_of_distribution[name] = fraction
            self.announce(f"{name}: {fraction:.1%}")


def _first_networks(options: XrayOptions, synthetic: bool) -> dict[str, ImageClassifier]:
    """Return untrained simple classifiers for comparison."""
    from secondlook.image import ImageClassifier

    found = {
        "baseline, fully connected": ImageClassifier(
            "mlp",
            image_size=48,
            channels=1,
            max_epochs=8,
            class_weight="balanced",
            random_state=0,
        )
    }
    if not synthetic:
        found["small CNN"] = _small_cnn(96, 6)
    if options.weights is not None:
        found["MobileNetV2, last layer"] = ImageClassifier(
            "mobilenet_v2",
            options.weights,
            image_size=options.image_size,
            trainable="head",
            max_epochs=2,
            class_weight="balanced",
            random_state=0,
        )
    return found


def _small_cnn(
    size: int, epochs: int, contrast: Contrast = "stretch", seed: int = 0
) -> ImageClassifier:
    """Return an untrained small network."""
    from secondlook.image import ImageClassifier

    return ImageClassifier(
        "small_cnn",
        image_size=size,
        channels=1,
        contrast=contrast,
        augmentation=variations(),
        class_weight="balanced",
        max_epochs=epochs,
        random_state=seed,
    )


def _networks_to_keep(options: XrayOptions, synthetic: bool) -> list[ImageClassifier]:
    """Return untrained classifiers whose probabilities are averaged.

    They differ in how they normalise contrast: if one mistakes a property of the scanner for a sign
    of pneumonia, the others need not.
    """
    from secondlook.image import ImageClassifier

    all_contrasts: tuple[Contrast, ...] = ("stretch", "clahe", "none")
    contrasts = all_contrasts[: options.n_networks]
    if options.weights is None:
        size, epochs = (64, 10) if synthetic else (96, 12)
        epochs = options.epochs or epochs
        return [_small_cnn(size, epochs, contrast, seed) for seed, contrast in enumerate(contrasts)]
    return [
        ImageClassifier(
            "mobilenet_v2",
            options.weights,
            image_size=options.image_size,
            contrast=contrast,
            augmentation=variations(),
            class_weight="balanced",
            label_smoothing=0.05,
            weight_averaging=0.99,
            learning_rate=5e-4,
            max_epochs=options.epochs or 10,
            random_state=seed,
        )
        for seed, contrast in enumerate(contrasts)
    ]


def _score(classifier: ImageClassifier, cases: Cases) -> NDArray[np.float64]:
    """Return the probability of pneumonia, averaged over each image and its mirror image."""
    return classifier.predict_proba(cases.images, test_time_augmentation=_MIRRORED)[:, 1]


def _feature_distance_of(classifier: ImageClassifier, training: Cases) -> FeatureDistance:
    """Return the feature distance that finds out-of-distribution images."""
    return _fitted_guard(classifier.features(training.images), training)


def _fitted_guard(features: NDArray[np.float64], training: Cases) -> FeatureDistance:
    guard = FeatureDistance(random_state=0)
    return guard.fit(features, training.labels, groups=training.patients)
