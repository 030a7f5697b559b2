"""The demand of an agent loop, computed turn by turn (docs/model.md, "Agent loops").

A cell is a pair of an item and a sample. Cells are sorted by their number of turns, largest first. So the cells that
reach a turn are always the first ones, and only these cells are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Turns
from planner.expansion.draw.demand import Demand, RequestDraw
from planner.expansion.draw.occurrence import CellSelection, Occurrence
from planner.workflow.bodies import AgentLoop

_SUMMED = ("requests", "prefill", "decode", "input", "cache_read", "output")

AT_ONCE = 8192
"""Largest number of draws in one call that covers several turns."""

MOST_TURNS = 1000.0
"""Draws of `turns` are cut at this number. The 95th percentile of an estimate of `turns` must not exceed it."""


class AgentLoopDemand:
    """Computes the demand of one occurrence of an agent loop.

    active : mask (items, samples). The demand is only computed where it is true, and is 0 elsewhere; None: everywhere
    """

    def __init__(self, body: AgentLoop, occurrence: Occurrence, active: Bools | None) -> None:
        self.body = body
        self.shape = occurrence.shape
        self.trace = occurrence.trace
        done = np.ones((1, 1), bool) if active is None else active
        cells = np.flatnonzero(np.broadcast_to(done, self.shape))
        turns = np.minimum(occurrence.at(cells).draw(body.turns, "turns"), MOST_TURNS)
        turns = np.broadcast_to(turns, cells.shape)
        most_first = np.argsort(-turns, kind="stable")
        turns, self.cells = turns[most_first], cells[most_first]
        self.draws = occurrence.at(self.cells)
        numbers = np.arange(int(turns.max(initial=0.0)) + 1)
        self.reaching: list[int] = np.searchsorted(-turns, -numbers, side="left").tolist()  # cells that reach turn i
        self.sums = {name: np.zeros(len(cells)) for name in (*_SUMMED, "seconds", "calls", "largest", "context")}

    def demand(self, read: Floats) -> Demand:
        """Return the demand of all turns together.

        Every turn reads the prompt, and all earlier outputs and tool results. If prompts are cached, only new tokens
        are prefilled.

        read : tokens of a brief, which are added to the prompt
        """
        body, caches, ttl = self.body, self.draws.service.caches, self.draws.service.cache_ttl
        prompt = self.draws.draw(body.prompt, "prompt") + np.broadcast_to(read, self.shape).reshape(-1)[self.cells]
        context = uncached = prompt
        tool_calls = self.per_turn(self.draw_calls, after=1) if body.tool is not None else None
        for turn, (output, thinking, jitter) in enumerate(self.per_turn(self.draw_request)):
            cells, next_cells = slice(self.reaching[turn]), slice(self.reaching[turn + 1])
            if turn:
                context, uncached = self.compacted(turn, prompt, context, uncached)
            self.add_request(cells, context, uncached, output, output + thinking, jitter)
            self.sums["context"][cells] = context + output
            context, uncached = context[next_cells], output[next_cells]
            if tool_calls is not None and self.reaching[turn + 1]:
                seconds, result, calls = next(tool_calls)
                self.add_calls(next_cells, seconds, result, calls)
                uncached = uncached + result
                context = context + uncached
                uncached = np.where(seconds > ttl, context, uncached)  # the cache expired during the calls
            else:
                context = context + uncached
        sums = {name: self.scattered(slice(None), value) for name, value in self.sums.items()}
        return Demand(**sums, **({"written": sums["input"]} if caches else {}))

    def per_turn(self, draw: Callable[[Occurrence, Turns], Sequence[Floats]], after: int = 0) -> Iterator[list[Floats]]:
        """Yield the draws of each turn, for all cells that reach the turn. A cell is a pair of an item and a sample.

        To save time, one call of `draw` may make the draws of several turns.

        draw : function that makes draws for certain cells and turns
        after : 0: draw for all cells that reach the turn; 1: draw only for cells that also reach the next turn
        """
        counts = self.reaching[after:-1]
        low = 0
        while low < len(counts):
            high, size = low + 1, counts[low]
            while high < len(counts) and size + counts[high] <= AT_ONCE:
                size += counts[high]
                high += 1
            chunk = counts[low:high]
            cells = slice(size) if high == low + 1 else np.concatenate([np.arange(count) for count in chunk])
            drawn = draw(self.draws.only(cells), Turns(range(low, high), chunk))
            values = [np.broadcast_to(value, (size,)) for value in drawn]
            for end, count in zip(accumulate(chunk), chunk, strict=True):
                yield [value[end - count : end] for value in values]
            low = high

    def draw_request(self, draws: Occurrence, turns: Turns) -> tuple[Floats, Floats, Floats]:
        """Return the output tokens, the thinking tokens and the jitter of the requests in these turns."""
        output, thinking = draws.draw(self.body.output, "output", turns), self.body.thinking
        return output, draws.draw(thinking, "thinking", turns), draws.jitter(turns)

    def draw_calls(self, draws: Occurrence, turns: Turns) -> tuple[Floats, Floats, Floats]:
        """Return the seconds, the result tokens and the number of tool calls in these turns."""
        assert self.body.tool is not None
        return draws.tool_calls(self.body.tool, "tool.", turns)

    def compacted(self, turn: int, prompt: Floats, context: Floats, uncached: Floats) -> tuple[Floats, Floats]:
        """Return two numbers of tokens after compaction: those of the context, and those of its uncached part.

        A context above the limit is replaced by the prompt and a summary. One more request writes the summary. A
        context within the limit stays the same.
        """
        if self.body.compaction is None or self.body.context_limit is None:
            return context, uncached
        full = np.flatnonzero(context > self.body.context_limit)
        if not full.size:
            return context, uncached
        draws = self.draws.only(full)
        summary = np.broadcast_to(draws.draw(self.body.compaction.output, "compaction", turn), full.shape)
        jitter = draws.jitter(-turn)
        self.add_request(full, context[full], uncached[full], summary, summary, jitter, "compaction")
        context, uncached = context.copy(), uncached.copy()
        context[full], uncached[full] = prompt[full] + summary, summary
        return context, uncached

    def add_request(
        self,
        cells: CellSelection,
        context: Floats,
        new: Floats,
        output: Floats,
        decoded: Floats,
        jitter: Floats,
        kind: str = "",
    ) -> None:
        """Add the tokens and the jitter of one request to the loop's totals in these cells.

        A cell is a pair of an item and a sample. Jitter is a random factor on a request's time.

        context : tokens of the whole prompt
        new : tokens of the prompt that no earlier request contained. If the profile caches prompts, only these are
            prefilled
        output : output tokens without thinking
        decoded : output tokens with thinking
        kind : ``compaction`` for the request of a compaction, else empty
        """
        uncached = new if self.draws.service.caches else context
        amounts = (jitter, jitter * uncached, jitter * decoded, uncached, context - uncached, decoded)
        for name, value in zip(_SUMMED, amounts, strict=True):
            self.sums[name][cells] += value
        self.sums["largest"][cells] = np.maximum(self.sums["largest"][cells], context + decoded)
        if self.trace is not None:
            thinking = decoded - output
            self.record(
                cells, kind, prompt=context, uncached=uncached, output=decoded, jitter=jitter, thinking=thinking
            )

    def add_calls(self, cells: CellSelection, seconds: Floats, result: Floats, calls: Floats) -> None:
        """Add the tool calls of one turn to the totals of these cells. A cell is a pair of an item and a sample."""
        self.sums["seconds"][cells] += seconds
        self.sums["calls"][cells] += calls
        if self.trace is not None:
            self.record(cells, seconds=seconds, calls=calls, result=result)

    def record(self, cells: CellSelection, kind: str = "", **values: Floats) -> None:
        """Append one request, or the tool calls of one turn, to the trace of the occurrence."""
        assert self.trace is not None
        arrays = {name: self.scattered(cells, value) for name, value in values.items()}
        self.trace.append(RequestDraw(self.scattered(cells, np.ones(1)), kind=kind, **arrays))

    def scattered(self, cells: CellSelection, values: Floats) -> Floats:
        """Return an array (items, samples) with `values` in these cells, and 0 in all other cells."""
        whole = np.zeros(self.shape)
        whole.reshape(-1)[self.cells[cells]] = values
        return whole
