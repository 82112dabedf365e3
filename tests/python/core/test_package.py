"""The package as a whole imports quickly, is complete and documented."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import secondlook as sl


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_import_loads_nothing_heavy():
    loaded = set(run("import sys, secondlook; print(*sys.modules)").split())
    heavy = {"numpy", "scipy", "sklearn", "torch", "pandas", "matplotlib", "tqdm"}
    assert not heavy & loaded


@pytest.mark.parametrize(
    "use",
    [
        "secondlook.read_csv",
        "secondlook.load",
        "secondlook.PeerDeviation",
        "secondlook.IsolationForest",
        "secondlook.PeaksOverThreshold",
    ],
)
def test_no_part_of_the_core_loads_torch(use):
    loaded = set(run(f"import sys, secondlook; {use}; print(*sys.modules)").split())
    assert "torch" not in loaded
    assert "secondlook._image" not in loaded


def test_every_public_name_exists():
    assert sl.__all__
    for name in sl.__all__:
        assert getattr(sl, name) is not None
        assert name in dir(sl)
    namespace: dict[str, object] = {}
    exec("from secondlook import *", namespace)
    assert set(sl.__all__) <= namespace.keys()
    with pytest.raises(AttributeError, match="has no attribute 'Absent'"):
        _ = sl.Absent


def test_subpackages_are_imported_on_access():
    run("import secondlook; secondlook.store.ModelFile, secondlook.series.read_csv")
    loaded = set(run("import sys, secondlook; secondlook.learn; print(*sys.modules)").split())
    assert "secondlook.learn" in loaded
    assert "secondlook.image" not in loaded


def test_the_version_equals_that_of_the_extension():
    from secondlook import _core

    assert sl.__version__ == _core.__version__


def public_modules():
    """All modules except those that need other packages and have their own tests."""
    root = Path(sl.__file__).parent
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[0] not in ("image", "integrations") and not any(
            part.startswith("_") for part in parts[:-1]
        ):
            name = ".".join(("secondlook", *parts)).removesuffix(".__init__")
            yield importlib.import_module(name)


def public_members(class_):
    for name, member in vars(class_).items():
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield name, member


def public_objects():
    for module in public_modules():
        yield module.__name__, module
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                continue
            if inspect.isclass(value):
                yield f"{module.__name__}.{name}", value
                for member_name, member in public_members(value):
                    yield f"{module.__name__}.{name}.{member_name}", member
            elif inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value


def test_every_public_object_has_a_docstring():
    objects = dict(public_objects())
    assert "secondlook.detect.isolation_forest.IsolationForest.fit" in objects
    assert not [
        name for name, value in objects.items() if not (inspect.getdoc(value) or "").strip()
    ]


def test_no_public_name_is_that_of_a_module_beside_it():
    # Importing the module would put it in the place of a name that is loaded on first use.
    import pkgutil

    for room in ("integrations", "jobs", "reports"):
        package = importlib.import_module(f"secondlook.{room}")
        modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
        assert not modules & set(package.__all__), room
