"""Random changes of training images."""

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from secondlook import _image
from secondlook._shared.arguments import as_whole_number
from secondlook.image.decode import as_picture


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Ranges of random changes to training images; by default there are none.

    Parameters
    ----------
    horizontal_flip, vertical_flip : float, default=0
        Probability of a mirror image, and of an image upside down.
    rotation, shear : float, default=0
        Largest angle in degrees, either way, up to 180 and 59.
    zoom : float, default=0
        Factor 1 ± zoom, in [0, 0.9].
    aspect : float, default=0
        Factor of width to height from ``exp(-aspect)`` to ``exp(aspect)``, up to 1.
    shift : float, default=0
        Largest fraction of the size, either way in both directions.
    brightness : float, default=0
        Largest fraction of the whole range, added or subtracted.
    contrast : float, default=0
        Factor 1 ± contrast about the image's mean, in [0, 1].
    gamma : float, default=0
        Exponent from ``exp(-gamma)`` to ``exp(gamma)``, up to 3.
    blur : float, default=0
        Largest standard deviation of a Gaussian in pixels, up to 50.
    noise : float, default=0
        Largest standard deviation, as a fraction of the whole range.
    clahe : float, default=0
        Probability of contrast-limited adaptive histogram equalisation.
    erasing : float, default=0
        Probability that a rectangle of 2 to 20 % of the image is made grey.

    Raises
    ------
    ValueError
        If a range is out of bounds.

    References
    ----------
    Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, "Random Erasing Data Augmentation", AAAI 2020.
    """

    horizontal_flip: float = 0
    vertical_flip: float = 0
    rotation: float = 0
    shear: float = 0
    zoom: float = 0
    aspect: float = 0
    shift: float = 0
    brightness: float = 0
    contrast: float = 0
    gamma: float = 0
    blur: float = 0
    noise: float = 0
    clahe: float = 0
    erasing: float = 0

    def __post_init__(self) -> None:
        _image.check_augmentation(asdict(self))

    def apply(self, image: Any, *, seed: int = 0, epoch: int = 0, index: int = 0) -> NDArray[Any]:
        """Return an image with random changes, as in training.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
            See `read_image`; floats must lie in [0, 1].
        seed, epoch, index : int
            The changes depend only on these numbers, which are at least 0.

        Returns
        -------
        uint8 or uint16 array of the image's shape
        """
        who = "Augmentation.apply"
        given = {"seed": seed, "epoch": epoch, "index": index}
        numbers = [as_whole_number(who, name, value, 0) for name, value in given.items()]
        return _image.augment(as_picture(who, image), asdict(self), *numbers)
