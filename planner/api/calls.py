"""Read a workflow, forecast it, compare scenarios: each a call with checked arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from types import MappingProxyType
from typing import Any

from planner.api import arguments
from planner.api.answers import (
    Comparison,
    Forecast,
    answer,
)
from planner.api.shared import (
    Progress,
    backend_of,
    grid_of,
    run_of,
    scenario_of,
    served_by,
    source_of,
)
from planner.catalogue import catalogue as catalogues
from planner.catalogue.premium import Premium
from planner.expansion.graph.task_graph import crew_sizes
from planner.loading import Loaded, load
from planner.planning.comparison import compare as run_comparison
from planner.planning.comparison import with_barriers
from planner.planning.decisions.decide import DecisionOptions
from planner.planning.decisions.payback import Setup
from planner.planning.forecast import forecast as run_forecast


@dataclass(frozen=True, repr=False)
class Workflow(Loaded):
    """A workflow that has been read, and the catalogue that it takes profiles from. Made by `load_workflow`."""

    @property
    def name(self) -> str:
        return self.declared.workflow

    @property
    def model(self) -> str | None:
        """The profile that serves steps that name none."""
        return self.declared.model

    @property
    def parameters(self) -> Mapping[str, float]:
        return MappingProxyType(self.declared.parameters)

    @property
    def crews(self) -> Mapping[str, int]:
        """Agents of each crew as declared; without crews, those of the default crew."""
        return MappingProxyType(crew_sizes(self.declared))

    def __repr__(self) -> str:
        return f"<Workflow {self.name}: {len(self.declared.steps)} steps, crews {dict(self.crews)}>"


def load_workflow(
    source: str | PathLike[str],
    *,
    parameters: Mapping[str, float] | None = None,
    catalogue: catalogues.Catalogue | str | PathLike[str] | None = None,
) -> Workflow:
    """Read a workflow.

    source : the path of its file, or its text, which is a string of several lines; files that a text names are looked
        for in the current folder
    parameters : values that replace those of the file
    catalogue : a catalogue, or the file of one's own; none: that of PLANNER_CATALOGUE, else catalogue.yaml in the
        workflow's folder, beside the profiles that come with the planner

    Raises InputError with every problem of the file.
    """
    check = arguments.Arguments()
    given = check.take("source", source, arguments.source)
    values = check.take("parameters", parameters or {}, arguments.parameters)
    known = check.take("catalogue", catalogue, arguments.catalogue)
    check.done()
    with arguments.in_python():
        found = load(given, values, known)
    return Workflow(found.declared, found.folder, found.catalogue)


def forecast(
    workflow: Workflow,
    *,
    speed: float = 1.0,
    agents: int | Mapping[str, int] | None = None,
    crew: str | None = None,
    model: str | None = None,
    runtime: str | None = None,
    premium: Premium | float | None = None,
    seed: int = 1,
    samples: int | None = None,
    precision: float | str | None = None,
    max_time: float | str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Completion time and cost of one scenario, and where the time goes, as `planner forecast`.

    speed : factor on every output speed
    agents : of the only crew, or of `crew`; of several crews {"migrators": 4, "reviewers": 6}; none: all as declared
    crew : which crew `agents` sizes, where several are declared
    model : a profile in the place of the workflow's
    runtime : what runs it, in the place of the file's: ``langgraph`` or ``dataflow``
    premium : what speeds above 1 cost: an exponent of the speed, or `Premium.through(2.5, 6)`; none: the fitted law
    seed : of the random draws
    samples : exactly so many samples; with a precision at most so many; none: until `precision`, at most 1,024
    precision : go on until p50 and p90 are known to within this share, 95 % intervals; none: 0.01
    max_time : seconds after which to stop, with what is known by then
    threads : to simulate on; none: all cores
    scheduler : address of a Dask cluster to simulate on instead
    progress : is told the share that is done

    Raises InputError with every problem.
    """
    check = arguments.Arguments()
    plan, by = source_of(check, workflow, runtime)
    factor = check.take("speed", speed, arguments.speed)
    on, sized = scenario_of(check, agents, crew, model, arguments.agents_of_crews)
    if isinstance(agents, Mapping) and crew is not None:
        check.add("agents names crews, and so does crew; leave crew away")
    law = check.take("premium", premium, arguments.premium)
    run = run_of(check, seed, samples, precision, max_time, progress)
    where = backend_of(check, threads, scheduler)
    check.done()
    with arguments.in_python():
        served, notes = served_by(plan, on, by)
        found = run_forecast(served, speed=factor, premium=law, backend=where, **sized, **run)
    return answer(Forecast, found, (*found.notes, *notes))


def compare(
    workflow: Workflow,
    *,
    speeds: Sequence[float] | None = None,
    agents: Sequence[int] = (1, 2, 4, 8, 16),
    crew: str | None = None,
    models: Sequence[str] | str = (),
    runtime: str | None = None,
    premium: Premium | float | None = None,
    seed: int = 1,
    samples: int | None = None,
    precision: float | str | None = None,
    max_time: float | str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    value_of_time: float | None = None,
    waiting: float = 1.0,
    setup: str | None = None,
    runs: int | None = None,
    every_n: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Completion time and cost over speeds × agents, on the same random draws, as `planner compare`.

    speeds : factors on every output speed; none: 1, 1.5, 2.5, 5 and 8, or 1 where there are several models
    agents : of the only crew, or of `crew`
    crew : which crew `agents` sizes, where several are declared
    models : profiles in the place of the workflow's, as a list or as "a,b"; none: its own
    runtime : what runs it, in the place of the file's: ``langgraph`` or ``dataflow``
    premium : what speeds above 1 cost: an exponent of the speed, or `Premium.through(2.5, 6)`; none: the fitted law
    seed : of the random draws
    samples : exactly so many samples; with a precision at most so many; none: until `precision`, at most 1,024
    precision : go on until p50 and p90 are known to within this share, 95 % intervals; none: 0.01
    max_time : seconds after which to stop, with what is known by then
    threads : to simulate on; none: all cores
    scheduler : address of a Dask cluster to simulate on instead
    value_of_time : US dollars that an hour of waiting is worth
    waiting : how many people wait
    setup : what it takes once to leave the baseline, as "2h", "$500" or "2h,$500"
    runs : how often it is then run
    every_n : try every number of agents up to the widest fan-out at the first speed: slow, but exact
    progress : is told the share that is done

    Raises InputError with every problem.
    """
    check = arguments.Arguments()
    plan, by = source_of(check, workflow, runtime)
    grid = grid_of(check, speeds, agents, crew, models, premium)
    run = run_of(check, seed, samples, precision, max_time, progress)
    where = backend_of(check, threads, scheduler)
    wishes = _wishes(check, value_of_time, waiting, setup, runs, every_n)
    check.done()
    with arguments.in_python():
        served, notes = plan.serving(grid["models"], by)
        found = with_barriers(run_comparison(served, **grid, **run, backend=where, wishes=wishes), served, grid["crew"])
    return answer(Comparison, found, (*found.notes, *notes))


def _wishes(
    check: arguments.Arguments, value: Any, waiting: Any, setup: Any, runs: Any, every_n: Any
) -> DecisionOptions:
    hour = check.take("value_of_time", value, arguments.either(arguments.usd))
    people = check.take("waiting", waiting, arguments.people)
    once = check.take("setup", setup, arguments.either(arguments.setup))
    times = check.take("runs", runs, arguments.runs(setup))
    every = check.take("every_n", every_n, arguments.flag)
    return DecisionOptions(bool(every), hour, people or 1.0, once and Setup(once[0], once[1], times))
