"""Sentences on further facts: exchange rates, ceilings, chances, pace. `--json` has further numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.engine.intervals import Interval
from planner.errors import printable
from planner.planning.comparison_result import Comparison
from planner.planning.decisions.ceilings import Ceiling
from planner.planning.decisions.chances import PairwiseChance
from planner.planning.decisions.exchange import AgentsForSpeed, Exchange
from planner.planning.decisions.payback import LONGER, Pace
from planner.report.wording import quantities
from planner.report.wording.money import money_sentences
from planner.report.wording.phrases import (
    agents_at,
    at_row,
    either,
    models_vary,
    number_list,
    other_crews_phrase,
    row_name,
    speeds_vary,
    with_interval,
)

_PACES = {
    "within attention": "within attention (10s)",
    "within patience": "within patience (1min)",
    "a coffee": "within a coffee break (15min)",
    "8 hours": "within 8h",
    LONGER: "longer than 8h",
}
"""Name of a pace → its phrase."""

_RARE = 0.01
"""If a chance is below this value or above 1 minus this value, no sentence is written about it."""


def decision_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return sentences on facts that the advice does not tell, such as exchange rates.

    If the comparison has only one scenario, return an empty tuple.
    """
    if len(comparison.results) < 2:
        return ()
    return tuple(sentence for part in (_time, money_sentences, _people) for sentence in part(comparison) if sentence)


def _time(comparison: Comparison) -> Iterator[str]:
    if len(comparison.decisions.exchange.tried) > 1 and comparison.decisions.widest > 1:
        yield _exchange(comparison)
    yield from _ceilings(comparison)


def _ceilings(comparison: Comparison) -> Iterator[str]:
    decisions = comparison.decisions
    ceilings, widest, first = decisions.ceilings, decisions.widest, decisions.exchange
    one = quantities.crew(comparison.crew, 1)
    served = f" on {printable(first.model)}" if models_vary(comparison) else ""
    yield f"Ceiling of speed{served}: {one} at infinite speed {_ceiling(ceilings.infinite_speed)}."
    if widest > 1:
        most = f"{quantities.crew(comparison.crew, widest)} at {quantities.factor(first.speed)}"
        without = f"without coordination{' or slowing each other down' if ceilings.slowed else ''}"
        serial = with_interval(ceilings.serial_fraction, quantities.percent)
        yield (
            f"Ceiling of agents{served}: {most}, the most that find work, {without} "
            f"{_ceiling(ceilings.infinite_agents)}; serial fraction {serial}."
        )


def _ceiling(ceiling: Ceiling) -> str:
    speedup = f", speedup {with_interval(ceiling.speedup, quantities.factor)}" if ceiling.p50.value else ""
    return f"{with_interval(ceiling.p50, quantities.seconds)}{speedup}"


def _exchange(comparison: Comparison) -> str:
    """Return sentences that compare more agents with higher speeds or other models.

    For example, `Exchange rate at 1x: 16 agents match 4 agents at 2.5x.`
    """
    exchange = comparison.decisions.exchange
    few = quantities.crew(comparison.crew, exchange.few)
    if not exchange.agents_for_speed:
        return ""
    rows: dict[tuple[str, str], list[str]] = {}
    for match in exchange.agents_for_speed:
        where = at_row(row_name(comparison, match.model, match.speed))
        rows.setdefault(_agents_match(comparison, match), []).append(where)
    clauses = [f"{subject} {few} {_either_row(names)}{certainty}" for (subject, certainty), names in rows.items()]
    where = at_row(row_name(comparison, exchange.model, exchange.speed))
    text = f"Exchange rate{other_crews_phrase(comparison)} {where}: {'; '.join(clauses)}."
    counts_by_row: dict[tuple[str, str, str], list[int]] = {}
    for other in exchange.speed_for_agents:
        if other.speed is not None and (other.model, other.speed) != (exchange.model, exchange.speed):
            where = at_row(row_name(comparison, other.model or "", other.speed))
            counts_by_row.setdefault((where, *_row_match(exchange.few, other.difference)), []).append(other.agents)
    if counts_by_row:
        clauses = [
            f"{few} {where} {predicate} {number_list(counts)}{certainty}"
            for (where, predicate, certainty), counts in counts_by_row.items()
        ]
        text += f" {'; '.join(clauses)}."
    return text + _unmatched(comparison, exchange)


def _unmatched(comparison: Comparison, exchange: Exchange) -> str:
    """Return a sentence on larger numbers of agents that no compared speed can replace.

    For example, `No speed compared lets 4 agents match 64 or more.` means that 4 agents at any compared speed are
    slower than 64 agents at the first speed. If some speed matches every number of agents, return an empty text.
    """
    unmatched = [match for match in exchange.speed_for_agents if match.speed is None]
    if not unmatched:
        return ""
    counts = [match.agents for match in unmatched]
    more = counts == [count for count in exchange.tried if count >= counts[0]]
    lets = "lets" if all(match.difference.above for match in unmatched) else "is known to let"
    which = f"{counts[0]:,} or more" if more else number_list(counts)
    varying = "speed"
    if models_vary(comparison):
        varying = "model or speed" if speeds_vary(comparison) else "model"
    return f" No {varying} compared {lets} {quantities.crew(comparison.crew, exchange.few)} match {which}."


def _agents_match(comparison: Comparison, match: AgentsForSpeed) -> tuple[str, str]:
    """Return the start and the end of a clause such as `16 agents match 4 agents at 2.5x (about the same)`.

    Here, the start is `16 agents match`, and the end is ` (about the same)`. The end may be empty.
    """
    exchange = comparison.decisions.exchange
    if match.needed is None:
        return f"no number{'' if match.difference.above else ' surely'} matches", ""
    count = quantities.crew(comparison.crew, match.needed)
    if match.difference.below:
        larger = [tried for tried in exchange.tried if tried > exchange.few]
        if match.needed <= min(larger, default=exchange.few):
            return f"{count} {'is' if match.needed == 1 else 'are'} already quicker than", ""
        is_least = match.needed - 1 in exchange.tried
        return f"it takes {count}{'' if is_least else ', of the numbers compared,'} to be quicker than", ""
    surely = "" if match.surely is None else f"; {match.surely} are surely quicker"
    return f"{count} {_matches(match.needed)}", _certainty(match.difference, surely)


def _row_match(few: int, difference: Interval) -> tuple[str, str]:
    """Return the predicate and the end of a clause such as `4 agents at 2.5x match 16 (about the same)`.

    Here, the predicate is `match`, and the end is ` (about the same)`. The end may be empty.
    """
    if difference.below:
        return f"{'is' if few == 1 else 'are'} quicker than", ""
    return _matches(few), _certainty(difference)


def _certainty(difference: Interval, ending: str = "") -> str:
    """Return a remark on how certain a match is: ` (about the same)`, ` (not surely)`, or an empty text if it is exact.

    difference : difference of the completion times of two scenarios that match
    ending : text that follows `about the same` inside the brackets, such as `; 5 are surely quicker`
    """
    if difference.low is None:
        return " (not surely)"
    return f" (about the same{ending})" if difference.low != difference.high else ""


def _matches(count: int) -> str:
    return "match" if count > 1 else "matches"


def _either_row(rows: Sequence[str]) -> str:
    """Join names of rows that start with the same preposition: `at 1.5x, 2.5x or 5x`."""
    return f"{rows[0][:2]} {either([row[3:] for row in rows])}"


def _people(comparison: Comparison) -> Iterator[str]:
    for beats in comparison.decisions.beats:
        if _RARE < beats.quicker.value < 1 - _RARE:
            yield _beats(comparison, beats)
    yield _less_success(comparison)
    declared, *others = comparison.decisions.pace
    for recommended in others:
        if declared.names != recommended.names:
            yield f"Pace: {_paces(declared)} as declared, {_paces(recommended)} as recommended."


def _paces(pace: Pace) -> str:
    return " or ".join(_PACES.get(name, name) for name in pace.names)


def _less_success(comparison: Comparison) -> str:
    """Return a sentence on a model or speed that is quicker than the first one even if it is right 20% less often.

    For example: `Right 20% less often, 1 agent at 2.5x would still take no longer than 1 agent at 1x per accepted
    result.` The sentence is about the first model or speed for which this is certain. If there is none, return an empty
    text.
    """
    few = comparison.decisions.exchange.few
    if few != comparison.decisions.one.agents:
        return ""
    rows = [row for row in comparison.decisions.success if row.scenario.agents == few]
    enough = [row for row in rows if row.by_time.high is not None and row.by_time.high <= 0.8 * row.chance > 0]
    if not enough:
        return ""
    name, one = agents_at(comparison, enough[0].scenario), agents_at(comparison, comparison.decisions.one)
    return f"Right 20% less often, {name} would still take no longer than {one} per accepted result."


def _beats(comparison: Comparison, beats: PairwiseChance) -> str:
    about = " (about the same)" if _even(beats) else ""
    equal = f", as quick in {quantities.share(beats.equal)}" if beats.equal else ""
    return (
        f"{agents_at(comparison, beats.one)} {'is' if beats.one.all_agents == 1 else 'are'} quicker than "
        f"{agents_at(comparison, beats.other)} in {with_interval(beats.quicker, quantities.share)} of samples"
        f"{equal}{about}."
    )


def _even(beats: PairwiseChance) -> bool:
    """Return whether two scenarios are about equally quick.

    They are about equal if each of them may be the quicker one in the same share of samples. The samples in which both
    take the same time are left out, so this share is `(1 - beats.equal) / 2`. It must be in the 95% interval of
    `beats.quicker`.
    """
    low, high = beats.quicker.low, beats.quicker.high
    return low is not None and high is not None and low <= (1 - beats.equal) / 2 <= high
