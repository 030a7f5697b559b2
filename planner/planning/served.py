"""A profile as it serves in each sample, and what of it shapes demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalogue.profile import Profile
from planner.engine.draws import Samples
from planner.expansion.demand import Service
from planner.expansion.distributions import drawn
from planner.reading.estimates import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Served:
    """A profile at the level it has in each sample: (1, samples), or (1, 1) where it is known exactly."""

    profile: Profile
    ttft: Floats
    prefill: Floats
    decode: Floats

    @classmethod
    def of(cls, profile: Profile, samples: Samples) -> Served:
        """`prefill` and `decode` are seconds per token. Nothing of the profile depends on concurrency any more."""
        assert isinstance(profile.ttft, Estimate)
        assert isinstance(profile.output_speed, Estimate)
        path = f"models/{profile.root}"
        prefill = (
            np.zeros((1, 1))
            if profile.prefill_speed is None
            else 1.0 / drawn(profile.prefill_speed, samples, 1, path, "prefill_speed")
        )
        return cls(
            profile,
            drawn(profile.ttft, samples, 1, path, "ttft"),
            prefill,
            1.0 / drawn(profile.output_speed, samples, 1, path, "output_speed"),
        )


def service(profile: Profile) -> Service:
    """What of a profile shapes demand."""
    return Service(profile.jitter, profile.caches, profile.cache_ttl, profile.tokens or 1.0)
