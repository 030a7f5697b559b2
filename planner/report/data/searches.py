"""Targets and tiers as plain data, JSON and CSV: seconds, US dollars, shares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.target.goal import Candidate
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.planning.tier.search import AssignmentResult, TierResult
from planner.report.data.formats import (
    VERSION,
    as_dict,
    csv_text,
    flat,
    json_text,
    notes_data,
    plain_data,
    precision_data,
)

_NO_LIMIT = {"chance": None, "low": None, "high": None}
_CHOICES = ("standard", "fast", "best", "thrifty", "closest")


def target_data(result: TargetResult) -> dict[str, Any]:
    """Convert a `TargetResult` to plain dicts and lists."""
    obstacle = result.obstacle
    return {
        "version": VERSION,
        "workflow": result.workflow,
        "seed": result.seed,
        "samples": result.samples,
        "precision": precision_data(result.precision),
        "crews": list(result.crews),
        "crew_chosen": result.chosen,
        "target": asdict(result.target),
        "met": result.cheapest is not None,
        "cheapest": _candidate(result.cheapest),
        "perhaps": _candidate(result.perhaps),
        "next_cheaper": _candidate(result.next_cheaper),
        "restricted_cheapest": _candidate(result.restricted_cheapest),
        "scenarios": [_candidate(candidate) for candidate in result.candidates],
        "needed_speeds": [_requirement(speed) for speed in result.speeds],
        "needed_agents": [_requirement(agents) for agents in result.agents],
        "obstacle": None
        if obstacle is None
        else {
            "closest": _candidate(obstacle.closest),
            "steps": [asdict(step) for step in obstacle.steps],
            "holders": [asdict(holder) for holder in obstacle.holders],
        },
        "notes": notes_data(result.notes),
    }


def target_json(result: TargetResult) -> str:
    """Return the result of `target_data` as JSON text."""
    return json_text(target_data(result))


def target_rows(result: TargetResult) -> list[dict[str, Any]]:
    """Return the table rows of a `TargetResult`: one dict for each scenario."""
    rows = [_candidate(candidate) for candidate in result.candidates]
    return [flat({**row, "affordable": row["affordable"] or _NO_LIMIT}) for row in rows if row]


def target_csv(result: TargetResult) -> str:
    """Return a `TargetResult` as CSV text, with one row for each scenario."""
    return csv_text(target_rows(result))


def _candidate(candidate: Candidate | None) -> dict[str, Any] | None:
    if candidate is None:
        return None
    data = as_dict(candidate)
    return {**data.pop("scenario"), "standing": candidate.standing, **data}


def _requirement(requirement: Requirement) -> dict[str, Any]:
    """Convert a requirement to a dict. A requirement is the speed or the number of agents that a target needs."""
    is_speed, scenario = requirement.crew is None, requirement.at.scenario
    fixed = {"agents": scenario.agents} if is_speed else {"speed": requirement.fixed, "crew": requirement.crew}
    values = (("needed", requirement.value), ("low", requirement.low), ("high", requirement.high))
    return {
        "model": requirement.model,
        **fixed,
        **{name: number if is_speed or number is None else int(number) for name, number in values},
        "at": _candidate(requirement.at),
        "sure": _candidate(requirement.sure),
        "solved": requirement.solved,
    }


def tier_data(result: TierResult) -> dict[str, Any]:
    """Convert a `TierResult` to plain dicts and lists."""
    data: dict[str, Any] = {"version": VERSION, **plain_data(result)}
    del data["restricted"]
    data |= data.pop("limits")
    data["precision"]["converged"] = result.precision.converged
    data["notes"] = notes_data(result.notes)
    return data


def tier_json(result: TierResult) -> str:
    """Return the result of `tier_data` as JSON text."""
    return json_text(tier_data(result))


def tier_rows(result: TierResult) -> list[dict[str, Any]]:
    """Return the table rows of a `TierResult`: one dict for each choice of steps for the fast tier.

    The key ``steps`` has the names of the chosen steps, separated by spaces.
    """
    choices: list[tuple[str, AssignmentResult | None]] = [(name, getattr(result, name)) for name in _CHOICES]
    choices += [("alone", choice) for choice in result.alone]
    return [
        flat({"choice": name, **row, "steps": " ".join(choice.steps), "chance": row["chance"] or _NO_LIMIT})
        for name, choice in choices
        if choice is not None
        for row in (asdict(choice),)
    ]


def tier_csv(result: TierResult) -> str:
    """Return a `TierResult` as CSV text, with one row for each choice of steps for the fast tier."""
    return csv_text(tier_rows(result))
