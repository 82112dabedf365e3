"""The notebooks run, and leave what they describe."""

import pytest

import secondlook as sl
from secondlook import _core

pytestmark = pytest.mark.slow
needs_image_support = pytest.mark.skipif(
    not _core.torch_version, reason="secondlook was built without image support"
)


@needs_image_support
def test_chest_xray(run_notebook):
    folder, outputs = run_notebook("chest_xray.ipynb")
    rule = sl.load(folder / "chest_xray.safetensors").decision_rule_
    assert not rule.stale_
    assert sum("image/png" in data for data in outputs) == 4


def test_fleet_monitor(run_notebook):
    folder, outputs = run_notebook("fleet_monitor.ipynb")
    assert (folder / "fleet.safetensors").exists()
    assert any("image/png" in data for data in outputs)


@needs_image_support
def test_infrared_modules(run_notebook):
    folder, outputs = run_notebook("infrared_modules.ipynb")
    rule = sl.load(folder / "infrared_modules.safetensors").decision_rule_
    assert not rule.stale_
    assert rule.feature_distance_ is not None
    assert sum("image/png" in data for data in outputs) == 3
