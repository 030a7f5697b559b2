"""What is paid for where some of it is cancelled: times and their schedule in, tokens and work done out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import Schedule, round_to_ticks
from planner.timing.durations import OccurrenceTimes, TaskTimes, WorkTotals

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
