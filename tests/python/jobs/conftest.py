import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``secondlook`` like a user, in a process of its own."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "secondlook", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, **options)

    return run
