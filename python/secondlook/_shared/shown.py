"""How results and streams look: one line as text, a table in a notebook, plain values for JSON."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from secondlook._shared.plain_values import plain

__all__ = ["Result", "Shown", "ShownTable", "html_of", "html_table", "text_of", "text_of_time"]

_UNBROKEN = 20  # characters of a cell that stay on one line


class ShownTable(NamedTuple):
    """A table of a result: a row is its name, followed by one value per column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    corner: str = ""
    """Title of the column of names."""


class Shown:
    """Mixin for what is looked at: a readable `repr`, and an HTML table in a notebook."""

    __slots__ = ()

    def _shown(self) -> Mapping[str, Any]:
        """Return what to show: names with values, in order."""
        return _fields_of(self)

    def _shown_tables(self) -> Iterable[ShownTable]:
        """Return tables to show above these values in a notebook."""
        return ()

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={text_of(value)}" for name, value in self._shown().items())
        return f"{type(self).__name__}({values})"

    def _repr_html_(self) -> str:
        return html_of(type(self).__name__, self._shown(), self._shown_tables())


class Result(Shown):
    """Mixin for a result, whose fields are its values."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain Python values, which `json.dumps` takes.

        Arrays become lists, times ISO strings, nested results dicts, and NaN None.
        """
        return {name: plain(value) for name, value in self._fields().items()}

    def _fields(self) -> Mapping[str, Any]:
        return _fields_of(self)


def _fields_of(shown: Any) -> dict[str, Any]:
    """Return the fields of a dataclass; otherwise the parameters and the number of samples."""
    if is_dataclass(shown):
        return {field.name: getattr(shown, field.name) for field in fields(shown)}
    names = [*inspect.signature(type(shown)).parameters, "n_samples"]
    return {name: getattr(shown, name) for name in names if hasattr(shown, name)}


def text_of(value: Any) -> str:
    """Return a value as short text: numbers with four digits, long arrays by their size."""
    if isinstance(value, bool | np.bool_ | str):
        return repr(value) if isinstance(value, str) else str(bool(value))
    if isinstance(value, float | np.floating):
        return f"{float(value) + 0.0:.4g}"  # without the sign of -0.0
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, np.datetime64):
        return text_of_time(value)
    if isinstance(value, np.ndarray):
        if value.size <= 6 and value.ndim == 1:
            return f"[{', '.join(text_of(one) for one in value.tolist())}]"
        return f"<{' x '.join(f'{n:,}' for n in value.shape)} array>"
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        if len(value) > 6:
            return f"<{len(value):,} values>"
        return f"[{', '.join(text_of(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {text_of(one)}' for name, one in value.items())}}}"
    return str(value) if isinstance(value, tuple) else repr(value)


def text_of_time(time: np.datetime64) -> str:
    """Return a time in ISO 8601, without zeros at the end of its fraction of a second."""
    text = str(time)
    return text.rstrip("0").rstrip(".") if "." in text else text


def html_of(title: str, values: Mapping[str, Any], tables: Iterable[ShownTable] = ()) -> str:
    """Return a titled HTML table of names and values, after other tables."""
    above = "".join(html_table(*table) for table in tables)
    rows = "".join(
        f"<tr>{_cell('th', name.replace('_', ' '), 'left')}{_cell('td', value, 'left')}</tr>"
        for name, value in values.items()
    )
    below = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    return f"<div><strong>{escape(title)}</strong>{above}{below}</div>"


def html_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], corner: str = "") -> str:
    """Return an HTML table whose rows begin with their names, text on the left of its cells.

    The styles are inline, since notebooks align all cells to the right and break them anywhere.
    `corner` is the title of the column of names.
    """
    rows = list(rows)
    sides = ["left", *(_side_of([row[k] for row in rows]) for k in range(1, len(columns) + 1))]
    head = "".join(map(_cell, ["th"] * len(sides), [corner, *columns], sides))
    tags = ["th", *["td"] * len(columns)]
    body = "".join(f"<tr>{''.join(map(_cell, tags, row, sides))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _side_of(column: Sequence[Any]) -> str:
    return "left" if any(isinstance(value, str | tuple | list) for value in column) else "right"


def _cell(tag: str, value: Any, side: str) -> str:
    text = _unquoted(value)
    unbroken = ";white-space:nowrap" if len(text) <= _UNBROKEN else ""
    return f"<{tag} style='text-align:{side}{unbroken}'>{escape(text)}</{tag}>"


def _unquoted(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (type(value) in (tuple, list) and not value):
        return "none"
    if isinstance(value, tuple | list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return text_of(value)
