"""The files of a release agree, and the source distribution holds what a build needs."""

import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

import secondlook

yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def project(checkout) -> dict:
    return tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def workflow(checkout) -> dict:
    return yaml.safe_load((checkout / ".github/workflows/release.yml").read_text("utf-8"))


def test_version_is_the_same_everywhere(checkout, project):
    version = project["project"]["version"]
    citation = yaml.safe_load((checkout / "CITATION.cff").read_text("utf-8"))
    cmake = (checkout / "CMakeLists.txt").read_text("utf-8")
    newest = re.search(r"^## (\S+) - (\S+)$", (checkout / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert secondlook.__version__ == version
    assert re.search(r"project\(secondlook VERSION (\S+)", cmake)[1] == version
    assert newest[1] == version == citation["version"]
    assert newest[2] == str(citation["date-released"])


def test_citation_has_what_its_format_requires(checkout, project):
    citation = yaml.safe_load((checkout / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] == project["project"]["license"]


def test_workflow_builds_a_wheel_per_python(workflow, project):
    matrix = workflow["jobs"]["wheels"]["strategy"]["matrix"]["python"]
    selected = project["tool"]["cibuildwheel"]["build"].split()
    assert matrix == ["cp311", "cp312", "cp313", "cp314"]
    assert selected == [f"{python}-*" for python in matrix]
    assert project["project"]["requires-python"] == ">=3.11"


def test_files_that_the_release_names_exist(checkout, workflow, project):
    settings = project["tool"]["cibuildwheel"]
    commands = [settings["test-command"], *settings["linux"]["before-all"]]
    commands += settings["linux"]["repair-wheel-command"]
    commands += [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    tools = set(re.findall(r"tools/\w+\.\w+", "\n".join(commands)))
    assert {"tools/build_opencv.sh", "tools/check_wheel.py", "tools/fetch_highway.sh"} <= tools
    assert all((checkout / tool).is_file() for tool in tools)
    opencv = settings["linux"]["environment"]["SECONDLOOK_OPENCV_DIR"].removeprefix("/project/")
    assert opencv in (checkout / "tools/build_opencv.sh").read_text("utf-8")


def test_sdist_holds_what_a_build_needs(checkout, tmp_path, monkeypatch):
    backend = pytest.importorskip("scikit_build_core.build")
    if not (checkout / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=checkout, check=True, capture_output=True, text=True
    )
    source = tmp_path / "source"
    for name in filter(None, listed.stdout.split("\0")):
        if (checkout / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, source / name)
    monkeypatch.chdir(source)
    archive = backend.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / archive) as contents:
        names = {name.partition("/")[2] for name in contents.getnames()}
    assert archive == f"secondlook-{secondlook.__version__}.tar.gz"
    needed = {"CMakeLists.txt", "pyproject.toml", "PKG-INFO", "LICENSE", "README.md"}
    needed |= {"tools/fetch_highway.sh", "tools/build_opencv.sh", "cmake/Highway.cmake"}
    for folder in ("cmake", "cpp", "bindings", "python/secondlook"):
        files = {path.relative_to(source).as_posix() for path in Path(source, folder).rglob("*.*")}
        assert files
        needed |= {name for name in files if (source / name).is_file()}
    assert not needed - names
    assert not [name for name in names if name.startswith((".git/", "build/", ".venv", ".cache"))]
