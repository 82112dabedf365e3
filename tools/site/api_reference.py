"""Hook of MkDocs: pages of the API, one per component of the library and language.

Python: the public names of secondlook and of its components, by mkdocstrings. C++: what the public
headers declare, by Doxygen, see `cpp_reference`. ``docs/api/python.md`` and ``docs/api/cpp.md``
get the list of their names in place of the comment ``<!-- names -->``.
"""

import ast
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import cpp_reference

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "python" / "secondlook"
TITLES = {
    "detect": "Detectors",
    "decide": "Decisions",
    "learn": "Continued training",
    "series": "Time series",
    "image": "Images",
    "reports": "Reports",
    "plot": "Plots",
    "jobs": "Jobs",
    "integrations": "Integrations",
    "store": "Model files",
    "errors": "Errors and warnings",
    "core": "Matrices and errors",
}
NAMES = "<!-- names -->"
_lists: dict[str, str] = {}


def public_names() -> dict[str, list[str]]:
    """Full names by component: those that `secondlook` exports, and the others of a component."""
    found: dict[str, list[str]] = {}
    seen = set()
    components = [path.parent.name for path in sorted(PACKAGE.glob("[a-z]*/__init__.py"))]
    for package in ("", *(name for name in components if name in TITLES)):
        tree = ast.parse((PACKAGE / package / "__init__.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            component, *rest = [*node.module.split("."), ""][1:]
            if not component or any(part.startswith("_") for part in rest[:1]):
                continue
            if component == "_core":  # a class without a wrapper
                component = package
            for name in (alias.name for alias in node.names):
                if name not in seen and component in TITLES:
                    seen.add(name)
                    path = ".".join(filter(None, ("secondlook", package, name)))
                    found.setdefault(component, []).append(path)
    return {component: sorted(found[component]) for component in TITLES if component in found}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    python_list = []
    for component, names in public_names().items():
        text = "\n\n".join([f"# {TITLES[component]} in Python", *(f"::: {name}" for name in names)])
        files.append(File.generated(config, f"api/python/{component}.md", content=text))
        links = ", ".join(f"[`{name.split('.', 1)[1]}`][{name}]" for name in names)
        python_list.append(f"**[{TITLES[component]}](python/{component}.md)**: {links}")
    _lists["api/python.md"] = "\n\n".join(python_list)

    cpp_list = []
    for page in cpp_reference.pages(REPOSITORY, TITLES):
        files.append(File.generated(config, f"api/cpp/{page.component}.md", content=page.markdown))
        links = ", ".join(f"[`{name}`](cpp/{page.component}.md#{name})" for name in page.names)
        cpp_list.append(f"**[{page.title}](cpp/{page.component}.md)**: {links}")
    _lists["api/cpp.md"] = "\n\n".join(cpp_list)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Insert the lists of names."""
    return markdown.replace(NAMES, _lists.get(page.file.src_uri, ""))
