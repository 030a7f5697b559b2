"""The demand of agent loops (docs/model.md, "Agent loops"), computed only where a loop is still going.

A cell is an item in a sample. Cells are taken in the order of their numbers of turns, the most first: those that come
to a turn are then always the first ones, and a turn costs as much as there are of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from planner.expansion.demand import Bools, Demand, Floats
from planner.workflow.bodies import AgentLoop

if TYPE_CHECKING:
    from planner.expansion.occurrence import Occurrence

Chosen = slice | NDArray[np.int64]
"""Some of the cells, in their order."""

_SUMMED = ("requests", "prefill", "decode", "input", "cache_read", "output")

MOST_TURNS = 1000.0
"""Draws of `turns` are cut here; an estimate's 95th percentile may be no larger."""


class Loop:
    """An agent loop at one occurrence of it, where it is done."""

    def __init__(self, body: AgentLoop, everywhere: Occurrence, active: Bools | None) -> None:
        self.body = body
        self.shape = everywhere.shape
        self.trace = everywhere.trace
        done = np.ones((1, 1), bool) if active is None else active
        cells = np.flatnonzero(np.broadcast_to(done, self.shape))
        turns = np.minimum(everywhere.at(cells).draw(body.turns, "turns"), MOST_TURNS)
        turns = np.broadcast_to(turns, cells.shape)
        most_first = np.argsort(-turns, kind="stable")
        self.turns, self.cells = turns[most_first], cells[most_first]
        self.here = everywhere.at(self.cells)
        self.sums = {name: np.zeros(len(cells)) for name in (*_SUMMED, "seconds", "calls", "largest", "context")}

    def demand(self, read: Floats) -> Demand:
        """Turn i reads the prompt and all earlier outputs and results; with a cache, only the new part is prefilled.

        read : tokens that the first request reads besides the prompt
        """
        body, caches, ttl = self.body, self.here.service.caches, self.here.service.cache_ttl
        prompt = self.here.draw(body.prompt, "prompt") + np.broadcast_to(read, self.shape).reshape(-1)[self.cells]
        context = fresh = prompt  # `fresh` is what no cache holds yet
        turn, going = 0, len(self.cells)
        while going:
            if turn:
                context, fresh = self.compacted(turn, prompt, context, fresh)
            first = slice(going)
            here = self.here.only(first)
            said = np.broadcast_to(here.draw(body.output, "output", turn), (going,))
            self.request(first, turn, context, fresh, said, said + here.draw(body.thinking, "thinking", turn))
            self.sums["context"][first] = context + said
            turn, going = turn + 1, self.reaching(turn + 1)
            context, fresh = context[:going], said[:going]
            if body.tool is not None and going:
                pause, result = self.used(slice(going), turn - 1)
                fresh = fresh + result
                context = context + fresh
                fresh = np.where(pause > ttl, context, fresh)  # the cache went cold meanwhile
            else:
                context = context + fresh
        found = {name: self.spread(slice(None), value) for name, value in self.sums.items()}
        return Demand(**found, **({"written": found["input"]} if caches else {}))

    def reaching(self, turn: int) -> int:
        """How many cells come to a turn, from 0."""
        return int(np.searchsorted(-self.turns, -turn, side="left"))

    def compacted(self, turn: int, prompt: Floats, context: Floats, fresh: Floats) -> tuple[Floats, Floats]:
        """Context, and what of it is fresh, after requests that sum up where it is too long."""
        if self.body.compaction is None or self.body.context_limit is None:
            return context, fresh
        full = np.flatnonzero(context > self.body.context_limit)
        if not full.size:
            return context, fresh
        summary = np.broadcast_to(
            self.here.only(full).draw(self.body.compaction.output, "compaction", turn), full.shape
        )
        self.request(full, -turn, context[full], fresh[full], summary, summary)
        context, fresh = context.copy(), fresh.copy()
        context[full], fresh[full] = prompt[full] + summary, summary
        return context, fresh

    def request(self, at: Chosen, number: int, context: Floats, fresh: Floats, said: Floats, decoded: Floats) -> None:
        """Add one request."""
        jitter = self.here.only(at).jitter(number)
        uncached = fresh if self.here.service.caches else context
        amounts = (jitter, jitter * uncached, jitter * decoded, uncached, context - uncached, decoded)
        for name, value in zip(_SUMMED, amounts, strict=True):
            self.sums[name][at] += value
        self.sums["largest"][at] = np.maximum(self.sums["largest"][at], context + decoded)
        if self.trace is not None:
            what = "compaction" if number < 0 else ""
            self.note(
                at, what, prompt=context, uncached=uncached, output=decoded, jitter=jitter, thinking=decoded - said
            )

    def used(self, at: slice, turn: int) -> tuple[Floats, Floats]:
        """Seconds and tokens of the results of a go of the tool."""
        assert self.body.tool is not None
        seconds, result, calls = self.here.only(at).go(self.body.tool, "tool.", turn)
        self.sums["seconds"][at] += seconds
        self.sums["calls"][at] += calls
        if self.trace is not None:
            self.note(at, seconds=seconds, calls=calls, result=result)
        return seconds, result

    def note(self, at: Chosen, what: str = "", **values: Floats) -> None:
        """Keep what is made, for those who want to see it."""
        from planner.expansion.occurrence import Asked

        assert self.trace is not None
        spread = {name: self.spread(at, value) for name, value in values.items()}
        self.trace.append(Asked(self.spread(at, np.ones(1)), what=what, **spread))

    def spread(self, at: Chosen, values: Floats) -> Floats:
        """Put where it belongs, (rows, samples), with nothing elsewhere."""
        whole = np.zeros(self.shape)
        whole.reshape(-1)[self.cells[at]] = values
        return whole
