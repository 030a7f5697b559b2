"""The comparison of many scenarios as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import Note
from planner.planning.baseline import Baseline
from planner.planning.decisions.advice import Advice, Change
from planner.planning.results import Result, Scenario
from planner.sampling.sample import Precision

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers
    from planner.planning.decisions.decide import Decisions


@dataclass(frozen=True, kw_only=True)
class ComparisonAnswer:
    """The advice of a comparison and the results of all compared scenarios, as the first screen shows them.

    crew : name of the crew whose number of agents varies; the first of them if several vary
    advice : the recommended change of the declared scenario
    baseline_scenario : the baseline as a `Scenario`. A `Scenario` has the declared number of agents for each crew that
        does not vary. None if the baseline has other numbers for these crews
    results : one result for each scenario, ordered by model, then by speed, then by number of agents
    restricted : availability of each model that not everybody can buy: ``limited`` or ``retired``
    each_crew : for each crew that the advice changes, the effect of changing only this crew; empty unless the advice
        changes several crews
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    crew: str
    advice: Advice
    baseline: Baseline
    baseline_scenario: Scenario | None
    results: tuple[Result, ...]
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]
    each_crew: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Comparison(ComparisonAnswer):
    """The results of all compared scenarios, the advice, and further facts based on these results.

    barriers : time lost at LangGraph's barriers in the recommended scenario; None if there are no barriers
    """

    decisions: Decisions
    barriers: Barriers | None = None
