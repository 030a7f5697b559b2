"""What a piece of work asks for, drawn for some samples: requests, tokens and seconds, before speeds make it time.

Every equation here stands in docs/model.md, "Requests" and "Agent loops", in the same words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from planner.engine.draws import Samples
from planner.expansion.activity import Activity, Bools, Ints, drawn_index, occurrences, own_row, tasks_at
from planner.expansion.chain import Hand, Skip
from planner.expansion.fragments import Mark
from planner.expansion.work import Index, Loops, Syncing, Work, innermost_items
from planner.reading.estimates import Z95, Estimate
from planner.workflow.bodies import AgentLoop, Call, Llm, Wait
from planner.workflow.crews import Merge, Message
from planner.workflow.declaration import Uncertainty

Floats = NDArray[np.float64]
_NONE: Floats = np.zeros((1, 1))

MOST_TURNS = 1000.0
"""Draws of `turns` are cut here; an estimate's 95th percentile may be no larger."""


@dataclass(frozen=True)
class Service:
    """What of a profile shapes demand: the log-sd of its jitter, whether it caches prompts, and how long (seconds)."""

    jitter: float = 0.0
    caches: bool = False
    cache_ttl: float = float("inf")


@dataclass(frozen=True, eq=False)
class Demand:
    """What work asks for, in arrays that broadcast to (rows, samples): a row for each item.

    requests : number of requests, each weighted by its jitter: it multiplies TTFT
    prefill, decode : tokens to prefill and to decode, weighted by jitter: they divide by speeds
    seconds : of tools or people
    input, cache_read, output : tokens as billed
    written : those of `input` that go into a cache
    largest : most tokens of prompt and output that one request holds
    """

    requests: Floats
    prefill: Floats
    decode: Floats
    seconds: Floats
    input: Floats
    cache_read: Floats
    output: Floats
    written: Floats
    largest: Floats

    def where(self, active: Bools) -> Demand:
        """The same where `active`, and nothing elsewhere."""
        return Demand(*(getattr(self, field.name) * active for field in fields(self)))

    def times(self, share: float) -> Demand:
        """So many times as much; tokens are rounded half up."""
        whole = {
            name: np.floor(getattr(self, name) * share + 0.5) for name in ("input", "cache_read", "output", "written")
        }
        weighted = {name: getattr(self, name) * share for name in ("requests", "prefill", "decode", "seconds")}
        return replace(self, **whole, **weighted)

    @classmethod
    def of_seconds(cls, seconds: Floats) -> Demand:
        return cls(_NONE, _NONE, _NONE, seconds, _NONE, _NONE, _NONE, _NONE, _NONE)


@dataclass(frozen=True)
class Layers:
    """The error of estimates themselves: log-sd of a factor drawn per sample and step, and of one for all steps."""

    per_step: float = 0.0
    overall: float = 0.0

    @classmethod
    def of(cls, uncertainty: Uncertainty) -> Layers:
        """A factor of `1.3x` is exceeded in 5 cases of 100."""
        return cls(*(math.log(factor) / Z95 for factor in (uncertainty.per_step, uncertainty.overall)))

    def error(self, samples: Samples, path: str) -> Floats | None:
        """(1, samples) factor on the tokens and tool times of a step that are ranges; None: no error."""
        if not self.per_step and not self.overall:
            return None
        own = self.per_step * samples.normal(1, path, "error") if self.per_step else 0.0
        shared = self.overall * samples.normal(1, "", "error") if self.overall else 0.0
        return np.asarray(np.exp(own + shared))


class Draws:
    """The demands of one slice of samples. Each is drawn once, whichever graphs it stands in."""

    def __init__(self, samples: Samples, layers: Layers) -> None:
        self.samples = samples
        self.layers = layers
        self.activity = Activity(samples)
        self.known: dict[tuple[object, ...], Demand] = {}

    def of(self, mark: Mark[Work], service: Service, briefs: Service) -> Iterator[tuple[Ints, Demand, Bools | None]]:
        """For each occurrence of a work: its tasks, one for each item, its demand, and where it is done.

        service : of the profile that serves it
        briefs : of the profile that serves what it reads
        """
        work = mark.what
        items = innermost_items(work.loops)
        within = len(work.loops) if items is None else items + 1
        for index in occurrences(work.loops):
            tasks = tasks_at(mark.tasks, index)
            read = _NONE
            if work.reads and not any(index[within:]):
                read = self._one(work.reads, briefs, index[:within], _NONE).output
            demand = self._one(work, service, index, read)
            active = self.activity.holds(work.guard, index)
            yield tasks, demand if active is None else demand.where(active), active

    def skipped(self, mark: Mark[Skip | Hand]) -> Iterator[tuple[Ints, Bools]]:
        """For each occurrence of a task that a condition leaves out: its tasks, and where they are left out."""
        what = mark.what
        for index in occurrences(what.loops if isinstance(what, Skip) else what.plan.loops):
            holds = (
                self.activity.holds(what.guard, index) if isinstance(what, Skip) else self.activity.moves(what, index)
            )
            assert holds is not None
            yield tasks_at(mark.tasks, index), ~holds

    def _one(self, work: Work, service: Service, index: Index, read: Floats) -> Demand:
        rows = tuple(loop.count for loop in work.loops)  # ramp-ups are of as many agents as there are
        key = (work.step, id(work.body), service, rows, index, read is _NONE)
        if key not in self.known:
            size = None if work.coordination else self._size(work.loops, index)
            self.known[key] = _Occurrence(self.samples, self.layers, work, service, index, size).demand(read)
        return self.known[key]

    def _size(self, loops: Loops, index: Index) -> Floats | None:
        """The size of the items around an occurrence, (rows or 1, samples): the product over nested fan-outs."""
        size = None
        for at, loop in enumerate(loops):
            if loop.size is not None:
                around, rows = own_row(loops[: at + 1], index)
                key = drawn_index(around)
                values = drawn(loop.size, self.samples, loop.count, loop.path, "size", key) / loop.size.mean
                size = values[rows if len(values) > 1 else slice(None)] * (1.0 if size is None else size)
        return size


class _Occurrence:
    """Draws for one occurrence of a work, for all items.

    size : of the items, or None
    """

    def __init__(
        self, samples: Samples, layers: Layers, work: Work, service: Service, index: Index, size: Floats | None
    ) -> None:
        items = innermost_items(work.loops)
        self.samples = samples
        self.path = f"{work.step}/{work.kind}"
        self.body = work.body
        self.service = service
        self.rows = 1 if items is None else work.loops[items].count
        self.occurrence = drawn_index(index)
        self.human = work.kind == "human"
        self.size = size
        self.error = layers.error(samples, self.path)

    def demand(self, read: Floats) -> Demand:
        body = self.body
        if isinstance(body, AgentLoop):
            return self.loop(body, read)
        if isinstance(body, Llm):
            prompt = self.draw(body.input, "input") + read
            cached = np.minimum(self.draw(body.cached, "cached"), prompt) if self.service.caches else _NONE
            return self.request(prompt, cached, self.draw(body.thinking, "thinking") + self.draw(body.output, "output"))
        if isinstance(body, Call | Wait):
            return Demand.of_seconds(self.draw(body.time, "time"))
        if isinstance(body, Message):
            return self.request(self.draw(body.input, "input"), _NONE, self.draw(body.output, "output"))
        if isinstance(body, Merge):
            seconds = self.draw(body.time, "time")
            if not body.asks:
                return Demand.of_seconds(seconds)
            request = self.request(self.draw(body.input, "input"), _NONE, self.draw(body.output, "output"))
            return replace(request, seconds=seconds)
        if isinstance(body, Syncing):
            message = self.draw(body.output, "output")
            return self.request(body.peers * message, _NONE, message).times(body.share)
        return self.request(read, _NONE, _NONE)

    def request(self, prompt: Floats, cached: Floats, output: Floats) -> Demand:
        """One request: T = jitter · (TTFT + uncached / prefill speed + output / output speed)."""
        jitter = self.jitter()
        uncached = prompt - cached
        return Demand(
            jitter, jitter * uncached, jitter * output, _NONE, uncached, cached, output, _NONE, prompt + output
        )

    def loop(self, body: AgentLoop, read: Floats) -> Demand:
        """Turn i reads the prompt and all earlier outputs and results; with a cache, only the new part is prefilled."""
        turns = np.minimum(self.draw(body.turns, "turns"), MOST_TURNS)
        last = int(turns.max()) - 1
        context = self.draw(body.prompt, "prompt") + read
        fresh = context  # what no cache holds yet
        requests = prefill = decode = seconds = input_ = cache_read = output = largest = _NONE
        for turn in range(last + 1):
            going = (turns > turn).astype(float)
            jitter = self.jitter(turn) * going
            uncached = (fresh if self.service.caches else context) * going
            said = self.draw(body.output, "output", turn)
            decoded = said + self.draw(body.thinking, "thinking", turn)
            requests = requests + jitter
            prefill = prefill + jitter * uncached
            decode = decode + jitter * decoded
            input_ = input_ + uncached
            cache_read = cache_read + (context * going - uncached)
            output = output + decoded * going
            largest = np.maximum(largest, (context + decoded) * going)
            if turn == last:
                break
            fresh, pause = said, _NONE
            if body.tool is not None:
                pause = self.draw(body.tool.time, "tool.time", turn)
                seconds = seconds + pause * (turns > turn + 1)
                fresh = said + self.draw(body.tool.result, "tool.result", turn)
            context = context + fresh
            fresh = np.where(pause > self.service.cache_ttl, context, fresh)  # the cache went cold meanwhile
        written = input_ if self.service.caches else _NONE
        return Demand(requests, prefill, decode, seconds, input_, cache_read, output, written, largest)

    def jitter(self, *turn: int) -> Floats:
        """A lognormal factor with median 1."""
        if self.service.jitter == 0:
            return np.ones((1, 1))
        return np.exp(self.service.jitter * self.samples.normal(self.rows, self.path, "jitter", self.occurrence + turn))

    def draw(self, estimate: Estimate, purpose: str, *turn: int) -> Floats:
        """The estimate's quantity, (1, 1) if it is known exactly, else (rows, samples).

        An item's size multiplies the turns of agent loops, and the tokens and tool times of other steps; the error of
        estimates multiplies tokens and tool times that are ranges.
        """
        factor: Floats | None = None
        if self.size is not None and not self.human and isinstance(self.body, AgentLoop) == (purpose == "turns"):
            factor = self.size
        if self.error is not None and estimate.varies and not self.human and purpose != "turns":
            factor = self.error if factor is None else factor * self.error
        return drawn(estimate, self.samples, self.rows, self.path, purpose, self.occurrence + turn, factor)


def drawn(
    estimate: Estimate,
    samples: Samples,
    rows: int,
    path: str,
    purpose: str,
    occurrence: tuple[int, ...] = (),
    factor: Floats | None = None,
) -> Floats:
    """Draws of an estimate, times a factor; whole numbers are rounded half up."""
    if not estimate.varies:
        values = np.full((1, 1), float(estimate.scale))
        if factor is None or estimate.scale == 0:
            return values
    elif estimate.shape == "exponential":
        values = estimate.scale * samples.exponential(rows, path, purpose, occurrence)
    else:
        values = estimate.scale * np.exp(estimate.sigma * samples.normal(rows, path, purpose, occurrence))
    if factor is not None:
        values = values * factor
    if estimate.whole:
        values = np.floor(values + 0.5)
    least = min(estimate.least, 1.0) if estimate.whole else estimate.least if factor is None else 0.0
    return np.maximum(values, least) if least else values
