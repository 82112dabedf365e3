"""The image room's tests run where the extension is built; SECONDLOOK_REQUIRE_IMAGE=1 insists."""

import os

import pytest

from secondlook import _core


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if _core.torch_version or os.environ.get("SECONDLOOK_REQUIRE_IMAGE") == "1":
        return
    skip = pytest.mark.skip(reason="this build has no image room (make build makes one)")
    for item in items:
        if item.path.parent.name == "image":
            item.add_marker(skip)
