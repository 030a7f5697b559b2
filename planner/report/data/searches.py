"""Targets, tiers and sensitivities as plain data, JSON and CSV: seconds, US dollars, shares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.sensitivity.tornado import Influence, Sensitivity
from planner.planning.target.goal import Candidate
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.planning.tier.search import AssignmentResult, TierResult
from planner.report.data.formats import csv_text, flat, json_text, plain_data, precision_data
from planner.report.wording.notes import worded

_NO_BUDGET = {"chance": None, "low": None, "high": None}
_CHOICES = ("standard", "fast", "best", "thrifty")


def target_data(result: TargetResult) -> dict[str, Any]:
    """Plain data of a search for a target: every scenario with its chances, and the speeds and agents needed."""
    obstacle = result.obstacle
    return {
        "workflow": result.workflow,
        "seed": result.seed,
        "samples": result.samples,
        "precision": precision_data(result.precision),
        "target": asdict(result.target),
        "met": result.cheapest is not None,
        "cheapest": _candidate(result.cheapest),
        "perhaps": _candidate(result.perhaps),
        "scenarios": [_candidate(candidate) for candidate in result.candidates],
        "needed_speeds": [_requirement(speed, "agents") for speed in result.speeds],
        "needed_agents": [_requirement(agents, "speed") for agents in result.agents],
        "obstacle": None
        if obstacle is None
        else {
            "closest": _candidate(obstacle.closest),
            "steps": [asdict(step) for step in obstacle.steps],
            "within_reach": _candidate(obstacle.within_reach),
        },
        "notes": list(worded(result.notes)),
    }


def target_json(result: TargetResult) -> str:
    """JSON of a search for a target: the data that `target_data` returns."""
    return json_text(target_data(result))


def target_rows(result: TargetResult) -> list[dict[str, Any]]:
    """Rows of the CSV of a search for a target, one for each scenario."""
    rows = [_candidate(candidate) for candidate in result.candidates]
    return [flat({**row, "affordable": row["affordable"] or _NO_BUDGET}) for row in rows if row]


def target_csv(result: TargetResult) -> str:
    """CSV of a search for a target, one row for each scenario."""
    return csv_text(target_rows(result))


def _candidate(candidate: Candidate | None) -> dict[str, Any] | None:
    if candidate is None:
        return None
    data = asdict(candidate)
    return {**data.pop("scenario"), "standing": candidate.standing, **data}


def _requirement(requirement: Requirement, fixed: str) -> dict[str, Any]:
    """Plain data of a needed speed or a needed number of agents. Numbers of agents are integers.

    fixed : ``agents`` for a speed needed by a fixed number of agents, ``speed`` for agents needed at a fixed speed
    """
    value = int(requirement.fixed) if fixed == "agents" else requirement.fixed
    needed = {
        name: int(number) if fixed == "speed" and number is not None else number
        for name, number in (("needed", requirement.value), ("low", requirement.low), ("high", requirement.high))
    }
    return {
        "model": requirement.model,
        fixed: value,
        **needed,
        "at": _candidate(requirement.at),
        "sure": _candidate(requirement.sure),
        "solved": requirement.solved,
    }


def tier_data(result: TierResult) -> dict[str, Any]:
    """Plain data of a choice of tiers: the chosen steps, all standard, all fast, and each step fast by itself."""
    data: dict[str, Any] = plain_data(result)
    del data["restricted"]
    data["precision"]["converged"] = result.precision.converged
    data["notes"] = list(worded(result.notes))
    return data


def tier_json(result: TierResult) -> str:
    """JSON of a choice of tiers: the data that `tier_data` returns."""
    return json_text(tier_data(result))


def tier_rows(result: TierResult) -> list[dict[str, Any]]:
    """Rows of the CSV of a choice of tiers, one for each choice. Spaces separate the names of its fast steps."""
    choices: list[tuple[str, AssignmentResult | None]] = [(name, getattr(result, name)) for name in _CHOICES]
    choices += [("alone", choice) for choice in result.alone]
    return [
        flat({"choice": name, **asdict(choice), "steps": " ".join(choice.steps)})
        for name, choice in choices
        if choice is not None
    ]


def tier_csv(result: TierResult) -> str:
    """CSV of a choice of tiers, one row for each choice."""
    return csv_text(tier_rows(result))


def sensitivity_data(sensitivity: Sensitivity) -> dict[str, Any]:
    """Plain data of a sensitivity: the scenario and all drivers."""
    return {
        "workflow": sensitivity.workflow,
        "seed": sensitivity.seed,
        "samples": sensitivity.samples,
        "precision": precision_data(sensitivity.precision),
        **asdict(sensitivity.scenario),
        "sizes": dict(sensitivity.sizes),
        "seconds": asdict(sensitivity.seconds),
        "drivers": [_influence(influence) for influence in sensitivity.drivers],
        "notes": list(worded(sensitivity.notes)),
    }


def _influence(influence: Influence) -> dict[str, Any]:
    data = asdict(influence)
    return {**data.pop("driver"), **data}


def sensitivity_json(sensitivity: Sensitivity) -> str:
    """JSON of a sensitivity: the data that `sensitivity_data` returns."""
    return json_text(sensitivity_data(sensitivity))


def sensitivity_rows(sensitivity: Sensitivity) -> list[dict[str, Any]]:
    """Rows of the CSV of a sensitivity, one for each driver."""
    return [flat(_influence(influence)) for influence in sensitivity.drivers]


def sensitivity_csv(sensitivity: Sensitivity) -> str:
    """CSV of a sensitivity, one row for each driver. Without drivers, it has one row of empty cells."""
    return csv_text(sensitivity_rows(sensitivity) or [{"step": "", "kind": "", "key": ""}])
