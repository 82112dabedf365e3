"""X-ray and thermal images; needs torch: ``pip install 'secondlook[image]'``."""

from secondlook.image._torch import require_torch

require_torch()

from secondlook.image.augmentation import Augmentation  # noqa: E402
from secondlook.image.decode import MAX_PIXELS, read_image  # noqa: E402
from secondlook.image.image_classifier import ImageClassifier  # noqa: E402
from secondlook.image.image_decisions import ImageDecisions  # noqa: E402
from secondlook.image.image_folder import ImageFolder  # noqa: E402
from secondlook.image.image_list import list_images  # noqa: E402
from secondlook.image.load_folder import load_folder  # noqa: E402
from secondlook.image.occlusion import map_agreement  # noqa: E402
from secondlook.image.preprocessing import preprocess  # noqa: E402
from secondlook.image.pretrained import pretrained_weights  # noqa: E402
from secondlook.image.reliance import region_reliance  # noqa: E402
from secondlook.image.reliance_report import (  # noqa: E402
    ClassHeatmaps,
    CoveringResult,
    RegionReliance,
)

__all__ = [
    "MAX_PIXELS",
    "Augmentation",
    "ClassHeatmaps",
    "CoveringResult",
    "ImageClassifier",
    "ImageDecisions",
    "ImageFolder",
    "RegionReliance",
    "list_images",
    "load_folder",
    "map_agreement",
    "preprocess",
    "pretrained_weights",
    "read_image",
    "region_reliance",
]
