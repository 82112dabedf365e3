"""Find defective photovoltaic modules in infrared images, and classify their defects.

    python examples/infrared_modules.py [DIR] [--weights FILE] [--epochs N] [--out FOLDER]

DIR contains `module_metadata.json` and the images that it lists (the layout of
InfraredSolarModules). Without DIR, a small synthetic set is generated. A fifth of the images is
held out to judge the classes, and the decision between defective and intact with a threshold and a
suspicious band that were chosen on other images. A small network gets the images in their original
size; with --weights, MobileNetV2 networks get them enlarged, and their probabilities are averaged.
The program prints the tables and writes the networks that are kept, each with a decision rule.
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
# A module looks the same when mirrored or upside down.
VARIATIONS = sl.Augmentation(
    horizontal_flip=0.5, vertical_flip=0.5, shift=0.04, zoom=0.05, brightness=0.05, contrast=0.1
)
TRAINING = {"augmentation": VARIATIONS, "label_smoothing": 0.05, "weight_averaging": 0.995}
MIRRORED = ("flip", "vertical_flip")


def read_folder(folder: Path) -> tuple[list[Path], NDArray[np.str_]]:
    """Return the images of a folder and the class of each."""
    file = folder / "module_metadata.json"
    if not file.is_file():
        sys.exit(f"infrared_modules: expected {file}, which lists images and their classes")
    modules = json.loads(file.read_text("utf-8"))
    paths = [folder / module["image_filepath"] for module in modules.values()]
    return paths, np.array([module["anomaly_class"] for module in modules.values()])


def small_network(arguments: argparse.Namespace) -> sl.ImageClassifier:
    """Return an untrained classifier that gets images in their original size."""
    return sl.ImageClassifier(
        "small_cnn",
        image_size=(40, 24),
        channels=1,
        max_epochs=arguments.epochs or (8 if arguments.folder is None else 24),
        random_state=0,
        **TRAINING,
    )


def pretrained_networks(arguments: argparse.Namespace) -> list[sl.ImageClassifier]:
    """Return untrained classifiers that get images enlarged three and four times."""
    return [
        sl.ImageClassifier(
            "mobilenet_v2",
            arguments.weights,
            image_size=(40 * scale, 24 * scale),
            validation_fraction=validation_fraction,
            max_epochs=arguments.epochs or (8 if arguments.folder is None else epochs),
            random_state=0,
            **TRAINING,
        )
        for scale, epochs, validation_fraction in ((3, 24, 0.1), (4, 22, 0.06))
    ]


def print_accuracy(classes: NDArray, p: NDArray, y: NDArray[np.str_]) -> None:
    """Print the fraction of correct classes, with its exact interval."""
    right = int((classes[p.argmax(axis=1)] == y).sum())
    low, high = sl.binomial_interval(right, len(y))
    print(f"accuracy over {len(classes)} classes: {right / len(y):.1%} ({low:.1%}–{high:.1%})")


def print_classes(classes: NDArray, p: NDArray, y: NDArray[np.str_]) -> None:
    """Print how well each class is found, and the class that it is most often mistaken for."""
    predicted = classes[p.argmax(axis=1)]
    print("\n| class | images | found | most often mistaken for |\n|---|---|---|---|")
    for name in classes:
        own = predicted[y == name]
        names, counts = np.unique(own[own != name], return_counts=True)
        mostly = f"{names[counts.argmax()]} ({counts.max()})" if len(names) else "–"
        print(f"| {name} | {len(own)} | {np.mean(own == name):.1%} | {mostly} |")


def main() -> None:
    """Train, tune, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    parser.add_argument("--weights", type=Path, help="MobileNetV2 to begin with, safetensors")
    parser.add_argument("--epochs", type=int, help="default: about 20, 8 on the synthetic set")
    parser.add_argument("--images", type=int, default=3000, help="of the synthetic set")
    parser.add_argument("--out", type=Path, default=Path(), help="output folder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.folder is None:
        print(f"No DIR given: using a synthetic set of {arguments.images} modules.")
        images, labels = simulate_modules(arguments.images)
    else:
        paths, labels = read_folder(arguments.folder)
        images = [read_image(path) for path in paths]
    indices = np.arange(len(labels))
    rest, judging = train_test_split(indices, test_size=0.2, stratify=labels, random_state=0)
    training, tuning = train_test_split(rest, test_size=0.15, stratify=labels[rest], random_state=0)
    print(
        f"{len(training)} images for training, {len(tuning)} for tuning, {len(judging)} held out\n",
        flush=True,
    )

    networks = [small_network(arguments)]
    if arguments.weights is not None:
        networks += pretrained_networks(arguments)
    scores = []
    for network in networks:
        begin = time.perf_counter()
        # It is unknown which images show the same module, so each image is its own group.
        network.fit([images[i] for i in training], labels[training], groups=training)
        minutes = (time.perf_counter() - begin) / 60
        scores.append(
            [
                network.predict_proba([images[i] for i in p], test_time_augmentation=MIRRORED)
                for p in (tuning, judging)
            ]
        )
        classes = network.classes_
        height, width = network.image_size
        print_accuracy(classes, scores[-1][1], labels[judging])
        print(
            f"({network.architecture}, {width} × {height}, {minutes:.1f} min of training)",
            flush=True,
        )
    kept = networks[1:] or networks
    scores = scores[-len(kept) :]
    tuning_p, judging_p = (np.mean(p, axis=0) for p in zip(*scores, strict=True))
    if len(kept) > 1:
        print_accuracy(classes, judging_p, labels[judging])
        print("(averaged)")
    print_classes(classes, judging_p, labels[judging])

    sound = list(classes).index(SOUND)
    p_tuning, p = (1 - part[:, sound] for part in (tuning_p, judging_p))
    y_tuning, y = ((labels[part] != SOUND).astype(int) for part in (tuning, judging))
    print("\nDefective or not:\n")
    header()
    row("at one half", *judged(y, p, 0.5))
    boundary = sl.tune_threshold(y_tuning, p_tuning).threshold
    row(f"boundary tuned to {boundary:.2f}", *judged(y, p, boundary))
    budget = sl.SuspiciousBand(max_referral_rate=0.1).fit(p_tuning, y_tuning)
    row("band that refers a tenth", *banded(budget, y, p))
    guaranteed = sl.SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05)
    row("band, 3 % missed, 5 % false alarms", *banded(guaranteed.fit(p_tuning, y_tuning), y, p))

    print()
    for number, (network, (own_p, _)) in enumerate(zip(kept, scores, strict=True), start=1):
        guard = sl.FeatureDistance(random_state=0)
        guard.fit(network.features([images[i] for i in training]), labels[training])
        network.decision_rule_ = sl.DecisionRule(
            sl.SuspiciousBand(max_miss_rate=0.03, max_false_alarm_rate=0.05),
            threshold={},
            calibration="isotonic",
            feature_distance=guard,
        ).fit(1 - own_p[:, sound], y_tuning)
        file = arguments.out / f"infrared_modules_{number}.safetensors"
        network.save(file)
        print(f"network with its decision rule: {file}")


if __name__ == "__main__":
    main()
