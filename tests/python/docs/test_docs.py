"""The code in the documentation runs and prints the output shown.

The ``python`` blocks of a page run in order, in one namespace and an empty folder. A ``text`` block
right after a ``python`` block is its expected output.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from secondlook import _core

NEEDS_IMAGE_SUPPORT = {
    "docs/from_folder_to_decisions.md",
    "docs/image_classifier.md",
    "docs/training_scripts.md",
    "docs/what_does_it_look_at.md",
}
NEEDS_PACKAGES = {
    "docs/training_scripts.md": [
        "optuna",
        "mlflow",
        "sqlalchemy",
        "alembic",
        "wandb",
        "pyod",
        "river",
    ]
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    "README.md",
    *sorted(f"docs/{p.name}" for p in Path(__file__).parents[3].glob("docs/*.md")),
]


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """Language, text and first line of each block."""
    text = page.read_text("utf-8")
    return [
        (match[1], match[2], text.count("\n", 0, match.start(2))) for match in BLOCK.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES)
def test_the_python_blocks_of_a_page_run_and_print_the_shown_output(
    checkout, page, tmp_path, monkeypatch, capsys
):
    if page in NEEDS_IMAGE_SUPPORT and not (_core.torch_version and find_spec("torch")):
        pytest.skip("the page needs image support and torch")
    for package in NEEDS_PACKAGES.get(page, ()):
        pytest.importorskip(package, reason=f"the page needs {package}")
    (tmp_path / "images").mkdir()  # as in docs, for pictures
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    printed = None
    for language, text, line in blocks(checkout / page):
        if language == "text" and printed is not None:
            assert printed == text, f"{page}, line {line + 1}"
        printed = None
        if language == "python":
            # Blank lines are prepended, so that a traceback has the line number of the page.
            exec(compile("\n" * line + text, str(checkout / page), "exec"), namespace)
            printed = capsys.readouterr().out


def test_pictures_of_plots_and_reports_are_made_by_the_code_of_their_pages(checkout):
    for page in ("docs/plots.md", "docs/reports.md", "docs/what_does_it_look_at.md"):
        text = (checkout / page).read_text("utf-8")
        shown = set(re.findall(r"\]\((images/[^)]+)\)", text))
        assert shown == set(re.findall(r'savefig\("(images/[^"]+)"', text))
        assert all((checkout / "docs" / name).is_file() for name in shown)


def test_every_block_names_its_language(checkout):
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", (checkout / page).read_text("utf-8"), re.MULTILINE)
        assert all(fences[::2]), page
        assert not any(fences[1::2]), page


def test_the_cpp_start_equals_the_program_of_the_consumer_project(checkout):
    program = (checkout / "tests" / "consumer" / "readme_start.cpp").read_text("utf-8")
    assert [text for name, text, _ in blocks(checkout / "README.md") if name == "cpp"] == [program]


def test_pages_link_to_existing_files(checkout):
    for page in PAGES:
        folder = (checkout / page).parent
        for link in re.findall(r"\]\(([^)#]+)\)", (checkout / page).read_text("utf-8")):
            if not link.startswith("http"):
                assert (folder / link).exists(), f"{page} links {link}"
