"""Find defective photovoltaic modules in infrared images, and say what is wrong with each.

    python examples/infrared_modules.py [DIR] [--weights FILE] [--epochs N] [--out FOLDER]

DIR holds `module_metadata.json` and the images that it names (the layout of InfraredSolarModules).
Without it a small synthetic set is made. A fifth of the images is held back: on it the classes are
judged, and what a plant's owner asks first, defective or not, with the boundary and the
suspicious band that were chosen on others. A small network sees the images as they are; with
weights a MobileNetV2 sees them enlarged, and the two are averaged. Prints the tables and writes the
networks, each with its rule.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from decision_table import banded, header, judged, row
from numpy.typing import NDArray
from simulated_modules import simulate_modules
from sklearn.model_selection import train_test_split

import secondlook as sl
from secondlook.image import read_image

SOUND = "No-Anomaly"
# A module looks the same upside down and mirrored.
VARIATIONS = sl.Augmentation(
    horizontal_flip=0.5, vertical_flip=0.5, shift=0.04, zoom=0.05, brightness=0.05, contrast=0.1
)
MIRRORED = ("flip", "vertical_flip")


def read_folder(folder: Path) -> tuple[list[Path], NDArray[np.str_]]:
    """Return the images of a folder and the class of each."""
    file = folder / "module_metadata.json"
    if not file.is_file():
        sys.exit(f"infrared_modules: expected {file}, which names images and their classes")
    modules = json.loads(file.read_text("utf-8"))
    paths = [folder / module["image_filepath"] for module in modules.values()]
    return paths, np.array([module["anomaly_class"] for module in modules.values()])


def classifiers(arguments: argparse.Namespace) -> dict[str, sl.ImageClassifier]:
    """Return the untrained classifiers."""
    common = {
        "augmentation": VARIATIONS,
        "label_smoothing": 0.05,
        "weight_averaging": 0.995,
        "max_epochs": arguments.epochs or (8 if arguments.folder is None else 24),
        "random_state": 0,
    }
    size = np.array([40, 24])
    found = {
        "small network": sl.ImageClassifier(
            "small_cnn", image_size=tuple(size), channels=1, **common
        )
    }
    if arguments.weights is not None:
        found["MobileNetV2, fine-tuned"] = sl.ImageClassifier(
            "mobilenet_v2", arguments.weights, image_size=tuple(3 * size), **common
        )
    return found


def print_accuracy(name: str, predicted: NDArray[np.str_], y: NDArray[np.str_]) -> None:
    """Print over all classes, with the exact interval."""
    right = int((predicted == y).sum())
    low, high = sl.binomial_interval(right, len(y))
    print(f"{name}: accuracy over {len(np.unique(y))} classes: {right / len(y):.1%} "
          f"({low:.1%}–{high:.1%})", flush=True)  # fmt: skip


def print_classes(predicted: NDArray[np.str_], y: NDArray[np.str_]) -> None:
    """Print how well each class is found, and what it is mostly taken for instead."""
    print("\n| class | images | found | else mostly |\n|---|---|---|---|")
    for name in np.unique(y):
        own = predicted[y == name]
        names, counts = np.unique(own[own != name], return_counts=True)
        mostly = f"{names[counts.argmax()]} ({counts.max()})" if len(names) else "–"
        print(f"| {name} | {len(own)} | {np.mean(own == name):.1%} | {mostly} |")


def main() -> None:
    """Train, tune, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    parser.add_argument("--weights", type=Path, help="MobileNetV2 to begin with, safetensors")
    parser.add_argument("--epochs", type=int, help="default: 24, 8 on the synthetic set")
    parser.add_argument("--images", type=int, default=3000, help="of the synthetic set")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of what is written")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.folder is None:
        print(f"No DIR given: a synthetic set of {arguments.images} modules.")
        images, labels = simulate_modules(arguments.images)
    else:
        paths, labels = read_folder(arguments.folder)
        images = [read_image(path) for path in paths]
    places = np.arange(len(labels))
    rest, judging = train_test_split(places, test_size=0.2, stratify=labels, random_state=0)
    training, tuning = train_test_split(rest, test_size=0.15, stratify=labels[rest], random_state=0)
    print(
        f"{len(training)} images to train on, {len(tuning)} to tune on, {len(judging)} held back\n",
        flush=True,
    )

    tuning_p, judging_p = [], []
    networks = classifiers(arguments)
    for name, classifier in networks.items():
        begin = time.perf_counter()
        # Nothing says which images show the same module, so each is a group of its own.
        classifier.fit([images[i] for i in training], labels[training], groups=training)
        print(f"{name}: trained in {(time.perf_counter() - begin) / 60:.1f} min")
        for part, probabilities in ((tuning, tuning_p), (judging, judging_p)):
            probabilities.append(classifier.predict_proba([images[i] for i in part], tta=MIRRORED))
        print_accuracy(name, classifier.classes_[judging_p[-1].argmax(axis=1)], labels[judging])
    classes = classifier.classes_
    predicted = classes[np.mean(judging_p, axis=0).argmax(axis=1)]
    if len(networks) > 1:
        print_accuracy("both, averaged", predicted, labels[judging])
    print_classes(predicted, labels[judging])

    sound = list(classes).index(SOUND)
    p_tuning, p = (1 - np.mean(part, axis=0)[:, sound] for part in (tuning_p, judging_p))
    y_tuning, y = ((labels[part] != SOUND).astype(int) for part in (tuning, judging))
    print("\nDefective or not:\n")
    header()
    row("at one half", *judged(y, p, 0.5))
    boundary = sl.tune_threshold(y_tuning, p_tuning).threshold
    row(f"boundary tuned to {boundary:.2f}", *judged(y, p, boundary))
    budget = sl.SuspiciousBand(max_referral_rate=0.1).fit(p_tuning, y_tuning)
    row("band that refers a tenth", *banded(budget, y, p))
    guaranteed = sl.SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05)
    guaranteed.fit(p_tuning, y_tuning)
    row("band, 3 % missed, 5 % false alarms", *banded(guaranteed, y, p))

    print()
    for classifier, its_p in zip(networks.values(), tuning_p, strict=True):
        classifier.decision_rule_ = sl.DecisionRule(
            sl.SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05),
            threshold={},
            calibration="isotonic",
        ).fit(1 - its_p[:, sound], y_tuning)
        file = arguments.out / f"infrared_{classifier.architecture}.safetensors"
        classifier.save(file)
        print(f"model with its rule: {file}")


if __name__ == "__main__":
    main()
