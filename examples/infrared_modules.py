"""Find defective photovoltaic modules in infrared images, and say what is wrong with each.

    python examples/infrared_modules.py [DIR] [--epochs N] [--out FOLDER]

DIR holds `module_metadata.json` and the images that it names (the layout of InfraredSolarModules).
Without it a small synthetic set is made. A fifth of the images is held back: on it the classes are
judged, and what a plant's owner asks first, defective or not, with the boundary and the
suspicious band that were chosen on others. Prints the tables and writes the model with its rule.
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

SOUND = "No-Anomaly"
# A module looks the same upside down and mirrored.
VARIATIONS = sl.Augmentation(
    horizontal_flip=0.5,
    vertical_flip=0.5,
    shift=0.06,
    zoom=0.08,
    brightness=0.08,
    contrast=0.2,
    noise=0.015,
    erasing=0.15,
)


def read_folder(folder: Path) -> tuple[list[Path], NDArray[np.str_]]:
    """Return the images of a folder and the class of each."""
    file = folder / "module_metadata.json"
    if not file.is_file():
        sys.exit(f"infrared_modules: expected {file}, which names images and their classes")
    modules = json.loads(file.read_text("utf-8"))
    paths = [folder / module["image_filepath"] for module in modules.values()]
    return paths, np.array([module["anomaly_class"] for module in modules.values()])


def print_classes(classifier: sl.ImageClassifier, p: NDArray, y: NDArray[np.str_]) -> None:
    """Print how well each class is found, and what it is mostly taken for instead."""
    predicted = classifier.classes_[p.argmax(axis=1)]
    right = int((predicted == y).sum())
    low, high = sl.binomial_interval(right, len(y))
    print(f"\naccuracy over {len(classifier.classes_)} classes: {right / len(y):.1%} "
          f"({low:.1%}–{high:.1%})\n")  # fmt: skip
    print("| class | images | found | else mostly |\n|---|---|---|---|")
    for name in classifier.classes_:
        own = predicted[y == name]
        names, counts = np.unique(own[own != name], return_counts=True)
        mostly = f"{names[counts.argmax()]} ({counts.max()})" if len(names) else "–"
        print(f"| {name} | {len(own)} | {np.mean(own == name):.1%} | {mostly} |")


def main() -> None:
    """Train, tune, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR")
    parser.add_argument("--epochs", type=int, help="default: 30, 8 on the synthetic set")
    parser.add_argument("--images", type=int, default=3000, help="of the synthetic set")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of what is written")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.folder is None:
        print(f"No DIR given: a synthetic set of {arguments.images} modules.")
        images, labels = simulate_modules(arguments.images)
    else:
        images, labels = read_folder(arguments.folder)
    places = np.arange(len(labels))
    rest, judging = train_test_split(places, test_size=0.2, stratify=labels, random_state=0)
    training, tuning = train_test_split(rest, test_size=0.15, stratify=labels[rest], random_state=0)
    print(f"{len(training)} images to train on, {len(tuning)} to tune on, {len(judging)} held back")

    classifier = sl.ImageClassifier(
        "small_cnn",
        image_size=(40, 24),
        channels=1,
        augmentation=VARIATIONS,
        label_smoothing=0.05,
        weight_averaging=0.995,
        max_epochs=arguments.epochs or (8 if arguments.folder is None else 30),
        random_state=0,
    )
    begin = time.perf_counter()
    # Nothing says which images show the same module, so each is a group of its own.
    classifier.fit([images[i] for i in training], labels[training], groups=training)
    print(f"trained in {(time.perf_counter() - begin) / 60:.1f} min")

    probabilities = {
        name: classifier.predict_proba([images[i] for i in part], tta="flip")
        for name, part in (("tuning", tuning), ("judging", judging))
    }
    print_classes(classifier, probabilities["judging"], labels[judging])

    sound = list(classifier.classes_).index(SOUND)
    p_tuning, p = (1 - probabilities[name][:, sound] for name in ("tuning", "judging"))
    y_tuning, y = ((labels[part] != SOUND).astype(int) for part in (tuning, judging))
    print("\nDefective or not:\n")
    header()
    row("at one half", *judged(y, p, 0.5))
    boundary = sl.tune_threshold(y_tuning, p_tuning).threshold
    row(f"boundary tuned to {boundary:.2f}", *judged(y, p, boundary))
    budget = sl.SuspiciousBand(max_referral_rate=0.1).fit(p_tuning, y_tuning)
    row("band that refers a tenth", *banded(budget, y, p))
    rule = sl.DecisionRule(
        sl.SuspiciousBand(max_miss_rate=0.05, max_false_alarm_rate=0.05),
        threshold={},
        calibration="isotonic",
    ).fit(p_tuning, y_tuning)
    row("band, 5 % of either error", *banded(rule.band_, y, p))

    classifier.decision_rule_ = rule
    classifier.save(arguments.out / "infrared_modules.safetensors")
    print(f"\nmodel with its rule: {arguments.out / 'infrared_modules.safetensors'}")


if __name__ == "__main__":
    main()
