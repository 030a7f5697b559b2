"""From a task graph to schedules: draw demands, time them at a speed, schedule the tasks, bill the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import Graph, Schedule, round_to_ticks, simulate
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.task_graph import TaskGraph
from planner.timing.cost import Billing, Cost, run_cost
from planner.timing.durations import OccurrenceTimes, SampleDemands, TaskTimes, WorkTotals, task_times
from planner.timing.service import ServiceTimes, profiles
from planner.workflow.declaration import Workflow

ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A task graph and the models that serve it, ready to simulate any samples.

    models : profiles at a fixed concurrency
    layers : spreads of the errors of estimates
    """

    graph: TaskGraph
    models: Mapping[str, Profile]
    layers: Layers

    @classmethod
    def of(
        cls, workflow: Workflow, graph: TaskGraph, requests: int | None = None, price_multiplier: float = 1.0
    ) -> Pipeline:
        """Return the pipeline of an expanded workflow.

        requests : number of concurrent requests, on which speeds may depend; None: the most that can be open
        price_multiplier : factor on the prices of all models
        """
        concurrency = graph.max_open_requests(graph.sizes) if requests is None else requests
        declared = profiles(workflow, graph)
        models = {name: profile.at(concurrency).priced(price_multiplier) for name, profile in declared.items()}
        return cls(graph, models, Layers.of(workflow.uncertainty))

    def draw(self, samples: Samples, speed: float = 1.0, detailed: bool = False) -> DrawnSamples:
        """Draw and time the demands of samples. `speed` and `detailed` are as in `complete`."""
        return self.complete(SampleDemands(samples, self.layers), speed, detailed)

    def seconds(self, samples: Samples, speed: float) -> Floats:
        """Return the completion times of S samples at a speed, (S,)."""
        return self.draw(samples, speed).at(speed).schedule().seconds

    def complete(self, draws: SampleDemands, speed: float = 1.0, detailed: bool = False) -> DrawnSamples:
        """Draw the demands that are still missing, and time all of them.

        speed : the speed for which the timeouts of attempts are checked. It has no other effect.
        detailed : whether to separate all parts of task times, and to keep the occurrences of each work
        """
        service = {name: ServiceTimes.of(profile, draws.samples) for name, profile in self.models.items()}
        return DrawnSamples(self.graph, service, task_times(self.graph, service, draws, speed, detailed))


@dataclass(frozen=True, eq=False)
class DrawnSamples:
    """Samples whose demands are drawn. They can be timed at any speed."""

    graph: TaskGraph
    service: Mapping[str, ServiceTimes]
    times: TaskTimes

    def at(self, speed: float) -> TimedSamples:
        """Return the samples with their durations at a speed.

        Raises InputError for a task that takes longer than the clock can hold.
        """
        return TimedSamples(self, speed, self.times.durations(speed))


@dataclass(frozen=True, eq=False)
class TimedSamples:
    """Samples at one speed, which can be scheduled.

    durations : durations of tasks in seconds, (S, n): samples × tasks
    """

    drawn: DrawnSamples
    speed: float
    durations: Floats

    def schedule(
        self,
        rows: slice | Sequence[int] = ALL,
        graph: Graph | None = None,
        *,
        traced: bool = False,
        recorded: bool = False,
    ) -> ScheduledSamples:
        """Schedule some of the samples.

        rows : the samples to schedule; the default is all of them
        graph : graph with the same tasks but other pool sizes; None: the pipeline's graph
        traced, recorded : as in `simulate`
        """
        kernel_graph = graph or self.drawn.graph.graph
        durations, times = self.durations[rows], self.drawn.times
        schedule = simulate(
            kernel_graph, durations, patience=times.patience[rows], away=times.away[rows], traced=traced,
            recorded=recorded,
        )  # fmt: skip
        return ScheduledSamples(self.drawn, self.speed, rows, kernel_graph, durations, schedule)


@dataclass(frozen=True, eq=False)
class TaskProgress:
    """The progress of an occurrence's tasks until their end or cancellation, in arrays (items, S): items × samples.

    started : 1 where the task started its work, else 0
    share : the part of its planned time for which the task worked, from 0 to 1
    """

    started: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class ScheduledSamples:
    """Some of the drawn samples, scheduled.

    rows : the samples that are scheduled, as a selection of all drawn samples
    kernel_graph : graph with the pool sizes of this schedule
    durations : durations of tasks in seconds, (S, n): scheduled samples × tasks
    """

    drawn: DrawnSamples
    speed: float
    rows: slice | Sequence[int]
    kernel_graph: Graph
    durations: Floats
    schedule: Schedule

    @property
    def graph(self) -> TaskGraph:
        return self.drawn.graph

    @property
    def service(self) -> Mapping[str, ServiceTimes]:
        return self.drawn.service

    @property
    def times(self) -> TaskTimes:
        return self.drawn.times

    @property
    def seconds(self) -> Floats:
        """Completion times, (S,)."""
        return self.schedule.makespan

    @cached_property
    def billed(self) -> list[Billing]:
        """Billed amounts of each work, in arrays (S,). If work may be cancelled, starts and ends must be recorded.

        A cancelled request costs its whole input, and its output in proportion to the time it ran. A cancelled agent
        loop costs input and output in that proportion. A cancelled tool costs all its calls. A task that never started
        costs nothing.
        """
        return [self._billed(totals) for totals in self.times.works]

    def cost(self) -> Cost | None:
        """Return the cost of each sample, or None if a price is unknown."""
        works = [mark.subject for mark in self.graph.works]
        return run_cost(works, self.billed, self.service, self.seconds)

    def progress(self, occurrence: OccurrenceTimes) -> TaskProgress:
        """Return the progress of an occurrence's tasks. Starts and ends must be recorded."""
        starts, ends = self.schedule.starts[:, occurrence.tasks].T, self.schedule.ends[:, occurrence.tasks].T
        wait = round_to_ticks(self.of_rows(occurrence.wait, len(occurrence.wait)).copy())
        planned, ran = self.durations[:, occurrence.tasks].T - wait, ends - starts - wait
        started = ~np.isnan(starts) & ((ran > 0) | (planned <= 0))
        share = np.where(planned > 0, ran / np.where(planned > 0, planned, 1.0), 1.0)
        return TaskProgress(started.astype(float), np.where(started, np.clip(share, 0.0, 1.0), 0.0))

    def of_rows(self, values: Floats, items: int) -> Floats:
        """Return values of the scheduled samples, (items, S).

        values : an array that broadcasts to items × all drawn samples
        """
        return np.broadcast_to(values, (items, self.times.samples))[:, self.rows]

    def _billed(self, totals: WorkTotals) -> Billing:
        amounts = totals.billed[self.rows]
        for occurrence in totals.occurrences:
            if occurrence.billed is not None:
                progress, planned = self.progress(occurrence), occurrence.billed[self.rows]
                of_input = progress.share if totals.work.kind == "agent" else progress.started
                billed = Billing(
                    _whole(planned.input * of_input), _whole(planned.written * of_input),
                    _whole(planned.cache_read * of_input), _whole(planned.output * progress.share),
                    planned.calls * of_input,
                )  # fmt: skip
                amounts = amounts - (planned - billed).map(np.ascontiguousarray).sum(0)
        return amounts


def _whole(tokens: Floats) -> Floats:
    """Round tokens half up to whole numbers."""
    return np.floor(tokens + 0.5)
