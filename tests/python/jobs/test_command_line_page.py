"""The commands on the page of the command line print what the page shows.

Blocks run in their order, in one folder. A ``text`` block is the output of the ``sh`` block before
it, on stdout and stderr; its ``…`` stands for anything.
"""

import re
import shlex
from importlib.util import find_spec
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from secondlook import _core
from secondlook.cli import app

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HAS_TORCH = bool(_core.torch_version and find_spec("torch"))


def blocks_of(section: str) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in BLOCK.finditer(section)]


def outputs_of(lines: str) -> str:
    """Run the commands of a block, and return what they print."""
    outputs = []
    for line in lines.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "secondlook"
        result = CliRunner().invoke(app, arguments, prog_name=name)
        assert result.exit_code in (0, 2, 3), result.exception
        outputs.append(result.stdout + result.stderr)
    return "".join(outputs)


def assert_shown(printed: str, shown: str) -> None:
    pattern = ".*".join(map(re.escape, shown.split("…")))
    assert re.fullmatch(pattern, printed, re.DOTALL), f"printed:\n{printed}\nshown:\n{shown}"


@pytest.mark.slow
def test_the_commands_of_the_page_print_the_shown_output(checkout, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    if not HAS_TORCH:
        pytest.skip("the page needs image support and torch")
    monkeypatch.chdir(tmp_path)
    page = (checkout / "docs" / "command_line.md").read_text("utf-8")
    blocks = blocks_of(page)
    namespace: dict[str, object] = {}
    n_compared = 0
    for (language, text), (following, shown) in pairwise(blocks):
        if language == "python":
            exec(text, namespace)
        if (language, following) == ("sh", "text"):
            assert_shown(outputs_of(text), shown)
            n_compared += 1
    assert n_compared == 10
