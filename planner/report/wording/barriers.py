"""Sentences about LangGraph's barriers: the time they cost, and the branches to put in subgraphs."""

from __future__ import annotations

from collections.abc import Sequence

from planner.expansion.supersteps.subgraph_candidates import MOST_NODES
from planner.planning.barriers import WORTH, Barriers
from planner.planning.comparison_result import Comparison
from planner.report.wording import quantities
from planner.report.wording.phrases import agents_at

MOST_NAMED = 5
"""Largest number of steps of a branch for which all steps are named."""


def barrier_sentences(comparison: Comparison) -> list[str]:
    """Return sentences about the time that LangGraph's barriers cost in the recommended scenario.

    The sentences also name branches of the workflow that would save time as subgraphs.
    """
    if comparison.barriers is None:
        return []
    return _sentences(comparison.barriers, f"with {agents_at(comparison, comparison.advice.recommended)}")


def _sentences(barriers: Barriers, scenario: str) -> list[str]:
    of = f"{scenario} (p50 of {quantities.samples(barriers.samples)})"
    if barriers.cost <= WORTH * barriers.seconds:
        return [f"The barriers between supersteps cost less than {quantities.percent(WORTH)} {of}."]
    first = (
        f"The barriers between supersteps cost {quantities.seconds(barriers.cost)} "
        f"of {quantities.seconds(barriers.seconds)} {of}: "
        f"without them it takes {quantities.seconds(barriers.without)}."
    )
    if not barriers.tried:
        none = (
            f"Groups of over {MOST_NODES} steps are not searched for branches."
            if barriers.cut
            else "No subgraph can help."
        )
        return [f"{first} {none}"]
    if not barriers.wrappings:
        first = f"{first} No branch that was tried wins back over {quantities.percent(WORTH)} in a subgraph."
    sentences, before = [first], barriers.seconds
    for number, wrapping in enumerate(barriers.wrappings):
        group = f" of '{wrapping.group}'" if wrapping.group else ""
        also = "also " if number else ""
        each = " each" if len(wrapping.steps) > 1 else ""
        branches = ", and ".join(map(_step_names, wrapping.steps))
        sentences.append(
            f"Wrap {also}{branches}{group} in a subgraph{each} ('steps:' of one step): "
            f"{quantities.seconds(wrapping.seconds)}, {quantities.seconds(before - wrapping.seconds)} less."
        )
        before = wrapping.seconds
    if before < barriers.without:
        sentences.append(f"That is less than without barriers: {_reason(barriers)}.")
    if barriers.cut:
        sentences.append(f"The {barriers.tried:,} branches that seem best were tried. There are more.")
    return sentences


def _reason(barriers: Barriers) -> str:
    """Return a clause that tells why subgraphs can save more time than the barriers cost."""
    if barriers.limit is not None:
        return "max_concurrency counts anew in each subgraph"
    return "in subgraphs agents are given out in another order"


def _step_names(steps: Sequence[str]) -> str:
    """Return the names of a branch's steps as text: `'a', 'b' and 'c'`.

    For a long branch, the text has only the first two steps and the last step.
    """
    names = [f"'{name}'" for name in steps]
    if len(names) > MOST_NAMED:
        return f"{names[0]}, {names[1]} … {names[-1]} ({len(names)} steps)"
    return f"{', '.join(names[:-1])} and {names[-1]}"
