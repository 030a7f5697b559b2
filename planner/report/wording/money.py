"""Sentences on money: price of each hour saved, break-even value of time, payback of a setup."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from planner.engine.intervals import Interval
from planner.planning.comparison_result import Comparison
from planner.planning.decisions.advice import Advice
from planner.planning.decisions.payback import Payback, PaybackRuns, Setup
from planner.planning.results import Scenario
from planner.report.wording import quantities
from planner.report.wording.phrases import (
    MOST_LISTED,
    agents_at,
    at_row,
    number_list,
    row_name,
    row_of,
    with_interval,
)


def money_sentences(comparison: Comparison) -> Iterator[str]:
    """Yield sentences on the costs in a comparison. For example, a sentence lists the Pareto set."""
    decisions = comparison.decisions
    if decisions.pareto_p50 is not None and 1 < len(decisions.pareto_p50) < len(comparison.results):
        by_row: dict[str, list[int]] = {}
        for choice in decisions.pareto_p50:
            by_row.setdefault(row_of(comparison, choice.scenario), []).append(choice.scenario.agents)
        choices = [f"{_agents(comparison, sorted(counts))} {at_row(row)}" for row, counts in by_row.items()]
        if comparison.advice.declared.others:
            choices = [agents_at(comparison, choice.scenario) for choice in decisions.pareto_p50]
        yield f"Pareto set, each over 1% quicker than all that cost no more: {'; '.join(choices)}."
    advised, hull = _advised(comparison.advice), decisions.price_of_an_hour or ()
    if any((trade.cheaper, trade.quicker) not in advised for trade in hull):
        first = agents_at(comparison, hull[0].cheaper)
        trades = [
            f"{_price(trade.usd_per_hour)} up to {agents_at(comparison, trade.quicker)}" for trade in hull[:MOST_LISTED]
        ]
        yield f"Price of an hour less on average, from {first}: {'; then '.join(trades)}{_more(hull)}."
    base, prices = decisions.one, list[str]()
    said = advised | {(trade.cheaper, trade.quicker) for trade in hull}
    for row in decisions.break_evens or ():
        base = replace(base, model=decisions.exchange.model, speed=decisions.exchange.speed, agents=row.agents)
        if (base, replace(base, model=row.model, speed=row.speed)) not in said:
            prices.append(f"{row_name(comparison, row.model, row.speed)} {_break_even(row.pays, row.usd_per_hour)}")
    if prices:
        waiting = "" if decisions.waiting == 1 else f", {quantities.times(decisions.waiting)} waiting"
        yield f"Break-even value of an hour against {agents_at(comparison, base)}{waiting}: {', '.join(prices)}."
    if decisions.setup is not None:
        yield _setup(comparison, decisions.setup)


def _agents(comparison: Comparison, numbers: Sequence[int]) -> str:
    """Return several numbers of agents of a crew as text: `1, 8 fixers`."""
    *few, most = numbers
    return ", ".join(filter(None, (number_list(few), quantities.crew(comparison.crew, most))))


def _advised(advice: Advice) -> set[tuple[Scenario, Scenario]]:
    """Return the changes that the advice has a price for, each as the scenarios before and after it."""
    changes = (advice.change, advice.over_one, advice.more, advice.faster)
    return {(change.before, change.after) for change in changes if change is not None}


def _setup(comparison: Comparison, setup: Setup) -> str:
    """Return a sentence on the runs that pay back the setup of the recommended scenario."""
    recommended = comparison.advice.recommended
    for payback in comparison.decisions.payback:
        if payback.scenario == recommended:
            return _payback(comparison, setup, payback)
    return f"Nothing to set up: {agents_at(comparison, recommended)} is recommended."


def _payback(comparison: Comparison, setup: Setup, payback: Payback) -> str:
    clauses = []
    if setup.seconds:
        clauses.append(f"its {quantities.seconds(setup.seconds)} {_runs(payback.time)}")
    if setup.usd:
        clauses.append(
            f"its {quantities.usd(setup.usd)} {'at an unknown cost' if payback.usd is None else _runs(payback.usd)}"
        )
    if payback.value is not None:
        both = "both " if setup.seconds and setup.usd else "all "
        clauses.append(f"{both}at the value of time {_runs(payback.value)}")
    saved = ""
    if setup.runs is not None and payback.seconds_saved is not None:
        saved = f"; {setup.runs:,} runs {_saved(payback.seconds_saved, quantities.seconds)}"
        if payback.usd_saved is not None:
            saved += f" and {_saved(payback.usd_saved, quantities.usd)}"
    name, one = agents_at(comparison, payback.scenario), agents_at(comparison, comparison.decisions.one)
    return f"Setup of {name} instead of {one} pays back {', '.join(clauses) or 'at once'}{saved}."


def _runs(count: PaybackRuns) -> str:
    if count.runs is None:
        return "never" if count.low is None else "never (not surely)"
    if count.high is None:
        return f"after {count.runs:,} runs (not surely)"
    spread = f" ({count.low:,} to {count.high:,})" if count.low != count.high else ""
    return f"after {count.runs:,} run{'s' if count.runs != 1 else ''}{spread}"


def _saved(saved: Interval, form: Callable[[float], str]) -> str:
    unsure = saved.low is not None and saved.high is not None and saved.low < 0 < saved.high
    return f"{'save' if saved.value >= 0 else 'lose'} {form(abs(saved.value))}{' (not surely)' if unsure else ''}"


def _more(trades: Sequence[object]) -> str:
    return f"; {len(trades) - MOST_LISTED} more" if len(trades) > MOST_LISTED else ""


def _price(price: Interval) -> str:
    if price.value <= 0:
        return "nothing"
    return with_interval(Interval(price.value, price.low and max(0.0, price.low), price.high), quantities.usd)


def _break_even(pays: str, price: Interval | None) -> str:
    if price is None:
        return pays
    return f"{'up to ' if pays == 'up to' else ''}{with_interval(price, quantities.usd)}"
