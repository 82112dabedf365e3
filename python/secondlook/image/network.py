"""Networks over LibTorch."""

from secondlook import _image


def train_small_network(
    samples: int = 256, features: int = 8, hidden: int = 32, steps: int = 50, seed: int = 0
) -> tuple[float, float]:
    """Train two layers on random data: shows that LibTorch works in this build.

    Returns
    -------
    (float, float)
        Mean squared error before the first step and after the last.

    Raises
    ------
    ValueError
        If a size is zero.
    """
    return _image.train_small_network(samples, features, hidden, steps, seed)
