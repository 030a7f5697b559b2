"""Requests to the planner, made by the command line and by Python calls: checked values in, results with all notes out.

The default values are the defaults of both front ends. Requests have no methods for comparing or printing requests:
such methods would double the time to import this module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
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
"""Function that receives the completed share, from 0 to 1."""


@dataclass(frozen=True)
class Simulation:
    """Settings of a simulation.

    seed : seed of the random draws
    samples, precision, max_time : stopping rule, as in `planner.sampling.sample.Stopping`; `max_time` is in seconds
    backend : threads or cluster to simulate on; None: threads on all cores
    """

    seed: int = 1
    samples: int | None = None
    precision: float | None = None
    max_time: float | None = None
    backend: Backend | None = None
    progress: Progress | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the fields as keyword arguments for `planner.planning`. Fields that are None are left out."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Request(ABC):
    """Base class of requests: a workflow and the settings that all requests have.

    runtime : runtime to assume instead of the file's; None: the file's
    crew : crew whose number of agents the request sets; None: the only crew
    """

    workflow: Loaded
    runtime: str | None = None
    crew: str | None = None
    simulation: Simulation = Simulation()

    @cached_property
    def served(self) -> tuple[Workflow, tuple[Note, ...]]:
        """The workflow with its runtime and its model profiles, and the notes on this runtime and these profiles.

        Raises InputError if a model is unknown, or if the user's catalogue has problems.
        """
        return self.serve()

    @abstractmethod
    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        """Compute the value of the property `served`."""

    def _with_notes(self, result: Result) -> Result:
        """Return the result, with the notes on the workflow and the profiles added."""
        return replace(result, notes=(*result.notes, *self.served[1]))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScenarioRequest(Request):
    """A request about one scenario.

    agents : number of agents of the crew, or a mapping of crews to numbers; None: the declared numbers
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
    """A request for the completion time and cost of one scenario."""

    premium: Premium | None = None

    def run(self) -> Forecast:
        """Run the forecast. Raises InputError if the workflow is too large or the crew is unknown."""
        from planner.planning.forecast import forecast

        return self._with_notes(forecast(self.served[0], **_premium(self.premium), **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SensitivityRequest(ScenarioRequest):
    """A request for the estimates that drive the p90 of the completion time of one scenario."""

    def run(self) -> Sensitivity:
        """Rank the estimates. Raises InputError as a forecast does, and if there are too few samples."""
        from planner.planning.sensitivity.tornado import sensitivity

        return self._with_notes(sensitivity(self.served[0], **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TierRequest(Request):
    """A request for the steps to put on a fast tier.

    fast : profile of the fast tier
    budget : highest median cost of a run, in US dollars
    agents : number of agents of the crew; None: the declared number
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
        """Choose the steps. Raises InputError if no step can change its tier, or if a price is unknown."""
        from planner.planning.tier.search import tier

        return self._with_notes(
            tier(
                self.served[0], self.fast, self.budget, agents=self.agents, crew=self.crew,
                **self.simulation.arguments(),
            )
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridRequest(Request):
    """A request about a grid of speeds x agents.

    speeds : factors on every output speed; None: the default speeds
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
    """A request to compare all scenarios of a grid.

    decisions : options of the decisions that the comparison supports; None: the default options
    """

    decisions: DecisionOptions | None = None

    def run(self) -> Comparison:
        """Compare the scenarios.

        Raises InputError if the workflow is too large, or if the crew is unknown or ambiguous.
        """
        from planner.planning.comparison import NOTHING_MORE, compare

        options = self.decisions or NOTHING_MORE
        return self._with_notes(compare(self.served[0], wishes=options, **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TargetRequest(GridRequest):
    """A request for the cheapest scenario that meets a target."""

    target: Target

    def run(self) -> TargetResult:
        """Find the scenario.

        Raises InputError as a comparison does. If a budget is given, an unknown price also raises InputError.
        """
        from planner.planning.target.search import find_cheapest

        return self._with_notes(find_cheapest(self.served[0], self.target, **self._arguments()))


def _premium(premium: Premium | None) -> dict[str, Any]:
    """Return `premium` as a keyword argument. For None, return no argument: the fitted price law then applies."""
    return {} if premium is None else {"premium": premium}
