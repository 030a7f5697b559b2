"""A data file beside a workflow: CSV with a header in, cells with their lines out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import did_you_mean
from planner.reading.files.text_file import named_text
from planner.reading.units import BadValueError


@dataclass(frozen=True)
class Table:
    """A data file.

    columns : names, without spaces around them
    rows : of each, the line in which it ends, and its cells; empty lines are left out
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: Any) -> Iterator[tuple[int, str]]:
        """Lines and cells of a column. Raises `BadValueError` where there is no such cell."""
        if not isinstance(name, str):
            raise BadValueError("expected the name of a column", f"it has: {', '.join(self.columns)}")
        if self.columns.count(name) != 1:
            if name in self.columns:
                raise BadValueError(f"'{self.file}' has several columns '{name}'", "give each a name of its own")
            semicolons = len(self.columns) == 1 and ";" in self.columns[0]
            hint = "separate columns by commas" if semicolons else did_you_mean(name, self.columns)
            raise BadValueError(f"'{self.file}' has no column '{name}'", hint)
        at = self.columns.index(name)
        for line, cells in self.rows:
            if at >= len(cells) or not cells[at].strip():
                raise BadValueError(
                    f"'{self.file}', line {line}: there is no '{name}'", "fill it in, or take the row away"
                )
            yield line, cells[at].strip()


def read_table(name: Any, folder: Path) -> Table:
    """The data file `name`, a path from `folder`. Raises `BadValueError`."""
    if not isinstance(name, str) or not name.strip():
        raise BadValueError("expected the name of a CSV file", "as in file: turns.csv")
    missing = "name a CSV file by its path from the folder of the workflow file"
    too_large = "leave out rows and columns: a few thousand values tell as much"
    text = named_text(name, folder / name, "*.csv", missing, too_large)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, tuple(row)) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadValueError(
            f"'{name}', line {reader.line_num}: {error}", "write it as CSV: cells, separated by commas"
        ) from None
    if len(rows) < 2:
        raise BadValueError(f"'{name}' has no rows", "its first line names the columns, and each line below is a row")
    return Table(name, tuple(cell.strip() for cell in rows[0][1]), tuple(rows[1:]))
