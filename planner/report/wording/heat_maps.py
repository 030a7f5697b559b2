"""A comparison as heat maps of speeds × agents: text, shade and best mark of every cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from planner.engine.statistics import Z975, share_interval
from planner.errors import printable
from planner.planning.comparison_result import Comparison
from planner.planning.results import Result, Scenario
from planner.report.wording import quantities
from planner.report.wording.crews import others_phrase
from planner.report.wording.phrases import baseline_agents, row_name

SHADES = " ░▒▓█"
"""Glyphs from the least to the greatest value of a heat map."""

_ALIKE = 0.05
"""All values get the first shade if they differ by at most this share of the greatest value."""

Value = Callable[[Result], float]


@dataclass(frozen=True)
class HeatMapCell:
    """A cell of a heat map.

    level : index of the cell's shade in `SHADES`
    marked : whether the cell has a mark, for the recommended scenario
    """

    text: str
    level: int
    marked: bool


@dataclass(frozen=True)
class HeatMapRow:
    """A row of a heat map, for one model at one speed.

    name : name of the row, including the numbers of agents of further crews that vary. It contains text from the
        workflow's file, so it must be escaped before output
    """

    name: str
    cells: tuple[HeatMapCell, ...]


@dataclass(frozen=True)
class HeatMap:
    """A heat map of one quantity, such as the cost.

    agents : number of agents of each column
    """

    title: str
    agents: tuple[int, ...]
    rows: tuple[HeatMapRow, ...]


def comparison_heading(comparison: Comparison) -> tuple[str, ...]:
    """Return the heading of a comparison as lines of text: samples, rows and columns, baseline, and errors."""
    base = comparison.baseline
    served = f" on {printable(base.model)}" if base.model else ""
    rest = "; other crews as declared" if base.crews and len(base.sizes) > len(base.crews) else ""
    agents = baseline_agents(base) if base.crews else "as declared,"
    crew = "" if comparison.crew == "agents" else f" in '{comparison.crew}'"
    shown = any(result.scenario == comparison.advice.recommended for result in comparison.results)
    recommended = ", * recommended" if shown else ""
    others = "".join(f", agents in '{name}'" for name, _ in comparison.advice.declared.others)
    return (
        f"{quantities.samples(comparison.samples)}, seed {comparison.seed}. {SHADES[-1]} highest{recommended}.",
        f"Rows: {_row_quantity(comparison)}{others}. Columns: agents{crew}.",
        f"Baseline: {agents} at {quantities.factor(base.speed)}{served}{rest}.",
        f"Error of the simulation, 95% sure in every scenario: {', '.join(_errors(comparison))}.",
    )


def _errors(comparison: Comparison) -> Iterator[str]:
    """Yield a phrase such as `p50 ± 0.84%` for each quantity.

    The number is the largest relative error of all scenarios: `half-width of the 95% interval / value`.
    """
    costs = [usd for result in comparison.results if (usd := result.usd) and usd.mean]
    errors = {
        "p50": comparison.precision.p50,
        "p90": comparison.precision.p90,
        "mean cost": _largest(_ratio(usd.mean, usd.standard_error) for usd in costs),
        "speedup": _largest(_ratio(result.speedup, result.standard_errors.speedup) for result in comparison.results),
    }
    if _has_efficiency(comparison):
        errors["efficiency"] = _largest(
            _ratio(result.efficiency, result.standard_errors.efficiency) for result in comparison.results
        )
    for quantity, error in errors.items():
        if error is None:
            yield f"{quantity} unknown"
        elif error or quantity in ("p50", "p90"):
            yield f"{quantity} ± {quantities.relative_error(error)}"


def _ratio(value: float | None, standard_error: float | None) -> float | None:
    return None if standard_error is None or not value else Z975 * standard_error / value


def _largest(errors: Iterable[float | None]) -> float | None:
    """Return the largest error. If any error is None, return None. If `errors` is empty, return 0."""
    errors = list(errors)
    return max(filter(None, errors), default=0.0) if None not in errors else None


def heat_maps(comparison: Comparison, everything: bool = True) -> Iterator[HeatMap]:
    """Yield heat maps of completion time, cost, speedup, efficiency and chance of acceptance.

    everything : whether to yield maps of the p50 of the time and of the mean cost. The table under the advice has the
        same numbers

    The map of costs is omitted if all costs are unknown.
    The map of chances is omitted if all chances are equal.
    The map of efficiency is omitted if no crew that varies is of agents, or if there is never more than one agent.
    """
    priced = any(result.usd for result in comparison.results)
    if everything:
        yield _heat_map("Completion time, p50", comparison, lambda result: result.seconds.p50, quantities.seconds)
    if everything and priced:
        yield _heat_map("Mean cost", comparison, lambda result: _cost(result, "mean"), quantities.usd)
    yield _heat_map(
        "Time, p90: 9 in 10 runs take no longer", comparison, lambda result: result.seconds.p90, quantities.seconds
    )
    if priced:
        yield _heat_map(
            "Cost, p90: 9 in 10 runs cost no more", comparison, lambda result: _cost(result, "p90"), quantities.usd
        )
    yield _heat_map("Speedup over the baseline", comparison, lambda result: result.speedup, quantities.factor)
    if _has_efficiency(comparison):
        several = len(comparison.baseline.crews) > 1
        yield _heat_map(
            "Efficiency: speedup at this speed / mean agents of a crew"
            if several
            else "Efficiency: speedup over one agent at this speed, per agent",
            comparison,
            lambda result: math.nan if result.efficiency is None else result.efficiency,
            quantities.percent,
        )
    if len(_chances(comparison)) > 1:
        yield _heat_map(
            f"Accepted{_chance_error(comparison)}", comparison, lambda result: result.accepted.chance, quantities.share
        )


def accepted_sentence(comparison: Comparison) -> str:
    """Return a sentence on the chance that the result of a run is accepted.

    The text is empty if the chances of scenarios differ, because then a heat map shows them. It is also empty if all
    chances are 1.
    """
    chances = _chances(comparison)
    if len(chances) > 1 or chances == {1.0}:
        return ""
    return f"Accepted: {quantities.share(min(chances))} of samples in every scenario{_chance_error(comparison)}."


def _chance_error(comparison: Comparison) -> str:
    error = 0.0
    for chance in _chances(comparison):
        low, high = share_interval(round(chance * comparison.samples), comparison.samples)
        error = max(error, high - chance, chance - low)
    return f", ± {quantities.relative_error(error)} (95%)"


def _chances(comparison: Comparison) -> set[float]:
    return {result.accepted.chance for result in comparison.results}


def _row_quantity(comparison: Comparison) -> str:
    scenarios = [result.scenario for result in comparison.results]
    models = {scenario.model for scenario in scenarios}
    if len(models) > 1:
        return "model"
    (model,) = models
    of = "" if model == comparison.baseline.model else f" of {printable(model)}"
    return f"output speed{of}"


def _has_efficiency(comparison: Comparison) -> bool:
    """Return whether the scenarios differ in the number of agents of a crew that the efficiency refers to."""
    varying = {comparison.crew, *(name for name, _ in comparison.advice.declared.others)}
    return bool(varying & {*comparison.baseline.crews}) and any(
        result.scenario.all_agents > len(varying) for result in comparison.results
    )


def _cost(result: Result, quantity: Literal["mean", "p90"]) -> float:
    """Return the mean or the p90 of a cost in US dollars; NaN if it is unknown."""
    return math.nan if result.usd is None else float(getattr(result.usd, quantity))


def _heat_map(title: str, comparison: Comparison, value: Value, form: Callable[[float], str]) -> HeatMap:
    """Return the heat map of one quantity.

    value : function that returns the quantity of a result. The function returns NaN if the quantity is unknown
    form : function that formats a value as text
    """
    values = {result.scenario: value(result) for result in comparison.results}
    finite = [value for value in values.values() if not math.isnan(value)]
    counts = tuple(dict.fromkeys(scenario.agents for scenario in values))

    def cell(scenario: Scenario) -> HeatMapCell:
        marked, value = scenario == comparison.advice.recommended, values[scenario]
        if math.isnan(value):
            return HeatMapCell("unknown", 0, marked)
        return HeatMapCell(form(value), shade(value, finite), marked)

    rows = tuple(
        HeatMapRow(
            f"{row_name(comparison, *row)}, {others_phrase(others)}" if others else row_name(comparison, *row),
            tuple(cell(Scenario(*row, count, others)) for count in counts),
        )
        for row, others in dict.fromkeys((scenario.row, scenario.others) for scenario in values)
    )
    return HeatMap(title, counts, rows)


def shade(value: float, values: Collection[float]) -> int:
    """Return the index of a value's shade in `SHADES`. If all values are nearly equal, the index is 0.

    The range of `values` is divided into `len(SHADES)` equal parts. Each part has its own shade.
    """
    least, most = min(values), max(values)
    if most - least <= _ALIKE * most:
        return 0
    return min(len(SHADES) - 1, int((value - least) / (most - least) * len(SHADES)))
