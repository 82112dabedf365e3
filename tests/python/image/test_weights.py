import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import torch
from safetensors.torch import save_file

import secondlook as sl
from secondlook import _image

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, size=(12, 32, 32, 3), dtype=np.uint8)
Y = np.arange(12) % 3


@pytest.fixture(scope="module")
def weights():
    """A thousand classes' network, as torchvision would save it."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, shape in _image.tensors_of("small_cnn", 3, 32, 32, 1000):
        # Of 8 bits, which half precision and bfloat16 hold exactly.
        tensors[name] = torch.randint(-128, 128, shape, generator=generator) / 256.0
        if name.endswith("running_var"):
            tensors[name] = tensors[name].abs() + 0.5
            tensors[name.replace("running_var", "num_batches_tracked")] = torch.tensor(5)
    return tensors


def fit(file):
    model = sl.ImageClassifier(
        "small_cnn", file, image_size=32, trainable="head", max_epochs=1, random_state=0, n_jobs=1
    )
    return model.fit(IMAGES, Y, groups=range(12))


def taken(file):
    tensors = fit(file)._to_model_file().tensors
    return {n.removeprefix("network."): v for n, v in tensors.items() if n.startswith("network.")}


def check(file, weights):
    got = taken(file)
    for name, values in weights.items():
        if not name.startswith("fc.") and not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(got[name], values.numpy(), err_msg=name)
    assert got["fc.weight"].shape[0] == 3


def floats(weights, dtype):
    return {n: v.to(dtype) if v.is_floating_point() else v for n, v in weights.items()}


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.module.", "backbone."])
def test_names_may_have_a_prefix(prefix, weights, tmp_path):
    save_file({prefix + n: v for n, v in weights.items()}, tmp_path / "w.safetensors")
    check(tmp_path / "w.safetensors", weights)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_other_precision_are_converted(dtype, weights, tmp_path):
    save_file(floats(weights, dtype), tmp_path / "w.safetensors")
    check(tmp_path / "w.safetensors", weights)
    torch.save(floats(weights, dtype), tmp_path / "w.pth")
    check(tmp_path / "w.pth", weights)


def test_a_last_layer_may_be_missing(weights, tmp_path):
    bare = {n: v for n, v in weights.items() if not n.startswith("fc.")}
    save_file(bare, tmp_path / "w.safetensors")
    check(tmp_path / "w.safetensors", bare)


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w"])
@pytest.mark.parametrize("key", [None, "state_dict", "model", "model_state_dict"])
def test_files_of_torch_save_are_taken(key, name, weights, tmp_path):
    content = weights if key is None else {"epoch": 7, key: weights, "optimizer": {"lr": 0.1}}
    torch.save(content, tmp_path / name)
    check(tmp_path / name, weights)


def test_files_of_older_torch_and_of_data_parallel_are_taken(weights, tmp_path):
    wrapped = {"state_dict": {f"module.{n}": v for n, v in weights.items()}}
    torch.save(wrapped, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    check(tmp_path / "old.pth", weights)


def test_a_model_with_such_weights_is_saved_and_loaded(weights, tmp_path):
    torch.save(weights, tmp_path / "w.pth")
    model = fit(tmp_path / "w.pth")
    model.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    assert loaded.weights == str(tmp_path / "w.pth")
    np.testing.assert_array_equal(loaded.predict_proba(IMAGES), model.predict_proba(IMAGES))


# ---- What cannot be taken is named ----


class Code:
    """What a pickle must not be able to do."""

    def __reduce__(self):
        return (print, ("run by unpickling",))


def refusal(file):
    with pytest.raises(ValueError) as error:
        fit(file)
    start = f"ImageClassifier.fit: weights '{file}': "
    assert str(error.value).startswith(start)
    return str(error.value).removeprefix(start)


def test_other_files_of_torch_save_are_refused(weights, tmp_path, capsys):
    file = tmp_path / "w.pth"
    torch.save(torch.nn.Linear(2, 2), file)
    assert "save the network's state_dict() instead of the network" in refusal(file)
    torch.save({"state_dict": weights, "x": Code()}, file)
    assert "not read as they may run code" in refusal(file)
    assert "run by unpickling" not in capsys.readouterr().out
    torch.save({**weights, "conv1.weight": weights["conv1.weight"].to(torch.int8)}, file)
    assert refusal(file) == "'conv1.weight': expected floats, got torch.int8"
    torch.save({"epoch": 7}, file)
    assert refusal(file).endswith("got ['epoch']")
    torch.save([1, 2], file)
    assert refusal(file).endswith("got ['list']")
    torch.save(weights, file)
    file.write_bytes(file.read_bytes()[:-1000])
    assert "the file is damaged" in refusal(file)


def test_tensors_that_do_not_fit_are_named(weights, tmp_path):
    file = tmp_path / "w.safetensors"
    save_file({**weights, "conv1.weight": weights["conv1.weight"].to(torch.int8)}, file)
    assert refusal(file) == "expected 'conv1.weight' as F32, F16, BF16 or F64, got I8"
    torch.save({**weights, "conv1.weight": torch.zeros(2, 2)}, tmp_path / "w.pth")
    assert refusal(tmp_path / "w.pth") == (
        "expected 'conv1.weight' of shape (32, 3, 3, 3), got (2, 2)"
    )
    save_file({**{f"module.{n}": v for n, v in weights.items()}, "loss.w": torch.zeros(3)}, file)
    assert refusal(file) == "expected names that begin with 'module.', got 'loss.w'"
    both = {f"{who}.{n}": v.clone() for who in ("student", "teacher") for n, v in weights.items()}
    save_file(both, file)
    assert refusal(file) == "expected one network, got several, at 'student.' and at 'teacher.'"
