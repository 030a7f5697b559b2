"""Which steps to put on a fast tier within a budget, against all on the standard tier and all on the fast one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from planner.catalogue.premium import FITTED
from planner.engine.arrays import Floats
from planner.engine.statistics import Z975, quantile_interval
from planner.errors import InputError, Note, Problem
from planner.planning.decisions.verdict import ALIKE
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    restricted,
    restricted_notes,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.results import Seconds, Usd
from planner.planning.sizing import Sizing
from planner.planning.tier.assignments import (
    EXHAUSTIVE,
    Choices,
    Chosen,
    all_of,
    cost,
    every,
    fits,
    may_be_fast,
    selected,
    time,
)
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

SEARCHED = 256
"""Samples on which choices are searched, if there are more than `FEW` of them."""

FEW = 15

FINAL = 8
"""Of the best of the search so many are simulated in full."""


@dataclass(frozen=True)
class Difference:
    """One choice less another, paired by sample: 95 % intervals. Seconds: of the median; US dollars: of the mean."""

    seconds: float
    seconds_low: float
    seconds_high: float
    usd: float
    usd_low: float
    usd_high: float

    @classmethod
    def of(cls, found: ScenarioSamples, base: ScenarioSamples) -> Difference:
        seconds = found.seconds.first - base.seconds.first
        assert found.usd is not None
        assert base.usd is not None
        usd: Floats = found.usd.first - base.usd.first
        low, high = quantile_interval(seconds, 0.5)
        mean = float(usd.mean())
        error = Z975 * float(usd.std(ddof=1)) / len(usd) ** 0.5 if len(usd) > 1 else 0.0
        return cls(float(np.median(seconds)), low, high, mean, mean - error, mean + error)


@dataclass(frozen=True)
class Choice:
    """Steps on the fast tier, and what comes of it.

    steps : in the order of the graph
    fits : the cost's p50 is known to be within the budget
    to_standard, to_fast : against no step, and against all steps, on the fast tier
    """

    steps: tuple[str, ...]
    seconds: Seconds
    usd: Usd
    fits: bool
    to_standard: Difference
    to_fast: Difference


@dataclass(frozen=True)
class TierResult:
    """Which steps to put on a fast tier.

    budget : US dollars, of the p50 of the cost
    steps : that may be put on it
    standard, fast : no step, and all of them
    best : the quickest choice within the budget; None: not even one is within it
    thrifty : costs less than `best` and is about as quick
    alone : each step on the fast tier by itself, as far as there was time
    searched : choices that were simulated, on `search_samples` samples
    exhaustive : these were all there are
    cut : time was over before all was tried that would have been
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    sizes: Mapping[str, int]
    budget: float
    standard_model: str
    fast_model: str
    steps: tuple[str, ...]
    standard: Choice
    fast: Choice
    best: Choice | None
    thrifty: Choice | None
    alone: tuple[Choice, ...]
    searched: int
    search_samples: int
    exhaustive: bool
    cut: bool
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]

    @property
    def chosen(self) -> Choice | None:
        """What to take: `thrifty`, if there is one, since `best` gains under 1 % over it for more."""
        return self.thrifty or self.best


def tier(workflow: Workflow, fast: str, budget: float, *, agents: int | None = None, crew: str | None = None,
         seed: int = 1, samples: int | None = None, precision: float | None = None, max_time: float | None = None,
         backend: Backend | None = None, progress: Progress = quiet) -> TierResult:  # fmt: skip
    """Look for the steps whose move to the profile `fast` saves most time within a budget.

    agents, crew : as in a forecast
    samples, precision : of the two ends, all standard and all fast; the best choices take as many
    max_time : after half of it the search ends, after all of it everything; a block of samples is always taken

    Raises InputError where no step can move, or the cost is not known.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    _, sizes = Sizing.at(workflow, agents, crew)
    steps = may_be_fast(workflow, sizes)
    _possible(workflow, fast, steps)
    nothing, everything = frozenset[str](), frozenset(steps)
    ends, alone = [nothing, everything], [frozenset({step}) for step in steps]
    few, exhaustive = 2 ** len(steps) <= FEW, len(steps) <= EXHAUSTIVE
    search = Choices(workflow, fast, sizes, seed, backend, stopping.half)
    search.first(ends, 2, Stopping(min(stopping.most, SEARCHED)), progress)
    _priced(search.found[everything], search.found[nothing])
    if few:
        chosen = all_of(steps)
    else:
        search.take(alone, progress)
        chosen = (every if exhaustive else selected)(search, steps, budget, progress)[:FINAL]
    final = Choices(workflow, fast, sizes, seed, backend, stopping, search.kept)
    sampled = final.first(list(dict.fromkeys([*ends, *chosen])), 2, stopping, progress)
    count, known = sampled.count, Precision.of(stopping.target, sampled.seconds[:2])
    each = final.take(alone, progress)
    tried = final if few else search
    exhaustive = exhaustive and not tried.cut

    def order_of(one: Chosen) -> tuple[float, float, int, list[str]]:
        return time(final.found[one]), cost(final.found[one]), len(one), sorted(one)

    def choice(chosen: Chosen) -> Choice:
        found = final.found[chosen]
        assert found.usd is not None
        return Choice(
            tuple(step for step in steps if step in chosen), Seconds.of(found.seconds), Usd.of(found.usd),
            fits(found, budget),
            Difference.of(found, final.found[nothing]), Difference.of(found, final.found[everything]),
        )  # fmt: skip

    within = [one for one in final.found if fits(final.found[one], budget)]
    best = min(within, key=order_of, default=None)
    thrifty = None
    if best is not None:
        near = time(final.found[best]) * (1 + ALIKE)
        cheaper = [one for one in within if time(final.found[one]) <= near]
        least = min(cheaper, key=lambda one: (cost(final.found[one]), len(one), sorted(one)))
        thrifty = least if cost(final.found[least]) < cost(final.found[best]) else None
    models = final.found[everything].sampled.plan.models
    remarks = (
        *imprecise(known, count),
        *_left_out(len(steps), search.cut, len(alone) - len(each)),
        *restricted_notes(models),
        *declaration_notes(workflow), *other_tokenizers(workflow, models),
        *concurrency(dict.fromkeys(one.sampled.plan for one in final.found.values())),
        *((Note("context-of-other-tier"),) if _continued(workflow) else ()),
        *notes(models, sampled.over_context, [1.0], FITTED),
    )  # fmt: skip
    return TierResult(
        workflow.workflow, seed, count, known, sizes, budget, workflow.model or "", fast, steps,
        choice(nothing), choice(everything), None if best is None else choice(best),
        None if thrifty is None else choice(thrifty), tuple(map(choice, each)),
        len(tried.found), tried.samples, exhaustive, search.cut or final.cut, restricted(models), remarks,
    )  # fmt: skip


def _continued(workflow: Workflow) -> bool:
    """Whether the request of a step continues the context of another."""
    requests = [(path[-1], step.llm) for path, step in workflow.walk() if step.llm is not None]
    return any(request.continues not in (None, name) for name, request in requests)


def _left_out(steps: int, cut: bool, untried: int) -> Iterator[Note]:
    """Notes on choices that were not tried."""
    if cut:
        yield Note("search-cut-short")
    elif steps > EXHAUSTIVE:
        yield Note("search-not-exhaustive")
    if untried:
        yield Note("steps-untried", {"steps": untried})


def _possible(workflow: Workflow, fast: str, steps: tuple[str, ...]) -> None:
    if fast == workflow.model:
        message = f"'{fast}' is the model that the workflow has already"
        raise InputError([Problem("bad-profile", message, None, "name a faster profile", "fast")])
    if not steps:
        message, hint = "no step makes requests of the workflow's model", "steps with a 'model' of their own keep it"
        raise InputError([Problem("bad-profile", message, None, hint)])


def _priced(*found: ScenarioSamples) -> None:
    if any(one.usd is None for one in found):
        models = {name: profile for one in found for name, profile in one.sampled.plan.models.items()}
        without = ", ".join(name for name, profile in models.items() if profile.price is None)
        message = f"the cost is unknown, since {without} has no price"
        raise InputError([Problem("bad-profile", message, None, "give the profile a 'price'", "budget")])
