"""A block of samples of a plan, simulated: a function of the plan and of which samples they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.engine.simulation import EXACT, Graph, simulate
from planner.errors import InputError, Problem
from planner.expansion.draw.demand_draws import DemandCache
from planner.measures.collector import DetailCollector
from planner.sampling.batch import Batch, DemandGroup
from planner.timing.cost import bill_cancelled, usd
from planner.timing.durations import SampleDemands, TaskTimes, task_times
from planner.timing.service import ServiceTimes, serving_traits

STEPS = 4_000_000
"""Most task-samples in one call of the kernel, so that Ctrl-C is heard soon; a quarter where all starts are kept."""


@dataclass(frozen=True, eq=False)
class Block:
    """What came of samples `low` to `low` + S − 1.

    seconds : (cells, S) completion times
    coordination : (cells, S) seconds of coordination on the critical path
    usd, tokens : of cells that pay: (2, S) of models at 1x and of calls, or None where a price is unknown; and (4, S)
    accepted : (cells, S) whether no failure is left over
    over_context : model → samples in which a request exceeds its context
    findings : where the time goes, if it is asked for
    drawn : something was drawn for it
    """

    low: int
    seconds: Floats
    coordination: Floats
    accepted: Bools
    usd: dict[int, Floats | None] = field(default_factory=dict)
    tokens: dict[int, Floats] = field(default_factory=dict)
    over_context: dict[str, int] = field(default_factory=dict)
    findings: DetailCollector | None = None
    drawn: bool = True


class CancelledError(Exception):
    """A block that nobody wants any more."""


def never() -> bool:
    """Nobody cancels it."""
    return False


def simulate_blocks(plans: Sequence[Batch], low: int, high: int, cancelled: Callable[[], bool] = never) -> list[Block]:
    """The blocks of several plans; those of one workflow on profiles that ask for the same share their demands.

    Raises CancelledError soon after `cancelled` says so, and what `simulate_block` raises.
    """
    return list(_blocks(plans, low, high, cancelled))


def _blocks(plans: Sequence[Batch], low: int, high: int, cancelled: Callable[[], bool]) -> Iterator[Block]:
    known: DemandCache = {}
    before = None
    drawn = False
    for plan in plans:
        services = {serving_traits(profile) for profile in plan.models.values()}
        known, before = known if services == before else {}, services  # others' would only take room
        block = simulate_block(plan, low, high, known, cancelled)
        drawn = drawn or block.drawn  # what an earlier plan drew is not drawn again
        yield replace(block, drawn=drawn)


def simulate_block(
    plan: Batch, low: int, high: int, known: DemandCache | None = None, cancelled: Callable[[], bool] = never
) -> Block:
    """Simulate the samples from `low` to `high` − 1 in every cell, on the same draws.

    known : demands of these samples that are drawn already; those that are not are added

    Raises InputError where a task or the whole takes too long for the clock.
    """
    samples = Samples(plan.seed, low, high)
    shape = len(plan.cells), len(samples)
    findings = DetailCollector(plan.variants[0].graph, plan.paid(0)) if plan.detailed else None
    block = Block(low, np.empty(shape), np.zeros(shape), np.empty(shape, bool), findings=findings)
    if plan.kept:
        draws = plan.kept.draws(samples, plan.layers)
    else:
        draws = SampleDemands(samples, plan.layers, {} if known is None else known)
    try:
        _fill(block, plan, draws, cancelled)
    finally:  # what is drawn is known by declarations, so that these must live as long as it
        if plan.kept:
            plan.kept.keep(draws, (variant.graph for variant in plan.variants))
    return replace(block, drawn=bool(draws.samples.drawn))


def _fill(block: Block, plan: Batch, draws: SampleDemands, cancelled: Callable[[], bool]) -> None:
    samples, most = draws.samples, dict[str, Floats]()
    unwatched = plan.variants[: -plan.watched]
    for variant in plan.variants:
        served = {name: ServiceTimes.of(model.at(variant.requests), samples) for name, model in plan.models.items()}
        prepared = task_times(variant.graph, served, draws, variant.speed or 1.0, plan.detailed)
        block.accepted[variant.cells] = prepared.accepted
        if variant not in unwatched:
            for name, largest in prepared.largest.items():
                most[name] = np.maximum(most.get(name, 0.0), largest)
        for speed, at in variant.by_speed(plan.cells):
            _Run(plan, variant, prepared, served, speed, block, cancelled).all(at)
    for name, largest in most.items():
        block.over_context[name] = int(np.sum(largest > (plan.models[name].context or np.inf)))


@dataclass(frozen=True, eq=False)
class _Run:
    """Schedules cells of one variant and speed."""

    plan: Batch
    variant: DemandGroup
    times: TaskTimes
    served: Mapping[str, ServiceTimes]
    speed: float
    block: Block
    cancelled: Callable[[], bool]

    def all(self, cells: Sequence[int]) -> None:
        durations = self.times.durations(self.speed)
        coordination = self.times.coordination(self.speed) if len(self.times.fixed) == 2 else None
        rows = max(1, STEPS // (4 if self.block.findings else 1) // max(1, durations.shape[1]))
        for cell in cells:
            for low in range(0, len(durations), rows):
                if self.cancelled():
                    raise CancelledError
                part = slice(low, min(len(durations), low + rows))
                self.some(cell, self.plan.graphs[cell], durations[part], coordination, part)

    def some(self, cell: int, graph: Graph, durations: Floats, coordination: Floats | None, part: slice) -> None:
        """Some samples of the block."""
        times, block, findings = self.times, self.block, self.block.findings
        raced = bool(self.variant.graph.raced.any())
        schedule = simulate(
            graph, durations, patience=times.patience[part], away=times.away[part],
            traced=coordination is not None or findings is not None,
            recorded=raced or findings is not None,
        )  # fmt: skip
        if schedule.makespan.max() >= EXACT:
            message = f"the workflow takes over {EXACT / 86400 / 365:.0f} years"
            raise InputError([Problem("too-large", message, None, "check the units of its times and speeds")])
        block.seconds[cell, part] = schedule.makespan
        amounts = [totals.billed[:, part] for totals in times.works]
        if raced:
            amounts = bill_cancelled(times, part, durations, schedule)
        if self.variant.payer(cell) == cell:
            self.pay(cell, amounts, schedule.makespan, part)
        if findings is not None:
            first = block.low + part.start
            on_critical = findings.add(times, self.speed, graph, schedule, part, first, durations, amounts)
            block.coordination[cell, part] = on_critical
        elif coordination is not None:
            on_critical = coordination[part] * schedule.critical[:, times.coordinating]
            block.coordination[cell, part] = on_critical.sum(1)

    def pay(self, cell: int, amounts: Sequence[Floats], seconds: Floats, part: slice) -> None:
        """Note tokens and cost."""
        block, width = self.block, self.block.seconds.shape[1]
        works = [mark.subject for mark in self.variant.graph.works]
        tokens = block.tokens.setdefault(cell, np.empty((4, width)))
        tokens[:, part] = sum((amount[:4] for amount in amounts), np.zeros((4, 1)))
        cost = usd(works, amounts, self.served, seconds)
        if cost is None:
            block.usd[cell] = None
            return
        room = block.usd.setdefault(cell, np.empty((2, width)))
        assert room is not None
        room[:, part] = cost
