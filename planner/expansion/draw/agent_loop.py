"""The demand of agent loops (docs/model.md, "Agent loops"), computed only where a loop is still going.

A cell is an item in a sample. Cells are taken in the order of their numbers of turns, the most first: those that come
to a turn are then always the first ones, and a turn costs as much as there are of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Turns
from planner.expansion.draw.demand import Demand
from planner.workflow.bodies import AgentLoop

if TYPE_CHECKING:
    from planner.expansion.draw.occurrence import Occurrence

Chosen = slice | NDArray[np.int64]
"""Some of the cells, in their order."""

_SUMMED = ("requests", "prefill", "decode", "input", "cache_read", "output")

AT_ONCE = 8192
"""Draws that the turns of one call make together."""

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
        turns, self.cells = turns[most_first], cells[most_first]
        self.here = everywhere.at(self.cells)
        every = np.arange(int(turns.max(initial=0.0)) + 1)
        self.going: list[int] = np.searchsorted(-turns, -every, side="left").tolist()
        self.sums = {name: np.zeros(len(cells)) for name in (*_SUMMED, "seconds", "calls", "largest", "context")}

    def demand(self, read: Floats) -> Demand:
        """Turn i reads the prompt and all earlier outputs and results; with a cache, only the new part is prefilled.

        read : tokens that the first request reads besides the prompt
        """
        body, caches, ttl = self.body, self.here.service.caches, self.here.service.cache_ttl
        prompt = self.here.draw(body.prompt, "prompt") + np.broadcast_to(read, self.shape).reshape(-1)[self.cells]
        context = fresh = prompt  # `fresh` is what no cache holds yet
        gone = self.drawn(self.used, after=1) if body.tool is not None else None
        for turn, (said, thinking, jitter) in enumerate(self.drawn(self.asked)):
            first, next_ones = slice(self.going[turn]), slice(self.going[turn + 1])
            if turn:
                context, fresh = self.compacted(turn, prompt, context, fresh)
            self.request(first, context, fresh, said, said + thinking, jitter)
            self.sums["context"][first] = context + said
            context, fresh = context[next_ones], said[next_ones]
            if gone is not None and self.going[turn + 1]:
                pause, result, calls = next(gone)
                self.use(next_ones, pause, result, calls)
                fresh = fresh + result
                context = context + fresh
                fresh = np.where(pause > ttl, context, fresh)  # the cache went cold meanwhile
            else:
                context = context + fresh
        found = {name: self.spread(slice(None), value) for name, value in self.sums.items()}
        return Demand(**found, **({"written": found["input"]} if caches else {}))

    def drawn(self, draw: Callable[[Occurrence, Turns], Sequence[Floats]], after: int = 0) -> Iterator[list[Floats]]:
        """What is drawn for each turn, for the cells that come to the turn so many later.

        Turns of few cells are drawn in one call, so many of them that no call makes more than `AT_ONCE` draws.
        """
        counts = self.going[after:-1]
        low = 0
        while low < len(counts):
            high, size = low + 1, counts[low]
            while high < len(counts) and size + counts[high] <= AT_ONCE:
                size += counts[high]
                high += 1
            some = counts[low:high]
            chosen = slice(size) if high == low + 1 else np.concatenate([np.arange(count) for count in some])
            made = draw(self.here.only(chosen), Turns(range(low, high), some))
            values = [np.broadcast_to(one, (size,)) for one in made]
            for end, count in zip(accumulate(some), some, strict=True):
                yield [one[end - count : end] for one in values]
            low = high

    def asked(self, here: Occurrence, turns: Turns) -> tuple[Floats, Floats, Floats]:
        """Tokens of output and of thinking of requests, and their jitter."""
        output, thinking = here.draw(self.body.output, "output", turns), self.body.thinking
        return output, here.draw(thinking, "thinking", turns), here.jitter(turns)

    def used(self, here: Occurrence, turns: Turns) -> tuple[Floats, Floats, Floats]:
        """Seconds of goes of the tool, tokens of all their results, and how many calls they are."""
        assert self.body.tool is not None
        return here.go(self.body.tool, "tool.", turns)

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
        jitter = self.here.only(full).jitter(-turn)
        self.request(full, context[full], fresh[full], summary, summary, jitter, "compaction")
        context, fresh = context.copy(), fresh.copy()
        context[full], fresh[full] = prompt[full] + summary, summary
        return context, fresh

    def request(
        self, at: Chosen, context: Floats, fresh: Floats, said: Floats, decoded: Floats, jitter: Floats, kind: str = ""
    ) -> None:
        """Add one request."""
        uncached = fresh if self.here.service.caches else context
        amounts = (jitter, jitter * uncached, jitter * decoded, uncached, context - uncached, decoded)
        for name, value in zip(_SUMMED, amounts, strict=True):
            self.sums[name][at] += value
        self.sums["largest"][at] = np.maximum(self.sums["largest"][at], context + decoded)
        if self.trace is not None:
            self.note(
                at, kind, prompt=context, uncached=uncached, output=decoded, jitter=jitter, thinking=decoded - said
            )

    def use(self, at: Chosen, seconds: Floats, result: Floats, calls: Floats) -> None:
        """Add one go of the tool."""
        self.sums["seconds"][at] += seconds
        self.sums["calls"][at] += calls
        if self.trace is not None:
            self.note(at, seconds=seconds, calls=calls, result=result)

    def note(self, at: Chosen, kind: str = "", **values: Floats) -> None:
        """Keep what is made, for those who want to see it."""
        from planner.expansion.draw.demand import RequestDraw

        assert self.trace is not None
        spread = {name: self.spread(at, value) for name, value in values.items()}
        self.trace.append(RequestDraw(self.spread(at, np.ones(1)), kind=kind, **spread))

    def spread(self, at: Chosen, values: Floats) -> Floats:
        """Put where it belongs, (rows, samples), with nothing elsewhere."""
        whole = np.zeros(self.shape)
        whole.reshape(-1)[self.cells[at]] = values
        return whole
