"""Isolation forest: fitting and scoring compared with scikit-learn and isotree.

python benchmarks/isolation_forest.py [--rounds 11]
"""

import argparse
import time

import numpy as np
from _rounds import machine, median_seconds, print_table
from isotree import IsolationForest as Isotree
from scipy import sparse
from sklearn.ensemble import IsolationForest as ScikitLearn

import secondlook as sl

TREES = 100


def ours(n_jobs=1, **parameters):
    return sl.IsolationForest(TREES, random_state=0, n_jobs=n_jobs, **parameters)


def isotree(sample_size=256, ntrees=TREES):
    return Isotree(
        ntrees=ntrees, sample_size=sample_size, ndim=1, missing_action="fail", nthreads=1,
        random_seed=1,
    )  # fmt: skip


def scikit_learn(**parameters):
    return ScikitLearn(n_estimators=TREES, random_state=0, **parameters)


def fit(X, rounds):
    contenders = {
        "secondlook": lambda: ours().fit(X),
        "isotree": lambda: isotree().fit(X),
        "scikit-learn": lambda: scikit_learn().fit(X),
    }
    medians = median_seconds(contenders, rounds, {"scikit-learn": 3})
    print_table("fit, 100 trees × 256, 100,000 × 14, one thread", medians, "ms", 1e3)


def score(X, rounds):
    narrow = X.astype(np.float32)
    one, two = ours(1).fit(X), ours(2).fit(X)
    other_forest, reference = isotree().fit(X), scikit_learn().fit(X)
    n_few = 20_000
    contenders = {
        "secondlook, float32": lambda: one.score_samples(narrow),
        "secondlook, float64": lambda: one.score_samples(X),
        "secondlook, float64, two threads": lambda: two.score_samples(X),
        "isotree": lambda: other_forest.predict(X),
        "scikit-learn": lambda: reference.score_samples(narrow[:n_few]),
    }
    medians = median_seconds(contenders, rounds, {"scikit-learn": 5})
    medians["scikit-learn"] *= len(X) / n_few
    print_table("scoring in bulk, 100,000 × 14, per row", medians, "µs", 1e6, len(X))
    print(
        f"\nFaster of the others / secondlook (float64, one thread): "
        f"{min(medians['isotree'], medians['scikit-learn']) / medians['secondlook, float64']:.1f}; "
        f"one thread / two threads: "
        f"{medians['secondlook, float64'] / medians['secondlook, float64, two threads']:.2f}; "
        f"fitted memory {one._model.memory_bytes / 1e3:.0f} kB"
    )


def score_one_row(X, rounds):
    repeats = 2000
    row = X[:1].copy()
    forest, other_forest, reference = ours().fit(X), isotree().fit(X), scikit_learn().fit(X)

    def repeat(use, times):
        def run():
            for _ in range(times):
                use(row)

        return run

    contenders = {
        "secondlook": repeat(forest.score_samples, repeats),
        "isotree": repeat(other_forest.predict, repeats),
        "scikit-learn": repeat(reference.score_samples, repeats // 100),
    }
    medians = median_seconds(contenders, rounds)
    medians["scikit-learn"] *= 100
    print_table("scoring one row from Python", medians, "µs", 1e6, repeats)


def large_samples():
    """Fit trees of 65,536 rows: one run each; isotree grows a twentieth of the trees."""
    X = np.random.default_rng(1).normal(size=(750_000, 14))
    few = TREES // 20
    runs = {
        "secondlook": (lambda: ours(max_samples=65536).fit(X), 1),
        "isotree (5 trees, times 20)": (lambda: isotree(65536, few).fit(X), 20),
        "scikit-learn": (lambda: scikit_learn(max_samples=65536).fit(X), 1),
    }
    seconds = {}
    for name, (run, factor) in runs.items():
        start = time.perf_counter()
        run()
        seconds[name] = factor * (time.perf_counter() - start)
    print_table("fit, 100 trees × 65,536, 750,000 × 14, one thread", seconds, "s", 1)


def few_distinct_values(rounds):
    """Fit and score hundreds of columns with few distinct values, many of them almost constant."""
    random = np.random.default_rng(2)
    fraction = random.uniform(0.0005, 0.3, size=400)
    X = (random.uniform(size=(10_000, 400)) < fraction).astype(np.float32)
    contenders = {
        "secondlook": lambda: ours(max_samples=2048).fit(X).score_samples(X),
        "isotree": lambda: isotree(2048).fit(X).predict(X),
        "scikit-learn": lambda: scikit_learn(max_samples=2048).fit(X).score_samples(X),
    }
    medians = median_seconds(contenders, min(rounds, 3), {"isotree": 1, "scikit-learn": 1})
    print_table(
        "fit and score, 100 trees × 2,048, 10,000 × 400 of two values, one thread",
        medians, "ms", 1e3,
    )  # fmt: skip


def sparse_rows(rounds):
    """Fit and score a wide sparse matrix, as of words or logged events."""
    X = sparse.random_array((20_000, 50_000), density=1e-3, format="csr", rng=0)
    by_columns = X.tocsc()  # what the others want to be fitted on
    contenders = {
        "secondlook": lambda: ours().fit(X).score_samples(X),
        "isotree": lambda: isotree().fit(by_columns).predict(X),
        "scikit-learn": lambda: scikit_learn().fit(by_columns).score_samples(X),
    }
    medians = median_seconds(contenders, min(rounds, 3), {"isotree": 1, "scikit-learn": 1})
    print_table(
        "fit and score, 100 trees × 256, sparse 20,000 × 50,000 with 50 values a row, one thread",
        medians, "ms", 1e3,
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    print(machine())
    X = np.random.default_rng(0).normal(size=(100_000, 14))
    fit(X, rounds)
    score(X, rounds)
    score_one_row(X, rounds)
    large_samples()
    few_distinct_values(rounds)
    sparse_rows(rounds)


if __name__ == "__main__":
    main()
