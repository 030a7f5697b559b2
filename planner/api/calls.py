"""Functions of `import planner`: read a workflow, forecast, compare, search. Each function checks its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from types import MappingProxyType

from planner.api import arguments
from planner.api.answers import Comparison, Forecast, Sensitivity, TargetResult, TierResult, answered
from planner.api.checks import Checks, decision_options, existing_folder
from planner.api.checks import limits as checked_limits
from planner.api.checks import off as checked_off
from planner.api.checks import target as checked_target
from planner.api.request import (
    CompareRequest,
    ForecastRequest,
    Progress,
    SensitivityRequest,
    TargetRequest,
    TierRequest,
)
from planner.catalogue import catalogue as catalogues
from planner.catalogue.premium import Premium
from planner.expansion.graph.task_graph import crew_sizes
from planner.loading import Loaded, load
from planner.reading.units import factor
from planner.report.wording.notes import ARGUMENTS


@dataclass(frozen=True, repr=False)
class Workflow(Loaded):
    """A workflow, and the catalogue of model profiles for the workflow. Use `load_workflow` to create a `Workflow`."""

    @property
    def name(self) -> str:
        return self.declared.workflow

    @property
    def model(self) -> str | None:
        """Name of the workflow's default profile. A step uses this profile if the step itself names no profile."""
        return self.declared.model

    @property
    def parameters(self) -> Mapping[str, float]:
        return MappingProxyType(self.declared.parameters)

    @property
    def crews(self) -> Mapping[str, int]:
        """Number of agents that the workflow declares for each crew.

        If the workflow declares no crews, the only key is ``agents``.
        """
        return MappingProxyType(crew_sizes(self.declared))

    def __repr__(self) -> str:
        return f"<Workflow {self.name}: {len(self.declared.steps)} steps, crews {dict(self.crews)}>"


def load_workflow(
    source: str | PathLike[str],
    *,
    parameters: Mapping[str, float] | None = None,
    catalogue: catalogues.Catalogue | str | PathLike[str] | None = None,
    only_below: str | PathLike[str] | None = None,
) -> Workflow:
    """Read a workflow from a file or from a text.

    source : path of the workflow's file, or the workflow itself as a string of several lines. Relative paths in such a
        string start from the current folder
    parameters : values that replace the values of the workflow's parameters
    catalogue : a catalogue, or the path of a catalogue file. The planner's own profiles are always available. None: the
        file named by the environment variable PLANNER_CATALOGUE, or else catalogue.yaml in the workflow's folder
    only_below : folder that must contain all files that the workflow uses; None: no limit. This protects from workflows
        of other people: links to files outside of the folder are refused. Only the file of `catalogue` may be elsewhere

    Raises InputError if the workflow has problems. The error lists all problems.
    """
    check = Checks(ARGUMENTS)
    given = check.take("source", source, arguments.source)
    values = check.take("parameters", parameters or {}, arguments.parameters)
    profiles = check.take("catalogue", catalogue, arguments.catalogue)
    below = check.optional("only_below", only_below, existing_folder)
    with arguments.in_python():
        check.done()
        loaded = load(given, values, profiles, only_below=below)
    return Workflow(loaded.declared, loaded.folder, loaded.catalogue, loaded.only_below)


def forecast(
    workflow: Workflow, *, speed: float = 1.0, agents: int | Mapping[str, int] | None = None, crew: str | None = None,
    model: str | None = None, runtime: str | None = None, premium: Premium | float | None = None,
    seed: int = 1, samples: int | None = None, precision: float | str | None = None,
    max_time: float | str | None = None, threads: int | None = None, scheduler: str | None = None,
    progress: Progress | None = None,
) -> Forecast:  # fmt: skip
    """Forecast the completion time and the cost of one scenario. The result also shows where the time goes.

    speed : factor by which every output speed is multiplied
    agents : number of agents of the crew, or a mapping such as {"migrators": 4, "reviewers": 6} for several crews.
        None: the numbers that the workflow declares
    crew : name of the crew to which the number `agents` applies. None: the only crew
    model : profile to use instead of the workflow's default profile
    runtime : ``langgraph`` or ``dataflow``. None: the runtime that the workflow declares
    premium : price of speeds above 1, relative to the price at speed 1. A number is the exponent `x` in
        `price = speed ** x`. With `Premium.through(2.5, 6)`, the price at speed 2.5 is 6. None: the law fitted to the
        catalogue
    seed : seed of the random draws
    samples : number of samples. Without `precision`, exactly this number is simulated; with it, at most this number.
        None: the simulation stops at the precision, or at 1,024 samples if `precision` and `max_time` are None too
    precision : relative error of p50 and p90 at which the simulation stops, such as 0.01. The relative error is
        `half-width of the 95 % interval / value`. None: 0.01 without `samples`, and no early stop with `samples`
    max_time : time limit of the simulation, in seconds. At the limit, the result so far is returned
    threads : number of threads for the simulation. None: all cores
    scheduler : address of a Dask cluster. The simulation then runs on the cluster instead of on threads
    progress : function that is called with the completed share, from 0 to 1

    The command `planner forecast` does the same. Raises InputError if there are problems. The error lists all problems.
    """
    check = Checks(ARGUMENTS)
    fields = arguments.source_and_crew(check, workflow, runtime, crew)
    request = ForecastRequest(
        **fields,
        speed=check.take("speed", speed, factor),
        agents=arguments.one_of_each(check, agents, crew),
        model=check.optional("model", model, arguments.name),
        premium=check.take("premium", premium, arguments.premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(Forecast, check, request)


def compare(
    workflow: Workflow, *, speeds: Sequence[float] | None = None,
    agents: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    crew: str | None = None, models: Sequence[str] | str = (), runtime: str | None = None,
    premium: Premium | float | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, value_of_time: float | None = None, waiting: float = 1.0, setup: str | None = None,
    runs: int | None = None, every_n: bool = False, worth: float | str = 0.05, progress: Progress | None = None,
) -> Comparison:  # fmt: skip
    """Advise whether more agents or a faster model are worth it, and compare scenarios on the same random draws.

    speeds : factors by which every output speed is multiplied. None: 1 and 2.5 for one model, or 1 for several models.
        Without `speeds` and `models`, the models are the default profile and its faster tiers, if there are any
    agents : numbers of agents to compare. For several crews, a mapping such as
        {"coders": [2, 4, 8], "reviewers": [1, 2]}; all combinations are compared. None: the declared number and the
        recommended number, with 1, half and twice the declared number for comparison. Half is left out if more agents
        are recommended. Twice is left out if fewer are recommended
    crew : name of the crew whose agents are compared. None: the only crew. If there are several crews and `agents` is
        None: the crew whose limited number costs the most time
    models : profiles to use instead of the workflow's default profile, as a list or as a string such as "a,b"
    value_of_time : cost of one hour of waiting for one person, in US dollars
    waiting : number of people who wait for the result
    setup : one-time cost of changing from one agent at 1x to another scenario, such as "2h", "$500" or "2h,$500"
    runs : number of runs that are planned after the change. The result has the total savings of these runs
    every_n : whether to try every number of agents from 1 to the largest number that can be busy simultaneously. Only
        the first speed is used. This is slow but exact
    worth : share of the declared scenario's p50 that a change must save to be recommended

    The other arguments are the same as in `forecast`. The command `planner compare` does the same.

    Raises InputError if there are problems. The error lists all problems.
    """
    check = Checks(ARGUMENTS)
    request = CompareRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        **arguments.grid(check, speeds, agents, crew, models, premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
        decisions=decision_options(check, value_of_time, waiting, setup, runs, every_n, worth),
    )
    return answered(Comparison, check, request)


def target(
    workflow: Workflow, *, p50: float | str | None = None, p90: float | str | None = None,
    p95: float | str | None = None, budget: float | str | None = None, speeds: Sequence[float] | None = None,
    agents: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    crew: str | None = None, models: Sequence[str] | str = (), runtime: str | None = None,
    premium: Premium | float | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, progress: Progress | None = None,
) -> TargetResult:  # fmt: skip
    """Find the cheapest scenario that meets a deadline and a budget.

    Scenarios whose models and speeds are sold to everybody are preferred, even if other scenarios are cheaper.

    p50, p90, p95 : deadline for 50, 90 or 95 % of runs, in seconds or as a string such as "4h". Give exactly one
    budget : largest cost of a run in US dollars. This limit must hold for the same percentage of runs as the deadline.
        None: no limit
    speeds : factors by which every output speed is multiplied. None: 1, 1.5, 2.5, 5 and 8 for one model, or 1 for
        several models. Without `speeds` and `models`, the models are the default profile and its faster tiers, if there
        are any
    agents : numbers of agents to try. For several crews, a mapping such as {"coders": [2, 4, 8], "reviewers": [1, 2]};
        all combinations are tried. The search also tries numbers between the given ones. None: 1, 2, 4, 8, 16 and the
        declared number
    crew : name of the crew to which `agents` applies. None: the only crew. If there are several crews and `agents` is
        None: the crew whose limited number costs the most time

    The other arguments are the same as in `compare`. The command `planner target` does the same.

    If no scenario surely meets the target, the result's attribute `cheapest` is None. The attribute `obstacle` then has
    the reason.

    Raises InputError if there are problems. If a budget is given, an unknown price is a problem.
    """
    check = Checks(ARGUMENTS)
    request = TargetRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        target=checked_target(check, p50, p90, p95, budget),
        **arguments.grid(check, speeds, agents, crew, models, premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(TargetResult, check, request)


def tier(
    workflow: Workflow, *, fast: str, budget: float | str | None = None, p50: float | str | None = None,
    p90: float | str | None = None, p95: float | str | None = None, agents: int | Mapping[str, int] | None = None,
    crew: str | None = None, model: str | None = None, runtime: str | None = None, seed: int = 1,
    samples: int | None = None, precision: float | str | None = None, max_time: float | str | None = None,
    threads: int | None = None, scheduler: str | None = None, progress: Progress | None = None,
) -> TierResult:  # fmt: skip
    """Choose the steps to put on a fast tier, within a budget, a deadline, or both.

    With a deadline, the cheapest choice within the limits is found. With only a budget, the quickest choice is found.

    fast : profile of the fast tier
    budget : largest cost of a run in US dollars; None: no limit. This limit must hold for the same percentage of runs
        as the deadline. Without a deadline, it must hold for 50 % of runs
    p50, p90, p95 : deadline for 50, 90 or 95 % of runs, in seconds or as a string such as "4h". Give at most one
    model : profile of the standard tier. None: the workflow's default profile

    The other arguments are the same as in `forecast`. The command `planner tier` does the same.

    If no choice is surely within the limits, the result's attribute `best` is None.

    Raises InputError if there are problems. For example, a price is unknown, or no step can change its tier.
    """
    check = Checks(ARGUMENTS)
    request = TierRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        fast=check.take("fast", fast, arguments.name),
        limits=checked_limits(check, p50, p90, p95, budget),
        agents=arguments.one_of_each(check, agents, crew),
        model=check.optional("model", model, arguments.name),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(TierResult, check, request)


def sensitivity(
    workflow: Workflow, *, off: float | str | None = None, speed: float = 1.0,
    agents: int | Mapping[str, int] | None = None, crew: str | None = None, model: str | None = None,
    runtime: str | None = None, seed: int = 1, samples: int | None = None, precision: float | str | None = None,
    max_time: float | str | None = None, threads: int | None = None, scheduler: str | None = None,
    progress: Progress | None = None,
) -> Sensitivity:  # fmt: skip
    """Rank the numbers of the workflow's file by their effect on the p90 of the completion time.

    Each number is decreased and increased by a factor, one number at a time, on the same random draws.

    off : the factor, such as 1.5 or "1.5x". For chances, it is a factor on their odds. None: 1.5

    The other arguments are the same as in `forecast`. The command `planner sensitivity` does the same.

    Raises InputError if there are problems. For example, fewer than 50 samples are a problem.
    """
    check = Checks(ARGUMENTS)
    request = SensitivityRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        off=check.optional("off", off, checked_off),
        speed=check.take("speed", speed, factor),
        agents=arguments.one_of_each(check, agents, crew),
        model=check.optional("model", model, arguments.name),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(Sensitivity, check, request)
