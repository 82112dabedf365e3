"""The adapters load nothing by themselves, and say what is missing."""

import subprocess
import sys

import pytest

import secondlook as sl

PACKAGES = {
    "mlflow": "MLflowLogger",
    "optuna": "OptunaPruning",
    "pyod": "PyODAdapter",
    "river": "RiverAdapter",
    "wandb": "WandbLogger",
}


class Absent:
    """Finder by which a package looks as if it were not installed."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_subpackage_loads_none_of_the_packages():
    loaded = run("import sys, secondlook as sl; sl.integrations.__all__; print(*sys.modules)")
    assert "secondlook.integrations" in loaded.split()
    assert not PACKAGES.keys() & set(loaded.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_an_error_of_one_line_with_the_way_out(package, monkeypatch):
    for name in [*sys.modules]:
        if name.partition(".")[0] == package or name == f"secondlook.integrations.{package}":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(package), *sys.meta_path])
    monkeypatch.delitem(vars(sl.integrations), PACKAGES[package], raising=False)
    with pytest.raises(ImportError) as caught:
        getattr(sl.integrations, PACKAGES[package])
    assert str(caught.value) == (
        f"secondlook.integrations.{package} needs {package}, which is not installed: "
        f"pip install {package}"
    )


def test_names_are_listed_and_others_are_refused():
    assert set(PACKAGES.values()) <= set(dir(sl.integrations))
    with pytest.raises(AttributeError, match="has no attribute 'Absent'"):
        _ = sl.integrations.Absent
