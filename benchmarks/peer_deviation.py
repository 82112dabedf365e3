"""Peer deviation: compares the pass over all readings with the memory bandwidth.

    python benchmarks/peer_deviation.py [--rounds 7]

No other library offers this check, so the comparison is with NumPy's maximum over the same array: a
vectorised pass that only reads it.
"""

import argparse

import numpy as np
from _rounds import machine, median_seconds

import secondlook as sl


def by_numpy(X, n_sigma=3.0):
    """Judge with NumPy, all sensors counted among the peers (no leave-one-out)."""
    distance = np.abs(X - X.mean(axis=1, keepdims=True))
    return (distance > n_sigma * X.std(axis=1, keepdims=True)).sum(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=10_000, help="sensors and instants")
    arguments = parser.parse_args()
    size = arguments.size
    print(f"{machine()}; {size:,} sensors × {size:,} instants")
    print("\n| | median ms | GB/s |\n|---|---|---|")
    for dtype in (np.float32, np.float64):
        X = np.random.default_rng(0).standard_normal((size, size), dtype=dtype)
        few = X[: size // 20]
        contenders = {
            "secondlook, one thread": lambda X=X: sl.PeerDeviation(n_jobs=1).judge(X),
            "secondlook, two threads": lambda X=X: sl.PeerDeviation(n_jobs=2).judge(X),
            "secondlook, robust, two threads": lambda few=few: sl.PeerDeviation(
                robust=True, n_jobs=2
            ).judge(few),
            "numpy.max, one thread": lambda X=X: X.max(),
            "the judgement in NumPy": lambda few=few: by_numpy(few),
        }
        for name, median in median_seconds(contenders, arguments.rounds).items():
            factor = 20 if "robust" in name or "judgement" in name else 1
            rate = X.nbytes / (factor * median) / 1e9
            print(f"| {np.dtype(dtype).name}, {name} | {factor * median * 1e3:.0f} | {rate:.1f} |")


if __name__ == "__main__":
    main()
