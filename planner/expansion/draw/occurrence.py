"""The demand of one occurrence of a work, drawn.

Every equation here stands in docs/model.md, "Requests", "Agent loops", "Tools" and "Threads", in the same words.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Cells, Samples, Turns
from planner.expansion.draw.agent_loop import Chosen, Loop
from planner.expansion.draw.demand import NONE, Demand, Layers, OccurrenceInputs, RequestDraw, ServingTraits
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.loops import Index, drawn_index, rows
from planner.expansion.graph.work import Stagger, Syncing, Work
from planner.reading.estimates.estimate import Estimate
from planner.workflow.bodies import (
    AgentLoop,
    Call,
    Llm,
    Tool,
    Wait,
)
from planner.workflow.crews import Merge, Message

MOST_CALLS = 100.0
"""Draws of `calls` are cut here, likewise."""


class Occurrence:
    """Draws for one occurrence of a work, for all items.

    trace : what it asks for, one by one, if that is kept (`traced`)
    item : the first for which it is done, in the first sample
    """

    def __init__(
        self,
        samples: Samples,
        layers: Layers,
        work: Work,
        service: ServingTraits,
        index: Index,
        around: OccurrenceInputs,
        traced: bool = False,
    ) -> None:
        self.samples = samples
        self.work = work
        self.path = f"{work.step}/{work.kind}"
        self.body = work.body
        self.service = service
        self.shape = rows(work.loops), len(samples)
        self.cells: int | Cells = self.shape[0]
        self.occurrence = drawn_index(index)
        self.human = work.kind == "human"
        self.around = around
        self.item: int | None = None
        self.trace: list[RequestDraw] | None = [] if traced else None
        self.size = around.size
        self.error = layers.error(samples, self.path)

    def demand(self, active: Bools | None = None) -> Demand:
        """What it asks for; of an agent loop where it is `active`, and nothing elsewhere."""
        body = self.body
        if isinstance(body, AgentLoop):
            return Loop(body, self, active).demand(self.around.read)
        if isinstance(body, Llm):
            return self.single(body)
        if isinstance(body, Call):
            seconds, _, calls = self.go(body, "")
            if self.trace is not None:
                self.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds, calls=calls))
            return Demand(seconds=seconds, calls=calls)
        if isinstance(body, Wait):
            seconds = self.draw(body.time, "time")
            if self.trace is not None:
                self.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds))
            return Demand(seconds=seconds)
        if isinstance(body, Message):
            return self.request(self.draw(body.input, "input"), NONE, self.draw(body.output, "output"))
        if isinstance(body, Merge):
            seconds = self.draw(body.time, "time")
            if self.trace is not None and (seconds.any() or not body.asks):
                self.trace.append(RequestDraw(np.ones((1, 1)), seconds=seconds))
            if not body.asks:
                return Demand(seconds=seconds)
            request = self.request(self.draw(body.input, "input"), NONE, self.draw(body.output, "output"))
            return replace(request, seconds=seconds)
        if isinstance(body, Syncing):
            message = self.draw(body.output, "output")
            agents = self.around.agents
            return self.request((agents - 1) * message, NONE, message).times(agents / body.every)
        if isinstance(body, Stagger):
            return Demand(seconds=body.seconds * np.arange(float(self.shape[0]))[:, None])
        return self.request(self.around.read, NONE, NONE)

    def request(self, prompt: Floats, cached: Floats, output: Floats, thinking: Floats = NONE) -> Demand:
        """One request: T = jitter · (TTFT + uncached / prefill speed + output / output speed)."""
        jitter = self.jitter()
        uncached = prompt - cached
        if self.trace is not None:
            self.trace.append(RequestDraw(np.ones((1, 1)), prompt, uncached, output, jitter, thinking=thinking))
        return Demand(
            requests=jitter,
            prefill=jitter * uncached,
            decode=jitter * output,
            input=uncached,
            cache_read=cached,
            output=output,
            largest=prompt + output,
        )

    def single(self, body: Llm) -> Demand:
        """A request that appends to the context that it continues, if any."""
        prompt = self.around.context + self.draw(body.input, "input") + self.around.read
        cached = NONE
        if self.service.caches:
            known = self.around.context * self.around.warm + self.draw(body.cached, "cached")
            cached = np.minimum(known, prompt)
        said = self.draw(body.output, "output")
        thinking = self.draw(body.thinking, "thinking")
        demand = self.request(prompt, cached, thinking + said, thinking)
        written = demand.input if self.work.continued and self.service.caches else NONE
        return replace(demand, written=written, context=prompt + said)

    def at(self, cells: NDArray[np.int64]) -> Occurrence:
        """The same for some cells, by their positions in (rows, samples): draws are (m,) then, or (1,)."""

        def flat(values: Floats | None) -> Floats | None:
            return None if values is None else np.broadcast_to(values, self.shape).reshape(-1)[cells]

        other = copy(self)
        other.cells = self.samples.cells(self.shape[0]).reshape(-1)[cells]
        other.size, other.error = flat(self.size), flat(self.error)
        return other

    def only(self, chosen: Chosen) -> Occurrence:
        """Some of some cells."""
        assert not isinstance(self.cells, int)
        other = copy(self)
        other.cells = self.cells[chosen]
        other.size = None if self.size is None else self.size[chosen]
        other.error = None if self.error is None else self.error[chosen]
        return other

    def constant(self, value: float) -> Floats:
        """Of the number of dimensions that draws have."""
        return np.full((1, 1) if isinstance(self.cells, int) else (1,), value)

    def go(self, tool: Tool | Call, prefix: str, *turn: int | Turns) -> tuple[Floats, Floats, Floats]:
        """Calls at the same time: seconds of the longest, tokens of all results, and how many there are."""
        calls = np.minimum(self.draw(tool.calls, prefix + "calls", *turn), MOST_CALLS)
        results = tool.result if isinstance(tool, Tool) else None
        seconds = self.draw(tool.time, prefix + "time", *turn)
        result = self.constant(0.0) if results is None else self.draw(results, prefix + "result", *turn)
        for call in range(1, int(calls.max())):
            made = calls > call
            seconds = np.maximum(seconds, made * self.draw(tool.time, prefix + "time", *turn, call))
            if results is not None:
                result = result + made * self.draw(results, prefix + "result", *turn, call)
        return seconds, result, calls

    def jitter(self, *turn: int | Turns) -> Floats:
        """A lognormal factor with median 1."""
        if self.service.jitter == 0:
            return self.constant(1.0)
        return np.exp(
            self.service.jitter * self.samples.normal(self.cells, self.path, "jitter", self.occurrence + turn)
        )

    def ratio(self, estimate: Estimate) -> float:
        """Tokens of the model for each of the estimate."""
        if estimate.counted:
            return self.service.tokens
        return 1.0 if estimate.own else self.work.ratio

    def draw(self, estimate: Estimate, purpose: str, *turn: int | Turns) -> Floats:
        """The estimate's quantity, (1, 1) if it is known exactly, else (rows, samples).

        An item's size multiplies the turns of agent loops, and the tokens and tool times of other steps; the error of
        estimates multiplies tokens and tool times that are ranges; the ratio of tokenizers, tokens of another one.
        """
        factor: Floats | float | None = None
        counts = purpose == "turns" or purpose.endswith("calls")
        sized = purpose == "turns" if isinstance(self.body, AgentLoop) else not counts
        if self.size is not None and not self.human and sized:
            factor = self.size
        if self.error is not None and estimate.varies and not self.human and not counts:
            factor = self.error if factor is None else factor * self.error
        ratio = self.ratio(estimate) if estimate.whole and not counts else 1.0
        if ratio != 1:
            factor = ratio if factor is None else factor * ratio
        return draw_estimate(estimate, self.samples, self.cells, self.path, purpose, self.occurrence + turn, factor)
