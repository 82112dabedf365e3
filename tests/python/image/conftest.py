"""Skips the image tests without the extension, unless SECONDLOOK_REQUIRE_IMAGE=1."""

import os

import pytest

from secondlook import _core


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _core.torch_version or os.environ.get("SECONDLOOK_REQUIRE_IMAGE") == "1":
        return
    skip = pytest.mark.skip(
        reason="secondlook was built without image support (make build adds it)"
    )
    for item in items:
        if item.path.parent.name == "image":
            item.add_marker(skip)
