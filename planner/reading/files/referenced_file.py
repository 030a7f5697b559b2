"""Files that a workflow refers to: their text, or the columns of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import InputError, did_you_mean, nearest
from planner.reading.files.text_file import MOST_BYTES, read_text
from planner.reading.units import BadValueError


def read_referenced(name: str, path: Path, pattern: str, missing: str | None, too_large: str) -> str:
    """Return the text of the file at `path`, which the workflow calls `name`.

    pattern : names of the files that a hint may suggest, as in ``*.csv``
    missing : hint for a file that cannot be read, if no file has a similar name
    too_large : hint for a file that is over the size limit

    Raises `BadValueError`, with the code of the cause.
    """
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _suggestion(name, path, pattern) or missing
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {MOST_BYTES:,} bytes", too_large
        else:
            message = f"'{name}', line {problem.position.line if problem.position else 0}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _suggestion(name: str, path: Path, pattern: str) -> str | None:
    """Return a hint that names a similar file in the same folder. None if there is none, or `path` exists."""
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.glob(pattern) if other.is_file())
    except (OSError, ValueError):
        return None
    similar = nearest(path.name, others)
    if not similar or not name.endswith(path.name):
        return None
    return f"did you mean '{name.removesuffix(path.name)}{similar}'?"


@dataclass(frozen=True)
class Table:
    """A CSV file.

    columns : names of the columns, stripped
    rows : the cells of each row, with the number of the line on which the row ends; empty rows are left out
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: Any) -> Iterator[tuple[int, str]]:
        """Yield the line number and the stripped cell of each row in a column.

        Raises `BadValueError` if the column is missing or has an empty cell.
        """
        if not isinstance(name, str):
            raise BadValueError("expected the name of a column", f"its columns are: {', '.join(self.columns)}")
        if self.columns.count(name) != 1:
            if name in self.columns:
                raise BadValueError(f"'{self.file}' has several columns '{name}'", "give each column its own name")
            semicolons = len(self.columns) == 1 and ";" in self.columns[0]
            hint = "separate columns with commas" if semicolons else did_you_mean(name, self.columns)
            raise BadValueError(f"'{self.file}' has no column '{name}'", hint)
        index = self.columns.index(name)
        for line, cells in self.rows:
            if index >= len(cells) or not cells[index].strip():
                raise BadValueError(
                    f"'{self.file}', line {line}: no value in column '{name}'", "fill it in, or remove the row"
                )
            yield line, cells[index].strip()


def read_table(name: Any, folder: Path) -> Table:
    """Read the CSV file `name`, a path relative to `folder`. Raises `BadValueError`."""
    if not isinstance(name, str) or not name.strip():
        raise BadValueError("expected the name of a CSV file", "as in file: turns.csv")
    missing = "give the path of a CSV file, relative to the folder of the workflow file"
    too_large = "remove rows and columns: a few thousand values are enough"
    text = read_referenced(name, folder / name, "*.csv", missing, too_large)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, tuple(row)) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadValueError(
            f"'{name}', line {reader.line_num}: {error}", "write it as CSV, with commas between cells"
        ) from None
    if len(rows) < 2:
        raise BadValueError(f"'{name}' has no rows", "the first line names the columns; each line below is a row")
    return Table(name, tuple(cell.strip() for cell in rows[0][1]), tuple(rows[1:]))
