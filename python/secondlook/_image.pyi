import numpy as np
from numpy.typing import NDArray

pybind11_internals_version: int

def decode_bytes(
    data: bytes,
    size: tuple[int, int],
    mean: tuple[float, float, float],
    standard_deviation: tuple[float, float, float],
    name: str,
) -> NDArray[np.float32]: ...
def decode_file(
    file: str,
    size: tuple[int, int],
    mean: tuple[float, float, float],
    standard_deviation: tuple[float, float, float],
) -> NDArray[np.float32]: ...
def train_small_network(
    samples: int, features: int, hidden: int, steps: int, seed: int
) -> tuple[float, float]: ...
