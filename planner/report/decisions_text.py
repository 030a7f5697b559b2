"""What to decide by, in a few lines: those that say something for this workflow. The rest is in the JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.planning.decisions.agents import Numbers
from planner.planning.decisions.chances import Beats
from planner.planning.decisions.interval import Interval
from planner.planning.decisions.pace import LONGER, Pace
from planner.planning.decisions.runs import Count, Payback, Setup
from planner.planning.results import Comparison, Scenario
from planner.report import words

_MOST = 3
"""Scenarios that a line lists."""

_PACES = {
    "within attention": "within attention (10s)",
    "within patience": "within patience (1min)",
    "a coffee": "within a coffee break (15min)",
    "a working day": "within a working day",
    LONGER: "longer than a working day",
}
"""Paces as they read in a sentence."""

_RARE = 0.01
"""Chances below it, or above 1 less it, go without saying."""


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
    yield _ceilings(comparison)


def _ceilings(comparison: Comparison) -> str:
    found, widest = comparison.decisions.ceilings, comparison.decisions.widest
    instant, wide, serial = found.infinite_speed, found.infinite_agents, found.serial_fraction
    served = f" on {comparison.decisions.numbers[0].model}" if words.several(comparison) else ""
    text = f"Ceilings{served}: 1 agent at infinite speed {_quick(instant.p50, instant.speedup)}"
    if widest == 1:
        return f"{text}."
    text += f"; {words.agents(widest)} {_unhindered(comparison)} {_quick(wide.p50, wide.speedup)}"
    return f"{text}; serial fraction {_range(serial, words.percent)}."


def _unhindered(comparison: Comparison) -> str:
    """What the ceiling of agents leaves out."""
    return f"without coordination{' or slowing each other down' if comparison.decisions.ceilings.slowed else ''}"


def _best_number(comparison: Comparison, first: Numbers) -> str:
    found = [f"{first.best} in {words.seconds(first.p50.value)}"]
    others = [count for count in first.alike if count != first.best]
    if first.enough != first.best:
        found.append(f"{first.enough} {'about the same' if first.enough in others else 'within 1%'}")
    elif others:
        found.append(f"not surely quicker than {_listed(others)}")
    if first.diminishing is not None:
        count = first.diminishing.agents
        ratio = first.diminishing.ratio
        gain = "nothing" if ratio.value >= 1 else words.error(1 - ratio.value)
        found.append(f"{2 * count} gain {gain} over {count}")
    if first.slower_again is not None:
        found.append(f"surely slower again from {first.slower_again.agents}")
    if first.slower_than_one is not None:
        found.append(f"slower than one from {first.slower_than_one.agents}")
    speed = words.row_name(comparison, first.model, first.speed)
    return f"Best number of agents {_at(speed)}: {'; '.join(found)} ({_tried(first, comparison.decisions.widest)})."


def _exchange(comparison: Comparison) -> str:
    found = comparison.decisions.exchange
    base = words.row_name(comparison, found.model, found.speed)
    few = words.agents(found.few)
    if not found.agents_for_speed:
        return ""
    groups: dict[tuple[int | None, str], list[str]] = {}
    for one in found.agents_for_speed:
        unknown = "" if one.difference.above else " surely"
        key = one.needed, unknown if one.needed is None else _surely(one.needed, one.surely)
        groups.setdefault(key, []).append(words.row_name(comparison, one.model, one.speed))
    parts = []
    for (needed, sure), names in groups.items():
        number = "no number" if needed is None else words.agents(needed)
        parts.append(f"{number}{sure} {_matches(needed)} {few} {_at(names[0])[:2]} {_or(names)}")
    text = f"Exchange rate {_at(base)}: {'; '.join(parts)}."
    speeds = [
        f"{one.agents:,} {_at(words.row_name(comparison, one.model or '', one.speed))}"
        for one in found.speed_for_agents
        if one.speed is not None and (one.model, one.speed) != (found.model, found.speed)
    ]
    unmatched = [one for one in found.speed_for_agents if one.speed is None]
    if speeds:
        text += f" {few[0].upper()}{few[1:]} {_matches(found.few)} {', '.join(speeds)}."
    if unmatched:
        counts = [one.agents for one in unmatched]
        more = counts == [count for count in found.tried if count >= counts[0]]
        lets = "lets" if all(one.difference.above for one in unmatched) else "is known to let"
        which = f"{counts[0]:,} or more" if more else _listed(counts)
        text += f" No speed compared {lets} {few} match {which}."
    return text


def _matches(count: int | None) -> str:
    return "match" if count is not None and count > 1 else "matches"


def _surely(needed: int, surely: int | None) -> str:
    if surely == needed:
        return ""
    return " (about the same)" if surely is None else f" (surely {surely})"


def _or(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _money(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    if found.pareto_p50 is not None and len(found.pareto_p50) > 1:
        by_row: dict[str, list[int]] = {}
        for choice in found.pareto_p50:
            by_row.setdefault(_row(comparison, choice.scenario), []).append(choice.scenario.agents)
        choices = [f"{_listed(sorted(counts))} {_at(name)}" for name, counts in by_row.items()]
        yield f"Pareto set (p50 against mean cost), agents: {'; '.join(choices)}."
    if found.price_of_an_hour:
        trades = [
            f"{_usd_range(one.usd_per_hour)} up to {_name(comparison, one.quicker)}"
            for one in found.price_of_an_hour[:_MOST]
        ]
        yield f"Price of an hour less: {'; '.join(trades)}{_more(found.price_of_an_hour)}."
    few = comparison.decisions.exchange.few
    prices = [
        f"{words.row_name(comparison, one.model, one.speed)} {_from(one.pays, one.usd_per_hour)}"
        for one in found.break_evens or ()
        if one.agents == few
    ]
    if prices:
        waiting = "" if found.waiting == 1 else f", {words.times(found.waiting)} waiting"
        yield f"Break-even value of an hour with {words.agents(few)}{waiting}: {', '.join(prices)}."
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
        chosen = comparison.verdict.best if value is None else value.best
        yield from (_payback(comparison, found.setup, one) for one in found.payback if one.scenario == chosen)


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
        return "never" if found.low is None else "never (not surely)"
    ends = found.low, found.high
    if found.high is None:
        return f"after {found.runs:,} runs (not surely)"
    spread = f" ({found.low:,} to {found.high:,})" if ends[0] != ends[1] else ""
    return f"after {found.runs:,} run{'s' if found.runs != 1 else ''}{spread}"


def _saved(found: Interval, show: Callable[[float], str]) -> str:
    unsure = found.low is not None and found.high is not None and found.low < 0 < found.high
    return f"{'save' if found.value >= 0 else 'lose'} {show(abs(found.value))}{' (not surely)' if unsure else ''}"


def _people(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    for one in found.beats[:1]:
        if one.quicker.value + one.equal > _RARE and one.quicker.value < 1 - _RARE:
            yield _beats(comparison, one)
    yield _fifth(comparison)
    base, *others = found.pace
    if others:
        quickest = others[-1]
        if base.rounds_per_day is not None and quickest.rounds_per_day is not None:
            one_day, other_day = _range(base.rounds_per_day, _rounds), _range(quickest.rounds_per_day, _rounds)
            rounds = f"rounds in a working day of 8h: {one_day} at the baseline, {other_day} at the quickest"
            yield f"{rounds[0].upper()}{rounds[1:]}."
        elif base.names != quickest.names:
            yield f"Pace: {_paces(base)} at the baseline, {_paces(quickest)} at the quickest."


def _paces(found: Pace) -> str:
    return " or ".join(_PACES.get(name, name) for name in found.names)


def _fifth(comparison: Comparison) -> str:
    """From which row on a model may be right a fifth less often."""
    found, few = comparison.decisions, comparison.decisions.exchange.few
    rows = [one for one in found.success if one.scenario.agents == few]
    enough = [one for one in rows if one.by_time.high is not None and one.by_time.high <= 0.8 * one.chance > 0]
    if not enough:
        return ""
    row = _row(comparison, enough[0].scenario)
    return f"A model right 20% less often breaks even {_at(row)} with {words.agents(few)}, by time per accepted result."


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


def _tried(found: Numbers, widest: int) -> str:
    if found.every:
        beyond = [count for count in found.tried if count > widest]
        return f"every number to {widest:,}{f' and {_listed(beyond)}' if beyond else ''} tried"
    return f"among {_listed(found.tried)}"


def _more(listed: Sequence[object]) -> str:
    return f"; {len(listed) - _MOST} more" if len(listed) > _MOST else ""


def _rounds(count: float) -> str:
    return f"{count:.2g}" if count < 10 else words.times(count)


def _listed(numbers: Sequence[int]) -> str:
    """`1, 2, 4, 21 to 32`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [
        f"{run[0]:,} to {run[-1]:,}" if len(run) > 2 else ", ".join(f"{number:,}" for number in run) for run in runs
    ]
    return ", ".join(parts)


def _quick(p50: Interval, speedup: Interval) -> str:
    return f"{words.seconds(p50.value)} ({words.factor(speedup.value)})"


def _range(found: Interval, show: Callable[[float], str]) -> str:
    """A number, and its interval where it shows."""
    if found.low is None or found.high is None:
        return show(found.value)
    low, high = show(found.low), show(found.high)
    middle = show(found.value)
    return middle if low == high else f"{middle} ({low} to {high})"


def _usd_range(found: Interval) -> str:
    if found.value <= 0:
        return "nothing"
    return _range(Interval(found.value, found.low and max(0.0, found.low), found.high), words.usd)


def _from(pays: str, price: Interval | None) -> str:
    if price is None:
        return pays
    return f"{'up to ' if pays == 'up to' else ''}{_range(price, words.usd)}"


def _row(comparison: Comparison, scenario: Scenario) -> str:
    return words.row_name(comparison, scenario.model, scenario.speed)


def _name(comparison: Comparison, scenario: Scenario) -> str:
    if scenario == comparison.baseline:
        return "the baseline"
    return f"{words.agents(scenario.agents)} {_at(_row(comparison, scenario))}"


def _at(row: str) -> str:
    """Speeds are worked at, models on."""
    return f"at {row}" if row[0].isdigit() and row.endswith("x") and " " not in row else f"on {row}"


def _names(comparison: Comparison, scenarios: Sequence[Scenario]) -> str:
    shown = ", ".join(_name(comparison, one) for one in scenarios[:_MOST])
    return f"{shown} and {len(scenarios) - _MOST} more" if len(scenarios) > _MOST else shown
