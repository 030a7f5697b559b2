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
from planner.timing.held_agents import crew_usd
from planner.timing.service import ServiceTimes, profiles
from planner.workflow.declaration import Workflow

ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A task graph and the models that serve its requests, ready to simulate any samples.

    models : profile of each model, at a fixed number of concurrent requests
    layers : spread of the random errors of estimates, per step and overall
    """

    graph: TaskGraph
    models: Mapping[str, Profile]
    layers: Layers

    @classmethod
    def of(
        cls, workflow: Workflow, graph: TaskGraph, requests: int | None = None, price_multiplier: float = 1.0
    ) -> Pipeline:
        """Return the pipeline of a workflow and its task graph.

        requests : number of concurrent requests, on which model speeds may depend; None: the largest possible number
        price_multiplier : factor on the prices of all models
        """
        concurrency = graph.max_open_requests(graph.sizes) if requests is None else requests
        declared = profiles(workflow, graph)
        models = {name: profile.at(concurrency).priced(price_multiplier) for name, profile in declared.items()}
        return cls(graph, models, Layers.of(workflow.uncertainty))

    def draw(self, samples: Samples, speed: float = 1.0, detailed: bool = False) -> DrawnSamples:
        """Draw the demands of samples, and compute the times of all tasks.

        speed : speed at which attempts are cut off at their timeout. All other times in the result are valid at any
            speed
        detailed : whether to separate all parts of task times. Then all occurrences of each `Work` are kept too
        """
        return self.complete(SampleDemands(samples, self.layers), speed, detailed)

    def seconds(self, samples: Samples, speed: float) -> Floats:
        """Return the completion time of each sample in seconds at a speed, (samples,)."""
        return self.draw(samples, speed).at(speed).schedule().seconds

    def complete(self, draws: SampleDemands, speed: float = 1.0, detailed: bool = False) -> DrawnSamples:
        """Compute the times of all tasks. Demands that are already in `draws` are used, and all others are drawn.

        speed : speed at which attempts are cut off at their timeout. All other times in the result are valid at any
            speed
        detailed : whether to separate all parts of task times. Then all occurrences of each `Work` are kept too
        """
        service = {name: ServiceTimes.of(profile, draws.samples) for name, profile in self.models.items()}
        return DrawnSamples(self.graph, service, task_times(self.graph, service, draws, speed, detailed))


@dataclass(frozen=True, eq=False)
class DrawnSamples:
    """Samples with drawn demands. The method `at` computes the durations of their tasks at any speed."""

    graph: TaskGraph
    service: Mapping[str, ServiceTimes]
    times: TaskTimes

    def at(self, speed: float) -> TimedSamples:
        """Return the samples with the durations of their tasks at a speed.

        Raises `InputError` if a task takes longer than the clock can hold.
        """
        return TimedSamples(self, speed, self.times.durations(speed))


@dataclass(frozen=True, eq=False)
class TimedSamples:
    """Samples with the durations of their tasks at one speed. The method `schedule` schedules the tasks.

    durations : durations of tasks in seconds, (samples, tasks)
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
        """Schedule the tasks of some samples.

        rows : samples to schedule; by default all samples
        graph : copy of the pipeline's graph with different pool sizes; None: the pipeline's own graph
        traced, recorded : options of `simulate`
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
    """The progress that tasks make before they end or are cancelled, in arrays (items, samples).

    started : 1 if the task started its work, else 0
    share : time that the task worked, as a share of its planned time, from 0 to 1
    """

    started: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class ScheduledSamples:
    """The schedule of some of the drawn samples.

    rows : the scheduled samples, as an index into all drawn samples
    kernel_graph : graph with the pool sizes of this schedule
    durations : durations of tasks in seconds, (scheduled samples, tasks)
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
        """Completion time of each scheduled sample in seconds, (samples,)."""
        return self.schedule.makespan

    @cached_property
    def billed(self) -> list[Billing]:
        """Billed amounts of each `Work` in the scheduled samples, in arrays (samples,).

        Cancelled tasks are billed as follows:

        - A task that never started costs nothing.
        - A request is billed for its whole input. Its output is billed in proportion to the time that the request ran.
        - An agent loop is billed in proportion to the time that it ran.
        - Tools and people that are paid by the hour are billed for the time that they worked. Otherwise a tool is
          billed for all its calls, and a person for the answer.

        If tasks may be cancelled, the schedule must have recorded starts and ends.
        """
        return [self._billed(totals) for totals in self.times.works]

    def cost(self) -> Cost | None:
        """Return the cost of each scheduled sample, or None if a price is unknown."""
        works = [mark.subject for mark in self.graph.works]
        return run_cost(works, self.billed, self.service, self.seconds, self.crew_usd.values())

    @cached_property
    def crew_usd(self) -> dict[str, Floats]:
        """Cost of each paid crew in US dollars, in arrays (samples,). The schedule must have recorded starts and ends.

        Only crews in `TaskGraph.paid_crews` are included.
        """
        return crew_usd(self.graph, self.kernel_graph, self.durations, self.schedule)

    def progress(self, occurrence: OccurrenceTimes) -> TaskProgress:
        """Return the progress of the tasks of an occurrence. The schedule must have recorded starts and ends."""
        starts, ends = self.schedule.starts[:, occurrence.tasks].T, self.schedule.ends[:, occurrence.tasks].T
        wait = round_to_ticks(self.of_rows(occurrence.wait, len(occurrence.wait)).copy())
        planned, ran = self.durations[:, occurrence.tasks].T - wait, ends - starts - wait
        started = ~np.isnan(starts) & ((ran > 0) | (planned <= 0))
        share = np.where(planned > 0, ran / np.where(planned > 0, planned, 1.0), 1.0)
        return TaskProgress(started.astype(float), np.where(started, np.clip(share, 0.0, 1.0), 0.0))

    def of_rows(self, values: Floats, items: int) -> Floats:
        """Return `values` for the scheduled samples only, (items, scheduled samples).

        values : array that broadcasts to (items, drawn samples)
        """
        return np.broadcast_to(values, (items, self.times.samples))[:, self.rows]

    def _billed(self, totals: WorkTotals) -> Billing:
        amounts, pay = totals.billed[self.rows], totals.work.pay
        for occurrence in totals.occurrences:
            if occurrence.billed is not None:
                progress, planned = self.progress(occurrence), occurrence.billed[self.rows]
                of_input = progress.share if totals.work.kind == "agent" else progress.started
                of_units = progress.share if pay is not None and pay.hourly else of_input
                billed = Billing(
                    _whole(planned.input * of_input), _whole(planned.written * of_input),
                    _whole(planned.cache_read * of_input), _whole(planned.output * progress.share),
                    planned.units * of_units,
                )  # fmt: skip
                amounts = amounts - (planned - billed).map(np.ascontiguousarray).sum(0)
        return amounts


def _whole(tokens: Floats) -> Floats:
    """Round numbers of tokens to whole numbers, half up."""
    return np.floor(tokens + 0.5)
