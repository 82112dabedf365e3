"""Thresholds and bands from labelled scores, compared with scikit-learn and MAPIE.

    python benchmarks/decisions.py [--rounds 7]

The tuners get the same scores, without any training: scikit-learn's through a classifier that
returns its only column. Both controllers have to give the same two guarantees, 5 % each at a
confidence of 95 %; the fraction that they refer is measured on fresh cases. The conformal sets of
both are of the same probabilities.
"""

import argparse
import warnings

import numpy as np
from _rounds import machine, median_seconds, print_table
from mapie.classification import SplitConformalClassifier
from mapie.risk_control import BinaryClassificationController, BinaryRisk
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV

import secondlook as sl

GAP, SHARE = 2.5, 0.3
MISSED = BinaryRisk(lambda y, p: p == 0, lambda y, p: y == 1, False)
ALARMED = BinaryRisk(lambda y, p: p == 1, lambda y, p: y == 0, False)
REFERRED = BinaryRisk(lambda y, p: np.isnan(p), lambda y, p: np.full(len(y), True), False)


class Column(ClassifierMixin, BaseEstimator):
    """A classifier whose score is its only feature."""

    def fit(self, X, y):
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        """Return the column."""
        return X[:, 0]

    def predict(self, X):
        """Predict by the threshold 0."""
        return (X[:, 0] >= 0).astype(int)


class Probabilities(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are its features."""

    def fit(self, X, y):
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        """Return the features."""
        return X

    def predict(self, X):
        """Return the most probable class."""
        return X.argmax(axis=1)


def cases(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = (random.random(n) < SHARE).astype(int)
    return random.normal(GAP * y), y


def by_scikit_learn(score: np.ndarray, y: np.ndarray, n_thresholds: int) -> float:
    tuner = TunedThresholdClassifierCV(
        Column().fit(score[:, None], y),
        scoring="accuracy",
        thresholds=n_thresholds,
        cv="prefit",
        refit=False,
    )
    return tuner.fit(score[:, None], y).best_threshold_


def decide(scores: np.ndarray, lower: float, upper: float) -> np.ndarray:
    """Return 1, 0, or NaN for a referral, as MAPIE expects."""
    scores = np.ravel(scores)
    return np.select([scores >= upper, scores < lower], [1.0, 0.0], np.nan)


def by_mapie(score: np.ndarray, y: np.ndarray, n_cuts: int) -> tuple[float, float]:
    cuts = np.linspace(-1, 4, n_cuts)
    controller = BinaryClassificationController(
        decide,
        [MISSED, ALARMED],
        [0.05, 0.05],
        confidence_level=0.95,
        best_predict_param_choice=REFERRED,
        list_predict_params=np.array([(a, b) for a in cuts for b in cuts if a <= b]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controller.calibrate(score[:, None], y)
    return controller.best_predict_param or (-np.inf, np.inf)


def by_us(score: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    band = sl.SuspiciousBand(0.05, 0.05, 0.95).fit(score, y)
    return band.lower_, band.upper_


def probabilities(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of ten classes, and true classes that follow them."""
    random = np.random.default_rng(seed)
    rows = random.dirichlet(np.full(10, 0.2), size=n)
    return rows, (rows.cumsum(axis=1)[:, :-1] < random.random((n, 1))).sum(axis=1)


def sets_by_us(method: str, rows: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    return sl.ConformalSets(0.1, method, allow_empty=True).fit(rows, y).sets(new)


def sets_by_mapie(method: str, rows: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    classifier = SplitConformalClassifier(
        Probabilities().fit(rows, y), 0.9, conformity_score=method, random_state=0
    ).conformalize(rows, y)
    chosen = {"include_last_label": "randomized"} if method == "aps" else {}
    return classifier.predict_set(new, conformity_score_params=chosen)[1][:, :, 0]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(machine())
    score, y = cases(1_000_000)
    print_table(
        "the best threshold of 1,000,000 scores",
        median_seconds(
            {
                "secondlook, exact": lambda: sl.tune_threshold(y, score),
                "scikit-learn, 100 thresholds": lambda: by_scikit_learn(score, y, 100),
                "sorting alone (numpy.sort)": lambda: np.sort(score),
            },
            rounds,
            {"scikit-learn, 100 thresholds": 2},
        ),
        "ms",
        1e3,
    )
    print_table(
        "area under the ROC curve of 1,000,000 scores",
        median_seconds(
            {
                "secondlook, with the curve": lambda: sl.roc_curve(y, score).area,
                "scikit-learn": lambda: roc_auc_score(y, score),
            },
            rounds,
        ),
        "ms",
        1e3,
    )

    few = cases(1500)
    print_table(
        "a band with two guarantees, 1,500 cases",
        median_seconds(
            {
                "secondlook": lambda: by_us(*few),
                "MAPIE, 325 bands to choose from": lambda: by_mapie(*few, 25),
            },
            rounds,
        ),
        "ms",
        1e3,
    )
    print("\n| referred, 1,500 labelled cases | mean of 20 | lowest | highest |\n|---|---|---|---|")
    fresh, _ = cases(200_000, seed=1000)
    for name, choose in {
        "secondlook": by_us,
        "MAPIE, 325 bands to choose from": lambda *few: by_mapie(*few, 25),
        "MAPIE, 55 bands": lambda *few: by_mapie(*few, 10),
    }.items():
        fractions = []
        for seed in range(20):
            lower, upper = choose(*cases(1500, seed))
            fractions.append(float(np.mean((fresh >= lower) & (fresh < upper))))
        print(
            f"| {name} | {np.mean(fractions):.1%} | {min(fractions):.1%} | {max(fractions):.1%} |"
        )

    rows, classes = probabilities(10_000, 0)
    new, truth = probabilities(100_000, 1)
    for method in ("lac", "aps"):
        print_table(
            f"{method.upper()} sets of 100,000 cases and 10 classes, from 10,000",
            median_seconds(
                {
                    "secondlook": lambda method=method: sets_by_us(method, rows, classes, new),
                    "MAPIE": lambda method=method: sets_by_mapie(method, rows, classes, new),
                },
                rounds,
            ),
            "ms",
            1e3,
        )
    print("\n| sets, 90 % promised | coverage | classes per set |\n|---|---|---|")
    for method in ("lac", "aps"):
        for name, sets_by in {"secondlook": sets_by_us, "MAPIE": sets_by_mapie}.items():
            sets = sets_by(method, rows, classes, new)
            covered = sets[np.arange(len(truth)), truth].mean()
            print(f"| {name}, {method.upper()} | {covered:.2%} | {sets.sum(axis=1).mean():.3f} |")


if __name__ == "__main__":
    main()
