"""The site has every page and public name, and cites only figures that were measured.

``tools/build_docs.sh`` checks links and builds it; these tests need neither MkDocs nor Doxygen.
"""

import re

import pytest

yaml = pytest.importorskip("yaml")


def entries(nav) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    values = nav.values() if isinstance(nav, dict) else nav
    return [entry for value in values for entry in entries(value)]


@pytest.fixture(scope="module")
def settings(checkout) -> dict:
    return yaml.safe_load((checkout / "mkdocs.yml").read_text("utf-8"))


def test_every_page_is_in_the_navigation_once(checkout, settings):
    listed = entries(settings["nav"])
    pages = {
        path.relative_to(checkout / "docs").as_posix() for path in checkout.glob("docs/**/*.md")
    }
    assert len(listed) == len(set(listed))
    assert not pages - set(listed)


def test_the_site_loads_nothing_from_elsewhere(settings):
    assert settings["theme"]["font"] is False
    plugins = {
        plugin if isinstance(plugin, str) else next(iter(plugin)) for plugin in settings["plugins"]
    }
    assert plugins == {"search", "mkdocstrings"}
    assert "http" not in str({**settings, "nav": None})


def test_figures_of_choose_a_detector_are_those_of_quality_and_benchmarks(checkout):
    text = (checkout / "docs/choose_a_detector.md").read_text("utf-8")
    measured = text[text.index("## By measured quality") :]
    sources = [
        (checkout / f"docs/{name}.md").read_text("utf-8") for name in ("quality", "benchmarks")
    ]
    known = set(re.findall(r"[\d.,]*\d", "\n".join(sources)))
    figures = set(re.findall(r"\d+\.\d+", measured))
    assert len(figures) > 15
    assert figures <= known
