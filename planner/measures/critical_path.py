"""The critical path by part and step, and the collector that adds up all details of one scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.moments import Mean, Moments
from planner.engine.simulation import TICK, Schedule, round_to_ticks
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Rework, Work
from planner.measures.moments import NANO, TokenMoments
from planner.measures.utilisation import Usage
from planner.timing.cost import Billing, pay_usd, usd_of_work
from planner.timing.durations import OccurrenceTimes, Part, WorkTotals, length
from planner.timing.pipeline import ScheduledSamples
from planner.workflow.bodies import Wait

BREAKDOWN = (*(part.name.lower() for part in Part), "waiting")
"""Parts of a critical path: the parts of task times, and the time spent waiting for agents."""


class WorkDetail:
    """Sums over samples for one step, or for one coordination mechanism of the step's crew.

    Seconds are added as whole numbers of ticks, so that sums are exact.

    done : number of occurrences that are not skipped
    seconds : seconds of work
    critical : seconds on the critical path
    critical_in : number of samples in which the step is on the critical path
    billed : billed amounts of each piece of work
    tokens : billed tokens
    usd : cost in US dollars. Unknown prices and rented machines add nothing
    pay : part of `usd` that is the pay of tools or people; None if they are not paid
    """

    def __init__(self, work: Work) -> None:
        self.step, self.kind = work.step, work.kind
        self.done = Moments(1.0)
        self.seconds = Moments(TICK)
        self.critical = Moments(TICK)
        self.critical_in = Moments(1.0)
        self.billed: dict[Work, Billing] = {}
        self.tokens = TokenMoments()
        self.usd = Moments(NANO)
        self.pay: Moments | None = None

    def plus(self, other: WorkDetail) -> None:
        """Add the samples of another `WorkDetail` of the same step."""
        self.done.plus(other.done)
        self.seconds.plus(other.seconds)
        self.critical.plus(other.critical)
        self.critical_in.plus(other.critical_in)
        self.tokens.plus(other.tokens)
        self.usd.plus(other.usd)
        if self.pay is not None and other.pay is not None:
            self.pay.plus(other.pay)
        for work, amounts in zip(list(self.billed), other.billed.values(), strict=True):
            self.billed[work] += amounts

    def add(self, sums: _StepSums) -> None:
        self.done.add(sums.done)
        self.seconds.add(sums.seconds)
        self.critical.add(sums.critical)
        self.critical_in.add((sums.critical > 0).astype(float))
        self.tokens.add(sums.billed)
        self.usd.add(sums.usd)
        if self.pay is not None:
            self.pay.add(sums.pay)


class _StepSums:
    """Totals of one step in each of S samples: arrays (S,)."""

    def __init__(self, samples: int) -> None:
        self.done, self.seconds, self.critical, self.usd, self.pay = (np.zeros(samples) for _ in range(5))
        self.billed = Billing.zeros(samples)


class Detail:
    """Sums over samples: seconds of each part of the critical path, and the work of each step."""

    def __init__(self, works: Sequence[TaskMap[Work]], models: Mapping[str, Profile]) -> None:
        """Start with no samples.

        works : all pieces of work in the graph
        models : name → profile, with the prices of the scenario
        """
        self.models = models
        steps: dict[tuple[str, str], WorkDetail] = {}
        self.of_work = [
            steps.setdefault((mark.subject.step, mark.subject.kind), WorkDetail(mark.subject)) for mark in works
        ]
        self.works = list(steps.values())
        for mark, step in zip(works, self.of_work, strict=True):
            if mark.subject.pay is not None and step.pay is None:
                step.pay = Moments(NANO)
        self.parts = [Moments(TICK) for _ in BREAKDOWN]

    def plus(self, other: Detail) -> None:
        """Add the samples of another `Detail` of the same graph."""
        for mine, others in zip(self.parts, other.parts, strict=True):
            mine.plus(others)
        for step, same in zip(self.works, other.works, strict=True):
            step.plus(same)

    def breakdown(self) -> dict[str, Mean]:
        """Return the mean seconds of each part of the critical path. The part `waiting` is the wait for agents."""
        return {part: moments.mean() for part, moments in zip(BREAKDOWN, self.parts, strict=True)}

    def add(self, run: ScheduledSamples) -> Floats:
        """Add S samples. Return an array (S,): for each sample, the seconds of coordination on the critical path."""
        schedule, times = run.schedule, run.times
        paths = [on_path(schedule, times.part(part, run.speed)[run.rows]) for part in Part]
        if times.away.size:  # a task's parts leave out the time that a person is away
            others = sum(paths[: Part.PEOPLE] + paths[Part.PEOPLE + 1 :])
            paths[Part.PEOPLE] = schedule.makespan - schedule.waiting - others
        for moments, seconds in zip(self.parts, (*paths, schedule.waiting), strict=True):
            moments.add(seconds)
        sums = {id(step): _StepSums(len(run.durations)) for step in self.works}
        for step, totals, billed in zip(self.of_work, times.works, run.billed, strict=True):
            step.billed[totals.work] = step.billed.get(totals.work, Billing.zeros()) + billed.sum()
            self._add_work(sums[id(step)], totals, billed, run)
        for step in self.works:
            step.add(sums[id(step)])
        return paths[Part.COORDINATION]

    def _add_work(self, sums: _StepSums, totals: WorkTotals, billed: Billing, run: ScheduledSamples) -> None:
        work = totals.work
        sums.billed += billed
        sums.usd += usd_of_work(work, billed, self.models)
        if work.pay is not None:
            sums.pay += pay_usd(work, billed)
        counted = not isinstance(work.body, Rework) or work.body.first
        sums.done += totals.done[run.rows] * counted
        for occurrence in totals.occurrences:
            seconds, missed = _worked(work, occurrence, run)
            sums.done -= missed * counted
            sums.seconds += seconds.sum(1)
            sums.critical += (seconds * run.schedule.critical[:, occurrence.tasks]).sum(1)


def _worked(work: Work, occurrence: OccurrenceTimes, run: ScheduledSamples) -> tuple[Floats, Floats | float]:
    """Return the seconds of work of an occurrence, and the number of its items that never started.

    The seconds are an array (S, items) for S samples. The number of items is an array (S,), or 0 if all started.
    """
    items = length(occurrence.tasks)
    leaves = isinstance(work.body, Wait) and work.body.leaves is not None and run.times.away.size > 0
    seconds, missed = run.of_rows(occurrence.seconds(run.speed), items), 0.0
    if occurrence.done is not None or leaves:
        progress = run.progress(occurrence)
        done = np.ones((1, 1)) if occurrence.done is None else occurrence.done
        missed = (run.of_rows(done, items) * (1 - progress.started)).sum(0)
        seconds = seconds * progress.share
    if leaves:
        lasted = (run.schedule.ends - run.schedule.starts)[:, occurrence.tasks].T
        seconds = np.where(np.isnan(lasted), 0.0, lasted)
    return round_to_ticks(seconds.T.copy()), missed


def on_path(schedule: Schedule, seconds: Floats) -> Floats:
    """Return an array (S,): for each sample, the sum of `seconds` over the tasks on the critical path.

    seconds : array (S, n) for S samples and n tasks. It is rounded to ticks, so that sums are exact
    """
    return np.asarray((round_to_ticks(seconds.copy()) * schedule.critical).sum(1))


class DetailCollector:
    """Adds up critical paths and utilisation over samples.

    Sums are exact, so they do not depend on the order in which samples are added.
    """

    def __init__(self, expanded: TaskGraph, models: Mapping[str, Profile]) -> None:
        """Start with no samples.

        expanded : task graph of the scenario
        models : name → profile, with the prices of the scenario
        """
        self.expanded = expanded
        self.detail = Detail(expanded.works, models)
        self.usage = Usage(expanded.graph, expanded.pools, expanded.paid_crews, expanded.arrivals)

    def plus(self, other: DetailCollector) -> None:
        """Add the samples of another `DetailCollector` of the same graph."""
        self.detail.plus(other.detail)
        self.usage.plus(other.usage)

    def add(self, run: ScheduledSamples) -> Floats:
        """Add S samples. Return an array (S,): for each sample, the seconds of coordination on the critical path.

        run : the samples, drawn in detail, and scheduled with the options `traced` and `recorded`
        """
        self.usage.add(run.kernel_graph, run.durations, run.schedule, run.crew_usd)
        return self.detail.add(run)
