"""MobileNetV2: prediction compared with onnxruntime and torch, training with a plain loop of torch.

python benchmarks/image_classifier.py [--rounds 7]
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from _rounds import machine, median_seconds, print_table
from onnx import TensorProto, checker, helper, numpy_helper

import secondlook as sl

F = torch.nn.functional
STAGES = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
]  # fmt: skip
# Multiply-adds for one image of 224 × 224, two classes.
IMAGE_FLOPS = 2 * 300e6


def layers():
    """Yield name, normalisation, stride, whether ReLU6 follows, and begin or end of a residual."""
    yield "features.0.0", "features.0.1", 2, True, None
    number, inputs = 1, 32
    for expansion, width, repeats, stride in STAGES:
        for i in range(repeats):
            name, part, step = f"features.{number}.conv", 0, stride if i == 0 else 1
            residual = step == 1 and inputs == width
            begin = "begin" if residual else None
            if expansion != 1:
                yield f"{name}.0.0", f"{name}.0.1", 1, True, begin
                part, begin = 1, None
            yield f"{name}.{part}.0", f"{name}.{part}.1", step, True, begin
            end = "end" if residual else None
            yield f"{name}.{part + 1}", f"{name}.{part + 2}", 1, False, end
            inputs, number = width, number + 1
    yield "features.18.0", "features.18.1", 1, True, None


class PlainMobileNet(torch.nn.Module):
    """The same network from torch's layers, as torchvision builds it."""

    def __init__(self, tensors):
        super().__init__()
        self.plan = list(layers())
        self.convolutions = torch.nn.ModuleList()
        self.norms = torch.nn.ModuleList()
        inputs = 3
        for name, norm, stride, *_ in self.plan:
            weight = tensors[f"{name}.weight"]
            outputs, _, kernel, _ = weight.shape
            groups = inputs // weight.shape[1]
            convolution = torch.nn.Conv2d(
                inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False
            )
            convolution.weight.data.copy_(torch.from_numpy(weight))
            normalisation = torch.nn.BatchNorm2d(outputs)
            state = {
                key: torch.from_numpy(tensors[f"{norm}.{key}"])
                for key in ("weight", "bias", "running_mean", "running_var")
            }
            normalisation.load_state_dict(state, strict=False)
            self.convolutions.append(convolution)
            self.norms.append(normalisation)
            inputs = outputs
        weight, bias = (torch.from_numpy(tensors[f"classifier.1.{k}"]) for k in ("weight", "bias"))
        self.head = torch.nn.Linear(*reversed(weight.shape))
        self.head.load_state_dict({"weight": weight, "bias": bias})

    def forward(self, x):
        """Return the logits of a batch."""
        for (_, _, _, activated, residual), convolution, norm in zip(
            self.plan, self.convolutions, self.norms, strict=True
        ):
            if residual == "begin":
                before = x
            x = norm(convolution(x))
            if activated:
                x = F.relu6(x)
            if residual == "end":
                x = x + before
        x = F.dropout(x.mean((2, 3)), 0.2, self.training)
        return self.head(x)


def onnx_session(tensors, threads):
    """Return the network in ONNX format, with folded normalisation."""
    nodes, weights, x, before = [], [], "x", ""
    for i, (name, norm, stride, activated, residual) in enumerate(layers()):
        if residual == "begin":
            before = x
        t = {key: tensors[f"{norm}.{key}"].astype(np.float64)
             for key in ("weight", "bias", "running_mean", "running_var")}  # fmt: skip
        factor = t["weight"] / np.sqrt(t["running_var"] + 1e-5)
        weight = tensors[f"{name}.weight"] * factor[:, None, None, None]
        weights += [
            numpy_helper.from_array(weight.astype(np.float32), f"w{i}"),
            numpy_helper.from_array(
                (t["bias"] - t["running_mean"] * factor).astype(np.float32), f"b{i}"
            ),
        ]
        kernel, pad = weight.shape[2], weight.shape[2] // 2
        groups = weight.shape[0] if weight.shape[1] == 1 and kernel == 3 and i > 0 else 1
        nodes.append(
            helper.make_node(
                "Conv",
                [x, f"w{i}", f"b{i}"],
                [f"c{i}"],
                kernel_shape=[kernel, kernel],
                strides=[stride, stride],
                pads=[pad] * 4,
                group=groups,
            )
        )
        x = f"c{i}"
        if activated:
            nodes.append(helper.make_node("Clip", [x, "zero", "six"], [f"a{i}"]))
            x = f"a{i}"
        if residual == "end":
            nodes.append(helper.make_node("Add", [x, before], [f"s{i}"]))
            x = f"s{i}"
    weights += [
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(6), "six"),
        numpy_helper.from_array(tensors["classifier.1.weight"], "hw"),
        numpy_helper.from_array(tensors["classifier.1.bias"], "hb"),
    ]
    nodes += [
        helper.make_node("GlobalAveragePool", [x], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "hw", "hb"], ["l"], transB=1),
        helper.make_node("Softmax", ["l"], ["y"]),
    ]
    ports = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2]),
    ]
    graph = helper.make_graph(nodes, "mobilenet", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def classifier(images, precision="float32", threads=2, **options):
    options = {"max_epochs": 1, "image_size": 224, **options}
    model = sl.ImageClassifier(
        "mobilenet_v2", inference_precision=precision, random_state=0, n_jobs=threads, **options
    )
    return model.fit(images, np.arange(len(images)) % 2, groups=range(len(images)))


def tensors_of(model):
    return {
        name.removeprefix("network."): values
        for name, values in model._to_model_file().tensors.items()
        if name.startswith("network.")
    }


def predict(rounds, threads):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(32, 224, 224, 3), dtype=np.uint8)
    ours = classifier(images[:8], threads=threads)
    tensors = tensors_of(ours)
    with tempfile.TemporaryDirectory() as folder:
        # The same network, used in bfloat16.
        file = ours._to_model_file()
        parameters = json.loads(file.sections["parameters"])
        file.set_section("parameters", json.dumps(parameters | {"inference_precision": "bfloat16"}))
        file.write(Path(folder) / "model")
        halves = sl.load(Path(folder) / "model")
    network = PlainMobileNet(tensors).eval().to(memory_format=torch.channels_last)
    session = onnx_session(tensors, threads)
    torch.set_num_threads(threads)

    def scaled(batch):
        return np.ascontiguousarray((batch.astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2))

    def with_torch(batch, autocast):
        x = torch.from_numpy(scaled(batch)).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return network(x).float().softmax(1).numpy()

    def with_onnx(batch):
        return session.run(None, {"x": scaled(batch)})[0]

    expected = with_torch(images, False)
    for name, found in [
        ("secondlook", ours.predict_proba(images)),
        ("secondlook, bfloat16", halves.predict_proba(images)),
        ("onnxruntime", with_onnx(images)),
        ("torch bfloat16", with_torch(images, True)),
    ]:
        print(f"{name}: probabilities differ from torch's by {np.abs(found - expected).max():.1e}")

    one = images[:1]
    repeats = 10  # consecutive images, as in use: the weights are in the cache

    def repeat(use):
        return lambda: [use() for _ in range(repeats)]

    medians = median_seconds(
        {
            "secondlook": repeat(lambda: ours.predict_proba(one)),
            "secondlook bfloat16": repeat(lambda: halves.predict_proba(one)),
            "onnxruntime": repeat(lambda: with_onnx(one)),
            "torch": repeat(lambda: with_torch(one, False)),
            "torch bfloat16": repeat(lambda: with_torch(one, True)),
        },
        rounds,
    )
    print_table("one image 224 × 224, from uint8 to probabilities", medians, "ms", 1e3, repeats)
    medians = median_seconds(
        {
            "secondlook bfloat16": lambda: halves.predict_proba(images),
            "secondlook": lambda: ours.predict_proba(images),
            "torch bfloat16": lambda: with_torch(images, True),
            "torch": lambda: with_torch(images, False),
            "onnxruntime": lambda: with_onnx(images),
        },
        rounds,
    )
    print_table("batch of 32, per image", medians, "ms", 1e3, amount=len(images))
    gflops = IMAGE_FLOPS * len(images) / medians["secondlook bfloat16"] / 1e9
    print(f"\nsecondlook in bfloat16: {gflops:.0f} GFLOP/s.")


def train(rounds, threads):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(128, 160, 160, 3), dtype=np.uint8)
    augmentation = sl.Augmentation(horizontal_flip=0.5, rotation=10, brightness=0.1, noise=0.02)
    fractions = []

    def ours():
        model = classifier(
            images, threads=threads, image_size=160, validation_fraction=0.02,
            augmentation=augmentation,
        )  # fmt: skip
        fractions.append(model.history_["wait_fraction"][0])
        return model.history_["seconds"][0] / 126 * 128

    tensors = tensors_of(classifier(images[:8], image_size=160, threads=threads))
    torch.set_num_threads(threads)

    def with_torch(augmented, autocast):
        network = PlainMobileNet(tensors).train().to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        labels = torch.arange(128) % 2
        start = time.perf_counter()
        for batch in torch.arange(128).split(32):
            x = images[batch.numpy()]
            if augmented:
                x = np.stack([augmentation.apply(image, index=i) for i, image in enumerate(x)])
            x = torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = F.cross_entropy(network(x), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.perf_counter() - start

    contenders = {
        "secondlook, with augmentation": ours,
        "torch bfloat16, without augmentation": lambda: with_torch(False, True),
        "torch bfloat16, the same augmentation in its loop": lambda: with_torch(True, True),
        "torch float32, without augmentation": lambda: with_torch(False, False),
    }
    seconds = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            took = run()
            if number > 0:
                seconds[name].append(took)
    medians = {name: float(np.median(times)) for name, times in seconds.items()}
    print_table(
        "training epoch, 128 images 160 × 160, batch 32, per image", medians, "ms", 1e3, 128
    )
    print(f"\nTraining waited for images {np.median(fractions):.1%} of the time.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=["predict", "train"])
    arguments = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    print(f"{machine()}; torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    if arguments.only != "train":
        predict(arguments.rounds, threads)
    if arguments.only != "predict":
        train(max(arguments.rounds // 2, 1), threads)


if __name__ == "__main__":
    main()
