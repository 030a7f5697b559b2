"""Demand: the requests, tokens and seconds of work, before a profile turns them into time and money."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.reading.estimates.estimate import Z95
from planner.workflow.declaration import Uncertainty

NONE: Floats = np.zeros((1, 1))


def nothing() -> Floats:
    """Return a zero of shape (1, 1), always the same array."""
    return NONE


_WHOLE = ("input", "cache_read", "output", "written")
"""Quantities that are counted in whole tokens: a share of them is rounded half up."""

_MAXIMA = ("largest", "context")


@dataclass(frozen=True)
class ServingTraits:
    """The properties of a profile that demand depends on.

    jitter : log-sd of the factor on a request's time
    caches : whether the profile caches prompts
    cache_ttl : seconds for which a prompt stays in the cache
    tokens : number of the profile's tokens for each token of o200k_base
    """

    jitter: float = 0.0
    caches: bool = False
    cache_ttl: float = float("inf")
    tokens: float = 1.0


@dataclass(frozen=True, eq=False)
class Demand:
    """The demand of work, in arrays that broadcast to (rows, samples), with a row for each item.

    requests : number of requests, weighted by jitter. Multiplied by TTFT, it gives a time
    prefill, decode : tokens to prefill and to decode, weighted by jitter. Divided by speeds, they give times
    seconds : seconds that tools or people take
    input, cache_read, output : billed tokens
    written : tokens of `input` that are written to a cache
    largest : tokens of prompt and output of the largest request
    context : tokens that a later request reads if it continues this work
    calls : number of tool calls
    wait : seconds before the work begins
    """

    requests: Floats = field(default_factory=nothing)
    prefill: Floats = field(default_factory=nothing)
    decode: Floats = field(default_factory=nothing)
    seconds: Floats = field(default_factory=nothing)
    input: Floats = field(default_factory=nothing)
    cache_read: Floats = field(default_factory=nothing)
    output: Floats = field(default_factory=nothing)
    written: Floats = field(default_factory=nothing)
    largest: Floats = field(default_factory=nothing)
    context: Floats = field(default_factory=nothing)
    calls: Floats = field(default_factory=nothing)
    wait: Floats = field(default_factory=nothing)

    def where(self, active: Bools) -> Demand:
        """Return this demand where `active` is true, and 0 elsewhere."""
        return Demand(*(value if value is NONE else value * active for value in self._values()))

    def plus(self, other: Demand) -> Demand:
        """Return the sum of two demands. Of `largest` and `context` it has the maximum."""
        return Demand(*(
            own if more is NONE else more if own is NONE else (np.maximum if name in _MAXIMA else np.add)(own, more)
            for name, own, more in zip(_NAMES, self._values(), other._values(), strict=True)
        ))  # fmt: skip

    def times(self, share: Floats | float) -> Demand:
        """Return a share of this demand. Billed tokens are rounded half up.

        `largest`, `context` and `wait` stay the same.
        """
        weighted = {name: getattr(self, name) * share for name in ("requests", "prefill", "decode", "seconds", "calls")}
        whole = {name: np.floor(getattr(self, name) * share + 0.5) for name in _WHOLE}
        return replace(self, **whole, **weighted)

    @classmethod
    def stacked(cls, rows: Sequence[Demand]) -> Demand:
        """Combine demands that have one row each into one demand with all these rows."""
        columns = zip(*(demand._values() for demand in rows), strict=True)
        return cls(*(np.concatenate(np.broadcast_arrays(*values)) for values in columns))

    def over_items(self, rows: int) -> Demand:
        """Return the sum over `rows` items as a single row."""
        return Demand(
            *(np.broadcast_to(value, (rows, value.shape[1])).sum(0, keepdims=True) for value in self._values())
        )

    @property
    def nbytes(self) -> int:
        """Total size of the arrays in bytes."""
        return sum(value.nbytes for value in self._values())

    def _values(self) -> list[Floats]:
        return [getattr(self, name) for name in _NAMES]


_NAMES = tuple(each.name for each in fields(Demand))


@dataclass(frozen=True)
class Layers:
    """The error of the estimates themselves. A sample draws a factor for each step, and another factor for all steps.

    per_step : log-sd of the factor for each step
    overall : log-sd of the factor for all steps
    """

    per_step: float = 0.0
    overall: float = 0.0

    @classmethod
    def of(cls, uncertainty: Uncertainty) -> Layers:
        """Return the layers for declared uncertainty. A factor declared as `1.3x` exceeds 1.3 in 5% of samples."""
        return cls(*(math.log(factor) / Z95 for factor in (uncertainty.per_step, uncertainty.overall)))

    def error(self, samples: Samples, path: str) -> Floats | None:
        """(1, samples) Factor on the tokens and tool times of a step that are ranges; None: no error is declared."""
        if not self.per_step and not self.overall:
            return None
        own = self.per_step * samples.normal(1, path, "error") if self.per_step else 0.0
        shared = self.overall * samples.normal(1, "", "error") if self.overall else 0.0
        return np.asarray(np.exp(own + shared))


@dataclass(frozen=True, eq=False)
class OccurrenceInputs:
    """Inputs of an occurrence that other works, or the loops around it, determine.

    size : relative size of its item; None: 1
    read : tokens of a brief or report that its first request reads
    context : tokens of the context that its request continues
    warm : 1 where this context is still cached, otherwise 0
    agents : number of agents that the crew keeps busy
    """

    size: Floats | None = None
    read: Floats = field(default_factory=nothing)
    context: Floats = field(default_factory=nothing)
    warm: Floats = field(default_factory=nothing)
    agents: Floats = field(default_factory=nothing)


@dataclass(frozen=True, eq=False)
class RequestDraw:
    """One request of an occurrence, or several concurrent tool calls, in arrays of (rows or 1, samples or 1).

    An occurrence may have several `RequestDraw`s. Its demand is their sum.

    active : 1 where the request or the tool calls are made, otherwise 0
    prompt, uncached, output : tokens of the request; `output` includes `thinking`
    thinking : output tokens that later requests do not read
    seconds, calls, result : of tool calls: their time, their number, and the tokens that they return
    kind : ``compaction``, or empty
    """

    active: Floats
    prompt: Floats = field(default_factory=nothing)
    uncached: Floats = field(default_factory=nothing)
    output: Floats = field(default_factory=nothing)
    jitter: Floats = field(default_factory=nothing)
    seconds: Floats = field(default_factory=nothing)
    calls: Floats = field(default_factory=nothing)
    result: Floats = field(default_factory=nothing)
    thinking: Floats = field(default_factory=nothing)
    kind: str = ""
