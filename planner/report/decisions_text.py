"""What to decide by, in a few lines: those that say something for this workflow. The rest is in the JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from planner.planning.decisions.agents import Numbers
from planner.planning.decisions.chances import Beats
from planner.planning.decisions.interval import Interval
from planner.planning.decisions.runs import Count, Payback, Setup
from planner.planning.results import Comparison, Scenario
from planner.report import words

_SERIAL = 0.995
"""A serial fraction above it is all."""

_MOST = 4
"""Scenarios that a line lists."""


def decisions(comparison: Comparison) -> tuple[str, ...]:
    """Lines, none where only one scenario was compared."""
    if len(comparison.results) < 2:
        return ()
    return tuple(line for part in (_time, _money, _people) for line in part(comparison) if line)


def _time(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    first, widest = found.numbers[0], found.widest
    if len(first.tried) > 1 and widest > 1:
        yield _best_number(comparison, first)
        yield _exchange(comparison)
    ceiling = found.ceilings
    instant, wide = ceiling.infinite_speed, ceiling.infinite_agents
    agents = ""
    if widest > 1:
        agents = f"; {words.agents(widest)} without coordination {_quick(wide.p50, wide.speedup)}"
    yield f"Ceilings: 1 agent at infinite speed {_quick(instant.p50, instant.speedup)}{agents}."
    serial = ceiling.serial_fraction
    if widest > 1 and serial.value < _SERIAL:
        most = f": no number of agents gains more than {words.factor(1 / serial.value)}" if serial.value else ""
        yield f"Serial fraction: {_range(serial, words.share)}{most}."


def _best_number(comparison: Comparison, first: Numbers) -> str:
    found = [f"{first.best} in {words.seconds(first.p50.value)}"]
    if len(first.alike) > 1:
        found.append(f"not surely quicker than {_listed([count for count in first.alike if count != first.best])}")
    if first.enough != first.best:
        found.append(f"{first.enough} within 1%")
    if first.diminishing is not None:
        count = first.diminishing.agents
        ratio = first.diminishing.ratio
        gain = "nothing" if ratio.value >= 1 else words.share(1 - ratio.value)
        found.append(f"{2 * count} gain {gain} over {count}")
    if first.slower_again is not None:
        found.append(f"surely slower again from {first.slower_again.agents}")
    if first.slower_than_one is not None:
        found.append(f"slower than one from {first.slower_than_one.agents}")
    speed = words.row_name(comparison, first.model, first.speed)
    return f"Best number of agents {'on' if ' ' in speed else 'at'} {speed}: {'; '.join(found)} ({_tried(first)})."


def _exchange(comparison: Comparison) -> str:
    found = comparison.decisions.exchange
    base = words.row_name(comparison, found.model, found.speed)
    worth = [
        f"{words.row_name(comparison, one.model, one.speed, 'a hypothetical ' if at == 0 else '')} "
        + ("none" if one.needed is None else f"{one.needed}" + _surely(one.needed, one.surely))
        for at, one in enumerate(found.agents_for_speed)
    ]
    if not worth:
        return ""
    faster = [
        f"{one.agents} agents {words.row_name(comparison, one.model or '', one.speed)}"
        for one in found.speed_for_agents
        if one.speed is not None
    ]
    never = [one.agents for one in found.speed_for_agents if one.speed is None]
    text = f"Agents at {base} as quick as {words.agents(found.few)} at {', '.join(worth)}."
    if faster:
        text += f" As quick as {', '.join(faster)}."
    if never:
        text += f" No speed compared makes {words.agents(found.few)} as quick as {never[0]}."
    return text


def _surely(needed: int, surely: int | None) -> str:
    if surely == needed:
        return ""
    return " (about the same)" if surely is None else f" (surely {surely})"


def _money(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    if found.pareto_p50 is not None and len(found.pareto_p50) > 1:
        shown = [
            f"{_name(comparison, one.scenario)} {words.seconds(one.seconds.value)} {words.usd(one.usd.value)}"
            for one in found.pareto_p50[:_MOST]
        ]
        more = len(found.pareto_p50) - _MOST
        yield f"Worth choosing from (p50, mean cost): {'; '.join(shown)}{f'; {more} more' if more > 0 else ''}."
    if found.price_of_an_hour:
        trades = [
            f"{_usd_range(one.usd_per_hour)} to go to {_name(comparison, one.quicker)}"
            for one in found.price_of_an_hour[:_MOST]
        ]
        yield f"Price of an hour less: {'; '.join(trades)}."
    few = comparison.decisions.exchange.few
    prices = [
        f"{words.row_name(comparison, one.model, one.speed)} {_from(one.pays, one.usd_per_hour)}"
        for one in found.break_evens or ()
        if one.agents == few
    ]
    if prices:
        waiting = "" if found.waiting == 1 else f", {words.times(found.waiting)} waiting"
        yield f"Pays with {words.agents(few)} if an hour is worth (break-even{waiting}): {', '.join(prices)}."
    value = found.value_of_time
    if value is not None:
        alike = [one for one in value.alike if one != value.best]
        about = f"; about the same: {_names(comparison, alike)}" if alike else ""
        each = f"{words.usd(value.usd_per_hour)} an hour" + (
            f" × {words.times(value.waiting)} waiting" if value.waiting != 1 else ""
        )
        gain = f", {words.usd(value.gain.value)} less than the baseline" if value.gain.above else ""
        yield f"At {each}: {_name(comparison, value.best)}, {words.usd(value.total.value)} in all{gain}{about}."
    if found.setup is not None:
        for one in found.payback:
            yield _payback(comparison, found.setup, one)


def _payback(comparison: Comparison, setup: Setup, one: Payback) -> str:
    counts = []
    if setup.seconds:
        counts.append(f"its {words.seconds(setup.seconds)} {_runs(one.time)}")
    if setup.usd:
        counts.append(f"its {words.usd(setup.usd)} {'at an unknown cost' if one.usd is None else _runs(one.usd)}")
    if one.value is not None:
        counts.append(f"both at the value of time {_runs(one.value)}")
    saved = ""
    if setup.runs is not None and one.seconds_saved is not None:
        saved = f"; {setup.runs:,} runs {_saved(one.seconds_saved, words.seconds)}"
        if one.usd_saved is not None:
            saved += f" and {_saved(one.usd_saved, words.usd)}"
    return f"Setup of {_name(comparison, one.scenario)} pays back {', '.join(counts) or 'at once'}{saved}."


def _runs(found: Count) -> str:
    if found.runs is None:
        return "never"
    ends = found.low, found.high
    if found.high is None:
        return f"after {found.runs:,} runs (not surely)"
    spread = f" ({found.low:,} to {found.high:,})" if ends[0] != ends[1] else ""
    return f"after {found.runs:,} run{'s' if found.runs != 1 else ''}{spread}"


def _saved(found: Interval, show: object) -> str:
    assert callable(show)
    return f"{'save' if found.value >= 0 else 'lose'} {show(abs(found.value))}"


def _people(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    for one in found.beats[:1]:
        yield _beats(comparison, one)
    less = [one for one in found.success if one.by_time.high is not None and one.by_time.high < one.chance]
    if less:
        best = min(less, key=lambda one: one.by_time.value)
        may = 1 - best.by_time.value / best.chance
        yield (
            f"Break-even success rate: {_name(comparison, best.scenario)} may be right {words.share(may)} less often "
            f"than the baseline before an accepted result takes as long.{_fifth(comparison)}"
        )
    base, *others = found.pace
    if others:
        quickest = others[-1]
        if base.names != quickest.names or base.rounds_per_day is not None:
            text = f"Pace: {' or '.join(base.names)} at the baseline, {' or '.join(quickest.names)} at the quickest"
            if base.rounds_per_day is not None and quickest.rounds_per_day is not None:
                one, other = base.rounds_per_day.value, quickest.rounds_per_day.value
                text += f"; rounds in a working day of 8h: {one:.2g} and {other:.2g}"
            yield f"{text}."


def _fifth(comparison: Comparison) -> str:
    """From which row on a model may be right a fifth less often."""
    found, few = comparison.decisions, comparison.decisions.exchange.few
    rows = [one for one in found.success if one.scenario.agents == few]
    enough = [one for one in rows if one.by_time.high is not None and one.by_time.high <= 0.8 * one.chance]
    if not rows:
        return ""
    if not enough:
        return f" With {words.agents(few)} no row compared breaks even at 20% less."
    return f" With {words.agents(few)}, 20% less breaks even from {_row(comparison, enough[0].scenario)}."


def _beats(comparison: Comparison, found: Beats) -> str:
    about = " (about the same)" if _even(found) else ""
    equal = f", as quick in {words.share(found.equal)}" if found.equal else ""
    return (
        f"{_name(comparison, found.one)} beats {_name(comparison, found.other)} in "
        f"{_range(found.quicker, words.share)} of samples{equal}{about}."
    )


def _even(found: Beats) -> bool:
    low, high = found.quicker.low, found.quicker.high
    return low is not None and high is not None and low <= (1 - found.equal) / 2 <= high


def _tried(found: Numbers) -> str:
    if found.every:
        return f"every number to {found.tried[-1]} tried"
    return f"among {_listed(found.tried)}"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _quick(p50: Interval, speedup: Interval) -> str:
    return f"{words.seconds(p50.value)} ({words.factor(speedup.value)})"


def _range(found: Interval, show: object) -> str:
    """A number, and its interval where it shows."""
    assert callable(show)
    if found.low is None or found.high is None:
        return str(show(found.value))
    low, high = show(found.low), show(found.high)
    return str(show(found.value)) if low == high else f"{show(found.value)} ({low} to {high})"


def _usd_range(found: Interval) -> str:
    if found.value <= 0:
        return "nothing"
    return _range(Interval(found.value, found.low and max(0.0, found.low), found.high), words.usd)


def _from(pays: str, price: Interval | None) -> str:
    return words.usd(price.value) if price is not None and math.isfinite(price.value) else pays


def _row(comparison: Comparison, scenario: Scenario) -> str:
    return words.row_name(comparison, scenario.model, scenario.speed)


def _name(comparison: Comparison, scenario: Scenario) -> str:
    return f"{words.agents(scenario.agents)} at {_row(comparison, scenario)}"


def _names(comparison: Comparison, scenarios: Sequence[Scenario]) -> str:
    shown = ", ".join(_name(comparison, one) for one in scenarios[:_MOST])
    return f"{shown} and {len(scenarios) - _MOST} more" if len(scenarios) > _MOST else shown
