"""Images that cannot be read, and why."""

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from secondlook._shared.progress import ProgressBar
from secondlook.image.decode import as_pixels


def broken_images(images: Sequence[Any]) -> dict[int, str]:
    """Read all images, and return the index of each that cannot be read with the reason."""
    found = {}
    with ThreadPoolExecutor() as threads, ProgressBar("Reading") as bar:
        for index, why in enumerate(threads.map(_why_unreadable, images)):
            if why is not None:
                found[index] = why
            bar(index + 1, len(images))
    return found


def why_broken(image: Any, message: str) -> str:
    """Return an error's message without the part that names the image."""
    if isinstance(image, str | os.PathLike):
        return message.partition(f"{os.fspath(image)}: ")[2] or message
    return re.sub(r"^.*?image \d+: ", "", message)


def _why_unreadable(image: Any) -> str | None:
    try:
        as_pixels("broken_images", image)
    except (ValueError, OSError) as error:
        return why_broken(image, str(error))
    return None
