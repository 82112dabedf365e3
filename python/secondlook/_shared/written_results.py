"""Results that can be written to a file: as a table in CSV, or as a page in HTML."""

import csv
import io
import math
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from secondlook._shared.whole_file import write_text

__all__ = ["WrittenAsCsv", "WrittenAsPage"]


class WrittenAsCsv:
    """Mixin for a result with columns."""

    @abstractmethod
    def _columns(self) -> Mapping[str, Sequence[Any]]:
        """Return the columns by name, of equal length."""

    def to_csv(self) -> str:
        """Return the result as CSV, one line per row. A missing value is an empty field."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        columns = self._columns()
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([_as_field(value) for value in row])
        return text.getvalue()

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a CSV file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_text(path, self.to_csv())


class WrittenAsPage:
    """Mixin for a result with a report."""

    @abstractmethod
    def _page(self) -> str:
        """Return the report, an HTML page."""

    def write_report(self, path: str | os.PathLike[str]) -> None:
        """Write the report, one HTML file; without matplotlib it has no pictures.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_text(path, self._page())


def _as_field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value + 0.0:.9g}"  # without a negative zero
    return str(value)
