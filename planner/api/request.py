"""Requests: what the command line and the Python interface ask of the planner, with the defaults of both.

checked values → request → result of `planner.planning`, with all notes.

Requests are neither compared nor shown; methods for that would double the time it takes to import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from planner.api import AGENTS, SPEEDS

if TYPE_CHECKING:
    from planner.catalogue.premium import Premium
    from planner.errors import Note
    from planner.loading import Loaded
    from planner.planning.comparison_result import Comparison
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.forecast_result import Forecast
    from planner.planning.sensitivity.tornado import Sensitivity
    from planner.planning.target.goal import Target
    from planner.planning.target.search import TargetResult
    from planner.planning.tier.search import TierResult
    from planner.sampling.backends import Backend
    from planner.workflow.declaration import Workflow

Result = TypeVar("Result", "Forecast", "Comparison", "TargetResult", "TierResult", "Sensitivity")

Progress = Callable[[float], None]
"""Receives the share that is done, from 0 to 1."""


@dataclass(frozen=True)
class Simulation:
    """How to simulate.

    seed : of the random draws
    samples, precision, max_time : the stopping rule, as in `planner.sampling.sample.Stopping`; max_time in seconds
    backend : where to simulate; None: on all cores
    """

    seed: int = 1
    samples: int | None = None
    precision: float | None = None
    max_time: float | None = None
    backend: Backend | None = None
    progress: Progress | None = None

    def arguments(self) -> dict[str, Any]:
        """The fields as keyword arguments of `planner.planning`; those that are None keep the defaults there."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Request:
    """The part that all requests share.

    runtime : to assume instead of the file's; None: the file's
    crew : whose agents vary; None: the only crew
    """

    workflow: Loaded
    runtime: str | None = None
    crew: str | None = None
    simulation: Simulation = Simulation()

    @cached_property
    def served(self) -> tuple[Workflow, tuple[Note, ...]]:
        """The workflow on its runtime with the profiles that may serve it, and notes on both.

        Raises InputError for an unknown model and for problems of the user's catalogue.
        """
        return self.serve()

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        """Compute `served`."""
        raise NotImplementedError

    def _with_notes(self, result: Result) -> Result:
        """The result with the notes on its workflow and profiles."""
        return replace(result, notes=(*result.notes, *self.served[1]))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScenarioRequest(Request):
    """A request about one scenario.

    agents : of the crew, or of each crew in a mapping; None: as declared
    model : profile to use instead of the workflow's; None: the workflow's
    """

    speed: float = 1.0
    agents: int | Mapping[str, int] | None = None
    model: str | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        workflow, notes = self.workflow.serving([self.model] if self.model else (), self.runtime)
        return workflow.on(self.model) if self.model else workflow, notes

    def _arguments(self) -> dict[str, Any]:
        return {"speed": self.speed, "agents": self.agents, "crew": self.crew, **self.simulation.arguments()}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ForecastRequest(ScenarioRequest):
    """Completion time and cost of one scenario."""

    premium: Premium | None = None

    def run(self) -> Forecast:
        """Raise InputError if the workflow is too large or the crew unknown."""
        from planner.planning.forecast import forecast

        return self._with_notes(forecast(self.served[0], **_premium(self.premium), **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SensitivityRequest(ScenarioRequest):
    """The estimates that drive the completion time of one scenario."""

    def run(self) -> Sensitivity:
        """Raise InputError as a forecast does, and for too few samples."""
        from planner.planning.sensitivity.tornado import sensitivity

        return self._with_notes(sensitivity(self.served[0], **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TierRequest(Request):
    """The steps to put on a fast tier.

    fast : profile of the fast tier
    budget : US dollars that half of all runs may cost at most
    agents : of the crew; None: as declared
    model : profile of the standard tier; None: the workflow's
    """

    fast: str
    budget: float
    agents: int | None = None
    model: str | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        standard = self.model or self.workflow.declared.model
        workflow, notes = self.workflow.serving([standard] if standard else (), self.runtime, self.fast)
        return workflow.on(standard) if standard else workflow, notes

    def run(self) -> TierResult:
        """Raise InputError if no step can move or a price is unknown."""
        from planner.planning.tier.search import tier

        return self._with_notes(
            tier(
                self.served[0], self.fast, self.budget, agents=self.agents, crew=self.crew,
                **self.simulation.arguments(),
            )
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridRequest(Request):
    """A request about speeds x agents.

    speeds : factors on every output speed; None: the default ones
    models : profiles to use instead of the workflow's; empty: the workflow's
    """

    speeds: Sequence[float] | None = None
    agents: Sequence[int] = AGENTS
    models: Sequence[str] = ()
    premium: Premium | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        return self.workflow.serving(self.models, self.runtime)

    def _arguments(self) -> dict[str, Any]:
        return {
            "speeds": self.speeds or ((1.0,) if len(self.models) > 1 else SPEEDS),
            "agents": self.agents,
            "models": self.models,
            "crew": self.crew,
            **_premium(self.premium),
            **self.simulation.arguments(),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompareRequest(GridRequest):
    """All scenarios of a grid, and what follows from them.

    decisions : None: the default ones
    """

    decisions: DecisionOptions | None = None

    def run(self) -> Comparison:
        """Raise InputError if the workflow is too large, or the crew unknown or not named among several."""
        from planner.planning.comparison import NOTHING_MORE, compare

        options = self.decisions or NOTHING_MORE
        return self._with_notes(compare(self.served[0], wishes=options, **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TargetRequest(GridRequest):
    """The cheapest scenario that meets a target."""

    target: Target

    def run(self) -> TargetResult:
        """Raise InputError as a comparison does, and if there is a budget and a price is unknown."""
        from planner.planning.target.search import find_cheapest

        return self._with_notes(find_cheapest(self.served[0], self.target, **self._arguments()))


def _premium(premium: Premium | None) -> dict[str, Any]:
    """`premium` as a keyword argument; None keeps the fitted law of prices."""
    return {} if premium is None else {"premium": premium}
