"""A comparison as tables of speeds × agents: what stands in each cell, how it is shaded, and which one is best."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from planner.engine.statistics import Z975, share_interval
from planner.errors import printable
from planner.planning.comparison_result import Comparison
from planner.planning.results import Result, Scenario
from planner.report.wording import quantities
from planner.sampling.sample import half_width

SHADES = " ░▒▓█"
"""From the least to the greatest value of a table."""

_ALIKE = 0.05
"""Values that all lie within this share of the greatest are not told apart by shades."""

Value = Callable[[Result], float]


@dataclass(frozen=True)
class Cell:
    """One value. `level` is its place in `SHADES`."""

    text: str
    level: int
    best: bool


@dataclass(frozen=True)
class Row:
    """One speed of one model. `name` is as declared: it may hold anything."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """One quantity. `agents` are the columns; `differ` says whether there is a best."""

    title: str
    agents: tuple[int, ...]
    rows: tuple[Row, ...]
    differ: bool

    @property
    def legend(self) -> str:
        """What marks and shades mean; empty where there are none."""
        return f"(* best; {SHADES[-1]} highest)" if self.differ else ""


def heading(comparison: Comparison) -> tuple[str, ...]:
    """What was simulated, what rows and columns are, and the baseline."""
    base = comparison.baseline
    served = f" on {printable(base.model)}" if base.model else ""
    of = "" if comparison.crew == "agents" else f" in '{comparison.crew}'"
    return (
        f"{printable(comparison.workflow)}: {quantities.samples(comparison.samples)}, seed {comparison.seed}",
        f"Rows: {_rows(comparison)}. Columns: agents{of}.",
        f"Baseline: {quantities.agents(base.agents)} at {quantities.factor(base.speed)}{served}.",
        f"95% sure in every scenario: {', '.join(_errors(comparison))}.",
    )


def _errors(comparison: Comparison) -> Iterator[str]:
    """How well each column of numbers is known where it is known least, as a share of it."""
    costs = [usd for result in comparison.results if (usd := result.usd) and usd.p50]
    known = {
        "p50": comparison.precision.p50,
        "p90": comparison.precision.p90,
        "cost": _most(half_width(usd.p50, usd.p50_low, usd.p50_high) for usd in costs),
        "speedup": _most(_ratio(one.speedup, one.standard_errors.speedup) for one in comparison.results),
        "efficiency": _most(_ratio(one.efficiency, one.standard_errors.efficiency) for one in comparison.results),
    }
    for what, error in known.items():
        if error is None:
            yield f"{what} unknown"
        elif error or what in ("p50", "p90"):
            yield f"{what} ± {quantities.error(error)}"


def _ratio(value: float, standard_error: float | None) -> float | None:
    return None if standard_error is None or not value else Z975 * standard_error / value


def _most(errors: Iterable[float | None]) -> float | None:
    """The largest, None if one is unknown."""
    found = list(errors)
    return max(filter(None, found), default=0.0) if None not in found else None


def tables(comparison: Comparison) -> Iterator[Table]:
    """Completion time, cost if it is known, speedup, efficiency, and chance of acceptance if that varies."""
    yield _table("Completion time, p50", comparison, lambda result: result.seconds.p50, quantities.seconds, least=True)
    if any(result.usd for result in comparison.results):
        yield _table(
            "Cost, p50",
            comparison,
            lambda result: result.usd.p50 if result.usd else math.nan,
            quantities.usd,
            least=True,
        )
    yield _table("Speedup over the baseline", comparison, lambda result: result.speedup, quantities.factor)
    yield _table(
        "Efficiency: speedup over one agent at this speed, per agent",
        comparison,
        lambda result: result.efficiency,
        quantities.percent,
    )
    if len(_chances(comparison)) > 1:
        yield _table(
            f"Accepted{_chance_error(comparison)}", comparison, lambda result: result.accepted.chance, quantities.share
        )


def accepted(comparison: Comparison) -> str:
    """How often a result is accepted, where that is the same in every scenario and not always; else empty."""
    chances = _chances(comparison)
    if len(chances) > 1 or chances == {1.0}:
        return ""
    return f"Accepted: {quantities.share(min(chances))} of samples in every scenario{_chance_error(comparison)}."


def _chance_error(comparison: Comparison) -> str:
    error = 0.0
    for chance in _chances(comparison):
        low, high = share_interval(round(chance * comparison.samples), comparison.samples)
        error = max(error, high - chance, chance - low)
    return f", ± {quantities.error(error)} (95%)"


def _chances(comparison: Comparison) -> set[float]:
    return {result.accepted.chance for result in comparison.results}


def _rows(comparison: Comparison) -> str:
    scenarios = [result.scenario for result in comparison.results]
    models = {scenario.model for scenario in scenarios}
    hypothetical = ", hypothetical unless 1x" if any(scenario.speed != 1 for scenario in scenarios) else ""
    if len(models) > 1:
        return f"model{hypothetical}"
    (model,) = models
    of = "" if model == comparison.baseline.model else f" of {printable(model)}"
    return f"output speed{of}{hypothetical}"


def _table(
    title: str, comparison: Comparison, value: Value, show: Callable[[float], str], least: bool = False
) -> Table:
    values = {result.scenario: value(result) for result in comparison.results}
    best, worst = (min, max) if least else (max, min)
    known = [value for value in values.values() if not math.isnan(value)]
    differ = best(known) != worst(known)
    counts = tuple(dict.fromkeys(scenario.agents for scenario in values))

    def cell(value: float) -> Cell:
        if math.isnan(value):
            return Cell("unknown", 0, False)
        return Cell(show(value), level(value, known), differ and value == best(known))

    rows = tuple(
        Row(
            quantities.row_name(comparison, model, speed),
            tuple(cell(values[Scenario(model, speed, count)]) for count in counts),
        )
        for model, speed in dict.fromkeys((scenario.model, scenario.speed) for scenario in values)
    )
    return Table(title, counts, rows, differ)


def level(value: float, values: Collection[float]) -> int:
    """Which shade: equal steps from the least to the greatest value, if they differ enough to matter."""
    least, most = min(values), max(values)
    if most - least <= _ALIKE * most:
        return 0
    return min(len(SHADES) - 1, int((value - least) / (most - least) * len(SHADES)))
