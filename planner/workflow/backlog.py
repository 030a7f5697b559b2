"""The backlog of a fan-out: a CSV with a header and a row for each item in, `Backlog` out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.errors import did_you_mean, nearest
from planner.reading.files.csv_table import Table, read_table
from planner.reading.units import BadValueError, count, positive

RATIO = 1e6
"""Most times by which the largest size may exceed the smallest."""

_SHOWN = 12
"""Most rows of a circle that are named."""

_BETWEEN_IDS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Backlog:
    """The rows of a backlog in the order of its file.

    sizes : above 0, in whatever unit the file has; None: all alike
    needs : for each row, the indices of those that are done before it
    ids : of the rows; their numbers from 1, where the file has no ids
    """

    sizes: tuple[float, ...] | None
    needs: tuple[tuple[int, ...], ...]
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """Names of columns, as declared; None: not declared."""

    size: str | None = None
    needs: str | None = None
    id: str | None = None


class _Rows:
    """The rows of a table, and the mistakes found in them."""

    def __init__(self, table: Table) -> None:
        self.name = table.file
        self.header = table.columns
        self.lines = [line for line, _ in table.rows]
        self.rows = [[cell.strip() for cell in cells] for _, cells in table.rows]
        self.mistakes: list[BadValueError] = []
        uneven = [index for index, row in enumerate(self.rows) if len(row) != len(self.header)]
        if uneven:
            cells = len(self.rows[uneven[0]])
            message = f"{cells} cell{'' if cells == 1 else 's'}, where the header has {len(self.header)}"
            self.each(message, uneven, hint="put cells that hold a comma in quotes")

    def wrong(
        self, message: str, line: int | None, hint: str | None, key: str = "file", code: str = "bad-value"
    ) -> None:
        place = f"'{self.name}'" if line is None else f"'{self.name}', line {line}:"
        self.mistakes.append(BadValueError(f"{place} {message}", hint, code=code, at=(key,)))

    def each(
        self, message: str, rows: Sequence[int], key: str = "file", hint: str | None = None, code: str = "bad-value"
    ) -> None:
        """The same mistake in several rows, told of the first."""
        others = len(rows) - 1
        more = f" (and {others:,} more line{'s' * (others != 1)} like it)" if others else ""
        self.wrong(message + more, self.lines[rows[0]], hint, key, code)

    def column(self, name: str, key: str) -> list[str] | None:
        """The cells of a column, or None with a mistake at `key`."""
        if self.header.count(name) == 1:
            index = self.header.index(name)
            return [row[index] for row in self.rows]
        if name in self.header:
            self.wrong(f"has two columns named '{name}'", None, "give one of them another name", key)
        else:
            semicolons = len(self.header) == 1 and ";" in self.header[0]
            hint = "separate columns by commas" if semicolons else did_you_mean(name, filter(None, self.header))
            self.wrong(f"has no column '{name}'", None, hint, key)
        return None


def read_backlog(folder: Path, name: str, columns: Columns) -> tuple[Backlog | None, list[BadValueError]]:
    """The rows of a CSV, or what is wrong with it: mistakes whose `at` is the key of the fan-out that they concern.

    folder : in which the path `name` begins
    """
    try:
        table = _Rows(read_table(name, folder))
    except BadValueError as mistake:
        return None, [BadValueError(str(mistake), mistake.hint, code=mistake.code, at=("file",))]
    if table.mistakes:
        return None, table.mistakes
    sizes = None if columns.size is None else _sizes(table, columns.size)
    ids = _ids(table, columns)
    needs: list[tuple[int, ...]] = [() for _ in table.rows]
    if columns.needs is not None:
        needs = _needs(table, columns.needs, ids)
    if table.mistakes:
        return None, table.mistakes
    found = None if sizes is None else tuple(sizes)
    return Backlog(found, tuple(needs), tuple(ids or map(str, range(1, len(table.rows) + 1)))), []


def _sizes(table: _Rows, column: str) -> list[float]:
    sizes: list[float] = []
    wrong: dict[str, list[int]] = {}
    for index, cell in enumerate(table.column(column, "size") or []):
        try:
            sizes.append(positive(count(cell)))
        except BadValueError as mistake:
            wrong.setdefault(str(mistake), []).append(index)
            sizes.append(1.0)
    for message, rows in wrong.items():
        shown = table.rows[rows[0]][table.header.index(column)]
        table.each(f"the size '{shown}': {message}" if shown else "no size", rows, "size", "a size is a number above 0")
    if sizes and not wrong and max(sizes) > RATIO * min(sizes):
        low, high = (sizes.index(one(sizes)) for one in (min, max))
        message = f"the size {sizes[high]:.15g} is over {RATIO:,.0f} times that of line {table.lines[low]}"
        table.each(message, [high], "size", "is one of them a slip?")
    return sizes


def _ids(table: _Rows, columns: Columns) -> list[str] | None:
    """The ids, or None where there are none, or something is wrong with them."""
    if columns.id is None and "id" not in table.header:
        if columns.needs is not None:
            table.wrong(
                "has no column 'id'", None, "needs are ids of rows: name their column, as in id: module", "needs"
            )
        return None
    key = "needs" if columns.id is None else "id"
    if columns.id is None and columns.needs is None and table.header.count("id") > 1:
        return None
    ids = table.column(columns.id or "id", key)
    if ids is None or (columns.id is None and columns.needs is None):
        return ids  # they only name the rows
    before = len(table.mistakes)
    first: dict[str, int] = {}
    double = [index for index, one in enumerate(ids) if first.setdefault(one, index) != index and one]
    if double:
        message = f"the id '{ids[double[0]]}' is that of line {table.lines[first[ids[double[0]]]]} too"
        table.each(message, double, key, "an id is of one row")
    empty = [index for index, one in enumerate(ids) if not one]
    if empty:
        table.each("no id", empty, key, "give each row an id of its own")
    parted = [index for index, one in enumerate(ids) if _BETWEEN_IDS.search(one)] if columns.needs is not None else []
    if parted:
        hint = "spaces, commas and semicolons stand between the ids that a row needs"
        table.each(f"'{ids[parted[0]]}' cannot be an id", parted, key, hint)
    return ids if len(table.mistakes) == before else None


def _needs(table: _Rows, column: str, ids: list[str] | None) -> list[tuple[int, ...]]:
    cells = table.column(column, "needs")
    if cells is None or ids is None:
        return [() for _ in table.rows]
    rows = {one: index for index, one in enumerate(ids)}
    named = [dict.fromkeys(filter(None, _BETWEEN_IDS.split(cell))) for cell in cells]
    unknown = [index for index, needs in enumerate(named) if any(one not in rows for one in needs)]
    if unknown:
        one = next(one for one in named[unknown[0]] if one not in rows)
        near = nearest(one, rows)
        table.each(f"unknown id '{one}'", unknown, "needs", f"did you mean '{near}'?" if near else None)
    itself = [index for index, needs in enumerate(named) if ids[index] in needs]
    if itself:
        table.each(f"'{ids[itself[0]]}' needs itself", itself, "needs", "take this need away", "cycle")
    found = [tuple(rows[one] for one in needs if one in rows) for needs in named]
    circle = [] if itself else circle_of(found)
    if circle:
        names = [ids[index] for index in (*circle, circle[0])]
        if len(names) > _SHOWN:
            names[_SHOWN - 2 : -1] = ["…"]
        message = "rows need each other: " + " → ".join(names)
        table.each(message, circle[:1], "needs", "take one of these needs away", "cycle")
    return found


def circle_of(needs: Sequence[Collection[int]]) -> list[int]:
    """Nodes of which each needs the next, and the last the first; none, if there is no such circle. Linear in time."""
    left = [len(set(needed)) for needed in needs]
    needing: list[list[int]] = [[] for _ in needs]
    for node, needed in enumerate(needs):
        for other in set(needed):
            needing[other].append(node)
    done = [node for node, number in enumerate(left) if not number]
    for node in done:  # grows
        for other in needing[node]:
            left[other] -= 1
            if not left[other]:
                done.append(other)
    here = next((node for node, number in enumerate(left) if number), None)
    if here is None:
        return []
    at: dict[int, int] = {}  # what is left needs some of what is left, so that following needs comes back
    while here not in at:
        at[here] = len(at)
        here = next(other for other in needs[here] if left[other])
    circle = list(at)[at[here] :]
    first = circle.index(min(circle))
    return [*circle[first:], *circle[:first]]
