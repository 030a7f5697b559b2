"""The steps to put on a fast tier within limits, compared with no step and with all steps on that tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from planner.catalogue.premium import FITTED
from planner.engine.arrays import Floats
from planner.engine.statistics import Z975, quantile_interval
from planner.errors import InputError, Note, Problem
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    restricted,
    restricted_notes,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.notes.crews import limit_without_effect
from planner.planning.results import ALIKE, Seconds, Usd
from planner.planning.sizing import Sizing
from planner.planning.target.goal import Chance, Standing, few_samples
from planner.planning.tier.assignments import (
    EXHAUSTIVE,
    Assignments,
    FastSteps,
    all_of,
    every,
    finalists,
    may_be_fast,
    selected,
)
from planner.planning.tier.closest import closest as closest_of
from planner.planning.tier.closest import nearest
from planner.planning.tier.limits import Limits, cost
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

SEARCHED = 256
"""Most samples of an assignment during the search. If there are up to `FEW` assignments, no search is needed."""

FEW = 15

FINAL = 8
"""Number of assignments to simulate on all samples: the best ones of the search."""


@dataclass(frozen=True)
class PairedDifference:
    """The difference between two assignments of steps to tiers, paired by sample, with 95% intervals.

    seconds : median of the differences in time
    usd : mean of the differences in cost, in US dollars
    """

    seconds: float
    seconds_low: float
    seconds_high: float
    usd: float
    usd_low: float
    usd_high: float

    @classmethod
    def of(cls, samples: ScenarioSamples, base: ScenarioSamples) -> PairedDifference:
        seconds = samples.seconds.first - base.seconds.first
        assert samples.usd is not None
        assert base.usd is not None
        usd: Floats = samples.usd.first - base.usd.first
        low, high = quantile_interval(seconds, 0.5)
        mean = float(usd.mean())
        error = Z975 * float(usd.std(ddof=1)) / len(usd) ** 0.5 if len(usd) > 1 else 0.0
        return cls(float(np.median(seconds)), low, high, mean, mean - error, mean + error)


@dataclass(frozen=True)
class AssignmentResult:
    """The time and cost of an assignment, which is a set of steps on the fast tier.

    steps : paths of the steps on the fast tier, in the order of the task graph
    fits : whether time and cost are surely within the limits, by their 95% intervals
    in_time : ``meets`` or ``misses`` the deadline, or ``limit`` if the time's 95% interval contains the deadline.
        Without a deadline, it is ``meets``
    in_budget : ``meets``, ``misses`` or ``limit`` for the cost and the budget. Without a budget, it is ``meets``
    chance : probability that the completion time is within the deadline; None if there is no deadline
    to_standard : difference from the assignment with no step on the fast tier
    to_fast : difference from the assignment with all steps on the fast tier
    """

    steps: tuple[str, ...]
    seconds: Seconds
    usd: Usd
    fits: bool
    in_time: Standing
    in_budget: Standing
    chance: Chance | None
    to_standard: PairedDifference
    to_fast: PairedDifference


@dataclass(frozen=True)
class TierResult:
    """The best assignment of steps to a fast tier, within limits of time and cost.

    sizes : number of agents of each crew
    limits : the deadline, the budget, and the percentile that must be within them
    steps : paths of the steps that may be on the fast tier
    standard : result with no step on the fast tier
    fast : result with all steps on the fast tier
    best : the cheapest assignment surely within the limits. Without a deadline, it is the quickest one. None if no
        assignment is surely within the limits
    thrifty : a cheaper assignment that is about as quick as `best`; None if there is none, or if there is a deadline
    closest : if `best` is None: the quickest assignment within the budget, or the cheapest assignment if none is within
        the budget. Otherwise None
    alone : results with a single step on the fast tier; some steps are missing if time ran out
    searched : number of assignments that the search simulated
    search_samples : number of samples of each assignment in the search
    exhaustive : whether the search simulated all possible assignments
    cut : whether time ran out before the search was complete
    restricted : availability of each model that not everybody can buy: ``limited`` or ``retired``
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    sizes: Mapping[str, int]
    limits: Limits
    standard_model: str
    fast_model: str
    steps: tuple[str, ...]
    standard: AssignmentResult
    fast: AssignmentResult
    best: AssignmentResult | None
    thrifty: AssignmentResult | None
    closest: AssignmentResult | None
    alone: tuple[AssignmentResult, ...]
    searched: int
    search_samples: int
    exhaustive: bool
    cut: bool
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]

    @property
    def chosen(self) -> AssignmentResult | None:
        """The recommended assignment of steps to tiers: `thrifty`, or `best` if `thrifty` is None."""
        return self.thrifty or self.best


def tier(workflow: Workflow, fast: str, limits: Limits, *, agents: int | Mapping[str, int] | None = None,
         crew: str | None = None, seed: int = 1, samples: int | None = None, precision: float | None = None,
         max_time: float | None = None, backend: Backend | None = None,
         progress: Progress = quiet) -> TierResult:  # fmt: skip
    """Find the steps to move to a fast tier: the quickest choice within a budget.

    With a deadline, find the cheapest choice that meets it.

    fast : name of the profile of the fast tier
    limits : a budget, a deadline, or both
    agents : number of agents of the crew `crew`, or numbers of agents by name of crew; None: the declared numbers
    crew : name of the crew whose number of agents is `agents`; None: the only crew
    samples : largest number of samples
    precision : relative error of p50 and p90 at which the simulation stops, such as 0.01
    max_time : time limit in seconds; half of this time is for the search. At least one block of samples is simulated.

    Raises InputError if no step can move to the fast tier, or if a cost is unknown.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    _, sizes = Sizing.at(workflow, agents, crew)
    steps = may_be_fast(workflow, sizes)
    _require_movable(workflow, fast, steps)
    nothing, everything = frozenset[str](), frozenset(steps)
    ends, alone = [nothing, everything], [frozenset({step}) for step in steps]
    few, exhaustive = 2 ** len(steps) <= FEW, len(steps) <= EXHAUSTIVE
    search = Assignments(workflow, fast, sizes, seed, backend, stopping.half)
    search.first(ends, 2, Stopping(min(stopping.most, SEARCHED)), progress)
    _require_prices(search.samples_of[everything], search.samples_of[nothing])
    if few:
        chosen_few = all_of(steps)
    else:
        search.take(alone, progress)
        tried_all = every(search, steps, progress) if exhaustive else selected(search, steps, limits, progress)
        chosen_few = finalists(search, tried_all, limits, FINAL)
        if not any(limits.fits(search.samples_of[chosen]) for chosen in chosen_few):
            chosen_few += [closest_of(search, limits), *nearest(search, limits)[:FINAL]]
    final = Assignments(workflow, fast, sizes, seed, backend, stopping, search.draw_cache)
    sampled = final.first(list(dict.fromkeys([*ends, *chosen_few])), 2, stopping, progress)
    count, reached = sampled.count, Precision.of(stopping.target, sampled.seconds[:2])
    simulated_alone = final.take(alone, progress)
    tried = final if few else search
    exhaustive = exhaustive and not tried.cut

    samples_of = final.samples_of

    def result(chosen: FastSteps) -> AssignmentResult:
        samples = samples_of[chosen]
        usd = Usd.of(samples)
        assert usd is not None
        return AssignmentResult(
            tuple(step for step in steps if step in chosen),
            Seconds.of(samples.seconds),
            usd,
            fits=limits.fits(samples),
            in_time=limits.in_time(samples),
            in_budget=limits.in_budget(samples),
            chance=None if limits.deadline is None else Chance.of(samples.seconds, limits.deadline),
            to_standard=PairedDifference.of(samples, samples_of[nothing]),
            to_fast=PairedDifference.of(samples, samples_of[everything]),
        )

    best, thrifty = _best_and_thrifty(final, limits)
    closest = None if best is not None else closest_of(final, limits)
    models = samples_of[everything].accumulator.batch.models
    choices = {nothing, everything, best, thrifty, closest} - {None}
    shown = [samples.seconds for chosen, samples in samples_of.items() if chosen in choices]
    remarks = (
        *imprecise(reached, count, Precision.of(stopping.target, shown)),
        *few_samples(limits.percentile, [samples_of[nothing].seconds, samples_of[everything].seconds]),
        *_left_out(len(steps), search.cut, len(alone) - len(simulated_alone)),
        *restricted_notes(models),
        *limit_without_effect(workflow, sizes),
        *declaration_notes(workflow, sizes, models), *other_tokenizers(workflow, models),
        *concurrency(dict.fromkeys(samples.accumulator.batch for samples in samples_of.values())),
        *((Note("context-of-other-tier"),) if _continued(workflow) else ()),
        *notes(models, sampled.over_context, [1.0], FITTED),
    )  # fmt: skip
    return TierResult(
        workflow.workflow, seed, count, reached, sizes, limits, workflow.model or "", fast, steps,
        result(nothing), result(everything), None if best is None else result(best),
        None if thrifty is None else result(thrifty), None if closest is None else result(closest),
        tuple(map(result, simulated_alone)),
        len(tried.samples_of), tried.samples, exhaustive, search.cut or final.cut, restricted(models), remarks,
    )  # fmt: skip


def _best_and_thrifty(final: Assignments, limits: Limits) -> tuple[FastSteps | None, FastSteps | None]:
    """Return the best assignment that is surely within the limits, and a cheaper one that is about as quick.

    With a deadline, the best assignment is the cheapest one, and there is no second one. Without a deadline, it is the
    quickest one. Return None instead of an assignment that does not exist.
    """
    samples_of = final.samples_of
    within = [chosen for chosen in samples_of if limits.fits(samples_of[chosen])]
    best = min(within, key=lambda chosen: final.order(chosen, limits), default=None)
    if best is None or limits.deadline is not None:
        return best, None
    slowest = limits.time(samples_of[best]) * (1 + ALIKE)
    about_as_quick = [chosen for chosen in within if limits.time(samples_of[chosen]) <= slowest]
    least = min(about_as_quick, key=lambda chosen: (cost(samples_of[chosen]), len(chosen), sorted(chosen)))
    return best, least if cost(samples_of[least]) < cost(samples_of[best]) else None


def _continued(workflow: Workflow) -> bool:
    """Return whether any step continues the conversation of another step."""
    requests = [(path[-1], step.llm) for path, step in workflow.walk() if step.llm is not None]
    return any(request.continues not in (None, name) for name, request in requests)


def _left_out(steps: int, cut: bool, missing_alone: int) -> Iterator[Note]:
    """Yield notes on the assignments that were not simulated.

    steps : number of steps that can move to the fast tier
    cut : whether time ran out during the search
    missing_alone : number of steps that were not tried alone on the fast tier
    """
    if cut:
        yield Note("search-cut-short")
    elif steps > EXHAUSTIVE:
        yield Note("search-not-exhaustive")
    if missing_alone:
        yield Note("steps-untried", {"steps": missing_alone})


def _require_movable(workflow: Workflow, fast: str, steps: tuple[str, ...]) -> None:
    if fast == workflow.model:
        message = f"'{fast}' is the model that the workflow already uses"
        raise InputError([Problem("bad-profile", message, None, "name a faster profile", "fast")])
    if not steps:
        message, hint = "no step makes requests of the workflow's model", "steps with a 'model' of their own keep it"
        raise InputError([Problem("bad-profile", message, None, hint)])


def _require_prices(*ends: ScenarioSamples) -> None:
    if any(end.usd is None for end in ends):
        models = {name: profile for end in ends for name, profile in end.accumulator.batch.models.items()}
        without = ", ".join(name for name, profile in models.items() if profile.price is None)
        message = f"the cost is unknown, since {without} has no price"
        raise InputError([Problem("bad-profile", message, None, "give the profile a 'price'", "budget")])


def by_worth(result: TierResult) -> list[AssignmentResult]:
    """Return the results with a single step on the fast tier, sorted by seconds saved per dollar.

    The result that saves the most seconds per dollar is first.
    """
    return sorted(result.alone, key=_seconds_per_dollar)


def _seconds_per_dollar(assignment: AssignmentResult) -> tuple[float, str]:
    """Return a sort key by which the assignment that saves the most seconds per dollar comes first.

    Assignments that save time and add no cost come before all other assignments.
    """
    difference = assignment.to_standard
    worth = difference.seconds / difference.usd if difference.usd > 0 else difference.seconds * 1e12
    return worth, assignment.steps[0]
