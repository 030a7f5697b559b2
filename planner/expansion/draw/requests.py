"""What one request of an agent loop asks for, and what is around an occurrence."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.engine.arrays import Floats
from planner.expansion.draw.demand import nothing


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
