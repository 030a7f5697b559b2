"""A grid of speeds × agents, compared with one agent at the declared speed on the same random draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING, Any

from planner.catalogue.premium import FITTED, Premium
from planner.planning.baseline import Baseline
from planner.planning.comparison_result import Comparison, ComparisonAnswer
from planner.planning.crew_numbers import CrewNumbers
from planner.planning.decisions.advice import advise, each_alone
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.decisions.decide import DecisionInputs, DecisionOptions, Decisions, decide
from planner.planning.decisions.extra_scenarios import INSTANT, ExtraScenarios
from planner.planning.decisions.holders import Drags, drags, most_dragging
from planner.planning.decisions.search import Search
from planner.planning.grid import NOTHING, BaselineAgents, Grid, Uncoordinated
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    restricted,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.results import Result, Scenario, rows
from planner.planning.sizing import Sizing
from planner.reading.fields import MOST_AGENTS
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.sample import Precision, Progress, Stopping, quiet
from planner.workflow.checks.agents import depends_on_agents
from planner.workflow.declaration import Workflow

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers

NOTHING_MORE = DecisionOptions()

HYPOTHETICAL = 2.5
"""Default speed to compare with 1x, if no tier of the declared model can be bought. It is the speed of fast tiers."""


def compare(workflow: Workflow, speeds: Sequence[float] | None = None,
            agents: Sequence[int] | Mapping[str, Sequence[int]] | None = None, *, models: Sequence[str] = (),
            crew: str | None = None, premium: Premium = FITTED, seed: int = 1, samples: int | None = None,
            precision: float | None = None, max_time: float | None = None, backend: Backend | None = None,
            progress: Progress = quiet, wishes: DecisionOptions = NOTHING_MORE) -> Comparison:  # fmt: skip
    """Simulate combinations of models, speeds and numbers of agents, compare them, and give advice.

    speeds : factors on every output speed. None: 1 and 2.5, or only 1 if there are several models
    agents : numbers of agents of the crew `crew`, or a mapping: name of crew → numbers. With a mapping, all
        combinations are compared, and the columns of the table are the numbers of the first crew. None: 1, the
        declared number, the recommended number, and half or twice the declared number
    crew : name of the crew whose number of agents varies, unless `agents` is a mapping. None: the only crew. If there
        are several crews and `agents` is None: the crew that delays the declared scenario most
    models : names of profiles; if empty, only the workflow's own model is used
    premium : assumed prices at speeds other than 1x
    samples : largest number of samples of each scenario. All scenarios have the same number
    precision : relative error of p50 and p90 at which the simulation stops, such as 0.01
    max_time : time limit of the simulation, in seconds
    backend : where samples are simulated; None: threads on all cores
    wishes : options for the decisions in the result

    Raises InputError if the workflow is too large, if a crew is unknown, or if there are too many combinations. Also
    raises InputError if it is unclear to which of several crews the numbers apply.
    """
    answer, facts = _compared(
        True, workflow, speeds, agents, models=models, crew=crew, premium=premium, seed=seed, samples=samples,
        precision=precision, max_time=max_time, backend=backend, progress=progress, wishes=wishes,
    )  # fmt: skip
    values = {field.name: getattr(answer, field.name) for field in fields(answer)}
    decisions, barriers = facts()
    return Comparison(**values, decisions=decisions, barriers=barriers)


def compare_briefly(workflow: Workflow, **arguments: Any) -> ComparisonAnswer:
    """Return only the answer of `compare`, without the further facts. This is faster.

    arguments : as in `compare`
    """
    return _compared(False, workflow, **arguments)[0]


def _compared(
    everything: bool, workflow: Workflow, speeds: Sequence[float] | None = None,
    agents: Sequence[int] | Mapping[str, Sequence[int]] | None = None, *, models: Sequence[str] = (),
    crew: str | None = None, premium: Premium = FITTED, seed: int = 1, samples: int | None = None,
    precision: float | None = None, max_time: float | None = None, backend: Backend | None = None,
    progress: Progress = quiet, wishes: DecisionOptions = NOTHING_MORE,
) -> tuple[ComparisonAnswer, Callable[[], tuple[Decisions, Barriers | None]]]:  # fmt: skip
    """Return the answer of a comparison, and a function that computes the further facts.

    everything : whether the function will be called. Otherwise, scenarios that only the further facts need are left
        out of the default grid
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    numbers = CrewNumbers.of(workflow, agents, crew)
    agents = numbers.agents
    held = _ComparedCrew.of(workflow, numbers.crew, agents, seed, stopping, progress)
    sizing = held.sizing
    sized = sizing.choose()
    others = tuple((name, sizing.declared[name]) for name, _ in numbers.others[0])
    base = workflow.model or ""
    models = list(dict.fromkeys(models)) or [base]
    asked_speeds = list(dict.fromkeys(speeds or ((1.0,) if len(models) > 1 else (1.0, HYPOTHETICAL))))
    if agents is None and base in models and 1.0 not in asked_speeds:
        asked_speeds.insert(0, 1.0)
    shown = [(model, speed) for model in models for speed in asked_speeds]
    declared, one = Scenario(base, 1.0, held.agents, others), Scenario(base, 1.0, 1, others)
    baseline = Baseline.of(workflow)
    same = _number_for_sizes(sizing, baseline.sizes)  # None if the baseline is not a scenario of the grid
    extra = ExtraScenarios.of(workflow.on(models[0]), sizing, (models[0], min(asked_speeds)), wishes.every_n)
    searched = agents is None and extra.widest > 1 and len(models) == 1  # draws of several models are shared otherwise
    grid = Grid(workflow, sizing, premium, seed, backend, cached=searched)
    asked = None if agents is None else {declared.crews, *product(agents, numbers.others)}

    every_row = list(dict.fromkeys([(base, 1.0), *shown]))
    search = Search(
        grid, declared, every_row, extra.widest, wishes.worth, wishes.usd_per_hour, asked, stopping, progress=progress
    )
    if agents is None:
        search, first = search.scouted()
    else:
        first = requested = [
            Scenario(*row, count, combination) for row in shown for combination in numbers.others for count in agents
        ]
    compared_to = list(dict.fromkeys([(baseline.model, baseline.speed), *every_row]))
    columns = sorted({*agents, declared.agents}) if agents is not None else []
    more = [Scenario(*row, count, others) for row in every_row for count in columns]
    more += [Scenario(*row, *crews) for row in every_row for crews in sorted(asked or ())]
    more = list(dict.fromkeys(more))
    whole = everything or agents is not None  # with other grids, notes may depend on the order of all scenarios
    search.first(
        [
            *first,
            *(
                Scenario(*row, count, others)
                for row in compared_to
                for count in ((1,) if same is None else (1, same))
            ),
        ],
        [*(Scenario(models[0], *point, others) for point in extra.points if whole or point[0] != INSTANT), *more],
        Uncoordinated(
            [Scenario(models[0], *point, others) for point in extra.uncoordinated_points],
            extra.uncoordinated_workflow,
            extra.load_dependent,
        )
        if whole
        else NOTHING,
        BaselineAgents(baseline.sizes, compared_to if same is None else ()),
    )  # fmt: skip
    if agents is None:
        search = search.complete()
        requested = [Scenario(*row, count) for row in shown for count in search.columns()]
    else:
        search.take(more)
        if others:
            search.take(each_alone(declared, search.rule().choose().recommended))
    chosen = search.rule()
    other = held.other([sized, *(name for name, _ in others)], wishes.worth)
    advice = advise(
        chosen, crew=sized, chosen=held.chosen, crew_drag=held.drags.share(sized), other_crew=other,
        other_agents=sizing.declared.get(other) if other else None, most=extra.widest, limited=held.limited,
        holders=held.drags.largest(),
    )  # fmt: skip
    simulated = grid.found
    alone = {
        row: grid.baseline[row] if same is None else simulated[Scenario(*row, same, others)] for row in compared_to
    }
    over = alone[baseline.model, baseline.speed]
    results = tuple(
        Result.of(
            scenario, simulated[scenario], over, alone[scenario.row], baseline.agents(sizing.sizes(*scenario.crews))
        )
        for scenario in requested
    )  # fmt: skip
    recommended, used = advice.recommended, grid.models(requested)
    reached = Precision.of(stopping.target, (simulated[scenario].seconds for scenario in requested))
    remarks = (
        *imprecise(reached, grid.samples),
        *declaration_notes(workflow, sizing.sizes(*recommended.crews), used), *other_tokenizers(workflow, used),
        *notes(used, grid.over_context(requested), asked_speeds, premium), *concurrency(grid.batches),
    )  # fmt: skip
    answer = ComparisonAnswer(
        workflow=workflow.workflow, seed=seed, samples=grid.samples, precision=reached, crew=sized, advice=advice,
        baseline=baseline,
        baseline_scenario=None if same is None else Scenario(baseline.model, baseline.speed, same, others),
        results=results, restricted=restricted(used), notes=remarks,
        each_crew=tuple(chosen.change(declared, scenario) for scenario in each_alone(declared, recommended)),
    )  # fmt: skip

    def facts() -> tuple[Decisions, Barriers | None]:
        sizes = sizing.sizes(*recommended.crews)
        return (
            decide(_decision_inputs(grid, requested, one, over, extra), advice, wishes),
            _barriers(workflow.on(recommended.model), sizes, recommended.speed, seed, grid.samples),
        )

    return answer, facts


@dataclass(frozen=True, eq=False)
class _ComparedCrew:
    """The crew whose numbers of agents are compared, and the drags in the declared scenario.

    The drag of a crew is by how much the completion time would fall if the crew had unlimited agents.

    drags : drags of steps, crews, queues and limits
    sizing : the crew to compare, with the declared numbers of agents of all crews
    agents : declared number of agents of the crew; the largest useful number if none is declared
    chosen : whether the planner chose the crew because of its drag
    limited : whether the workflow limits the number of agents in the declared scenario
    """

    drags: Drags
    sizing: Sizing
    agents: int
    chosen: bool
    limited: bool

    @classmethod
    def of(
        cls, workflow: Workflow, crew: str | None, agents: Sequence[int] | None, seed: int, stopping: Stopping,
        progress: Progress,
    ) -> _ComparedCrew:  # fmt: skip
        """Simulate the declared scenario, and choose the crew to compare.

        crew : name of the crew, if the user named one
        agents : requested numbers of agents; None: none are requested. A workflow without crews declares no number of
            agents. If such a workflow depends on the number of agents, the least requested number is simulated
        """
        sizing = Sizing.of(workflow, crew)
        sizes, limited = dict(sizing.declared), bool(workflow.crews)
        if not limited and depends_on_agents(workflow):
            sizes, limited = sizing.sizes(min(agents or (1,))), True
        found = drags(workflow, sizes, seed, stopping.most, progress)
        chosen = sizing.crew is None and agents is None
        if chosen:
            sizing = Sizing.of(workflow, most_dragging(found, sizing.declared))
        count = min(MOST_AGENTS, sizing.agents(sizes)) if sizing.crew else 1
        return cls(found, sizing, count, chosen, limited)

    def other(self, crews: Sequence[str], worth: float) -> str | None:
        """Return the crew to compare next: the crew with the largest drag, apart from `crews`.

        Return None if the drag of this crew is at most the share `worth` of the p50.
        If the user named the crews to compare, also return None if one of them has at least the same drag.

        crews : the crews whose numbers of agents vary
        """
        seconds = self.drags.crews()
        if self.chosen:
            rest = [name for name in self.sizing.declared if name not in crews and self.drags.share(name) > worth]
            return most_dragging(self.drags, rest) if rest else None
        least = max(*(seconds.pop(crew, 0.0) for crew in crews), worth * self.drags.seconds)
        most = max(seconds, key=lambda name: seconds[name], default=None)
        return most if most is not None and seconds[most] > least else None


def _number_for_sizes(sizing: Sizing, sizes: Mapping[str, int]) -> int | None:
    """Return the number of agents of the crew that varies for which all crews have the numbers `sizes`.

    Return None if no number gives `sizes`, because another crew has its declared number of agents.
    """
    count = sizes.get(sizing.choose())
    return count if count is not None and sizing.sizes(count) == sizes else None


def _decision_inputs(
    grid: Grid, requested: Sequence[Scenario], one: Scenario, baseline: ScenarioSamples, extra: ExtraScenarios
) -> DecisionInputs:
    """Return the inputs of `decide`.

    one : the scenario of one agent at the declared speed
    baseline : samples of the baseline
    """
    samples = {scenario: _samples(found) for scenario, found in grid.found.items()}
    uncoordinated = {scenario.agents: _samples(found) for scenario, found in grid.uncoordinated.items()}
    return DecisionInputs(
        samples,
        {scenario: samples[scenario] for scenario in requested},
        one,
        _samples(baseline),
        samples[Scenario(rows(requested)[0][0], INSTANT, 1, one.others)],
        extra.widest,
        uncoordinated.get(extra.widest),
        uncoordinated.get(1),
        extra.load_dependent,
    )


def _samples(samples: ScenarioSamples) -> ScenarioValues:
    return ScenarioValues(samples.seconds, samples.usd, samples.accepted)


def _barriers(workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int) -> Barriers | None:
    if workflow.runtime != "langgraph":
        return None
    from planner.planning.barriers import barriers  # only LangGraph has barriers

    return barriers(workflow, sizes, speed, seed, samples)
