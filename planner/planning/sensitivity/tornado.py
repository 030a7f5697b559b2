"""Which estimates drive the p90 of the completion time, from the samples themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import simulate
from planner.engine.statistics import (
    GROUPS,
    Values,
    normal_quantile,
    quantile_interval,
    standard_error,
)
from planner.errors import InputError, Note, Problem
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    of_requests,
    other_tokenizers,
)
from planner.planning.results import Scenario, Seconds
from planner.planning.sensitivity.drivers import (
    CHANCE,
    Driver,
    RecordingSamples,
    Stream,
    Wanted,
    drivers,
)
from planner.planning.sizing import Sizing
from planner.sampling.backends import cores
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import Precision, Progress, Stopping, quiet
from planner.timing.durations import SampleDemands, task_times
from planner.timing.service import ServiceTimes
from planner.workflow.declaration import Workflow

FIFTH = 5
"""Samples are parted into so many equal parts by a driver; the outer two are compared."""

LEAST = 50
"""Samples below which a fifth tells nothing of a p90."""


@dataclass(frozen=True)
class Influence:
    """What a driver does to the completion time.

    p90_low, p90_high : p90 of the fifth of samples in which the least, and the most, was drawn for it; seconds
    swing : the latter less the former, negative where more of it makes the workflow quicker
    swing_error : half of its 95 % interval
    share : of the variance that goes with it in a straight line, the square of the correlation
    share_error : its standard error, None with too few samples
    correlation : Pearson's, of what was drawn and the completion time
    told : whether it can be told from 0: of drivers that have none, one is taken to have some in 5 of 100 analyses
    """

    driver: Driver
    p90_low: float
    p90_high: float
    swing: float
    swing_error: float
    share: float
    share_error: float | None
    correlation: float
    told: bool


@dataclass(frozen=True)
class Sensitivity:
    """Drivers of one scenario: those that can be told from nothing first, among them the widest swing.

    sizes : agents of each crew
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    scenario: Scenario
    sizes: Mapping[str, int]
    seconds: Seconds
    drivers: tuple[Influence, ...]
    notes: tuple[Note, ...]


def sensitivity(workflow: Workflow, *, speed: float = 1.0, agents: int | None = None, crew: str | None = None,
                seed: int = 1, samples: int | None = None, precision: float | None = None,
                max_time: float | None = None, threads: int | None = None,
                progress: Progress = quiet) -> Sensitivity:  # fmt: skip
    """Simulate as a forecast does, on the same draws, and note what is drawn.

    Swings are between samples, so that percentiles of samples decide how many there are.

    Arguments are those of `forecast`. Raises InputError as it does, and for fewer than `LEAST` samples.
    """
    stopping = Stopping(samples, precision, max_time)
    if stopping.most < LEAST:
        message = f"at least {LEAST} are needed to compare fifths of them"
        raise InputError([Problem("bad-value", message, argument="samples")])
    sizing, sizes = Sizing.at(workflow, agents, crew)
    workers = threads or cores()
    plan = Batch.of(workflow, [GridPoint(speed, sizes)], seed, stopping.most, workers)
    wanted = drivers(plan.variants[0].graph, plan.models, plan.layers)
    seconds, found, over = Values(), [np.empty((0, len(wanted)))], dict.fromkeys(plan.models, 0)
    with ThreadPoolExecutor(workers) as pool:
        for look in stopping.looks():
            parts = [(low, min(low + plan.width, look)) for low in range(seconds.count, look, plan.width)]
            for makespan, drawn, exceeding in pool.map(lambda part: _block(plan, wanted, speed, *part), parts):
                seconds.add(makespan)
                found.append(drawn)
                over = {name: count + exceeding[name] for name, count in over.items()}
                progress(seconds.count / look)
            if stopping.late:
                break
            if stopping.may_stop and Precision.of(stopping.target, [seconds]).converged:
                break
    (wait,) = plan.waits
    shown = seconds if wait is None else wait.smoothed(seconds, seed)
    known = Precision.of(stopping.target, [shown])
    kept = np.concatenate(found)[: len(seconds.first)]
    varied = [(driver, kept[:, at]) for at, (driver, _, _) in enumerate(wanted.values()) if np.ptp(kept[:, at])]
    least = _least_correlation(len(varied), len(kept))
    one = [_influence(driver, drawn, seconds.first, least) for driver, drawn in varied]
    ordered = sorted(one, key=lambda item: (not item.told, -abs(item.swing), str(item.driver)))
    count = sizing.agents(sizes)
    remarks = (
        *imprecise(known, seconds.count),
        *declaration_notes(workflow), *other_tokenizers(workflow, plan.models),
        *of_requests(plan.models, {name: many / seconds.count for name, many in over.items() if many}),
    )  # fmt: skip
    return Sensitivity(
        workflow.workflow, seed, seconds.count, known, Scenario(workflow.model or "", speed, count),
        sizes, Seconds.of(shown), tuple(ordered), remarks,
    )  # fmt: skip


def _block(
    plan: Batch, wanted: Wanted, speed: float, low: int, high: int
) -> tuple[Floats, Floats, dict[str, int]]:  # fmt: skip
    """(S,) completion times, (S, drivers) means of what was drawn, and model → samples that exceed its context."""
    samples = RecordingSamples(plan.seed, low, high)
    for stream, (_, estimate, sigma) in wanted.items():
        samples.note(stream, estimate, sigma)
    (variant,) = plan.variants
    served = {name: ServiceTimes.of(model.at(variant.requests), samples) for name, model in plan.models.items()}
    prepared = task_times(variant.graph, served, SampleDemands(samples, plan.layers), speed)
    schedule = simulate(plan.graphs[0], prepared.durations(speed), patience=prepared.patience, away=prepared.away)
    means = samples.means()
    columns = [_column(means, stream, high - low) for stream in wanted]
    over = {name: int(np.sum(most > (plan.models[name].context or np.inf))) for name, most in prepared.largest.items()}
    return schedule.makespan, np.stack(columns, 1) if columns else np.empty((high - low, 0)), over


def _column(means: dict[Stream, Floats], stream: Stream, width: int) -> Floats:
    return means.get(stream, np.zeros(width))


def _least_correlation(count: int, samples: int) -> float:
    """Which the greatest of so many correlations that are none exceeds in 5 of 100 cases (Bonferroni)."""
    if not count:
        return 0.0
    return float(normal_quantile(np.array([1 - 0.025 / count]))[0]) / math.sqrt(samples)


def _influence(driver: Driver, drawn: Floats, seconds: Floats, least_correlation: float) -> Influence:
    order, size = np.argsort(drawn, kind="stable"), len(drawn) // FIFTH
    least, most = seconds[order[:size]], seconds[order[-size:]]
    low, high = float(np.quantile(least, 0.9)), float(np.quantile(most, 0.9))
    half = [(end - start) / 2 for start, end in (quantile_interval(part, 0.9) for part in (least, most))]
    correlation = _correlation(drawn, seconds)
    return Influence(
        driver, low, high, high - low, math.hypot(*half), correlation**2,
        _share_error(drawn, seconds), correlation, abs(correlation) > least_correlation,
    )  # fmt: skip


def _share_error(drawn: Floats, seconds: Floats) -> float | None:
    """Standard error of the squared correlation; None where there are too few samples for groups of two."""
    size = len(drawn) // GROUPS
    if size < 2:
        return None
    parts = [slice(at * size, (at + 1) * size) for at in range(GROUPS)]
    return standard_error(np.array([_correlation(drawn[part], seconds[part]) ** 2 for part in parts]))


def _correlation(drawn: Floats, seconds: Floats) -> float:
    if not np.ptp(drawn) or not np.ptp(seconds):
        return 0.0
    return float(np.corrcoef(drawn, seconds)[0, 1])


def first_to_measure(found: Sequence[Influence]) -> Influence | None:
    """The widest swing of what can be measured: an estimate, a model, or the error of a step's estimates."""
    return next(
        (
            one
            for one in found
            if one.told and one.driver.kind != CHANCE and one.driver.key not in ("jitter", "overall")
        ),
        None,
    )
