"""What work asks for: requests, tokens and seconds, before a profile makes time and money of them."""

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
    """No tokens, no seconds: (1, 1), and always the same array."""
    return NONE


_WHOLE = ("input", "cache_read", "output", "written")
"""What is counted: a share of it is rounded half up."""

_MAXIMA = ("largest", "context")


@dataclass(frozen=True)
class ServingTraits:
    """What of a profile shapes demand.

    jitter : log-sd
    caches, cache_ttl : whether it caches prompts, and how long (seconds)
    tokens : factor on tokens that are counted with o200k_base
    """

    jitter: float = 0.0
    caches: bool = False
    cache_ttl: float = float("inf")
    tokens: float = 1.0


@dataclass(frozen=True, eq=False)
class Demand:
    """What work asks for, in arrays that broadcast to (rows, samples): a row for each item.

    requests : number of requests, each weighted by its jitter: it multiplies TTFT
    prefill, decode : tokens to prefill and to decode, weighted by jitter: they divide by speeds
    seconds : of tools or people
    input, cache_read, output : tokens as billed
    written : those of `input` that go into a cache
    largest : most tokens of prompt and output that one request holds
    context : tokens that a request which continues this work reads
    calls : of tools
    wait : seconds before it begins
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
        """The same where `active`, and nothing elsewhere."""
        return Demand(*(value if value is NONE else value * active for value in self._values()))

    def plus(self, other: Demand) -> Demand:
        """Both; `largest` and `context` are the larger."""
        return Demand(*(
            one if more is NONE else more if one is NONE else (np.maximum if name in _MAXIMA else np.add)(one, more)
            for name, one, more in zip(_NAMES, self._values(), other._values(), strict=True)
        ))  # fmt: skip

    def times(self, share: Floats | float) -> Demand:
        """So many times as much; what is counted is rounded half up."""
        weighted = {name: getattr(self, name) * share for name in ("requests", "prefill", "decode", "seconds", "calls")}
        whole = {name: np.floor(getattr(self, name) * share + 0.5) for name in _WHOLE}
        return replace(self, **whole, **weighted)

    @classmethod
    def stacked(cls, rows: Sequence[Demand]) -> Demand:
        """Demands of one row each, as rows."""
        columns = zip(*(demand._values() for demand in rows), strict=True)
        return cls(*(np.concatenate(np.broadcast_arrays(*values)) for values in columns))

    def over_items(self, rows: int) -> Demand:
        """Sums over items, of which there are `rows`: one row."""
        return Demand(
            *(np.broadcast_to(value, (rows, value.shape[1])).sum(0, keepdims=True) for value in self._values())
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(value.nbytes for value in self._values())

    def _values(self) -> list[Floats]:
        return [getattr(self, name) for name in _NAMES]


_NAMES = tuple(one.name for one in fields(Demand))


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


@dataclass(frozen=True, eq=False)
class OccurrenceInputs:
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
class RequestDraw:
    """One request of an occurrence, or one go of its tool: what its demand is the sum of. (rows or 1, samples or 1).

    active : where it is made
    result : tokens that come back from the calls
    thinking : those of `output` that are not read again
    kind : ``compaction``, or nothing to say
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
