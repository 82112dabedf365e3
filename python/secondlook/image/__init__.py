"""X-ray and thermal images; needs torch: ``pip install 'secondlook[image]'``."""

from secondlook.image._torch import require_torch

require_torch()

from secondlook.image.augmentation import Augmentation  # noqa: E402
from secondlook.image.decode import MAX_PIXELS, read_image  # noqa: E402
from secondlook.image.network import train_small_network  # noqa: E402
from secondlook.image.preprocessing import preprocess  # noqa: E402

__all__ = ["MAX_PIXELS", "Augmentation", "preprocess", "read_image", "train_small_network"]
