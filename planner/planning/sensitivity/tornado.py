"""A workflow in, its random quantities out, in the order of their influence on the p90 of the completion time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.statistics import (
    GROUPS,
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
from planner.planning.sensitivity.drivers import CHANCE, Driver, drivers
from planner.planning.sizing import Sizing
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import Precision, Progress, Stopping, quiet, sample
from planner.workflow.declaration import Workflow

FIFTH = 5
"""Number of equal parts into which samples are divided, sorted by a driver's draws. The first and last are compared."""

LEAST = 50
"""Fewest samples to use. A fifth of fewer samples would be too small for a p90."""


@dataclass(frozen=True)
class Influence:
    """The influence of a random quantity on the completion time.

    p90_low : p90 in seconds of the fifth of samples in which the quantity's draws are lowest
    p90_high : p90 in seconds of the fifth of samples in which the quantity's draws are highest
    swing : `p90_high − p90_low`; negative if higher draws make the workflow faster
    swing_error : half the width of the 95% interval of `swing`
    share : share of the variance of completion times that the quantity explains, `correlation ** 2`
    share_error : standard error of `share`; None if there are too few samples
    correlation : Pearson's correlation of draws and completion times
    told : whether `correlation` is significant, at the 5% level for all quantities together
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
    """The influence of each random quantity on the completion time of one scenario.

    sizes : number of agents of each crew
    seconds : completion time
    drivers : sorted influences. Significant influences come first, and larger swings come before smaller swings.
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
                max_time: float | None = None, backend: Backend | None = None,
                progress: Progress = quiet) -> Sensitivity:  # fmt: skip
    """Estimate how each random quantity of a workflow influences the completion time.

    The arguments are those of `forecast`. Raises InputError as `forecast` does. Also raises InputError if fewer than
    `LEAST` samples are requested.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    if stopping.most < LEAST:
        message = f"at least {LEAST} samples are needed"
        raise InputError([Problem("bad-value", message, argument="samples")])
    sizing, sizes = Sizing.at(workflow, agents, crew)
    batch = Batch.of(workflow, [GridPoint(speed, sizes)], seed, stopping.most, backend.at_once)
    streams = drivers(batch.groups[0].graph, batch.models, batch.layers)
    # Swings are differences between samples. So plain percentiles, not smoothed ones, decide when samples are enough.
    (wait,), recorded = batch.waits, {stream: each.values for stream, each in streams.items()}
    (accumulator,) = sample([replace(batch, waits=(None,), recorded=recorded)], stopping, backend, progress)
    (seconds,) = accumulator.seconds
    seconds.drawn = True  # compute intervals from the samples even if nothing is drawn
    smoothed = seconds if wait is None else wait.smoothed(seconds, seed)
    reached = Precision.of(stopping.target, [smoothed])
    draws = accumulator.recorded
    varied = [
        (each.driver, draws[:, column]) for column, each in enumerate(streams.values()) if np.ptp(draws[:, column])
    ]
    least = _significant_correlation(len(varied), len(draws))
    influences = [_influence(driver, drawn, seconds.first, least) for driver, drawn in varied]
    influences.sort(key=lambda influence: (not influence.told, -abs(influence.swing), str(influence.driver)))
    remarks = (
        *imprecise(reached, seconds.count),
        *declaration_notes(workflow, sizes), *other_tokenizers(workflow, batch.models),
        *of_requests(batch.models, accumulator.over_context),
    )  # fmt: skip
    return Sensitivity(
        workflow.workflow, seed, seconds.count, reached, Scenario(workflow.model or "", speed, sizing.agents(sizes)),
        sizes, Seconds.of(smoothed), tuple(influences), remarks,
    )  # fmt: skip


def _significant_correlation(drivers: int, samples: int) -> float:
    """Return the least absolute correlation that is significant at the 5% level.

    With several random quantities, Bonferroni's correction divides the level by their number.
    """
    if not drivers:
        return 0.0
    return float(normal_quantile(np.array([1 - 0.025 / drivers]))[0]) / math.sqrt(samples)


def _influence(driver: Driver, drawn: Floats, seconds: Floats, least_correlation: float) -> Influence:
    """Return the influence of a random quantity on the completion time.

    drawn : draws of the quantity, (samples,)
    seconds : completion times, (samples,)
    least_correlation : least absolute correlation that is significant
    """
    order, size = np.argsort(drawn, kind="stable"), len(drawn) // FIFTH
    lowest, highest = seconds[order[:size]], seconds[order[-size:]]
    low, high = float(np.quantile(lowest, 0.9)), float(np.quantile(highest, 0.9))
    half = [(end - start) / 2 for start, end in (quantile_interval(fifth, 0.9) for fifth in (lowest, highest))]
    correlation = _correlation(drawn, seconds)
    return Influence(
        driver, low, high, high - low, math.hypot(*half), correlation**2,
        _share_error(drawn, seconds), correlation, abs(correlation) > least_correlation,
    )  # fmt: skip


def _share_error(drawn: Floats, seconds: Floats) -> float | None:
    """Return the standard error of the squared correlation of `drawn` and `seconds`.

    Return None if there are too few samples.
    """
    size = len(drawn) // GROUPS
    if size < 2:
        return None
    groups = [slice(number * size, (number + 1) * size) for number in range(GROUPS)]
    return standard_error(np.array([_correlation(drawn[group], seconds[group]) ** 2 for group in groups]))


def _correlation(drawn: Floats, seconds: Floats) -> float:
    if not np.ptp(drawn) or not np.ptp(seconds):
        return 0.0
    return float(np.corrcoef(drawn, seconds)[0, 1])


def first_to_measure(influences: Sequence[Influence]) -> Influence | None:
    """Return the influence of the quantity that the user should measure first.

    This is the first significant influence. Chances, jitter, and the error that all steps share are skipped, because
    they cannot be measured. Return None if no influence is left.

    influences : in the order of `Sensitivity.drivers`
    """
    return next(
        (
            influence
            for influence in influences
            if influence.told and influence.driver.kind != CHANCE and influence.driver.key not in ("jitter", "overall")
        ),
        None,
    )
