"""Which steps to put on a fast tier: the quickest choice within a budget, of all choices or by selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

from planner.planning.target.goal import standing
from planner.planning.tier.assignments import Choices, Chosen
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.sample import Progress

EXHAUSTIVE = 12
"""Most steps of which all choices are tried."""

Q = 0.5
"""The percentile of time that is made least, and of cost that is kept within the budget."""


def fits(found: ScenarioSamples, budget: float) -> bool:
    """Whether the cost is known to be within the budget."""
    return found.usd is not None and standing(found.usd, Q, budget) == "meets"


def time(found: ScenarioSamples) -> float:
    """p50, seconds."""
    return found.seconds.quantile(Q)


def cost(found: ScenarioSamples) -> float:
    """Mean US dollars."""
    return found.usd.mean if found.usd is not None else 0.0


def all_of(steps: Sequence[str]) -> list[Chosen]:
    """All choices, those of few steps first."""
    return [frozenset(some) for count in range(len(steps) + 1) for some in combinations(steps, count)]


def every(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> list[Chosen]:
    """All choices within the budget, the quickest first; of equals the cheapest, then that of the fewest steps."""
    return _ordered(choices, choices.take(all_of(steps), progress), budget)


def selected(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> list[Chosen]:
    """What forward and backward selection come to, the better one first; empty if neither is within the budget."""
    ends = [_forward(choices, steps, budget, progress), _backward(choices, steps, budget, progress)]
    return _ordered(choices, ends, budget)


def _ordered(choices: Choices, wanted: Iterable[Chosen], budget: float) -> list[Chosen]:
    within = [one for one in dict.fromkeys(wanted) if fits(choices.found[one], budget)]
    return sorted(within, key=lambda one: (time(choices.found[one]), cost(choices.found[one]), len(one), sorted(one)))


def _forward(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """From none: the move that saves most seconds per dollar, until none saves any."""
    return _climb(choices, frozenset(), steps, budget, progress)


def _backward(choices: Choices, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """From all: take off what loses the fewest seconds per dollar until the budget is kept, then as forward."""
    now = frozenset(steps)
    while now and not fits(choices.found[now], budget):
        fewer = choices.take([now - {step} for step in steps if step in now], progress)
        if not fewer:
            return now
        now = max(fewer, key=_gain(choices, now))
    return _climb(choices, now, steps, budget, progress)


def _climb(choices: Choices, now: Chosen, steps: Sequence[str], budget: float, progress: Progress) -> Chosen:
    """Single moves, and pairs of them where no single one helps: of parallel steps both must be faster.

    `now`, and both ends, were simulated.
    """
    while True:
        for size in (1, 2):
            moves = choices.take([now ^ set(some) for some in combinations(steps, size)], progress)
            better = [one for one in _ordered(choices, moves, budget) if _saves(choices, now, one)]
            if better:
                now = max(better, key=_gain(choices, now))
                break
        else:
            return now


def _saves(choices: Choices, now: Chosen, then: Chosen) -> bool:
    """Seconds, or dollars at the same time."""
    before, after = choices.found[now], choices.found[then]
    return (time(after), cost(after)) < (time(before), cost(before))


def _gain(choices: Choices, now: Chosen) -> Callable[[Chosen], tuple[int, float]]:
    """How good a move is: p50 saved per mean dollar more. What also costs less comes before, the most saved first."""
    before = choices.found[now]

    def gain(then: Chosen) -> tuple[int, float]:
        after = choices.found[then]
        saved, more = time(before) - time(after), cost(after) - cost(before)
        if more > 0:
            return 0, saved / more
        if saved >= 0:
            return 2, saved
        return 1, saved / max(-more, 1e-12)  # a loss: the fewest seconds for each dollar that comes back

    return gain
