"""Files that a workflow refers to: their text, or the columns of a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import InputError, did_you_mean, listed, nearest
from planner.reading.files.text_file import read_text
from planner.reading.units import BadValueError


def read_referenced(name: str, path: Path, pattern: str, missing: str | None, too_large: str) -> str:
    """Return the text of a file that a workflow refers to.

    name : name of the file in the workflow
    path : path of the file
    pattern : pattern of the file names that a hint can suggest, such as ``*.csv``
    missing : hint for an unreadable file, if no file has a similar name
    too_large : hint for a file that is over the size limit

    Raises `BadValueError` if the file is unreadable. The code of the error tells the cause.
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
    """Return a hint that suggests a file with a similar name in the same folder.

    Returns None if `path` exists, or if no file has a similar name.
    """
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.glob(pattern) if other.is_file())
    except (OSError, ValueError):
        return None
    similar = nearest(path.name, others)
    if not similar or not name.endswith(path.name):
        return None
    return f"did you mean '{name.removesuffix(path.name)}{similar}'?"


_CSV_ERRORS = {
    "',' expected after '\"'": (
        "a comma is missing after a closing quote",
        "add the comma; inside a quoted cell, write each quote twice",
    ),
    "unexpected end of data": ("a quote is never closed", "close the quote"),
}
"""Error of the csv module → message and hint."""


@dataclass(frozen=True)
class Table:
    """A CSV file.

    columns : names of the columns
    rows : line number and cells of each row. If a row has several lines, the number is that of its last line. Empty
        rows are left out
    shown : whether messages can quote the file. Only .csv files are quoted, because other files may contain secrets
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    shown: bool = True

    def similar(self, name: str) -> str | None:
        """Return a hint for a misspelt name of a column. The hint suggests similar names of columns.

        If messages cannot quote the file, the hint suggests no names.
        """
        if not self.shown:
            return "its name does not end in .csv, so its columns are not listed here"
        semicolons = len(self.columns) == 1 and ";" in self.columns[0]
        return (
            "separate the columns with commas, not semicolons"
            if semicolons
            else did_you_mean(name, filter(None, self.columns), "column")
        )

    def quoted(self, text: str, instead: str, before: str = "") -> str:
        """Return `text` in quotes for a message, with `before` in front of the quotes.

        If messages cannot quote the file, return `instead`.

        text : a part of the file
        """
        return f"{before}'{text}'" if self.shown else instead

    def column(self, name: Any) -> Iterator[tuple[int, str]]:
        """Yield the line number and the cell of each row in the column `name`.

        Raises `BadValueError` if the column is missing, occurs twice or has an empty cell.
        """
        if not isinstance(name, str):
            hint = f"the columns of the file are {listed(dict.fromkeys(self.columns))}" if self.shown else None
            raise BadValueError("expected the name of a column", hint)
        if self.columns.count(name) != 1:
            if name in self.columns:
                raise BadValueError(
                    f"'{self.file}' has several columns named '{name}'", "give each column its own name"
                )
            raise BadValueError(f"'{self.file}' has no column '{name}'", self.similar(name))
        index = self.columns.index(name)
        for line, cells in self.rows:
            if index >= len(cells) or not cells[index].strip():
                raise BadValueError(
                    f"'{self.file}', line {line}: no value in column '{name}'", "add the value, or remove the row"
                )
            yield line, cells[index].strip()


def read_table(name: Any, folder: Path) -> Table:
    """Read the CSV file `name`, a path relative to `folder`.

    Raises `BadValueError` if the file is unreadable or has no rows.
    """
    if not isinstance(name, str) or not name.strip():
        raise BadValueError("expected the name of a CSV file", "write for example 'file: rows.csv'")
    missing = "give the path of a CSV file, relative to the folder of the workflow file"
    too_large = "remove rows and columns: a few thousand values are enough"
    path = folder / name
    text = read_referenced(name, path, "*.csv", missing, too_large)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, tuple(row)) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        message, hint = _CSV_ERRORS.get(str(error), (str(error), "save the file as CSV with commas between the cells"))
        raise BadValueError(f"'{name}', line {reader.line_num}: {message}", hint) from None
    if len(rows) < 2:
        raise BadValueError(
            f"'{name}' has no rows",
            "add rows below the first line; the first line contains only the names of the columns",
        )
    shown = os.path.realpath(path).lower().endswith(".csv")
    return Table(name, tuple(cell.strip() for cell in rows[0][1]), tuple(rows[1:]), shown)
