"""EfficientNet-lite0 and MobileNetV2 at 224 × 224: prediction compared with plain torch.

python benchmarks/efficientnet_lite.py [--rounds 5] [--threads 2]
"""

import argparse

import numpy as np
import torch
from _rounds import machine, median_seconds, print_table

import secondlook as sl

F = torch.nn.functional


def model_of(architecture, images, threads):
    model = sl.ImageClassifier(
        architecture, None, trainable="head", max_epochs=1, random_state=0, n_jobs=threads
    )
    return model.fit(images, np.arange(len(images)) % 2, groups=range(len(images)))


def plain_torch(model):
    """Return EfficientNet-lite0 as functions of torch, with the weights of a model."""
    t = {
        name.removeprefix("network."): torch.from_numpy(values)
        for name, values in model._to_model_file().tensors.items()
        if name.startswith("network.")
    }
    for name, values in t.items():
        if values.dim() == 4:
            t[name] = values.contiguous(memory_format=torch.channels_last)

    def block(x, conv, norm, stride=1):
        weight = t[f"{conv}.weight"]
        padding = weight.shape[-1] // 2
        if stride == 2:  # TensorFlow's SAME, of even sizes
            x, padding = F.pad(x, (padding - 1, padding) * 2), 0
        x = F.conv2d(x, weight, None, stride, padding, 1, x.shape[1] // weight.shape[1])
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(t[f"{norm}.{name}"] for name in names), eps=1e-3)

    def logits(x):
        x = F.relu6(block(x, "_conv_stem", "_bn0", 2))
        for number in range(16):
            before, b = x, f"_blocks.{number}"
            stride = 2 if number in (1, 3, 5, 11) else 1
            if number:
                x = F.relu6(block(x, f"{b}._expand_conv", f"{b}._bn0"))
            x = F.relu6(block(x, f"{b}._depthwise_conv", f"{b}._bn1", stride))
            x = block(x, f"{b}._project_conv", f"{b}._bn2")
            x = x + before if x.shape == before.shape else x
        x = F.relu6(block(x, "_conv_head", "_bn1"))
        return F.linear(x.mean((2, 3)), t["_fc.weight"], t["_fc.bias"])

    def predict_proba(batch):
        x = torch.from_numpy((batch.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
        with torch.inference_mode():
            return logits(x.contiguous(memory_format=torch.channels_last)).softmax(1).numpy()

    return predict_proba


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, size=(32, 224, 224, 3), dtype=np.uint8)
    models = {
        name: model_of(name, images[:8], arguments.threads)
        for name in ("efficientnet_lite0", "mobilenet_v2")
    }
    with_torch = plain_torch(models["efficientnet_lite0"])
    torch.set_num_threads(arguments.threads)
    found = models["efficientnet_lite0"].predict_proba(images)
    print(f"{machine()}; torch {torch.__version__}, {arguments.threads} threads")
    print(f"probabilities differ from torch's by {np.abs(found - with_torch(images)).max():.1e}")
    contenders = {
        **{f"secondlook {name}": model.predict_proba for name, model in models.items()},
        "torch efficientnet_lite0": with_torch,
    }
    for title, batch in (("one image", images[:1]), ("batch of 32, per image", images)):
        repeats = 10 if len(batch) == 1 else 1
        medians = median_seconds(
            {
                name: lambda use=use, batch=batch, n=repeats: [use(batch) for _ in range(n)]
                for name, use in contenders.items()
            },
            arguments.rounds,
        )
        print_table(title, medians, "ms", 1e3, amount=len(batch) * repeats)


if __name__ == "__main__":
    main()
