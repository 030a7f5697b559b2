"""Draws for one occurrence of a `Work`: estimates, jitter and tool calls."""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Samples, Turns
from planner.expansion.draw.demand import Layers, OccurrenceInputs, RequestDraw, ServingTraits
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.conditions import Index, drawn_index, rows
from planner.expansion.graph.work import Work
from planner.reading.estimates.estimate import Estimate
from planner.workflow.bodies import AgentLoop, Call, Tool

CellSelection = slice | NDArray[np.int64]
"""Selects some cells of an occurrence. A cell is a pair of an item and a sample."""

MOST_CALLS = 100.0
"""Draws of `calls` are cut at this number. The 95th percentile of an estimate of `calls` must not exceed it."""


class Occurrence:
    """Draws the quantities of one occurrence of a work, for all items of the innermost fan-out.

    shape : number of items and number of samples
    cells : number of items if everything is drawn. To draw only for some pairs of an item and a sample, it is an array
        of their positions in the random streams
    trace : requests and tool calls of the occurrence; None: not recorded
    item : index of the first item that is done in sample 0; None: no item is done. Set only if `trace` is recorded
    """

    def __init__(
        self,
        samples: Samples,
        layers: Layers,
        work: Work,
        service: ServingTraits,
        index: Index,
        inputs: OccurrenceInputs,
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
        self.inputs = inputs
        self.item: int | None = None
        self.trace: list[RequestDraw] | None = [] if traced else None
        self.size = inputs.size
        self.error = layers.error(samples, self.path)

    def at(self, cells: NDArray[np.int64]) -> Occurrence:
        """Return a copy of this occurrence that draws only for some cells. A cell is a pair of an item and a sample.

        The drawn values stay the same. A draw is an array (cells,), or (1,) if all values are equal.

        cells : positions in the flattened array (items, samples)
        """

        def flat(values: Floats | None) -> Floats | None:
            return None if values is None else np.broadcast_to(values, self.shape).reshape(-1)[cells]

        other = copy(self)
        other.cells = self.samples.cells(self.shape[0]).reshape(-1)[cells]
        other.size, other.error = flat(self.size), flat(self.error)
        return other

    def only(self, chosen: CellSelection) -> Occurrence:
        """Return a copy of this occurrence that draws only for some of its cells. The drawn values stay the same.

        A cell is a pair of an item and a sample. This occurrence must already draw for a list of cells, as `at` returns
        it.

        chosen : positions in that list
        """
        assert not isinstance(self.cells, int)
        other = copy(self)
        other.cells = self.cells[chosen]
        other.size = None if self.size is None else self.size[chosen]
        other.error = None if self.error is None else self.error[chosen]
        return other

    def constant(self, value: float) -> Floats:
        """Return an array that contains `value` once. It has as many dimensions as the draws of this occurrence."""
        return np.full((1, 1) if isinstance(self.cells, int) else (1,), value)

    def tool_calls(self, tool: Tool | Call, prefix: str, *turn: int | Turns) -> tuple[Floats, Floats, Floats]:
        """Draw concurrent calls of a tool. Return seconds, result tokens and number of calls.

        The seconds are those of the longest call. The tokens are those of all results together.

        prefix : first part of the names of the draws
        turn : turn or turns of the agent loop that calls the tool; empty: the tool is a step
        """
        calls = np.minimum(self.draw(tool.calls, prefix + "calls", *turn), MOST_CALLS)
        results = tool.result if isinstance(tool, Tool) else None
        seconds = self.draw(tool.time, prefix + "time", *turn)
        result = self.constant(0.0) if results is None else self.draw(results, prefix + "result", *turn)
        for call in range(1, int(calls.max())):
            active = calls > call
            seconds = np.maximum(seconds, active * self.draw(tool.time, prefix + "time", *turn, call))
            if results is not None:
                result = result + active * self.draw(results, prefix + "result", *turn, call)
        return seconds, result, calls

    def jitter(self, *turn: int | Turns) -> Floats:
        """Draw the jitter of requests: a lognormal factor with median 1 on the time of each request."""
        if self.service.jitter == 0:
            return self.constant(1.0)
        return np.exp(
            self.service.jitter * self.samples.normal(self.cells, self.path, "jitter", self.occurrence + turn)
        )

    def ratio(self, estimate: Estimate) -> float:
        """Return the number of tokens of the model for each token of the estimate."""
        if estimate.counted:
            return self.service.tokens
        return 1.0 if estimate.own else self.work.ratio

    def draw(self, estimate: Estimate, purpose: str, *turn: int | Turns) -> Floats:
        """Return draws of an estimate, (items, samples), or (1, 1) if all draws are equal.

        If this occurrence draws only for some pairs of an item and a sample, the shape is (pairs,) or (1,) instead.

        Draws are multiplied by up to three factors:

        - The size of the item applies to turns of an agent loop, to tokens of a single request, and to times of a tool
          step with `sized: true`.
        - The error of estimates applies to tokens and tool times that are declared as ranges.
        - The ratio of tokenizers applies to tokens that were counted with another tokenizer.
        """
        factor: Floats | float | None = None
        counts = purpose == "turns" or purpose.endswith("calls")
        if isinstance(self.body, AgentLoop):
            sized = purpose == "turns"
        else:
            sized = not counts and not self.human and (not isinstance(self.body, Call) or self.body.sized)
        if self.size is not None and sized:
            factor = self.size
        if self.error is not None and estimate.varies and not self.human and not counts:
            factor = self.error if factor is None else factor * self.error
        ratio = self.ratio(estimate) if estimate.whole and not counts else 1.0
        if ratio != 1:
            factor = ratio if factor is None else factor * ratio
        return draw_estimate(estimate, self.samples, self.cells, self.path, purpose, self.occurrence + turn, factor)
