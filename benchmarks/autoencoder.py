"""Autoencoder: training and scoring compared with torch and onnxruntime.

python benchmarks/autoencoder.py [--rounds 7]
"""

import argparse
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from _rounds import machine, median_seconds, print_table
from onnx import TensorProto, checker, helper, numpy_helper

import secondlook as sl

WIDTHS = (14, 32, 16, 8, 16, 32, 14)
# Multiply-adds per row; training takes about three times as many.
ROW_FLOPS = 2 * sum(a * b for a, b in pairwise(WIDTHS))


def table(rows, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4)) @ random.normal(size=(4, 14))
    return (X + 0.1 * random.normal(size=X.shape)).astype(np.float32)


def torch_network():
    layers = []
    for i, (n_in, n_out) in enumerate(pairwise(WIDTHS)):
        layers.append(torch.nn.Linear(n_in, n_out))
        if i < len(WIDTHS) - 2:
            layers += [
                torch.nn.BatchNorm1d(n_out),
                torch.nn.LeakyReLU(0.01),
                torch.nn.Dropout(0.25),
            ]
    return torch.nn.Sequential(*layers)


def torch_epoch(X):
    rows = torch.from_numpy(X)
    network = torch_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-5)

    def run():
        network.train()
        order = torch.randperm(len(rows))
        for batch in order.split(32):
            x = rows[batch]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), x).backward()
            optimizer.step()

    return run


def onnx_session():
    """Return the network in ONNX format, with folded normalisation."""
    random = np.random.default_rng(0)
    nodes, weights, name = [], [], "x"
    for i, (n_in, n_out) in enumerate(pairwise(WIDTHS)):
        values = {
            f"w{i}": random.normal(size=(n_in, n_out)) / np.sqrt(n_in),
            f"b{i}": np.zeros(n_out),
        }
        for key, value in values.items():
            weights.append(numpy_helper.from_array(value.astype(np.float32), key))
        last = i == len(WIDTHS) - 2
        gemm = "y" if last else f"g{i}"
        nodes.append(helper.make_node("Gemm", [name, *values], [gemm]))
        name = gemm
        if not last:
            nodes.append(helper.make_node("LeakyRelu", [gemm], [f"a{i}"], alpha=0.01))
            name = f"a{i}"
    ports = [
        helper.make_tensor_value_info(port, TensorProto.FLOAT, ["n", WIDTHS[0]]) for port in "xy"
    ]
    graph = helper.make_graph(nodes, "autoencoder", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def train(rounds):
    X = table(20_000)
    ours = sl.Autoencoder(max_epochs=1, validation_fraction=0.0, random_state=0, n_jobs=1)
    torch.set_num_threads(1)
    contenders = {
        "secondlook": lambda: ours.fit(X),
        "torch": torch_epoch(X[:2000]),
    }
    medians = median_seconds(contenders, rounds)
    medians["torch"] *= 10
    print_table("training epoch, 20,000 × 14, batch 32", medians, "ms", 1e3)
    gflops = 3 * ROW_FLOPS * len(X) / medians["secondlook"] / 1e9
    print(f"\nsecondlook, with its scaler and offset: {gflops:.1f} GFLOP/s in the matrix products.")


def score_one_row(rounds):
    repeats = 2000
    ours = sl.Autoencoder(max_epochs=1, random_state=0).fit(table(2000))
    session, network = onnx_session(), torch_network().eval()
    row = table(1, seed=1)
    tensor = torch.from_numpy(row)

    def repeat(use, times=repeats):
        def run():
            for _ in range(times):
                use()

        return run

    def with_torch():
        with torch.inference_mode():
            return network(tensor)

    contenders = {
        "secondlook": repeat(lambda: ours.score_samples(row)),
        "onnxruntime (reconstruction alone)": repeat(lambda: session.run(None, {"x": row})),
        "torch (reconstruction alone)": repeat(with_torch, repeats // 10),
    }
    medians = median_seconds(contenders, rounds)
    medians["torch (reconstruction alone)"] *= 10
    print_table("one row from Python", medians, "µs", 1e6, repeats)


def score_in_bulk(rounds):
    X = table(100_000)
    ours = sl.Autoencoder(max_epochs=1, random_state=0, n_jobs=1).fit(X[:2000])
    two = sl.Autoencoder(max_epochs=1, random_state=0, n_jobs=2).fit(X[:2000])
    session, network = onnx_session(), torch_network().eval()
    tensor = torch.from_numpy(X)

    def with_torch():
        with torch.inference_mode():
            return network(tensor)

    torch.set_num_threads(1)
    contenders = {
        "secondlook": lambda: ours.score_samples(X),
        "secondlook, two threads": lambda: two.score_samples(X),
        "onnxruntime (reconstruction alone)": lambda: session.run(None, {"x": X}),
        "torch (reconstruction alone)": with_torch,
    }
    medians = median_seconds(contenders, rounds)
    print_table("scoring in bulk, 100,000 × 14, per row, one thread", medians, "µs", 1e6, len(X))
    print(f"\nsecondlook: {ROW_FLOPS * len(X) / medians['secondlook'] / 1e9:.1f} GFLOP/s.")


def load_and_learn(rounds):
    X = table(20_000)
    model = sl.Autoencoder(max_epochs=1, random_state=0).fit(X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path)
        contenders = {
            "partial_fit of 1,000 rows": lambda: model.partial_fit(X[:1000]),
            "load from a file": lambda: sl.load(path),
        }
        medians = median_seconds(contenders, max(rounds, 21))
    print_table("a model at full size", medians, "ms", 1e3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{machine()}, {time.strftime('%Y-%m-%d')}; torch {torch.__version__}, "
          f"onnxruntime {onnxruntime.__version__}")  # fmt: skip
    train(rounds)
    score_one_row(rounds)
    score_in_bulk(rounds)
    load_and_learn(rounds)
