"""What is on the critical path, and what each step takes: sums over samples of one scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.simulation import TICK, Schedule, round_to_ticks
from planner.expansion.graph.fragments import TaskMap
from planner.expansion.graph.work import Rework, Work
from planner.measures.moments import Mean, Moments, TokenMoments
from planner.timing.cost import Run, usd_of_work
from planner.timing.durations import (
    COORDINATION,
    PARTS,
    PEOPLE,
    TaskTimes,
    length,
)

NANO = 1e-9
"""US dollars that costs are counted in."""


class WorkDetail:
    """Sums over samples of a step, or of a mechanism of its crew. Seconds are counted in ticks: whole numbers, whose
    sums are exact.

    done, seconds : how often it is done, and its work
    critical : seconds on the critical path
    critical_in : samples in which there are any
    billed : of each work, (5,) as in `Totals.billed`
    tokens : input, read from a cache, output
    usd : cost, where prices are known; machines paid by the hour cost steps nothing
    """

    def __init__(self, work: Work) -> None:
        self.step, self.kind = work.step, work.kind
        self.done = Moments(1.0)
        self.seconds = Moments(TICK)
        self.critical = Moments(TICK)
        self.critical_in = Moments(1.0)
        self.billed: dict[Work, Floats] = {}
        self.tokens = TokenMoments()
        self.usd = Moments(NANO)


class Detail:
    """Sums over samples of the parts of the critical path, and of every step. Filled slice by slice."""

    def __init__(self, works: Sequence[TaskMap[Work]], models: Mapping[str, Profile]) -> None:
        """`models`: as they are paid."""
        self.models = models
        rows: dict[tuple[str, str], WorkDetail] = {}
        self.of = [rows.setdefault((mark.subject.step, mark.subject.kind), WorkDetail(mark.subject)) for mark in works]
        self.works = list(rows.values())
        self.parts = [Moments(TICK) for _ in (*PARTS, "waiting")]

    def plus(self, other: Detail) -> None:
        """Add the samples of another, of the same graph."""
        for one, more in zip(self.parts, other.parts, strict=True):
            one.plus(more)
        for row, added in zip(self.works, other.works, strict=True):
            row.done.plus(added.done)
            row.seconds.plus(added.seconds)
            row.critical.plus(added.critical)
            row.critical_in.plus(added.critical_in)
            row.tokens.plus(added.tokens)
            row.usd.plus(added.usd)
            for work, amounts in zip(list(row.billed), added.billed.values(), strict=True):
                row.billed[work] = row.billed[work] + amounts

    @property
    def rows(self) -> list[int]:
        """Of each work of the graph, its place in `works`."""
        return [self.works.index(row) for row in self.of]

    def breakdown(self) -> dict[str, Mean]:
        """Seconds of the critical path by part, and of waiting for an agent."""
        return {part: moments.mean() for part, moments in zip((*PARTS, "waiting"), self.parts, strict=True)}

    def add(
        self,
        times: TaskTimes,
        speed: float,
        schedule: Schedule,
        part: slice,
        durations: Floats,
        billed: Sequence[Floats],
    ) -> Floats:
        """Add the samples `part` of a slice; returns their seconds of coordination on the critical path.

        durations : of these samples as they were scheduled
        billed : of each work and these samples, (5, S)
        """
        paths = [on_path(schedule, times.part(index, speed)[part]) for index in range(len(PARTS))]
        if times.away.size:  # the time that people are away is not part of what a task asks for
            paths[PEOPLE] = schedule.makespan - schedule.waiting - sum(paths[:PEOPLE] + paths[PEOPLE + 1 :])
        for index, seconds in enumerate((*paths, schedule.waiting)):
            self.parts[index].add(seconds)
        width = times.fixed.shape[2]
        done_of, work_of, critical, usd = ({id(row): np.zeros(len(durations)) for row in self.works} for _ in range(4))
        tokens = {id(row): np.zeros((4, len(durations))) for row in self.works}
        for detail, totals, amounts in zip(self.of, times.works, billed, strict=True):
            detail.billed[totals.work] = detail.billed.get(totals.work, np.zeros(5)) + amounts.sum(1)
            tokens[id(detail)] += amounts[:4]
            usd[id(detail)] += usd_of_work(totals.work, amounts, self.models)
            counted = not isinstance(totals.work.body, Rework) or totals.work.body.first
            done_of[id(detail)] += totals.done[part] * counted
            leaves = totals.work.kind == "human" and times.away.size > 0
            for piece in totals.pieces:
                shape = (length(piece.tasks), width)
                seconds = np.broadcast_to(piece.fixed + piece.decode / speed, shape)[:, part]
                if piece.done is not None or leaves:
                    run = Run.of(piece, part, width, durations, schedule)
                    done = np.ones(shape) if piece.done is None else piece.done
                    done_of[id(detail)] -= (done[:, part] * (1 - run.started)).sum(0)
                    seconds = seconds * run.share
                if leaves:
                    took = (schedule.ends - schedule.starts)[:, piece.tasks].T
                    seconds = np.where(np.isnan(took), 0.0, took)
                seconds = round_to_ticks(seconds.T.copy())
                work_of[id(detail)] += seconds.sum(1)
                critical[id(detail)] += (seconds * schedule.critical[:, piece.tasks]).sum(1)
        for row in self.works:
            row.done.add(done_of[id(row)])
            row.seconds.add(work_of[id(row)])
            row.critical.add(critical[id(row)])
            row.critical_in.add((critical[id(row)] > 0).astype(float))
            row.tokens.add(tokens[id(row)])
            row.usd.add(usd[id(row)])
        return paths[COORDINATION]


def on_path(schedule: Schedule, seconds: Floats) -> Floats:
    """(S,) sums of (S, n) `seconds` over the critical path, in ticks, so that no order of summing shows."""
    return np.asarray((round_to_ticks(seconds.copy()) * schedule.critical).sum(1))
