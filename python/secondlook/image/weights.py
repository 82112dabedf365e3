"""Pretrained weights that PyTorch has saved."""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Keys under which training scripts save the weights, beside the state of the optimiser.
_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "weights", "net", "network")
# A zip archive; a pickle of protocol 2 and later, as PyTorch wrote before version 1.6.
_MAGIC = (b"PK\x03\x04", b"\x80")


def read_pickled_weights(who: str, file: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the tensors of a file written by `torch.save`; None if it is not such a file.

    Only tensors are read, and no code is run: ``torch.load(weights_only=True)``.

    Raises
    ------
    ValueError
        If the file contains something other than the weights of a network, or is damaged; the
        message names it.
    OSError
        If it cannot be read.
    """
    path = Path(file)
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        if not stream.read(4).startswith(_MAGIC):
            return None
    import torch

    where = f"{who}: weights '{path}'"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{where}: expected tensors only, got other objects, which are not read as they may "
            "run code; save the network's state_dict() instead of the network"
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        raise ValueError(
            f"{where}: the file is damaged, or was not written by torch.save: {error}"
        ) from error
    weights = _weights_of(content)
    if weights is None:
        names = list(content) if isinstance(content, Mapping) else [type(content).__name__]
        raise ValueError(
            f"{where}: expected a state_dict, or one at one of {_KEYS}, got {names[:10]}"
        )
    return {
        name: _as_array(f"{where}: '{name}'", values)
        for name, values in weights.items()
        if not name.endswith("num_batches_tracked")  # a count, not a weight
    }


def _weights_of(content: Any) -> Mapping[str, Any] | None:
    import torch

    if not isinstance(content, Mapping) or not content:
        return None
    if all(isinstance(value, torch.Tensor) for value in content.values()):
        return content
    for key in _KEYS:
        if (inner := _weights_of(content.get(key))) is not None:
            return inner
    return None


def _as_array(where: str, values: Any) -> NDArray[np.float32]:
    if values.is_sparse or values.is_quantized or not values.is_floating_point():
        kind = "a sparse tensor" if values.is_sparse else str(values.dtype)
        raise ValueError(f"{where}: expected floats, got {kind}")
    array: NDArray[np.float32] = np.ascontiguousarray(values.detach().float().numpy())
    return array
