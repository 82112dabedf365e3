"""Images, rows and quiet trackers without a network, for the tests of the adapters."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.utils import Bunch

from secondlook import _core


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep everything in `tmp_path`, and the packages off the network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    for name in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """Rows whose last feature follows from the others."""
    x = np.random.default_rng(0).normal(size=(600, 3))
    return np.c_[x, x[:, 0] + x[:, 1]]


@pytest.fixture(scope="session")
def pictures() -> Bunch:
    """Images of 32 pixels per side; those of class 1 have a bright square."""
    if not _core.torch_version:
        pytest.skip("secondlook was built without image support")
    pytest.importorskip("torch", reason="images need torch")
    labels = np.arange(48) % 2
    images = np.random.default_rng(0).integers(0, 200, (48, 32, 32), dtype=np.uint8)
    images[labels == 1, 8:16, 8:16] = 255
    return Bunch(X=images, y=labels, groups=np.arange(48))


@pytest.fixture(scope="session")
def classifier_parameters() -> dict[str, object]:
    """Parameters of a small and quick training."""
    return {
        "architecture": "small_cnn",
        "image_size": 32,
        "max_epochs": 2,
        "validation_fraction": 0.25,
        "n_jobs": 1,
        "random_state": 0,
    }
