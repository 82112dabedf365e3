"""Self-contained HTML pages."""

import base64
import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

__all__ = ["can_draw", "page", "picture"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1080px; margin: 2em auto;
       padding: 0 1em; }
h1 { margin-bottom: 0; } h2 { border-bottom: 2px solid #1f4e79; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .35em .7em;
       border-bottom: 1px solid #ddd; vertical-align: top; } th { background: #f2f5f8; }
td.n { white-space: nowrap; } img { width: 100%; } .note { background: #fff6dd; padding: .5em 1em; }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """Return an HTML page that loads nothing from elsewhere."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def can_draw() -> bool:
    """Return whether matplotlib is installed, so that a report can have pictures."""
    return find_spec("matplotlib") is not None


def picture(figure: Any, alt: str = "") -> str:
    """Return a matplotlib figure as an image inside the page, with a text for those who hear it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=95)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{alt}" src="data:image/png;base64,{data}">'
