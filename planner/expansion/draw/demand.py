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
    """Return `NONE`, an array of shape (1, 1) that contains 0."""
    return NONE


_WHOLE = ("input", "cache_read", "output", "written")
"""Quantities that are counted in whole tokens: a share of them is rounded half up."""

_MAXIMA = ("largest", "context")


@dataclass(frozen=True)
class ServingTraits:
    """The properties of a profile that change the demand of work.

    jitter : standard deviation of the logarithm of the random factor on a request's time
    caches : whether the profile caches prompts
    cache_ttl : seconds for which a prompt stays in the cache
    tokens : number of the profile's tokens for each token of the tokenizer o200k_base
    """

    jitter: float = 0.0
    caches: bool = False
    cache_ttl: float = float("inf")
    tokens: float = 1.0


@dataclass(frozen=True, eq=False)
class Demand:
    """The demand of work: its requests, tokens and seconds. The arrays broadcast to (items, samples).

    The time of a request is multiplied by a random factor, its jitter. So the first three fields are weighted sums.

    requests : number of requests, each multiplied by its jitter. Multiplied by the TTFT, it gives seconds
    prefill, decode : tokens, those of each request multiplied by its jitter. Divided by a speed, they give seconds
    seconds : seconds that tools or people take
    input, cache_read, output : billed tokens
    written : tokens of `input` that are written to a cache
    largest : tokens of the largest request, prompt and output together
    context : tokens of the context that a later request of the conversation continues
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
        """Return this demand, with 0 where `active` is false.

        active : mask (items, samples)
        """
        return Demand(*(value if value is NONE else value * active for value in self._values()))

    def plus(self, other: Demand) -> Demand:
        """Return the sum of two demands. For `largest` and `context`, take the larger value instead of the sum."""
        return Demand(*(
            own if more is NONE else more if own is NONE else (np.maximum if name in _MAXIMA else np.add)(own, more)
            for name, own, more in zip(_NAMES, self._values(), other._values(), strict=True)
        ))  # fmt: skip

    def times(self, share: Floats | float) -> Demand:
        """Return a share of this demand, for example half of it. Billed tokens are rounded half up.

        `largest`, `context` and `wait` stay the same.
        """
        weighted = {name: getattr(self, name) * share for name in ("requests", "prefill", "decode", "seconds", "calls")}
        whole = {name: np.floor(getattr(self, name) * share + 0.5) for name in _WHOLE}
        return replace(self, **whole, **weighted)

    @classmethod
    def stacked(cls, rows: Sequence[Demand]) -> Demand:
        """Combine the demands of single items into one demand, with a row for each item."""
        columns = zip(*(demand._values() for demand in rows), strict=True)
        return cls(*(np.concatenate(np.broadcast_arrays(*values)) for values in columns))

    def over_items(self, rows: int) -> Demand:
        """Return the sum of this demand over all items, as a single row.

        rows : number of items. An array with a single row has the demand of each item
        """
        return Demand(
            *(np.broadcast_to(value, (rows, value.shape[1])).sum(0, keepdims=True) for value in self._values())
        )

    @property
    def nbytes(self) -> int:
        """Total size of the arrays of this demand in bytes."""
        return sum(value.nbytes for value in self._values())

    def _values(self) -> list[Floats]:
        return [getattr(self, name) for name in _NAMES]


_NAMES = tuple(each.name for each in fields(Demand))


@dataclass(frozen=True)
class Layers:
    """Random errors of estimates, in two layers: a factor for each step, and a factor that all steps share.

    per_step : standard deviation of the logarithm of each step's factor
    overall : standard deviation of the logarithm of the shared factor
    """

    per_step: float = 0.0
    overall: float = 0.0

    @classmethod
    def of(cls, uncertainty: Uncertainty) -> Layers:
        """Return the error factors for a declared uncertainty.

        For example, a factor declared as `1.3x` exceeds 1.3 in 5% of samples.
        """
        return cls(*(math.log(factor) / Z95 for factor in (uncertainty.per_step, uncertainty.overall)))

    def error(self, samples: Samples, path: str) -> Floats | None:
        """Return the error factor for a step, (1, samples), or None if no error is declared.

        The factor is for tokens and tool times that are declared as ranges.
        """
        if not self.per_step and not self.overall:
            return None
        own = self.per_step * samples.normal(1, path, "error") if self.per_step else 0.0
        shared = self.overall * samples.normal(1, "", "error") if self.overall else 0.0
        return np.asarray(np.exp(own + shared))


@dataclass(frozen=True, eq=False)
class OccurrenceInputs:
    """Inputs of one occurrence of a work, determined by other work or by the loops around the occurrence.

    size : relative size of the item, with mean 1; None: all items are equal
    read : tokens of a brief or report that the first request reads
    context : tokens of the context that the request continues
    warm : 1 if the context is still cached, otherwise 0
    agents : number of busy agents of the crew
    """

    size: Floats | None = None
    read: Floats = field(default_factory=nothing)
    context: Floats = field(default_factory=nothing)
    warm: Floats = field(default_factory=nothing)
    agents: Floats = field(default_factory=nothing)


@dataclass(frozen=True, eq=False)
class RequestDraw:
    """One drawn request, or concurrent calls of a tool. Arrays have the shape (items or 1, samples or 1).

    active : 1 if the request or the calls are made, otherwise 0
    prompt, output : tokens of the request
    uncached : prompt tokens that are not in a cache
    thinking : output tokens that later requests do not read
    jitter : random factor on the time of the request
    seconds : time of the tool calls
    calls : number of tool calls
    result : tokens that the tool calls return
    kind : ``compaction`` for the request of a compaction, else empty
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
