"""Random variations of training images."""

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from secondlook import _image
from secondlook._shared.arguments import as_whole_number
from secondlook.image.decode import as_picture


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far training images may be changed at random; by default not at all.

    Parameters
    ----------
    horizontal_flip, vertical_flip : float, default=0
        Probability that left and right, top and bottom change sides.
    rotation, shear : float, default=0
        Degrees either way at most, up to 180 and 59.
    zoom : float, default=0
        Factor 1 ± zoom, in [0, 0.9].
    aspect : float, default=0
        Ratio of width to height changes by ``exp(-aspect)`` to ``exp(aspect)``, up to 1.
    shift : float, default=0
        Share of the size either way at most, in both directions.
    brightness : float, default=0
        Share of the whole range, added or taken.
    contrast : float, default=0
        Factor 1 ± contrast about the image's mean, in [0, 1].
    gamma : float, default=0
        Exponent from ``exp(-gamma)`` to ``exp(gamma)``, up to 3.
    blur : float, default=0
        Standard deviation of a Gaussian in pixels at most, up to 50.
    noise : float, default=0
        Standard deviation of a Gaussian as a fraction of the range at most.
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
        """Return a random variation of an image, as training sees it.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
            As `read_image` takes it; floats have to lie in [0, 1].
        seed, epoch, index : int
            What the variation depends on, and nothing else; from 0 on.

        Returns
        -------
        uint8 or uint16 array of the image's shape
        """
        who = "Augmentation.apply"
        places = {"seed": seed, "epoch": epoch, "index": index}
        numbers = [as_whole_number(who, name, value, 0) for name, value in places.items()]
        return _image.augment(as_picture(who, image), asdict(self), *numbers)
