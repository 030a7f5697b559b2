"""Model profiles in; their TTFT and speeds in each sample out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.catalogue.profile import Profile, resolve
from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.expansion.draw.demand import ServingTraits
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.task_graph import TaskGraph
from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Workflow


@dataclass(frozen=True, eq=False)
class ServiceTimes:
    """The time to first token and the speeds of a model in each sample.

    Arrays have the shape (1, samples), or (1, 1) if all samples are equal.

    ttft : seconds to the first token
    prefill, decode : seconds per token
    factors : draws of the profile's random speed factors, which are part of `decode`
    """

    profile: Profile
    ttft: Floats
    prefill: Floats
    decode: Floats
    factors: tuple[Floats, ...] = ()

    @classmethod
    def of(cls, profile: Profile, samples: Samples) -> ServiceTimes:
        """Draw the time to first token and the speeds of a profile.

        The profile must be a result of `Profile.at`, so that its times and speeds are not curves by concurrency.
        """
        assert isinstance(profile.ttft, Estimate)
        assert isinstance(profile.output_speed, Estimate)
        path = f"models/{profile.root}"
        prefill = (
            np.zeros((1, 1))
            if profile.prefill_speed is None
            else 1.0 / draw_estimate(profile.prefill_speed, samples, 1, path, "prefill_speed")
        )
        factors = tuple(
            draw_estimate(factor.estimate, samples, 1, f"models/{factor.profile}", "speed")
            for factor in profile.factors
        )
        speed = draw_estimate(profile.output_speed, samples, 1, path, "output_speed")
        for factor in factors:
            speed = speed * factor
        return cls(
            profile,
            draw_estimate(profile.ttft, samples, 1, path, "ttft"),
            prefill,
            1.0 / speed,
            factors,
        )


def serving_traits(profile: Profile) -> ServingTraits:
    """Return the properties of a profile that affect the demands of its requests."""
    return ServingTraits(profile.jitter, profile.caches, profile.cache_ttl, profile.tokens or 1.0)


def profiles(workflow: Workflow, *graphs: TaskGraph) -> dict[str, Profile]:
    """Return the profile of each model that the graphs use, by name."""
    used = {model for graph in graphs for mark in graph.works if (model := mark.subject.model) is not None}
    return {name: resolve(name, workflow.models) for name in sorted(used)}
