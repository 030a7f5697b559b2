"""Files that a workflow refers to: their text, or the columns of a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import InputError, did_you_mean, nearest
from planner.reading.files.text_file import read_text
from planner.reading.units import BadValueError


def read_referenced(name: str, path: Path, pattern: str, missing: str | None, too_large: str) -> str:
    """Return the text of the file at `path`, which the workflow calls `name`.

    pattern : names of the files that a hint may suggest, as in ``*.csv``
    missing : hint for a file that cannot be read, if no file has a similar name
    too_large : hint for a file that is over the size limit

    Raises `BadValueError`, with the code of the cause.
    """
    try:
        return read_text(path, descriptors=False)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message.replace("the file", f"'{name}'", 1), problem.hint
        if problem.code == "unreadable" and not problem.message.startswith("cannot read the file: it is a"):
            hint = _suggestion(name, path, pattern) or missing
        elif problem.code == "too-large":
            hint = too_large
        elif problem.code == "not-utf-8":
            message = f"'{name}', line {problem.position.line if problem.position else 0}: a byte is not UTF-8"
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
    shown : whether messages may quote it. Any text reads as a table of one column, and a workflow of somebody else may
        name any file: one that is not called .csv may hold secrets
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    shown: bool = True

    def similar(self, name: str) -> str | None:
        """A hint at the column that `name` may mean; it lists no columns of a file that may not be quoted."""
        if not self.shown:
            return "its name does not end in .csv, so its columns are not listed here"
        semicolons = len(self.columns) == 1 and ";" in self.columns[0]
        return "separate columns with commas" if semicolons else did_you_mean(name, filter(None, self.columns))

    def quoted(self, text: str, instead: str, before: str = "") -> str:
        """A part of the file for a message, in quotes after `before`; `instead`, if it may not be quoted."""
        return f"{before}'{text}'" if self.shown else instead

    def column(self, name: Any) -> Iterator[tuple[int, str]]:
        """Yield the line number and the stripped cell of each row in a column.

        Raises `BadValueError` if the column is missing or has an empty cell.
        """
        if not isinstance(name, str):
            hint = f"its columns are: {', '.join(self.columns)}" if self.shown else None
            raise BadValueError("expected the name of a column", hint)
        if self.columns.count(name) != 1:
            if name in self.columns:
                raise BadValueError(f"'{self.file}' has several columns '{name}'", "give each column its own name")
            raise BadValueError(f"'{self.file}' has no column '{name}'", self.similar(name))
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
        raise BadValueError("expected the name of a CSV file", "write for example {file: turns.csv}")
    missing = "give the path of a CSV file, relative to the folder of the workflow file"
    too_large = "remove rows and columns: a few thousand values are enough"
    path = folder / name
    text = read_referenced(name, path, "*.csv", missing, too_large)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, tuple(row)) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadValueError(
            f"'{name}', line {reader.line_num}: {error}", "write it as CSV, with commas between cells"
        ) from None
    if len(rows) < 2:
        raise BadValueError(f"'{name}' has no rows", "the first line names the columns; each line below is a row")
    shown = os.path.realpath(path).lower().endswith(".csv")
    return Table(name, tuple(cell.strip() for cell in rows[0][1]), tuple(rows[1:]), shown)
