"""What to decide by, in a few lines: those that say something for this workflow. The rest is in the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.planning.comparison_result import Comparison
from planner.planning.decisions.agents import AgentNumbers, Doubling
from planner.planning.decisions.ceilings import Ceiling
from planner.planning.decisions.chances import PairwiseChance
from planner.planning.decisions.exchange import AgentsForSpeed, Exchange
from planner.planning.decisions.interval import Interval
from planner.planning.decisions.pace import LONGER, WORKING_DAY, Pace
from planner.report.text.money import money
from planner.report.wording import quantities
from planner.report.wording.phrases import (
    at,
    either,
    listed,
    name,
    ranged,
    row,
)

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
    return tuple(line for part in (_time, money, _people) for line in part(comparison) if line)


def _time(comparison: Comparison) -> Iterator[str]:
    found = comparison.decisions
    first, widest = found.numbers[0], found.widest
    if len(first.tried) > 1 and widest > 1:
        yield _best_number(comparison, first)
        yield _exchange(comparison)
    yield _ceilings(comparison)


def _ceilings(comparison: Comparison) -> str:
    found, widest = comparison.decisions.ceilings, comparison.decisions.widest
    served = f" on {comparison.decisions.numbers[0].model}" if quantities.several(comparison) else ""
    text = f"Ceilings{served}: 1 agent at infinite speed {_quick(found.infinite_speed)}"
    if widest == 1:
        return f"{text}."
    text += f"; {quantities.agents(widest)} {_unhindered(comparison)} {_quick(found.infinite_agents)}"
    return f"{text}; serial fraction {ranged(found.serial_fraction, quantities.percent)}."


def _unhindered(comparison: Comparison) -> str:
    """What the ceiling of agents leaves out."""
    return f"without coordination{' or slowing each other down' if comparison.decisions.ceilings.slowed else ''}"


def _quick(found: Ceiling) -> str:
    speedup = f", speedup {ranged(found.speedup, quantities.factor)}" if found.p50.value else ""
    return f"{ranged(found.p50, quantities.seconds)}{speedup}"


def _best_number(comparison: Comparison, first: AgentNumbers) -> str:
    beyond = first.best not in {result.scenario.agents for result in comparison.results}
    found = [
        f"{first.best} in {ranged(first.p50, quantities.seconds)}{', which is not in the tables' if beyond else ''}"
    ]
    others = [count for count in first.alike if count != first.best and not _gained_over(first, count)]
    if first.enough != first.best:
        found.append(f"{first.enough} {'about the same' if first.enough in others else 'within 1%'}")
    elif others:
        found.append(f"not surely quicker than {listed(others)}")
    if first.diminishing is not None:
        found.append(_diminishing(first.diminishing))
    if first.slower_again is not None and first.best != 1:
        found.append(f"surely slower again from {first.slower_again.agents}")
    if first.slower_than_one is not None:
        found.append(f"surely slower than one from {first.slower_than_one.agents}")
    where = at(quantities.row_name(comparison, first.model, first.speed))
    return f"Best number of agents {where}: {'; '.join(found)}; {_tried(first, comparison.decisions.widest)}."


def _gained_over(first: AgentNumbers, count: int) -> bool:
    """Whether the best number is surely quicker than half of it, by the ratio of their medians."""
    one = first.diminishing
    if one is None or one.ratio.high is None:
        return False
    return (one.agents, 2 * one.agents) == (count, first.best) and one.ratio.high < 1


def _diminishing(found: Doubling) -> str:
    """What twice as many gain, as far as it is known."""
    few, many, ratio = found.agents, 2 * found.agents, found.ratio
    gain = 1 - ratio.value
    if ratio.low is None or ratio.high is None:
        return f"{many} gain about {quantities.error(gain) if gain > 0 else 'nothing'} over {few}"
    if ratio.high < 1:
        return f"{many} gain {ranged(Interval(gain, 1 - ratio.high, 1 - ratio.low), quantities.error)} over {few}"
    if ratio.low > 1:
        more = Interval(-gain, ratio.low - 1, ratio.high - 1)
        return f"{many} take {ranged(more, quantities.error)} longer than {few}"
    return f"{many} gain nothing over {few}" if ratio.low == ratio.high else f"{many} not surely quicker than {few}"


def _tried(found: AgentNumbers, widest: int) -> str:
    if found.every:
        beyond = [count for count in found.tried if count > widest]
        return f"every number to {widest:,}{f' and {listed(beyond)}' if beyond else ''} tried"
    return f"among {listed(found.tried)}"


def _exchange(comparison: Comparison) -> str:
    """How many agents are as quick as a faster row, and which row is as quick as more agents."""
    found = comparison.decisions.exchange
    few = quantities.agents(found.few)
    if not found.agents_for_speed:
        return ""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found.agents_for_speed:
        groups.setdefault(_agents(found, one), []).append(at(quantities.row_name(comparison, one.model, one.speed)))
    parts = [f"{said} {few} {_joined(names)}{sure}" for (said, sure), names in groups.items()]
    text = f"Exchange rate {at(quantities.row_name(comparison, found.model, found.speed))}: {'; '.join(parts)}."
    by_row: dict[tuple[str, str, str], list[int]] = {}
    for other in found.speed_for_agents:
        if other.speed is not None and (other.model, other.speed) != (found.model, found.speed):
            where = at(quantities.row_name(comparison, other.model or "", other.speed))
            by_row.setdefault((where, *_row(found.few, other.difference)), []).append(other.agents)
    if by_row:
        back = [f"{few} {where} {said} {listed(counts)}{sure}" for (where, said, sure), counts in by_row.items()]
        text += f" {'; '.join(back)}."
    return text + _unmatched(comparison, found)


def _unmatched(comparison: Comparison, found: Exchange) -> str:
    """AgentNumbers of agents that no row compared is as quick as."""
    unmatched = [one for one in found.speed_for_agents if one.speed is None]
    if not unmatched:
        return ""
    counts = [one.agents for one in unmatched]
    more = counts == [count for count in found.tried if count >= counts[0]]
    lets = "lets" if all(one.difference.above for one in unmatched) else "is known to let"
    which = f"{counts[0]:,} or more" if more else listed(counts)
    return f" No {quantities.varied(comparison)} compared {lets} {quantities.agents(found.few)} match {which}."


def _agents(found: Exchange, one: AgentsForSpeed) -> tuple[str, str]:
    """What stands before the matched row, and after it."""
    if one.needed is None:
        return f"no number{'' if one.difference.above else ' surely'} matches", ""
    count = quantities.agents(one.needed)
    if one.difference.below:
        least = one.needed <= min((tried for tried in found.tried if tried > found.few), default=found.few)
        if least:
            return f"{count} {'is' if one.needed == 1 else 'are'} already quicker than", ""
        known = one.needed - 1 in found.tried
        return f"it takes {count}{'' if known else ', of the numbers compared,'} to be quicker than", ""
    sure = "" if one.surely is None else f"; {one.surely} are surely quicker"
    return f"{count} {_matches(one.needed)}", _about(one.difference, sure)


def _row(few: int, found: Interval) -> tuple[str, str]:
    """The same of a row that is as quick as more agents."""
    if found.below:
        return f"{'is' if few == 1 else 'are'} quicker than", ""
    return _matches(few), _about(found)


def _about(difference: Interval, sure: str = "") -> str:
    if difference.low is None:
        return " (not surely)"
    return f" (about the same{sure})" if difference.low != difference.high else ""


def _matches(count: int) -> str:
    return "match" if count > 1 else "matches"


def _joined(names: Sequence[str]) -> str:
    """`at 1.5x, 2.5x or 5x`."""
    return f"{names[0][:2]} {either([name[3:] for name in names])}"


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
            yield _runs(base, base.rounds_per_day, quickest, quickest.rounds_per_day)
        elif base.names != quickest.names:
            yield f"Pace: {_paces(base)} at the baseline, {_paces(quickest)} at the quickest."


def _runs(base: Pace, by_base: Interval, quickest: Pace, by_quickest: Interval) -> str:
    """Runs in a working day, or working days that a run takes where it does not fit into one."""
    what = "Runs in a working day of 8h"
    if min(by_base.value, by_quickest.value) < 1:
        what = "Working days of 8h that a run takes"
        by_base, by_quickest = (one.p50.times(1 / WORKING_DAY) for one in (base, quickest))
    return f"{what}: {ranged(by_base, _count)} at the baseline, {ranged(by_quickest, _count)} at the quickest."


def _count(count: float) -> str:
    return f"{count:.2g}" if count < 10 else quantities.times(count)


def _paces(found: Pace) -> str:
    return " or ".join(_PACES.get(name, name) for name in found.names)


def _fifth(comparison: Comparison) -> str:
    """From which row on a model may be right a fifth less often, with as many agents as the baseline."""
    found, few = comparison.decisions, comparison.decisions.exchange.few
    if few != comparison.baseline.agents:
        return ""
    rows = [one for one in found.success if one.scenario.agents == few]
    enough = [one for one in rows if one.by_time.high is not None and one.by_time.high <= 0.8 * one.chance > 0]
    if not enough:
        return ""
    where = at(row(comparison, enough[0].scenario))
    return (
        f"A model right 20% less often breaks even {where} with {quantities.agents(few)}, by time per accepted result."
    )


def _beats(comparison: Comparison, found: PairwiseChance) -> str:
    about = " (about the same)" if _even(found) else ""
    equal = f", as quick in {quantities.share(found.equal)}" if found.equal else ""
    return (
        f"{name(comparison, found.one)} beats {name(comparison, found.other)} in "
        f"{ranged(found.quicker, quantities.share)} of samples{equal}{about}."
    )


def _even(found: PairwiseChance) -> bool:
    low, high = found.quicker.low, found.quicker.high
    return low is not None and high is not None and low <= (1 - found.equal) / 2 <= high
