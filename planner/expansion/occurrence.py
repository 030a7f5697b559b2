"""The demand of one occurrence of a work, drawn.

Every equation here stands in docs/model.md, "Requests", "Agent loops", "Tools" and "Threads", in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from planner.engine.draws import Samples
from planner.expansion.demand import NONE, Demand, Floats, Layers, Service, nothing
from planner.expansion.distributions import drawn
from planner.expansion.loops import Index, drawn_index, rows
from planner.expansion.work import Stagger, Syncing, Work
from planner.reading.estimates import Estimate
from planner.workflow.bodies import AgentLoop, Call, Llm, Tool, Wait
from planner.workflow.crews import Merge, Message

MOST_TURNS = 1000.0
"""Draws of `turns` are cut here; an estimate's 95th percentile may be no larger."""

MOST_CALLS = 100.0
"""Draws of `calls` are cut here, likewise."""


@dataclass(frozen=True, eq=False)
class Around:
    """What an occurrence takes from elsewhere, in tokens unless said otherwise.

    size : of its item, or None
    read : a brief, or a report, that its first request reads
    context : that its request continues
    warm : where that context is in the cache
    agents : that the crew keeps busy
    """

    size: Floats | None = None
    read: Floats = field(default_factory=nothing)
    context: Floats = field(default_factory=nothing)
    warm: Floats = field(default_factory=nothing)
    agents: Floats = field(default_factory=nothing)


@dataclass(frozen=True, eq=False)
class Asked:
    """One request of an occurrence, or one go of its tool: what its demand is the sum of. (rows or 1, samples or 1).

    going : where it is made
    result : tokens that come back from the calls
    thinking : those of `output` that are not read again
    what : ``compaction``, or nothing to say
    """

    going: Floats
    prompt: Floats = field(default_factory=nothing)
    uncached: Floats = field(default_factory=nothing)
    output: Floats = field(default_factory=nothing)
    jitter: Floats = field(default_factory=nothing)
    seconds: Floats = field(default_factory=nothing)
    calls: Floats = field(default_factory=nothing)
    result: Floats = field(default_factory=nothing)
    thinking: Floats = field(default_factory=nothing)
    what: str = ""


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
        service: Service,
        index: Index,
        around: Around,
        traced: bool = False,
    ) -> None:
        self.samples = samples
        self.work = work
        self.path = f"{work.step}/{work.kind}"
        self.body = work.body
        self.service = service
        self.rows = rows(work.loops)
        self.occurrence = drawn_index(index)
        self.human = work.kind == "human"
        self.around = around
        self.item: int | None = None
        self.trace: list[Asked] | None = [] if traced else None
        self.error = layers.error(samples, self.path)

    def demand(self) -> Demand:
        body = self.body
        if isinstance(body, AgentLoop):
            return self.loop(body)
        if isinstance(body, Llm):
            return self.single(body)
        if isinstance(body, Call):
            seconds, _, calls = self.go(body, "")
            if self.trace is not None:
                self.trace.append(Asked(np.ones((1, 1)), seconds=seconds, calls=calls))
            return Demand(seconds=seconds, calls=calls)
        if isinstance(body, Wait):
            seconds = self.draw(body.time, "time")
            if self.trace is not None:
                self.trace.append(Asked(np.ones((1, 1)), seconds=seconds))
            return Demand(seconds=seconds)
        if isinstance(body, Message):
            return self.request(self.draw(body.input, "input"), NONE, self.draw(body.output, "output"))
        if isinstance(body, Merge):
            seconds = self.draw(body.time, "time")
            if self.trace is not None and (seconds.any() or not body.asks):
                self.trace.append(Asked(np.ones((1, 1)), seconds=seconds))
            if not body.asks:
                return Demand(seconds=seconds)
            request = self.request(self.draw(body.input, "input"), NONE, self.draw(body.output, "output"))
            return replace(request, seconds=seconds)
        if isinstance(body, Syncing):
            message = self.draw(body.output, "output")
            agents = self.around.agents
            return self.request((agents - 1) * message, NONE, message).times(agents / body.every)
        if isinstance(body, Stagger):
            return Demand(seconds=body.seconds * np.arange(float(self.rows))[:, None])
        return self.request(self.around.read, NONE, NONE)

    def request(self, prompt: Floats, cached: Floats, output: Floats, thinking: Floats = NONE) -> Demand:
        """One request: T = jitter · (TTFT + uncached / prefill speed + output / output speed)."""
        jitter = self.jitter()
        uncached = prompt - cached
        if self.trace is not None:
            self.trace.append(Asked(np.ones((1, 1)), prompt, uncached, output, jitter, thinking=thinking))
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

    def loop(self, body: AgentLoop) -> Demand:
        """Turn i reads the prompt and all earlier outputs and results; with a cache, only the new part is prefilled."""
        turns = np.minimum(self.draw(body.turns, "turns"), MOST_TURNS)
        last = int(turns.max()) - 1
        prompt = self.draw(body.prompt, "prompt") + self.around.read
        context = fresh = prompt  # `fresh` is what no cache holds yet
        sums = Demand()
        final = NONE
        for turn in range(last + 1):
            going = (turns > turn).astype(float)
            if turn and body.compaction is not None and body.context_limit is not None:
                full = going * (context > body.context_limit)
                if full.any():
                    summary = self.draw(body.compaction.output, "compaction", turn)
                    sums = sums.plus(self.turn(context, fresh, summary, summary, full, -turn))
                    context = np.where(full > 0, prompt + summary, context)
                    fresh = np.where(full > 0, summary, fresh)
            said = self.draw(body.output, "output", turn)
            decoded = said + self.draw(body.thinking, "thinking", turn)
            sums = sums.plus(self.turn(context, fresh, said, decoded, going, turn))
            final = np.where(going > 0, context + said, final)
            if turn == last:
                break
            fresh, pause = said, NONE
            if body.tool is not None:
                goes = turns > turn + 1
                pause, result, calls = self.go(body.tool, "tool.", turn)
                if self.trace is not None:
                    self.trace.append(Asked(goes.astype(float), seconds=pause, calls=calls, result=result))
                sums = sums.plus(Demand(seconds=pause * goes, calls=calls * goes))
                fresh = said + result
            context = context + fresh
            fresh = np.where(pause > self.service.cache_ttl, context, fresh)  # the cache went cold meanwhile
        return replace(sums, written=sums.input if self.service.caches else NONE, context=final)

    def turn(self, context: Floats, fresh: Floats, said: Floats, decoded: Floats, going: Floats, number: int) -> Demand:
        """One request of a loop, where it is `going`."""
        jitter = self.jitter(number) * going
        uncached = (fresh if self.service.caches else context) * going
        if self.trace is not None:
            what = "compaction" if number < 0 else ""
            self.trace.append(Asked(going, context, uncached, decoded, jitter, thinking=decoded - said, what=what))
        return Demand(
            requests=jitter,
            prefill=jitter * uncached,
            decode=jitter * decoded,
            input=uncached,
            cache_read=context * going - uncached,
            output=decoded * going,
            largest=(context + decoded) * going,
        )

    def go(self, tool: Tool | Call, prefix: str, *turn: int) -> tuple[Floats, Floats, Floats]:
        """Calls at the same time: seconds of the longest, tokens of all results, and how many there are."""
        calls = np.minimum(self.draw(tool.calls, prefix + "calls", *turn), MOST_CALLS)
        results = tool.result if isinstance(tool, Tool) else None
        seconds = self.draw(tool.time, prefix + "time", *turn)
        result = NONE if results is None else self.draw(results, prefix + "result", *turn)
        for call in range(1, int(calls.max())):
            made = calls > call
            seconds = np.maximum(seconds, made * self.draw(tool.time, prefix + "time", *turn, call))
            if results is not None:
                result = result + made * self.draw(results, prefix + "result", *turn, call)
        return seconds, result, calls

    def jitter(self, *turn: int) -> Floats:
        """A lognormal factor with median 1."""
        if self.service.jitter == 0:
            return np.ones((1, 1))
        return np.exp(self.service.jitter * self.samples.normal(self.rows, self.path, "jitter", self.occurrence + turn))

    def ratio(self, estimate: Estimate) -> float:
        """Tokens of the model for each of the estimate."""
        if estimate.counted:
            return self.service.tokens
        return 1.0 if estimate.own else self.work.ratio

    def draw(self, estimate: Estimate, purpose: str, *turn: int) -> Floats:
        """The estimate's quantity, (1, 1) if it is known exactly, else (rows, samples).

        An item's size multiplies the turns of agent loops, and the tokens and tool times of other steps; the error of
        estimates multiplies tokens and tool times that are ranges; the ratio of tokenizers, tokens of another one.
        """
        factor: Floats | None = None
        counts = purpose == "turns" or purpose.endswith("calls")
        sized = purpose == "turns" if isinstance(self.body, AgentLoop) else not counts
        if self.around.size is not None and not self.human and sized:
            factor = self.around.size
        if self.error is not None and estimate.varies and not self.human and not counts:
            factor = self.error if factor is None else factor * self.error
        ratio = self.ratio(estimate) if estimate.whole and not counts else 1.0
        if ratio != 1:
            factor = np.full((1, 1), ratio) if factor is None else factor * ratio
        return drawn(estimate, self.samples, self.rows, self.path, purpose, self.occurrence + turn, factor)
