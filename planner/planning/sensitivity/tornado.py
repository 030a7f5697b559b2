"""A workflow in; what happens if each number of its file is off, and the influence of each random quantity, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from planner.errors import InputError, Note, Problem
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    of_requests,
    other_tokenizers,
)
from planner.planning.notes.crews import limit_without_effect
from planner.planning.results import Scenario, Seconds, Usd
from planner.planning.sensitivity.base import Base
from planner.planning.sensitivity.dice import Influence, influences
from planner.planning.sensitivity.drivers import drivers
from planner.planning.sensitivity.stated import stated_numbers
from planner.planning.sensitivity.variations import MOST_NUMBERS, Effect, Variations
from planner.planning.sizing import Sizing
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.base_draws import BaseDraws
from planner.sampling.batch import WIDTH, Batch, GridPoint
from planner.sampling.sample import Precision, Progress, Stopping, quiet, sample
from planner.workflow.declaration import Workflow

LEAST = 50
"""Fewest samples to use. A fifth of fewer samples would be too small for a p90."""

NARROW = 128
"""Most samples in a block of a graph with many tasks, so that all threads have work before the first check."""

BASE_SHARE = 0.2
"""Share of the progress bar for the scenario itself."""

OFF = 1.5
"""Default factor by which each number is off."""


@dataclass(frozen=True)
class Sensitivity:
    """The effect of changing each number in a workflow's file, and the influence of each random quantity.

    All effects and influences are for one scenario.

    sizes : number of agents of each crew
    seconds : completion time
    usd : cost; None if a price is unknown
    off : factor by which each number is divided and multiplied; None: no number was changed
    estimates : effects of all numbers. Estimates come first, then numbers that somebody decides; each part is sorted by
        the effect on the p90
    drivers : influences of random quantities. Significant influences come first; each part is sorted by the swing
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    scenario: Scenario
    sizes: Mapping[str, int]
    seconds: Seconds
    usd: Usd | None
    off: float | None
    estimates: tuple[Effect, ...]
    drivers: tuple[Influence, ...]
    notes: tuple[Note, ...]


def sensitivity(workflow: Workflow, *, off: float | None = OFF, speed: float = 1.0,
                agents: int | Mapping[str, int] | None = None, crew: str | None = None, seed: int = 1,
                samples: int | None = None, precision: float | None = None, max_time: float | None = None,
                backend: Backend | None = None, progress: Progress = quiet) -> Sensitivity:  # fmt: skip
    """Return the effect of changing each number in a workflow's file.

    Two changed workflows are simulated for each number, on the same draws. In the first, the number is divided by
    `off`. In the second, it is multiplied by `off`. For a chance, the odds are divided and multiplied instead.

    off : factor, above 1; None: no number is changed, and only the influence of random quantities is returned

    The other arguments are those of `forecast`. Raises InputError as `forecast` does. Also raises InputError if fewer
    than `LEAST` samples are requested.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    if stopping.most < LEAST:
        message = f"at least {LEAST} samples are needed"
        raise InputError([Problem("bad-value", message, argument="samples")])
    sizing, sizes = Sizing.at(workflow, agents, crew)
    batch = Batch.of(workflow, [GridPoint(speed, sizes)], seed, stopping.most, backend.at_once)
    numbers = [] if off is None else stated_numbers(workflow, batch.models)
    simulated = 2 * min(len(numbers), MOST_NUMBERS)  # changed workflows, each as large as the scenario itself
    streams = drivers(batch.groups[0].graph, batch.models, batch.layers)
    # Swings are differences between samples. So plain percentiles, not smoothed ones, decide when samples are enough.
    (wait,), recorded = batch.waits, {stream: each.values for stream, each in streams.items()}
    width = batch.width if batch.width > WIDTH else min(batch.width, NARROW)
    base_draws = BaseDraws(backend.at_once)
    (accumulator,) = sample(
        [replace(batch, waits=(None,), recorded=recorded, width=width, base_draws=base_draws)],
        stopping if max_time is None else replace(stopping, seconds=max_time / (simulated + 2)),
        backend,
        lambda done: progress(BASE_SHARE * done),
    )
    (seconds,) = accumulator.seconds
    seconds.drawn = True  # compute intervals from the samples even if nothing is drawn
    base = Base(ScenarioSamples(accumulator, 0), wait, seed, width, base_draws)
    smoothed = base.all.seconds
    reached = Precision.of(stopping.target, [smoothed])
    variations = Variations(
        base, lambda changed: GridPoint(speed, Sizing.at(changed, agents, crew)[1]), backend, stopping
    )
    effects = variations.effects(numbers, off or OFF, lambda done: progress(BASE_SHARE + (1 - BASE_SHARE) * done))
    remarks = (
        *imprecise(reached, seconds.count), *_left_out(variations, len(numbers)),
        *limit_without_effect(workflow, sizes),
        *declaration_notes(workflow, sizes, batch.models), *other_tokenizers(workflow, batch.models),
        *of_requests(batch.models, accumulator.over_context),
    )  # fmt: skip
    return Sensitivity(
        workflow.workflow, seed, seconds.count, reached, Scenario(workflow.model or "", speed, sizing.total(sizes)),
        sizes, Seconds.of(smoothed), Usd.of(base.samples), off, effects,
        influences(list(streams.values()), accumulator.recorded, seconds.first), remarks,
    )  # fmt: skip


def _left_out(variations: Variations, numbers: int) -> Iterator[Note]:
    """Yield notes on the numbers of the file whose effects are unknown."""
    if variations.cut:
        yield Note("estimates-cut-short")
    if variations.refused:
        yield Note("estimates-refused")
    if numbers > MOST_NUMBERS:
        yield Note("estimates-left-out", {"most": MOST_NUMBERS, "numbers": numbers})
