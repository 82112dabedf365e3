"""Hook of MkDocs: pages and files outside docs/ become part of the site, and links to them work.

The sources keep the links that work in the repository, such as ``../CONTRIBUTING.md`` on a page of
docs/ or ``docs/design.md`` in CONTRIBUTING.md.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[2]
# Path in the repository and in the site.
OUTSIDE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    "LICENSE": "LICENSE.txt",
    **{f"examples/{path.name}": f"examples/{path.name}"
       for path in sorted(REPOSITORY.glob("examples/*.ipynb"))},
}  # fmt: skip
IN_REPOSITORY = {in_site: path for path, in_site in OUTSIDE.items()}
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files."""
    for path, in_site in OUTSIDE.items():
        # Bytes, since a file that is named by its path may be taken for one of docs/.
        content = (REPOSITORY / path).read_bytes()
        files.append(File.generated(config, in_site, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Translate links from paths in the repository to paths in the site."""
    in_site = page.file.src_uri
    folder = posixpath.dirname(IN_REPOSITORY.get(in_site, f"docs/{in_site}"))

    def translated(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[1]))
        target = OUTSIDE.get(target, target.removeprefix("docs/"))
        return os.path.relpath(target, posixpath.dirname(in_site) or ".")

    pieces = []
    end = 0
    for block in CODE.finditer(markdown):
        pieces += [LINK.sub(translated, markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, LINK.sub(translated, markdown[end:])])
