"""What barriers cost, and what to do about it, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from planner.expansion.supersteps.subgraph_candidates import MOST_NODES
from planner.planning.barriers import WORTH, Barriers
from planner.planning.comparison_result import Comparison
from planner.report.wording import quantities
from planner.report.wording.phrases import agents_at

MOST_NAMED = 5
"""Steps of a branch that are all named."""


def barriers_text(comparison: Comparison) -> list[str]:
    """On the best scenario of a comparison: a sentence on the cost, then one for each branch to wrap."""
    if comparison.barriers is None:
        return []
    return _sentences(comparison.barriers, f"with {agents_at(comparison, comparison.verdict.best)}")


def _sentences(found: Barriers, scenario: str) -> list[str]:
    of = f"{scenario} (p50 of {quantities.samples(found.samples)})"
    if found.cost <= WORTH * found.seconds:
        return [f"The barriers between supersteps cost less than {quantities.percent(WORTH)} {of}."]
    first = (
        f"The barriers between supersteps cost {quantities.seconds(found.cost)} "
        f"of {quantities.seconds(found.seconds)} {of}: "
        f"without them it takes {quantities.seconds(found.without)}."
    )
    if not found.tried:
        none = (
            f"Groups of over {MOST_NODES} steps are not searched for branches."
            if found.cut
            else "No subgraph can help."
        )
        return [f"{first} {none}"]
    if not found.wrappings:
        first = f"{first} No branch that was tried wins back over {quantities.percent(WORTH)} in a subgraph."
    lines, before = [first], found.seconds
    for number, one in enumerate(found.wrappings):
        where = f" of '{one.group}'" if one.group else ""
        also = "also " if number else ""
        each = " each" if len(one.steps) > 1 else ""
        lines.append(
            f"Wrap {also}{', and '.join(map(_named, one.steps))}{where} in a subgraph{each} ('steps:' of one step): "
            f"{quantities.seconds(one.seconds)}, {quantities.seconds(before - one.seconds)} less."
        )
        before = one.seconds
    if before < found.without:
        lines.append(f"That is less than without barriers: {_why(found)}.")
    if found.cut:
        lines.append(f"The {found.tried:,} branches that seem best were tried. There are more.")
    return lines


def _why(found: Barriers) -> str:
    """A subgraph wins more than the barriers cost."""
    if found.limit is not None:
        return "max_concurrency counts anew in each subgraph"
    return "in subgraphs agents are given out in another order"


def _named(steps: Sequence[str]) -> str:
    """`'a', 'b' and 'c'`; of many the first, the last, and their number."""
    names = [f"'{name}'" for name in steps]
    if len(names) > MOST_NAMED:
        return f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} steps)"
    return f"{', '.join(names[:-1])} and {names[-1]}"
