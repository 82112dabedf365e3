"""The image component finds its torch and uses the same pybind11 version as the core."""

import subprocess
import sys

import pytest

# Refuses torch, whether it is installed or not.
WITHOUT_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""

# Stands in for a torch of another version.
WRONG_TORCH = """
import sys, types
sys.modules["torch"] = types.ModuleType("torch")
sys.modules["torch"].__version__ = "2.1.2+cpu"
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def wanted() -> str:
    from secondlook import _core

    return ".".join(_core.torch_version.split(".")[:2]) + ".*"


def test_missing_torch_is_named_with_the_remedy() -> None:
    result = run(WITHOUT_TORCH + "import secondlook.image")
    last = result.stderr.strip().splitlines()[-1]
    assert last == (
        f"ImportError: secondlook.image needs torch {wanted()}, which is not installed: "
        "pip install 'secondlook[image]'"
    )


def test_another_torch_is_refused_before_it_can_crash() -> None:
    result = run(WRONG_TORCH + "import secondlook.image")
    last = result.stderr.strip().splitlines()[-1]
    assert last == (
        f"ImportError: secondlook.image needs torch {wanted()}, found 2.1.2+cpu: "
        "pip install 'secondlook[image]'"
    )


def test_the_rest_works_without_torch() -> None:
    result = run(WITHOUT_TORCH + "import secondlook; print(secondlook.__version__)")
    assert result.returncode == 0, result.stderr


def test_names_and_files_that_need_torch_say_so_without_it(tmp_path) -> None:
    from secondlook.store import ModelFile

    ModelFile("image_classifier").write(tmp_path / "model.safetensors")
    for use in (
        "secondlook.ImageClassifier",
        f"secondlook.load({str(tmp_path / 'model.safetensors')!r})",
    ):
        result = run(WITHOUT_TORCH + f"from secondlook import *; import secondlook; {use}")
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith(f"ImportError: secondlook.image needs torch {wanted()}")


def test_both_extensions_share_pybind11() -> None:
    pytest.importorskip("torch")
    import secondlook.image  # noqa: F401
    from secondlook import _core, _image

    assert _core.pybind11_internals_version == _image.pybind11_internals_version
