"""X-ray and thermal images; needs torch: ``pip install 'secondlook[image]'``."""

from secondlook.image._torch import require_torch

require_torch()

from secondlook.image.decode import decode_image  # noqa: E402
from secondlook.image.network import train_small_network  # noqa: E402

__all__ = ["decode_image", "train_small_network"]
