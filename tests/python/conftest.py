"""Shared fixtures, and settings of the property tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("default")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real data; skip the test if it is absent."""
    default = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    folder = Path(os.environ.get("SECONDLOOK_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: SECONDLOOK_DATA, or its default {folder}, is not a folder")
    return folder


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the source folder; skip the test if only an installed wheel is tested."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / "examples").is_dir():
        pytest.skip(f"no checkout: {folder} has no examples")
    return folder


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """Restore Python's handler for Ctrl-C, in case a parent process ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
