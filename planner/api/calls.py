"""Functions of `import planner`: read a workflow, forecast, compare, search. Each function checks its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from types import MappingProxyType

from planner.api import AGENTS, arguments
from planner.api.answers import Comparison, Forecast, Sensitivity, TargetResult, TierResult, answered
from planner.api.checks import Checks, decision_options, existing_folder, usd
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
    """A workflow and the catalogue with its profiles. `load_workflow` returns it."""

    @property
    def name(self) -> str:
        return self.declared.workflow

    @property
    def model(self) -> str | None:
        """Profile of every step that does not name a profile itself."""
        return self.declared.model

    @property
    def parameters(self) -> Mapping[str, float]:
        return MappingProxyType(self.declared.parameters)

    @property
    def crews(self) -> Mapping[str, int]:
        """Declared number of agents of each crew. If no crews are declared, the only key is ``agents``."""
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
    """Read a workflow from a file or a text.

    source : path of the workflow's file, or the text itself as a string of several lines. Relative paths in a text
        start from the current folder
    parameters : values of parameters, which replace the values in the file
    catalogue : a catalogue, or the path of a catalogue file. None: the file that PLANNER_CATALOGUE names, else
        catalogue.yaml in the workflow's folder. The planner's own profiles are always available
    only_below : for workflows of others: read no file outside of this folder, not even through a link. The file of the
        argument `catalogue` may be anywhere. None: no limit

    Raises InputError with every problem of the file.
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
    """Forecast completion time and cost of one scenario, and where the time goes, like `planner forecast`.

    speed : factor on every output speed
    agents : number of agents of the only crew or of `crew`, or a mapping of crews to numbers such as
        {"migrators": 4, "reviewers": 6}. None: the declared numbers
    crew : crew to which `agents` applies, if the workflow has several crews
    model : profile to use instead of the workflow's
    runtime : runtime to assume instead of the file's: ``langgraph`` or ``dataflow``
    premium : price of speeds above 1: an exponent of the speed, or `Premium.through(2.5, 6)`. None: the fitted law
    seed : seed of the random draws
    samples : exact number of samples or, if `precision` is given, the maximum number. None: as many samples as a
        precision of 1 % needs, at most 1,024
    precision : share such as 0.01; stop when the half-widths of the 95 % intervals of p50 and p90 are within this share
        of p50 and p90. None: 0.01
    max_time : seconds after which to stop and report the result so far
    threads : number of threads to simulate on. None: all cores
    scheduler : address of a Dask cluster to simulate on, instead of threads
    progress : function that receives the completed share, from 0 to 1

    Raises InputError with every problem.
    """
    check = Checks(ARGUMENTS)
    fields = arguments.source_and_crew(check, workflow, runtime, crew)
    if isinstance(agents, Mapping) and crew is not None:
        check.add("agents names its crews already; omit crew")
    request = ForecastRequest(
        **fields,
        speed=check.take("speed", speed, factor),
        agents=check.optional("agents", agents, arguments.agents_of_crews),
        model=check.optional("model", model, arguments.name),
        premium=check.take("premium", premium, arguments.premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(Forecast, check, request)


def compare(
    workflow: Workflow, *, speeds: Sequence[float] | None = None, agents: Sequence[int] = AGENTS,
    crew: str | None = None, models: Sequence[str] | str = (), runtime: str | None = None,
    premium: Premium | float | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, value_of_time: float | None = None, waiting: float = 1.0, setup: str | None = None,
    runs: int | None = None, every_n: bool = False, progress: Progress | None = None,
) -> Comparison:  # fmt: skip
    """Compare completion time and cost of speeds × agents, on the same random draws, like `planner compare`.

    speeds : factors on every output speed. None: 1, 1.5, 2.5, 5 and 8 or, if several models are given, only 1
    agents : numbers of agents to try, for the only crew or for `crew`
    models : profiles to use instead of the workflow's, as a list or as "a,b"
    value_of_time : value in US dollars of an hour that one person waits
    waiting : number of people who wait for the result
    setup : one-time cost of changing from the baseline to another scenario, as "2h", "$500" or "2h,$500"
    runs : number of runs planned after `setup`. The result has the total savings of these runs
    every_n : whether to try every number of agents up to the widest fan-out, at the first speed; slow but exact

    The other arguments are those of `forecast`. Raises InputError with every problem.
    """
    check = Checks(ARGUMENTS)
    request = CompareRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        **arguments.grid(check, speeds, agents, models, premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
        decisions=decision_options(check, value_of_time, waiting, setup, runs, every_n),
    )
    return answered(Comparison, check, request)


def target(
    workflow: Workflow, *, p90: float | str | None = None, p50: float | str | None = None,
    budget: float | str | None = None, speeds: Sequence[float] | None = None, agents: Sequence[int] = AGENTS,
    crew: str | None = None, models: Sequence[str] | str = (), runtime: str | None = None,
    premium: Premium | float | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, progress: Progress | None = None,
) -> TargetResult:  # fmt: skip
    """Find the cheapest scenario that meets a deadline and a budget, like `planner target`.

    p90 : deadline for 90 % of runs, in seconds or as "4h"
    p50 : deadline for 50 % of runs; give either `p90` or `p50`
    budget : budget in US dollars. With `p90` it is for 90 % of runs, with `p50` for 50 % of runs. None: no limit

    The other arguments are those of `compare`. If no scenario is known to meet the target, `cheapest` is None and
    `obstacle` has the reason.

    Raises InputError with every problem. An unknown price is a problem if there is a budget.
    """
    check = Checks(ARGUMENTS)
    request = TargetRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        target=checked_target(check, p90, p50, budget),
        **arguments.grid(check, speeds, agents, models, premium),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(TargetResult, check, request)


def tier(
    workflow: Workflow, *, fast: str, budget: float | str, agents: int | None = None, crew: str | None = None,
    model: str | None = None, runtime: str | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, progress: Progress | None = None,
) -> TierResult:  # fmt: skip
    """Choose the steps to put on a fast tier within a budget, like `planner tier`.

    fast : profile of the fast tier
    budget : highest median cost of a run, in US dollars
    model : profile of the standard tier, instead of the workflow's

    The other arguments are those of `forecast`. If no choice is known to be within the budget, `best` is None.

    Raises InputError with every problem. It is a problem if no step can change its tier, or if a price is unknown.
    """
    check = Checks(ARGUMENTS)
    request = TierRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        fast=check.take("fast", fast, arguments.name),
        budget=check.take("budget", budget, usd),
        agents=check.optional("agents", agents, arguments.agents),
        model=check.optional("model", model, arguments.name),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(TierResult, check, request)


def sensitivity(
    workflow: Workflow, *, speed: float = 1.0, agents: int | None = None, crew: str | None = None,
    model: str | None = None, runtime: str | None = None, seed: int = 1, samples: int | None = None,
    precision: float | str | None = None, max_time: float | str | None = None, threads: int | None = None,
    scheduler: str | None = None, progress: Progress | None = None,
) -> Sensitivity:  # fmt: skip
    """Rank the estimates that drive the p90 of the completion time, like `planner sensitivity`.

    All arguments are those of `forecast`. Raises InputError with every problem. Fewer than 50 samples are a problem.
    """
    check = Checks(ARGUMENTS)
    request = SensitivityRequest(
        **arguments.source_and_crew(check, workflow, runtime, crew),
        speed=check.take("speed", speed, factor),
        agents=check.optional("agents", agents, arguments.agents),
        model=check.optional("model", model, arguments.name),
        simulation=arguments.simulation(check, seed, samples, precision, max_time, threads, scheduler, progress),
    )
    return answered(Sensitivity, check, request)
