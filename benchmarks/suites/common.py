"""What all suites share: tables in, errors with their uncertainty, a report out."""

from __future__ import annotations

import csv
import gzip
import io
import math
import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parent.parent / "data"
RESAMPLES = 1000
SEED = 1

Row = dict[str, Any]
Floats = NDArray[np.float64]
_Item = TypeVar("_Item")


class BadDataError(Exception):
    """A file that has not the form of its suite."""


@dataclass(frozen=True)
class Measure:
    """One number of a report, with a 95 % interval where there is one.

    goal : what it should be, in words; met : whether it is, None where there is no goal
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Report:
    """What a suite found.

    rows : every prediction beside its measurement
    notes : what a reader must know to judge it
    """

    suite: str
    measures: Sequence[Measure]
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def missed(self) -> list[Measure]:
        return [measure for measure in self.measures if measure.met is False]


# Tables


def text_of(path: Path) -> str:
    """The text of a file, unpacked where its name ends in .gz. Raises BadDataError."""
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except FileNotFoundError:
        raise BadDataError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadDataError(f"{path}: cannot be read ({error})") from None


def table(
    path: Path, columns: Mapping[str, Callable[[str], Any]], optional: Mapping[str, Callable[[str], Any]] | None = None
) -> list[Row]:
    """The rows of a CSV file with these columns, each cell converted. Raises BadDataError with the line.

    optional : columns that a file may leave out; their cells are then as if empty
    """
    reader = csv.DictReader(io.StringIO(text_of(path)))
    names = reader.fieldnames or []
    missing = [name for name in columns if name not in names]
    if missing:
        raise BadDataError(
            f"{path}:1: no column {', '.join(map(repr, missing))}; found {', '.join(names) or 'nothing'}"
        )
    rows = []
    for raw in reader:
        row = {}
        for name, convert in {**columns, **(optional or {})}.items():
            cell = raw[name] if name in names else ""
            try:
                row[name] = convert("" if cell is None else cell)
            except ValueError as error:
                raise BadDataError(f"{path}:{reader.line_num}: {name} is {cell!r}: {error}") from None
        rows.append(row)
    if not rows:
        raise BadDataError(f"{path}: no rows")
    return rows


def word(cell: str) -> str:
    """A name."""
    if not cell.strip():
        raise ValueError("expected a name")
    return cell.strip()


def positive(cell: str) -> float:
    """A number above 0."""
    value = amount(cell)
    if value <= 0:
        raise ValueError("expected a number above 0")
    return value


def amount(cell: str) -> float:
    """A number from 0."""
    try:
        value = float(cell)
    except ValueError:
        raise ValueError("expected a number") from None
    if not math.isfinite(value) or value < 0:
        raise ValueError("expected a number from 0")
    return value


def amount_or_none(cell: str) -> float | None:
    """A number from 0, or nothing."""
    return amount(cell) if cell.strip() else None


def whole(cell: str) -> int:
    """A whole number from 0."""
    value = amount(cell)
    if value != int(value):
        raise ValueError("expected a whole number")
    return int(value)


def count(cell: str) -> int:
    """A whole number from 1."""
    value = whole(cell)
    if value < 1:
        raise ValueError("expected a whole number from 1")
    return value


def positive_or_none(cell: str) -> float | None:
    """A number above 0, or nothing."""
    return positive(cell) if cell.strip() else None


def some(lowest: int, found: Sequence[object], what: str, path: Path) -> None:
    """Raises BadDataError where there are fewer than needed."""
    if len(found) < lowest:
        raise BadDataError(f"{path}: {len(found)} {what}; at least {lowest} are needed")


def grouped(rows: Sequence[_Item], key: Callable[[_Item], Hashable]) -> dict[Any, list[_Item]]:
    """Rows by their key, in the order of the file."""
    found: dict[Any, list[_Item]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


# Errors


def ape(predicted: float, measured: float) -> float:
    """Absolute percentage error, as a share."""
    return abs(predicted - measured) / measured


def log_error(predicted: float, measured: float) -> float:
    """|ln(predicted / measured)|: 0.27 is a factor of 1.31 either way."""
    return abs(math.log(predicted / measured))


def median(values: Sequence[float] | Floats) -> float:
    return float(statistics.median(np.asarray(values, float).tolist()))


def interval(
    values: Sequence[float], clusters: Sequence[Hashable], statistic: Callable[[Floats], float] = median
) -> tuple[float, float]:
    """95 % bootstrap interval of a statistic, resampling whole clusters: rows of one cluster are not independent."""
    by = [np.array(found, float) for found in _by_cluster(values, clusters)]
    draws = np.random.default_rng(SEED).integers(len(by), size=(RESAMPLES, len(by)))
    found = [statistic(np.concatenate([by[at] for at in row])) for row in draws]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _by_cluster(values: Sequence[float], clusters: Sequence[Hashable]) -> list[list[float]]:
    return list(
        {
            name: [value for value, _ in pairs]
            for name, pairs in grouped(list(zip(values, clusters, strict=True)), lambda pair: pair[1]).items()
        }.values()
    )


def mean(values: Sequence[float] | Floats) -> float:
    return float(np.mean(np.asarray(values, float)))


def measured(
    name: str,
    values: Sequence[float],
    clusters: Sequence[Hashable],
    most: float | None = None,
    least: float | None = None,
    statistic: Callable[[Floats], float] = median,
) -> Measure:
    """A statistic with its interval. most, least: its goal."""
    value = statistic(np.asarray(values, float))
    goal, met = "", None
    if most is not None:
        goal, met = f"at most {most:g}", value <= most
    if least is not None:
        goal, met = f"at least {least:g}", value >= least
    return Measure(name, value, *interval(values, clusters, statistic), goal, met)


def better(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    clusters: Sequence[Hashable],
    statistic: Callable[[Floats], float] = mean,
) -> Measure:
    """By how much a baseline errs more than we do, row by row: better if the interval is above 0."""
    differences = [other - own for own, other in zip(ours, theirs, strict=True)]
    low, high = interval(differences, clusters, statistic)
    return Measure(name, statistic(np.array(differences)), low, high, "interval above 0", low > 0)
