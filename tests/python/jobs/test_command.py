"""The command as a whole: help, version, exit codes, warnings, and files that are whole."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from typer.testing import CliRunner

import secondlook as sl
from secondlook import _core
from secondlook._shared.plain_values import as_json, plain
from secondlook._shared.whole_file import require_writable, whole_file, write_text
from secondlook.cli import app, series

COMMANDS = ["site", "fleet", "score", "decide", "train", "chest-xray", "modules", "inspect"]


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), prog_name="secondlook")


def test_without_arguments_it_shows_help_with_every_command_and_the_exit_codes():
    result = invoke()
    assert (result.exit_code, result.stderr) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert "Exit status: 0 if the job is done" in " ".join(result.stdout.split())
    assert invoke("--help").stdout == result.stdout
    assert invoke("-h").stdout == result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_without_loading_its_job(name):
    result = invoke(name, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: secondlook {name} ")
    assert "--json" in result.stdout


def test_the_version():
    assert invoke("--version").stdout == f"secondlook {sl.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sight"], "secondlook: No such command 'sight'"),
        (["--unknown"], "secondlook: No such option"),
        (["score"], "secondlook score: Missing argument 'MODEL'"),
        (["site", "--unknown"], "secondlook site: No such option"),
        (["fleet", "--days", "many"], "secondlook fleet: Invalid value for '--days'"),
        (["site"], "secondlook site: expected DIR, the folder of a site, or --simulate"),
        (["site", ".", "--simulate"], "secondlook site: expected either DIR"),
        (["fleet"], "secondlook fleet: expected FILE"),
        (["chest-xray"], "secondlook chest-xray: expected DIR"),
        (["modules"], "secondlook modules: expected DIR"),
        (["inspect", "absent"], "secondlook inspect: "),
        (["chest-xray", "--simulate", "--networks", "4"], "secondlook chest-xray: train_chest"),
    ],
)
def test_wrong_use_is_one_line_on_stderr_and_status_2(arguments, line):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


def test_a_process_has_the_same_status_and_streams(command, tmp_path):
    result = command("score", tmp_path / "model", tmp_path / "rows")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("secondlook score: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" in command("--debug", "score", tmp_path / "model", "rows").stderr


def test_the_reader_of_stdout_may_stop():
    line = [sys.executable, "-m", "secondlook", "--help"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_ctrl_c_is_one_line_and_status_130(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(series, "require_source", interrupted)
    result = invoke("site")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "secondlook site: stopped\n"


def test_a_bug_keeps_its_traceback(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(series, "require_source", broken)
    assert isinstance(invoke("site").exception, ZeroDivisionError)


def test_warnings_are_one_line(monkeypatch, tmp_path):
    def warns(*_):
        warnings.warn("two\nlines", UserWarning, stacklevel=1)
        raise ValueError("that is all")

    monkeypatch.setattr(series, "require_source", warns)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = invoke("site")
    assert result.stderr == ("secondlook site: warning: two lines\nsecondlook site: that is all\n")


WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError("absent", name=name)

sys.meta_path.insert(0, Absent())
from secondlook.cli import app
app([{name!r}, "--simulate"], prog_name="secondlook")
"""


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [
        ("torch", "chest-xray", "image"),
        ("torch", "modules", "image"),
        ("pandas", "fleet", "fleet"),
    ],
)
def test_a_job_without_its_extra_says_how_to_install_it(package, name, extra):
    if extra == "image" and not _core.torch_version:
        pytest.skip("secondlook was built without image support")
    code = WITHOUT.format(package=package, name=name)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"secondlook {name}: secondlook.")
    assert f"pip install 'secondlook[{extra}]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_importing_the_jobs_loads_no_job():
    code = (
        "import sys, secondlook, secondlook.jobs\n"
        "heavy = {'numpy', 'torch', 'sklearn', 'pandas', 'matplotlib', 'typer'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'check_site' in dir(secondlook.jobs)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_name_of_the_jobs_exists():
    pytest.importorskip("pandas")
    for name in sl.jobs.__all__:
        assert getattr(sl.jobs, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = sl.jobs.absent


# --- output files


def test_a_file_is_whole_or_absent(tmp_path):
    target = tmp_path / "report.html"
    with pytest.raises(RuntimeError), whole_file(target) as beside:
        assert beside.parent == tmp_path
        assert beside.suffix == ".html"
        beside.write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    write_text(target, "whole")
    with pytest.raises(RuntimeError), whole_file(target) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "usual").write_text("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_output_that_cannot_be_written_is_an_error_before_the_job(tmp_path):
    for path, message in (
        (tmp_path, "got the folder"),
        (tmp_path / "absent" / "file", "expected an existing folder"),
    ):
        with pytest.raises(ValueError, match=message):
            require_writable("job", path)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if not os.access(locked, os.W_OK):  # root may always write
        with pytest.raises(ValueError, match="expected a writable folder"):
            require_writable("job", locked / "file")


def test_plain_values_have_neither_nan_nor_numpy():
    value = {"a": np.array([1.0, np.nan]), "t": np.datetime64("2026-01-01T00:00"), 3: {np.inf}}
    assert plain(value) == {"a": [1.0, None], "t": "2026-01-01T00:00", "3": [None]}
    assert plain(sl.Estimate(1.0, 0.5, 1.0)) == {"value": 1.0, "low": 0.5, "high": 1.0}
    assert as_json({"name": "°C"}) == '{\n  "name": "°C"\n}'
