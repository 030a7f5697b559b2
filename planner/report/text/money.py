"""What to decide by of money, in a few lines: what an hour costs, what waiting is worth, when a setup pays back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.planning.comparison_result import Comparison
from planner.planning.decisions.interval import Interval
from planner.planning.decisions.money import BestAtValue
from planner.planning.decisions.payback import Payback, PaybackRuns, Setup
from planner.report.wording import quantities
from planner.report.wording.phrases import (
    MOST,
    at,
    listed,
    name,
    names,
    ranged,
    row,
)


def money(comparison: Comparison) -> Iterator[str]:
    """Lines on cost, as far as it is known."""
    found = comparison.decisions
    if found.pareto_p50 is not None and len(found.pareto_p50) > 1:
        by_row: dict[str, list[int]] = {}
        for choice in found.pareto_p50:
            by_row.setdefault(row(comparison, choice.scenario), []).append(choice.scenario.agents)
        choices = [f"{listed(sorted(counts))} {at(of)}" for of, counts in by_row.items()]
        yield f"Pareto set (p50 against mean cost), agents: {'; '.join(choices)}."
    if found.price_of_an_hour:
        trades = [
            f"{_price(one.usd_per_hour)} up to {name(comparison, one.quicker)}" for one in found.price_of_an_hour[:MOST]
        ]
        yield f"Price of an hour less: {'; '.join(trades)}{_more(found.price_of_an_hour)}."
    few = found.exchange.few
    prices = [
        f"{quantities.row_name(comparison, one.model, one.speed)} {_from(one.pays, one.usd_per_hour)}"
        for one in found.break_evens or ()
        if one.agents == few
    ]
    if prices:
        waiting = "" if found.waiting == 1 else f", {quantities.times(found.waiting)} waiting"
        yield f"Break-even value of an hour with {quantities.agents(few)}{waiting}: {', '.join(prices)}."
    value = found.value_of_time
    if value is not None:
        yield _value(comparison, value)
    if found.setup is not None:
        chosen = comparison.verdict.best if value is None else value.best
        yield from (_payback(comparison, found.setup, one) for one in found.payback if one.scenario == chosen)


def _value(comparison: Comparison, value: BestAtValue) -> str:
    alike = [one for one in value.alike if one != value.best]
    about = f"; about the same: {names(comparison, alike)}" if alike else ""
    each = f"{quantities.usd(value.usd_per_hour)} an hour" + (
        f" × {quantities.times(value.waiting)} waiting" if value.waiting != 1 else ""
    )
    total, gain = ranged(value.total, quantities.usd), ""
    if value.gain.above:
        gain = f", {ranged(value.gain, quantities.usd)} less than the baseline"
    return f"At {each}: {name(comparison, value.best)}, {total} in all{gain}{about}."


def _payback(comparison: Comparison, setup: Setup, one: Payback) -> str:
    counts = []
    if setup.seconds:
        counts.append(f"its {quantities.seconds(setup.seconds)} {_runs(one.time)}")
    if setup.usd:
        counts.append(f"its {quantities.usd(setup.usd)} {'at an unknown cost' if one.usd is None else _runs(one.usd)}")
    if one.value is not None:
        both = "both " if setup.seconds and setup.usd else "all "
        counts.append(f"{both}at the value of time {_runs(one.value)}")
    saved = ""
    if setup.runs is not None and one.seconds_saved is not None:
        saved = f"; {setup.runs:,} runs {_saved(one.seconds_saved, quantities.seconds)}"
        if one.usd_saved is not None:
            saved += f" and {_saved(one.usd_saved, quantities.usd)}"
    return f"Setup of {name(comparison, one.scenario)} pays back {', '.join(counts) or 'at once'}{saved}."


def _runs(found: PaybackRuns) -> str:
    if found.runs is None:
        return "never" if found.low is None else "never (not surely)"
    ends = found.low, found.high
    if found.high is None:
        return f"after {found.runs:,} runs (not surely)"
    spread = f" ({found.low:,} to {found.high:,})" if ends[0] != ends[1] else ""
    return f"after {found.runs:,} run{'s' if found.runs != 1 else ''}{spread}"


def _saved(found: Interval, show: Callable[[float], str]) -> str:
    unsure = found.low is not None and found.high is not None and found.low < 0 < found.high
    return f"{'save' if found.value >= 0 else 'lose'} {show(abs(found.value))}{' (not surely)' if unsure else ''}"


def _more(trades: Sequence[object]) -> str:
    return f"; {len(trades) - MOST} more" if len(trades) > MOST else ""


def _price(found: Interval) -> str:
    if found.value <= 0:
        return "nothing"
    return ranged(Interval(found.value, found.low and max(0.0, found.low), found.high), quantities.usd)


def _from(pays: str, price: Interval | None) -> str:
    if price is None:
        return pays
    return f"{'up to ' if pays == 'up to' else ''}{ranged(price, quantities.usd)}"
