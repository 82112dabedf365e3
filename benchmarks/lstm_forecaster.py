"""LSTM forecaster: training and stepping compared with torch.

python benchmarks/lstm_forecaster.py [--rounds 5]
"""

import argparse
import time

import numpy as np
import torch
from _rounds import machine, median_seconds, print_table

import secondlook as sl

CHANNELS, WINDOW, BATCH = 8, 48, 64


def windows(n, seed=0):
    random = np.random.default_rng(seed)
    t = np.arange(WINDOW + 1)[:, None] + 100 * random.uniform(size=(n, 1, CHANNELS))
    return (np.sin(t / 5) + 0.1 * random.normal(size=(n, WINDOW + 1, CHANNELS))).astype(np.float32)


def window_flops(hidden):
    """Return the multiply-adds of training on a window: forward, and twice as many backward."""
    gates = 4 * hidden * (CHANNELS + 1 + hidden)
    return 2 * WINDOW * (2 * gates + 4 * hidden * hidden + 3 * hidden * CHANNELS)


def torch_epoch(X, hidden):
    lstm = torch.nn.LSTM(CHANNELS, hidden, batch_first=True)
    head = torch.nn.Linear(hidden, CHANNELS)
    optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()])
    series = torch.from_numpy(X)

    def run():
        for batch in torch.randperm(len(series)).split(BATCH):
            x = series[batch]
            optimizer.zero_grad()
            values, _ = lstm(x[:, :-1])
            torch.nn.functional.mse_loss(head(values), x[:, 1:]).backward()
            optimizer.step()

    return run


def train(rounds, n_windows, hidden):
    X = windows(n_windows)
    series = list(X)

    def ours(epochs):
        return sl.LSTMForecaster(
            WINDOW, hidden, batch_size=BATCH, max_epochs=epochs, patience=epochs,
            validation_fraction=0.01, random_state=0, n_jobs=2,
        )  # fmt: skip

    torch.set_num_threads(2)
    contenders = {
        "one epoch": lambda: ours(1).fit(series),
        "three epochs": lambda: ours(3).fit(series),
        "torch": torch_epoch(X, hidden),
    }
    medians = median_seconds(contenders, rounds)
    # Other work of `fit`, such as computing the offset, is in both.
    epoch = (medians["three epochs"] - medians["one epoch"]) / 2
    print_table(
        f"training epoch, {n_windows:,} windows of {WINDOW}, {CHANNELS}→{hidden}, batch {BATCH}, "
        "two threads",
        {"secondlook": epoch, "torch": medians["torch"]},
        "ms",
        1e3,
    )
    print(f"\nsecondlook: {window_flops(hidden) * n_windows / epoch / 1e9:.0f} GFLOP/s.")


def step(rounds):
    repeats = 2000
    X = windows(64)
    ours = sl.LSTMForecaster(WINDOW, 64, max_epochs=1, random_state=0).fit(list(X))
    stream = ours.stream()
    core = stream._stream
    sample = X[0, 0].copy()
    lstm, head = torch.nn.LSTM(CHANNELS, 64), torch.nn.Linear(64, CHANNELS)
    tensor = torch.from_numpy(sample).view(1, 1, CHANNELS)
    state = None

    def with_torch():
        nonlocal state
        with torch.inference_mode():
            values, state = lstm(tensor, state)
            head(values)

    def repeat(use, times=repeats):
        def run():
            for _ in range(times):
                use()

        return run

    torch.set_num_threads(1)
    long = np.tile(X[0], (200, 1))
    contenders = {
        "secondlook, the core's stream": repeat(lambda: core.push(sample)),
        "secondlook, record of a stream": repeat(lambda: stream.push(sample)),
        "secondlook, a step of a batch call (C++)": lambda: ours.score_samples(long),
        "torch (forecast alone)": repeat(with_torch, repeats // 10),
    }
    medians = median_seconds(contenders, rounds)
    medians["secondlook, a step of a batch call (C++)"] *= repeats / len(long)
    medians["torch (forecast alone)"] *= 10
    print_table(f"one stateful step, {CHANNELS}→64", medians, "µs", 1e6, repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{machine()}, {time.strftime('%Y-%m-%d')}; torch {torch.__version__}")
    train(rounds, 8192, 64)
    train(min(rounds, 3), 1024, 256)
    step(rounds)
