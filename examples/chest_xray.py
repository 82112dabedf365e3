"""Tell pneumonia from healthy lungs, and refer to a person what is too uncertain to decide.

    python examples/chest_xray.py [DIR] [--weights FILE] [--networks N] [--out FOLDER]

DIR contains the folders NORMAL and PNEUMONIA, or `train` with those two and optionally `test`; file
names contain the patient. Without DIR, a small synthetic set is generated. Several networks, from a
simple one to fine-tuned ones, are trained on the same patients, and the best are averaged. On other
patients the threshold is tuned and the suspicious band fitted. All are judged on a third group of
patients: on the original images, and on images as another scanner might have taken them. The
program prints one table and writes the networks, each with a decision rule, and a picture.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from decision_table import banded, header, judged, row
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter, zoom
from simulated_xrays import simulate_xrays
from sklearn.model_selection import StratifiedGroupKFold

import secondlook as sl
from secondlook.image import Augmentation, read_image
from secondlook.image.preprocessing import Contrast

PATIENT = re.compile(r"(person\d+|NORMAL2-IM-\d+|IM-\d+)")
# How images of another scanner may differ, without mirroring. Framing and aspect must not be
# informative: in this data, healthy children stand farther away, and ill ones lie close.
VARIATIONS = Augmentation(
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


@dataclass
class Cases:
    """Images with their labels (1 is abnormal) and patients."""

    images: list
    labels: NDArray[np.int64]
    patients: NDArray

    def __getitem__(self, indices: NDArray) -> "Cases":
        return Cases(
            [self.images[i] for i in indices], self.labels[indices], self.patients[indices]
        )


def read_folder(folder: Path) -> Cases:
    """Return the X-rays of a folder with the folders NORMAL and PNEUMONIA."""
    files = sorted(file for name in ("NORMAL", "PNEUMONIA") for file in (folder / name).glob("*"))
    if not files:
        sys.exit(f"chest_xray: expected X-rays in {folder / 'NORMAL'} and {folder / 'PNEUMONIA'}")
    labels = np.array([file.parent.name == "PNEUMONIA" for file in files], dtype=np.int64)
    found = [PATIENT.match(file.name) for file in files]
    patients = np.array(
        [match[0] if match else file.stem for match, file in zip(found, files, strict=True)]
    )
    return Cases(list(files), labels, patients)


def split(cases: Cases, seed: int = 0) -> tuple[Cases, Cases, Cases]:
    """Return cases for training, tuning and judging; no patient is in two of them."""
    folds = StratifiedGroupKFold(6, shuffle=True, random_state=seed)
    parts = [test for _, test in folds.split(cases.labels, cases.labels, cases.patients)]
    return cases[np.concatenate(parts[2:])], cases[parts[1]], cases[parts[0]]


def reframed(grey: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the image zoomed, with a changed aspect, and slightly rotated and shifted."""
    zoomed = np.exp(random.uniform(-0.15, 0.2))
    half_aspect = np.exp(random.uniform(-0.1, 0.1))
    angle = np.deg2rad(random.uniform(-5, 5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([half_aspect, 1 / half_aspect]) / zoomed
    centre = (np.array(grey.shape) - 1) / 2
    shift = random.uniform(-0.05, 0.05, size=2) * grey.shape
    offset = centre - matrix @ (centre + shift)
    return affine_transform(grey, matrix, offset, order=1, mode="nearest")


def another_scanner(cases: Cases, seed: int = 1) -> Cases:
    """Return the images as another scanner might have taken them, each changed at random.

    Framing, aspect, resolution, exposure, contrast and noise change. This uses numpy and scipy, not
    the augmentation used in training.
    """
    random = np.random.default_rng(seed)
    changed = []
    for image in cases.images:
        pixels = np.asarray(read_image(image), dtype=np.float64)
        grey = (pixels.mean(axis=2) if pixels.ndim == 3 else pixels) / 255
        size = grey.shape
        grey = reframed(grey, random)
        coarse = zoom(
            gaussian_filter(grey, random.uniform(0, 1)), random.uniform(0.5, 0.9), order=1
        )
        grey = zoom(coarse, np.array(size) / coarse.shape, order=1)[: size[0], : size[1]]
        grey = np.clip(grey, 0, 1) ** np.exp(random.uniform(-0.5, 0.5))
        grey = 0.5 + (grey - 0.5) * random.uniform(0.6, 1.1) + random.uniform(-0.1, 0.1)
        grey += random.normal(0, random.uniform(0, 0.05), size=grey.shape)
        changed.append((255 * np.clip(grey, 0, 1)).astype(np.uint8))
    return Cases(changed, cases.labels, cases.patients)


def first_networks(arguments: argparse.Namespace, synthetic: bool) -> dict[str, sl.ImageClassifier]:
    """Return untrained simple classifiers for comparison."""
    common = {"class_weight": "balanced", "random_state": 0}
    found = {
        "baseline, fully connected": sl.ImageClassifier(
            "mlp", image_size=48, channels=1, max_epochs=8, **common
        )
    }
    if not synthetic:
        found["small CNN"] = small_cnn(96, 6)
    if arguments.weights is not None:
        found["MobileNetV2, last layer"] = sl.ImageClassifier(
            "mobilenet_v2",
            arguments.weights,
            image_size=arguments.size,
            trainable="head",
            max_epochs=2,
            **common,
        )
    return found


def small_cnn(
    size: int, epochs: int, contrast: Contrast = "stretch", seed: int = 0
) -> sl.ImageClassifier:
    """Return an untrained small network."""
    return sl.ImageClassifier(
        "small_cnn",
        image_size=size,
        channels=1,
        contrast=contrast,
        augmentation=VARIATIONS,
        class_weight="balanced",
        max_epochs=epochs,
        random_state=seed,
    )


def networks_to_keep(arguments: argparse.Namespace, synthetic: bool) -> list[sl.ImageClassifier]:
    """Return untrained classifiers whose probabilities are averaged.

    They differ in how they normalise contrast: if one mistakes a property of the scanner for a sign
    of pneumonia, the others need not.
    """
    contrasts: tuple[Contrast, ...] = ("stretch", "clahe", "none")[: arguments.networks]
    if arguments.weights is None:
        size, epochs = (64, 10) if synthetic else (96, 12)
        epochs = arguments.epochs or epochs
        return [small_cnn(size, epochs, contrast, seed) for seed, contrast in enumerate(contrasts)]
    return [
        sl.ImageClassifier(
            "mobilenet_v2",
            arguments.weights,
            image_size=arguments.size,
            contrast=contrast,
            augmentation=VARIATIONS,
            class_weight="balanced",
            label_smoothing=0.05,
            weight_averaging=0.99,
            learning_rate=5e-4,
            max_epochs=arguments.epochs or 10,
            random_state=seed,
        )
        for seed, contrast in enumerate(contrasts)
    ]


def score(classifier: sl.ImageClassifier, cases: Cases) -> NDArray[np.float64]:
    """Return the probability of pneumonia, averaged over each image and its mirror image."""
    return classifier.predict_proba(cases.images, test_time_augmentation="flip")[:, 1]


def feature_distance_of(classifier: sl.ImageClassifier, training: Cases) -> sl.FeatureDistance:
    """Return the feature distance that finds out-of-distribution images."""
    features = classifier.features(training.images)
    guard = sl.FeatureDistance(random_state=0)
    return guard.fit(features, training.labels, groups=training.patients)


def print_out_of_distribution(
    guard: sl.FeatureDistance,
    classifier: sl.ImageClassifier,
    others: dict[str, list[Path | NDArray]],
) -> None:
    """Print the fraction of images that are out of distribution, and so referred to a person.

    `DecisionRule.decide` refers them, if it gets the features of the images.
    """
    print("\nOut of distribution, so referred whatever the score:")
    for name, images in others.items():
        print(f"{name}: {guard.is_out_of_distribution(classifier.features(images)).mean():.1%}")


def draw(
    classifier: sl.ImageClassifier, band: sl.SuspiciousBand, cases: Cases, p: NDArray, file: Path
) -> None:
    """Draw the clearest case and the two hardest, with their heat maps, and the band."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    clearest = np.argmax(np.where(cases.labels == 1, p, 0))
    hardest = np.argsort(-np.abs(cases.labels - p))[:2]
    figure, axes = plt.subplot_mosaic(
        [["image", "why", "a", "b", "band", "band"]], figsize=(15, 3.2), layout="constrained"
    )
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
    print(f"picture: {file}")


def main() -> None:
    """Train, tune, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    parser.add_argument(
        "--weights", type=Path, help="initial weights of MobileNetV2, a safetensors file"
    )
    parser.add_argument(
        "--epochs", type=int, help="of the networks that are kept, default: 10 to 12"
    )
    parser.add_argument(
        "--networks",
        type=int,
        default=3,
        help="number of networks that are kept and averaged, up to 3",
    )
    parser.add_argument("--size", type=int, default=160, help="image size of MobileNetV2 in pixels")
    parser.add_argument(
        "--patients", type=int, default=1200, help="number of patients of the synthetic set"
    )
    parser.add_argument("--out", type=Path, default=Path(), help="output folder")
    arguments = parser.parse_args()
    if not 1 <= arguments.networks <= 3:
        parser.error(f"--networks: expected 1 to 3, got {arguments.networks}")
    arguments.out.mkdir(parents=True, exist_ok=True)

    test = None
    if arguments.folder is None:
        n = arguments.patients
        print(f"No DIR given: using a synthetic set of {n} patients, not images of real persons.")
        cases = Cases(*simulate_xrays(n))
    else:
        train = arguments.folder / "train"
        cases = read_folder(train if train.is_dir() else arguments.folder)
        if train.is_dir() and (arguments.folder / "test").is_dir():
            test = read_folder(arguments.folder / "test")
    training, tuning, judging = split(cases)
    shifted_tuning, shifted = another_scanner(tuning, seed=1), another_scanner(judging, seed=2)
    print(
        f"{len(training.labels)} images for training, {len(tuning.labels)} for tuning, "
        f"{len(judging.labels)} for judging; no patient is in two of these.\n"
    )

    header()
    networks = networks_to_keep(arguments, arguments.folder is None)
    steps = first_networks(arguments, arguments.folder is None)
    kept = "small CNN" if arguments.weights is None else "MobileNetV2, fine-tuned"
    steps |= {f"{kept}, contrast {network.contrast}": network for network in networks}
    scores = []
    for name, classifier in steps.items():
        begin = time.perf_counter()
        classifier.fit(training.images, training.labels, groups=training.patients)
        minutes = (time.perf_counter() - begin) / 60
        here, there = score(classifier, judging), score(classifier, shifted)
        recall, accuracy, area = judged(judging.labels, here, 0.5)
        row(name, recall, accuracy, f"{area}, {minutes:.1f} min of training")
        row(f"{name}, another scanner", *judged(shifted.labels, there, 0.5))
        scores.append((here, there))

    # The last steps are the networks that are kept.
    p, p_shifted = np.mean(scores[-len(networks) :], axis=0)
    if len(networks) > 1:
        row("averaged", *judged(judging.labels, p, 0.5))
        row("averaged, another scanner", *judged(shifted.labels, p_shifted, 0.5))

    # Threshold and bands are chosen on images of both scanners. A band uses one image per patient,
    # as its guarantee requires independent cases.
    tuned = np.array([[score(n, part) for part in (tuning, shifted_tuning)] for n in networks])
    p_tuning_shifted = tuned[:, 1].mean(axis=0)
    both = tuned.mean(axis=0).ravel()
    y_both, patients_both = np.tile(tuning.labels, 2), np.tile(tuning.patients, 2)
    boundary = sl.tune_threshold(y_both, both, min_recall=0.98).threshold
    guaranteed = sl.SuspiciousBand(max_miss_rate=0.02, max_false_alarm_rate=0.05)
    guaranteed.fit(both, y_both, groups=patients_both)
    budget = sl.SuspiciousBand(max_referral_rate=0.06).fit(both, y_both)
    judgements = [("", judging, p), (", another scanner", shifted, p_shifted)]
    if test is not None:
        p_test = np.mean([score(network, test) for network in networks], axis=0)
        judgements.append((", test folder", test, p_test))
    for where, them, theirs in judgements:
        row(f"boundary tuned to {boundary:.2f}{where}", *judged(them.labels, theirs, boundary))
        row(f"band, 2 % missed, 5 % false alarms{where}", *banded(guaranteed, them.labels, theirs))
        row(f"band that refers 6 %{where}", *banded(budget, them.labels, theirs))

    # For another hospital: it labels a few hundred images, and the band is fitted to those.
    there = sl.SuspiciousBand(max_miss_rate=0.05, max_false_alarm_rate=0.05)
    there.fit(p_tuning_shifted, tuning.labels, groups=tuning.patients)
    row("band fitted there, 5 % of either error", *banded(there, shifted.labels, p_shifted))

    for where, them, theirs in judgements:
        print(f"\nBy the tuned boundary, and by the band that refers 6 %{where}:")
        print(sl.confusion_matrix(them.labels, theirs, boundary))
        print(budget.report(theirs, them.labels))
    guards = [feature_distance_of(network, training) for network in networks]
    print_out_of_distribution(
        guards[0],
        networks[0],
        {
            "the judged patients": judging.images,
            "another scanner": shifted.images,
            "upside down": [np.flipud(read_image(image)) for image in judging.images],
            "on their side": [np.rot90(read_image(image)) for image in judging.images],
        },
    )
    print()
    kept_networks = zip(networks, guards, tuned, strict=True)
    for number, (network, guard, its_scores) in enumerate(kept_networks, start=1):
        network.decision_rule_ = sl.DecisionRule(
            sl.SuspiciousBand(max_miss_rate=0.02, max_false_alarm_rate=0.05),
            threshold={"min_recall": 0.98},
            calibration="platt",
            feature_distance=guard,
        ).fit(its_scores.ravel(), y_both, groups=patients_both)
        file = arguments.out / f"chest_xray_{number}.safetensors"
        network.save(file)
        print(f"network with its decision rule: {file}")
    draw(networks[0], budget, judging, p, arguments.out / "chest_xray.png")


if __name__ == "__main__":
    main()
