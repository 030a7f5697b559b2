"""A CSV file with a row for each item of a fan-out in, a `Backlog` out, or the mistakes in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.errors import nearest
from planner.reading.files.referenced_file import Table, read_table
from planner.reading.units import BadValueError, count, positive

MOST_RATIO = 1e6
"""Largest allowed ratio of the largest size to the smallest."""

_MOST_SHOWN = 12
"""Most rows of a cycle that a message names."""

_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Backlog:
    """Items of a fan-out that are read from a CSV file, with one row per item.

    sizes : size of each item, above 0, in any unit; None means that all items have the same size
    needs : for each item, the indices of the items that must be finished before it starts
    ids : id of each item; if the file has no ids, the row numbers from 1
    """

    sizes: tuple[float, ...] | None
    needs: tuple[tuple[int, ...], ...]
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """Names of the columns that a fan-out reads from its CSV file.

    size, needs, id : name of a column; None if the fan-out declares no such column
    """

    size: str | None = None
    needs: str | None = None
    id: str | None = None


class _Rows:
    """Rows of a CSV file, and a list of the mistakes in these rows."""

    def __init__(self, table: Table) -> None:
        self.shown, self.quoted, self.similar = table.shown, table.quoted, table.similar
        self.name = table.file
        self.header = table.columns
        self.lines = [line for line, _ in table.rows]
        self.rows = [[cell.strip() for cell in cells] for _, cells in table.rows]
        self.mistakes: list[BadValueError] = []
        uneven = [index for index, row in enumerate(self.rows) if len(row) != len(self.header)]
        if uneven:
            cells = len(self.rows[uneven[0]])
            message = f"the row has {cells} cell{'' if cells == 1 else 's'}, but the header has {len(self.header)}"
            self.add_for_rows(message, uneven, hint="if a cell contains a comma, put the cell in quotes")

    def add(self, message: str, line: int | None, hint: str | None, key: str = "file", code: str = "bad-value") -> None:
        """Add a mistake to the mistakes of the table.

        line : line number in the CSV file; None if the mistake concerns the whole file
        key : key of the fan-out at which the mistake is reported
        """
        place = f"'{self.name}'" if line is None else f"'{self.name}', line {line}:"
        self.mistakes.append(BadValueError(f"{place} {message}", hint, code=code, at=(key,)))

    def add_for_rows(
        self, message: str, rows: Sequence[int], key: str = "file", hint: str | None = None, code: str = "bad-value"
    ) -> None:
        """Add one mistake that several rows of the table share. The message names the line of the first row.

        rows : indices of the rows
        """
        others = len(rows) - 1
        more = f" (and {others:,} more line{'s' * (others != 1)} like it)" if others else ""
        self.add(message + more, self.lines[rows[0]], hint, key, code)

    def column(self, name: str, key: str) -> list[str] | None:
        """Return the cells of the column `name` of the table.

        If there is no column or more than one column with this name, add a mistake and return None.

        key : key of the fan-out at which the mistake is reported
        """
        if self.header.count(name) == 1:
            index = self.header.index(name)
            return [row[index] for row in self.rows]
        if name in self.header:
            self.add(f"has two columns named '{name}'", None, "rename one of them", key)
        else:
            self.add(f"has no column '{name}'", None, self.similar(name), key)
        return None


def read_backlog(folder: Path, name: str, columns: Columns) -> tuple[Backlog | None, list[BadValueError]]:
    """Read a CSV file of items. Returns a `Backlog` of these items, and a list of mistakes.

    If there are mistakes, None is returned instead of the `Backlog`. The attribute `at` of a mistake has the key of the
    fan-out that is wrong, such as `needs`.

    folder : folder to which the path `name` is relative
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
    names = ids or map(str, range(1, len(table.rows) + 1))
    return Backlog(None if sizes is None else tuple(sizes), tuple(needs), tuple(names)), []


def _sizes(table: _Rows, column: str) -> list[float]:
    sizes: list[float] = []
    invalid: dict[str, list[int]] = {}
    for index, cell in enumerate(table.column(column, "size") or []):
        try:
            sizes.append(positive(count(cell)))
        except BadValueError as mistake:
            message = str(mistake).replace("must not be negative", "must be above 0")
            invalid.setdefault(message, []).append(index)
            sizes.append(1.0)
    for message, rows in invalid.items():
        cell = table.rows[rows[0]][table.header.index(column)]
        colon = "" if message.startswith("must") else ":"
        message = f"{table.quoted(cell, 'a size', 'the size ')}{colon} {message}" if cell else "the size is missing"
        table.add_for_rows(message, rows, "size", "write a number above 0")
    if sizes and not invalid and max(sizes) > MOST_RATIO * min(sizes):
        low, high = sizes.index(min(sizes)), sizes.index(max(sizes))
        size = f" {sizes[high]:.15g}" if table.shown else ""
        message = f"the size{size} is over {MOST_RATIO:,.0f} times as large as the size on line {table.lines[low]}"
        table.add_for_rows(message, [high], "size", "check both sizes for typing errors")
    return sizes


def _ids(table: _Rows, columns: Columns) -> list[str] | None:
    """Return the ids of the rows; None if the column of ids is missing or has mistakes."""
    if columns.id is None and "id" not in table.header:
        if columns.needs is not None:
            message = f"'needs' refers to ids, but '{table.name}' has no column 'id'"
            hint = "name the column that contains the ids, for example 'id: module'"
            table.mistakes.append(BadValueError(message, hint, at=("needs",)))
        return None
    names_only = columns.id is None and columns.needs is None
    if names_only and table.header.count("id") > 1:
        return None
    key = "file" if columns.id is None else "id"
    ids = table.column(columns.id or "id", key)
    if ids is None or names_only or not _add_id_mistakes(table, ids, key, columns.needs is not None):
        return ids
    return None


def _add_id_mistakes(table: _Rows, ids: Sequence[str], key: str, in_needs: bool) -> bool:
    """Add each mistake in the column of ids to `table`, and return whether there are any mistakes.

    in_needs : whether a column of needs refers to the ids. Its cells are lists that are separated by spaces, commas or
        semicolons. So an id cannot contain these characters
    """
    before = len(table.mistakes)
    first: dict[str, int] = {}
    duplicates = [index for index, row_id in enumerate(ids) if first.setdefault(row_id, index) != index and row_id]
    if duplicates:
        row_id = ids[duplicates[0]]
        message = f"{table.quoted(row_id, 'an id', 'the id ')} is already used on line {table.lines[first[row_id]]}"
        table.add_for_rows(message, duplicates, key, "give each row its own id")
    empty = [index for index, row_id in enumerate(ids) if not row_id]
    if empty:
        table.add_for_rows("the id is missing", empty, key, "give each row its own id")
    separated = [index for index, row_id in enumerate(ids) if in_needs and _SEPARATORS.search(row_id)]
    if separated:
        hint = "ids cannot contain spaces, commas or semicolons: these separate the ids in the column of 'needs'"
        table.add_for_rows(f"{table.quoted(ids[separated[0]], 'a value')} cannot be an id", separated, key, hint)
    return len(table.mistakes) > before


def _needs(table: _Rows, column: str, ids: list[str] | None) -> list[tuple[int, ...]]:
    """Return for each row the indices of the rows whose items must end first. Mistakes are added to `table`."""
    cells = table.column(column, "needs")
    if cells is None or ids is None:
        return [() for _ in table.rows]
    index_of = {row_id: index for index, row_id in enumerate(ids)}
    listed = [dict.fromkeys(filter(None, _SEPARATORS.split(cell))) for cell in cells]
    needs = [tuple(index_of[row_id] for row_id in row if row_id in index_of) for row in listed]
    _add_unknown_ids(table, listed, index_of)
    itself = [index for index, row in enumerate(listed) if ids[index] in row]
    if itself:
        message = f"{table.quoted(ids[itself[0]], 'a row')} needs itself"
        table.add_for_rows(message, itself, "needs", "remove this need", "cycle")
    cycle = [] if itself else find_cycle(needs)
    if cycle:
        names = [ids[index] for index in (*cycle, cycle[0])]
        if len(names) > _MOST_SHOWN:
            names[_MOST_SHOWN - 2 : -1] = ["…"]
        message = "rows need each other" + (f": {' → '.join(names)}" if table.shown else "")
        table.add_for_rows(message, cycle[:1], "needs", "remove one of these needs", "cycle")
    return needs


def _add_unknown_ids(table: _Rows, listed: Sequence[Mapping[str, None]], index_of: Mapping[str, int]) -> None:
    unknown = {index: [row_id for row_id in row if row_id not in index_of] for index, row in enumerate(listed)}
    rows = [index for index, missing in unknown.items() if missing]
    if rows:
        row_id = unknown[rows[0]][0]
        similar = nearest(row_id, index_of) if table.shown else None
        hint = f"did you mean '{similar}'?" if similar else None
        table.add_for_rows(f"unknown id{table.quoted(row_id, '', ' ')}", rows, "needs", hint)


def find_cycle(needs: Sequence[Collection[int]]) -> list[int]:
    """Return a list of nodes that form a cycle. The list is empty if there is no cycle.

    In the list, each node needs the next node, and the last node needs the first node. The search takes linear time.

    needs : for each node, the nodes that it needs
    """
    unmet = [len(set(needed)) for needed in needs]
    needed_by: list[list[int]] = [[] for _ in needs]
    for node, needed in enumerate(needs):
        for other in set(needed):
            needed_by[other].append(node)
    done = [node for node, number in enumerate(unmet) if not number]
    for node in done:  # grows during the loop
        for other in needed_by[node]:
            unmet[other] -= 1
            if not unmet[other]:
                done.append(other)
    remaining = [node for node, number in enumerate(unmet) if number]
    if not remaining:
        return []
    node = remaining[0]
    visited: dict[int, int] = {}  # every remaining node needs a remaining node, so following needs ends in a cycle
    while node not in visited:
        visited[node] = len(visited)
        node = next(other for other in needs[node] if unmet[other])
    cycle = list(visited)[visited[node] :]
    first = cycle.index(min(cycle))
    return [*cycle[first:], *cycle[:first]]
