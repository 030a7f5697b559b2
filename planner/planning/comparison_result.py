"""The comparison of many scenarios as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import Note
from planner.planning.decisions.decide import Decisions
from planner.planning.decisions.verdict import Verdict
from planner.planning.results import Result, Scenario
from planner.sampling.sample import Precision

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers


@dataclass(frozen=True)
class Comparison:
    """A grid of scenarios, ordered by model, then speed, then agents.

    crew : name of the crew whose number of agents varies
    restricted : the models that not everybody can buy, each with ``limited`` or ``retired``
    barriers : time lost at LangGraph's barriers in the best scenario of the verdict; None on other runtimes
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    crew: str
    baseline: Scenario
    results: tuple[Result, ...]
    verdict: Verdict
    decisions: Decisions
    restricted: Mapping[str, str]
    notes: tuple[Note, ...]
    barriers: Barriers | None = None
