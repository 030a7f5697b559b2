"""What work costs: tokens at the price of a model, calls of tools, and hours of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.simulation import Schedule, round_to_ticks
from planner.expansion.graph.work import Work
from planner.timing.durations import OccurrenceTimes, TaskTimes, WorkTotals
from planner.timing.service import ServiceTimes


def usd(
    works: Sequence[Work], billed: Sequence[Floats], served: Mapping[str, ServiceTimes], seconds: Floats
) -> Floats | None:
    """(2, S) cost of (5, S) of each work, of models and of calls of tools, or None where a price is unknown.

    seconds : (S,) completion times, for which machines with a price per hour are paid

    Whole tokens are summed before they are priced, so that no order of summing shows.
    """
    cost: Floats = np.zeros((2, len(seconds)))
    hired = {work.model for work in works if work.model is not None}
    for model in sorted(hired):
        price = served[model].profile.price
        if price is not None and price.per_hour is not None:
            cost[0] += float(price.per_hour) * seconds / 3600.0
    for work, amounts in zip(works, billed, strict=True):
        price = served[work.model].profile.price if work.model is not None else None
        if work.model is not None and price is None:
            return None
        cost[0] += 0.0 if price is None else price.usd(*amounts[:4])
        cost[1] += 0.0 if work.usd is None else float(work.usd) * amounts[4]
    return cost


def usd_of_step(billed: Mapping[Work, Floats], models: Mapping[str, Profile]) -> float | None:
    """Cost of (5,) amounts of each work of a step: tokens at the price of its model, and calls of tools.

    None where machines with a price per hour serve it: they are paid for the whole run, not for steps.
    """
    prices = [models[work.model].price for work in billed if work.model is not None]
    if any(price is not None and price.per_hour is not None for price in prices):
        return None
    return sum(float(usd_of_work(work, amounts, models)) for work, amounts in billed.items())


def usd_of_work(work: Work, amounts: Floats, models: Mapping[str, Profile]) -> Floats:
    """Cost of (5, …) amounts of a work: tokens, where their model has a price for them, and calls of tools."""
    price = models[work.model].price if work.model is not None else None
    cost: Floats = 0.0 * amounts[4] if price is None else price.usd(*amounts[:4])
    return cost if work.usd is None else cost + float(work.usd) * amounts[4]


_CALLS = 4
_OUTPUT = 3


@dataclass(frozen=True, eq=False)
class Run:
    """How far the tasks of a piece got, (rows, S): whether they started, and the share of their time that they ran."""

    started: Floats
    share: Floats

    @classmethod
    def of(cls, piece: OccurrenceTimes, part: slice, whole: int, durations: Floats, schedule: Schedule) -> Run:
        """Of the samples `part` of a piece. `durations`: (S, n) seconds as they were scheduled."""
        starts, ends = schedule.starts[:, piece.tasks].T, schedule.ends[:, piece.tasks].T
        wait = round_to_ticks(np.broadcast_to(piece.wait, (len(piece.wait), whole))[:, part].copy())
        planned, ran = durations[:, piece.tasks].T - wait, ends - starts - wait
        started = ~np.isnan(starts) & ((ran > 0) | (planned <= 0))
        share = np.where(planned > 0, ran / np.where(planned > 0, planned, 1.0), 1.0)
        return cls(started.astype(float), np.where(started, np.clip(share, 0.0, 1.0), 0.0))


def bill_cancelled(times: TaskTimes, part: slice, durations: Floats, schedule: Schedule) -> list[Floats]:
    """(5, S) of each work as in `WorkTotals.billed`, for the samples `part` whose schedule this is.

    A request that is cancelled costs its input in full and its output in proportion to the time it ran, an agent loop
    both in that proportion, a tool its calls in full; what never started costs nothing.
    """
    return [_billed(totals, part, durations, schedule) for totals in times.works]


def _billed(totals: WorkTotals, part: slice, durations: Floats, schedule: Schedule) -> Floats:
    amounts: Floats = totals.billed[:, part]
    for piece in totals.pieces:
        if piece.billed is not None:
            run, whole = Run.of(piece, part, totals.done.size, durations, schedule), piece.billed[:, :, part]
            shares = np.stack([run.share if totals.work.kind == "agent" else run.started] * len(whole))
            shares[_OUTPUT] = run.share
            kept = whole * shares
            kept[:_CALLS] = np.floor(kept[:_CALLS] + 0.5)
            amounts = amounts - (whole - kept).sum(1)
    return amounts
