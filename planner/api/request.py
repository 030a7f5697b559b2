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

from planner.api import SPEEDS

if TYPE_CHECKING:
    from planner.catalogue.premium import Premium
    from planner.errors import Note, Problem
    from planner.loading import Loaded
    from planner.planning.comparison_result import Comparison, ComparisonAnswer
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.forecast_result import Forecast
    from planner.planning.sensitivity.tornado import Sensitivity
    from planner.planning.target.goal import Target
    from planner.planning.target.search import TargetResult
    from planner.planning.tier.limits import Limits
    from planner.planning.tier.search import TierResult
    from planner.sampling.backends import Backend
    from planner.workflow.declaration import Workflow

Result = TypeVar("Result", "Forecast", "Comparison", "ComparisonAnswer", "TargetResult", "TierResult", "Sensitivity")

Progress = Callable[[float], None]
"""Function that receives the completed share, from 0 to 1."""


@dataclass(frozen=True)
class Simulation:
    """Settings of a simulation.

    seed : seed of the random draws
    samples : largest number of samples; None: no number is requested
    precision : relative half-width of the 95% intervals of p50 and p90 at which to stop; None: none is requested
    max_time : time limit, in seconds; None: no limit
    backend : where the simulation runs: threads or a cluster; None: threads on all cores
    progress : function that is called with the completed share, from 0 to 1
    """

    seed: int = 1
    samples: int | None = None
    precision: float | None = None
    max_time: float | None = None
    backend: Backend | None = None
    progress: Progress | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the settings of the simulation as keyword arguments for `planner.planning`.

        Settings that are None are omitted.
        """
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Request(ABC):
    """Base class of requests: a workflow, and the settings that all requests have.

    runtime : runtime to assume; None: the runtime that the workflow declares
    crew : name of the crew whose number of agents the request sets; None: the only crew
    """

    workflow: Loaded
    runtime: str | None = None
    crew: str | None = None
    simulation: Simulation = Simulation()

    @cached_property
    def served(self) -> tuple[Workflow, tuple[Note, ...]]:
        """The workflow that the request simulates, and notes about the runtime and the model profiles.

        Raises InputError if a model or a crew is unknown, or if the user's catalogue has problems.
        """
        from planner.errors import InputError

        unknown = self._unknown_crews()
        try:
            served = self.serve()
        except InputError as error:
            raise InputError([*error.problems, *unknown], error.more) from None
        if unknown:
            raise InputError(unknown)
        return served

    def _unknown_crews(self) -> Sequence[Problem]:
        """Return a problem for each crew that the request names and the workflow does not declare."""
        from planner.errors import InputError
        from planner.planning.crew_numbers import check_names

        agents = getattr(self, "agents", None)
        named = [*agents] if isinstance(agents, Mapping) else []
        try:
            check_names(self.workflow.declared, [*named, *([self.crew] if self.crew is not None else [])])
        except InputError as error:
            return error.problems
        return ()

    @abstractmethod
    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        """Return the workflow that the request simulates, and notes about the runtime and the model profiles.

        The property `served` stores the returned value.
        """

    def _with_notes(self, result: Result) -> Result:
        """Return a copy of `result` that also has the notes about the workflow's runtime and model profiles."""
        return replace(result, notes=(*result.notes, *self.served[1]))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScenarioRequest(Request):
    """Base class of requests about one scenario.

    agents : number of agents of the crew, or a mapping of crews to numbers; None: the numbers that the workflow
        declares
    model : profile to use; None: the workflow's default profile
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
        """Forecast the scenario of this request.

        Raises InputError if the workflow is too large, or if the crew is unknown.
        """
        from planner.planning.forecast import forecast

        return self._with_notes(forecast(self.served[0], **_premium(self.premium), **self._arguments()))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SensitivityRequest(ScenarioRequest):
    """A request to rank the numbers of a workflow's file by their effect on the p90 of the completion time.

    off : factor by which each number is decreased and increased, one number at a time; None: the default factor
    dice : whether to change no number, and to return only the influence of random draws
    """

    off: float | None = None
    dice: bool = False

    def run(self) -> Sensitivity:
        """Rank the numbers of the workflow's file by their effect on the p90 of the completion time.

        Raises InputError if the workflow is too large, if the crew is unknown, or if there are too few samples.
        """
        from planner.planning.sensitivity.tornado import sensitivity

        arguments = self._arguments() | ({"off": None} if self.dice else {} if self.off is None else {"off": self.off})
        return self._with_notes(sensitivity(self.served[0], **arguments))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TierRequest(Request):
    """A request for the steps to put on a fast tier.

    fast : profile of the fast tier
    limits : a budget, a deadline, or both
    agents : number of agents of the crew, or a mapping of crews to numbers; None: the numbers that the workflow
        declares
    model : profile of the standard tier; None: the workflow's default profile
    """

    fast: str
    limits: Limits
    agents: int | Mapping[str, int] | None = None
    model: str | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        standard = self.model or self.workflow.declared.model
        workflow, notes = self.workflow.serving([standard] if standard else (), self.runtime, self.fast)
        return workflow.on(standard) if standard else workflow, notes

    def run(self) -> TierResult:
        """Choose the steps to put on the fast tier.

        Raises InputError if no step can change its tier, or if a price is unknown.
        """
        from planner.planning.tier.search import tier

        return self._with_notes(
            tier(
                self.served[0], self.fast, self.limits, agents=self.agents, crew=self.crew,
                **self.simulation.arguments(),
            )
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridRequest(Request):
    """Base class of requests about a grid of speeds × agents.

    speeds : factors by which every output speed is multiplied; None: the default speeds
    agents : numbers of agents, or a mapping of crews to their numbers; None: the default numbers
    models : profiles to use instead of the workflow's default profile; empty: the default profile
    """

    speeds: Sequence[float] | None = None
    agents: Sequence[int] | Mapping[str, Sequence[int]] | None = None
    models: Sequence[str] = ()
    premium: Premium | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        return self.workflow.serving(self.models, self.runtime)

    def _arguments(self) -> dict[str, Any]:
        return {
            "speeds": self.speeds,
            "agents": self.agents,
            "models": self.models,
            "crew": self.crew,
            **_premium(self.premium),
            **self.simulation.arguments(),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompareRequest(GridRequest):
    """A request to compare all scenarios of a grid.

    If `speeds` and `models` are both omitted, the workflow's default profile and its faster tiers are compared.

    decisions : options for the decisions in the result; None: the default options
    """

    decisions: DecisionOptions | None = None

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        return self.workflow.serving(self._models, self.runtime)

    @cached_property
    def _models(self) -> Sequence[str]:
        """Profiles to compare: the requested ones, or the default profile and its faster tiers, if there are any."""
        if self.models or self.speeds:
            return self.models
        tiers = self.workflow.faster_tiers()
        return [self.workflow.declared.model or "", *tiers] if tiers else ()

    def run(self) -> Comparison:
        """Compare all scenarios of the grid.

        Raises InputError if the workflow is too large, or if the crew is unknown or ambiguous.
        """
        from planner.planning.comparison import compare

        return self._with_notes(compare(self.served[0], **self._options()))

    def run_briefly(self) -> ComparisonAnswer:
        """Return only the answer of `run`, without the further facts. This is faster."""
        from planner.planning.comparison import compare_briefly

        return self._with_notes(compare_briefly(self.served[0], **self._options()))

    def _options(self) -> dict[str, Any]:
        wishes = {} if self.decisions is None else {"wishes": self.decisions}
        return {**self._arguments(), "models": self._models, **wishes}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TargetRequest(GridRequest):
    """A request for the cheapest scenario that meets a target.

    If `speeds` and `models` are both omitted, the workflow's default profile and its faster tiers are tried.
    """

    target: Target

    def serve(self) -> tuple[Workflow, tuple[Note, ...]]:
        models = [self.workflow.declared.model or "", *self._tiers] if self._tiers else self.models
        return self.workflow.serving(models, self.runtime)

    @cached_property
    def _tiers(self) -> Sequence[str]:
        """The faster tiers to try; empty if a speed or a model is requested, or if there are none."""
        return () if self.models or self.speeds else self.workflow.faster_tiers()

    def run(self) -> TargetResult:
        """Find the cheapest scenario that meets the target.

        Raises InputError if the workflow is too large, or if the crew is unknown or ambiguous. Also raises InputError
        if a budget is given and a price is unknown.
        """
        from planner.planning.target.search import find_cheapest

        arguments = self._arguments()
        arguments["speeds"] = self.speeds or ((1.0,) if len(self.models) > 1 or self._tiers else SPEEDS)
        return self._with_notes(find_cheapest(self.served[0], self.target, tiers=self._tiers, **arguments))


def _premium(premium: Premium | None) -> dict[str, Any]:
    """Return a dict with the keyword argument `premium`. If `premium` is None, return an empty dict.

    The called function then uses its default price law, which is fitted to the catalogue.
    """
    return {} if premium is None else {"premium": premium}
