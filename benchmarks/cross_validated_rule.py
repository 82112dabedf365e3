"""A rule fitted on cross-validated scores, compared with one fitted on held-out images.

    python benchmarks/cross_validated_rule.py [--repeats 40] [--images 600]

The images are those of the infrared modules, defective or not. Each repeat draws some to train on
and to fit the rule on, in three ways, and judges the network with its rule on 4,000 others:
a quarter is held out from training; scores of five-fold cross-validation, while the network is
trained on all; and, as a warning, the scores of the images that the network was trained on.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from _rounds import machine
from sklearn.model_selection import cross_val_predict, train_test_split

import secondlook as sl
from secondlook.image import read_image
from secondlook.jobs.infrared_modules import SOUND, read_modules

N_JUDGED = 4000
PROMISED = 0.1


def network(seed, epochs):
    return sl.ImageClassifier(
        "mlp",  # a small residual network takes minutes for each draw
        image_size=(40, 24),
        augmentation=sl.Augmentation(horizontal_flip=0.5, vertical_flip=0.5),
        max_epochs=epochs,
        random_state=seed,
    )


def held_out(images, y, seed, epochs):
    train, rest = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=seed)
    model = network(seed, epochs).fit(images[train], y[train], groups=train)
    return model, model.predict_proba(images[rest])[:, 1], y[rest]


def cross_validated(images, y, seed, epochs):
    model = network(seed, epochs)
    scores = cross_val_predict(model, images, y, cv=5, method="predict_proba")[:, 1]
    return model.fit(images, y, groups=np.arange(len(y))), scores, y


def trained_on(images, y, seed, epochs):
    model = network(seed, epochs).fit(images, y, groups=np.arange(len(y)))
    return model, model.predict_proba(images)[:, 1], y


WAYS = {
    "a quarter held out": held_out,
    "five-fold cross-validation": cross_validated,
    "the training images": trained_on,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    folder = Path(os.environ.get("SECONDLOOK_DATA", "../shared/data")) / "infrared_modules"
    if not folder.is_dir():
        print(f"skipped: no real data, {folder} is not a folder")
        return
    print(machine())
    paths, classes = read_modules(folder)
    y = np.asarray(classes) != SOUND
    images = np.stack([read_image(path) for path in paths])
    found = {way: [] for way in WAYS}
    start = time.perf_counter()
    for seed in range(options.repeats):
        order = np.random.default_rng(seed).permutation(len(y))
        used, judged = order[: options.images], order[-N_JUDGED:]
        for way, fit in WAYS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of too few cases, and of drift
                model, scores, known = fit(images[used], y[used], seed, options.epochs)
                band = sl.SuspiciousBand(max_miss_rate=PROMISED, max_false_alarm_rate=PROMISED).fit(
                    scores, known
                )
                decisions = band.decide(model.predict_proba(images[judged])[:, 1])
            truth = y[judged]
            found[way].append(
                (
                    np.mean(decisions[truth] == "negative"),
                    np.mean(decisions[~truth] == "positive"),
                    np.mean(decisions == "refer"),
                )
            )
        latest = "; ".join(
            f"{way}: " + ", ".join(f"{rate:.1%}" for rate in figures[-1])
            for way, figures in found.items()
        )
        print(f"draw {seed + 1} ({time.perf_counter() - start:.0f} s)  {latest}", flush=True)
    print(
        f"\n{options.images} images, {options.repeats} draws; promised: at most {PROMISED:.0%} "
        "missed and as many false alarms, each with a confidence of 95%\n\n"
        "| scores that the rule was fitted on | missed, mean (largest) | draws above "
        "| false alarms, mean (largest) | draws above | referred |\n|---|---|---|---|---|---|"
    )
    for way, figures in found.items():
        missed, alarms, referred = np.array(figures).T
        cells = [
            cell
            for rates in (missed, alarms)
            for cell in (f"{rates.mean():.1%} ({rates.max():.1%})", str((rates > PROMISED).sum()))
        ]
        print(f"| {way} | {' | '.join(cells)} | {referred.mean():.1%} |")


if __name__ == "__main__":
    main()
