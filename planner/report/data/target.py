"""Scenarios against a target as JSON and CSV (docs/reference/json.md): seconds, US dollars, shares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.target.goal import Candidate
from planner.planning.target.search import TargetResult
from planner.planning.target.solve import Requirement
from planner.planning.tier.search import Choice, TierResult
from planner.report.data.results import (
    csv_text,
    flat,
    json_text,
    plain,
)
from planner.report.wording.notes import worded


def target_data(plans: TargetResult) -> dict[str, Any]:
    """The target, every scenario against it, and what is needed."""
    obstacle = plans.obstacle
    return {
        "workflow": plans.workflow,
        "seed": plans.seed,
        "samples": plans.samples,
        "precision": {**asdict(plans.precision), "converged": plans.precision.converged},
        "target": asdict(plans.target),
        "met": plans.cheapest is not None,
        "cheapest": _candidate(plans.cheapest),
        "perhaps": _candidate(plans.perhaps),
        "scenarios": [_candidate(one) for one in plans.candidates],
        "needed_speeds": [_needed(one, "agents") for one in plans.speeds],
        "needed_agents": [_needed(one, "speed") for one in plans.agents],
        "obstacle": None
        if obstacle is None
        else {
            "closest": _candidate(obstacle.closest),
            "steps": [asdict(step) for step in obstacle.steps],
            "within_reach": _candidate(obstacle.within_reach),
        },
        "notes": list(worded(plans.notes)),
    }


def target_json(plans: TargetResult) -> str:
    """`target_data` as JSON."""
    return json_text(target_data(plans))


def target_rows(plans: TargetResult) -> list[dict[str, Any]]:
    """A row for each scenario."""
    rows = [_candidate(one) for one in plans.candidates]
    return [flat({**row, "affordable": row["affordable"] or _NO_BUDGET}) for row in rows if row]


def target_csv(plans: TargetResult) -> str:
    """`target_rows` as CSV."""
    return csv_text(target_rows(plans))


_NO_BUDGET = {"chance": None, "low": None, "high": None}


def _candidate(one: Candidate | None) -> dict[str, Any] | None:
    if one is None:
        return None
    data = asdict(one)
    return {**data.pop("scenario"), "standing": one.standing, **data}


def _needed(one: Requirement, fixed: str) -> dict[str, Any]:
    value = int(one.fixed) if fixed == "agents" else one.fixed
    whole = fixed == "speed"
    ends = {
        name: int(end) if whole and end is not None else end
        for name, end in (("needed", one.value), ("low", one.low), ("high", one.high))
    }
    return {"model": one.model, fixed: value, **ends, "at": _candidate(one.at), "sure": _candidate(one.sure),
            "solved": one.solved}  # fmt: skip


ENDS = ("standard", "fast", "best", "thrifty")


def tier_data(found: TierResult) -> dict[str, Any]:
    """The choice, both ends, and each step by itself."""
    data: dict[str, Any] = plain(found)
    del data["restricted"]
    data["precision"]["converged"] = found.precision.converged
    data["notes"] = list(worded(found.notes))
    return data


def tier_json(found: TierResult) -> str:
    """`tier_data` as JSON."""
    return json_text(tier_data(found))


def tier_rows(found: TierResult) -> list[dict[str, Any]]:
    """A row for each choice that is shown; names of steps with spaces between them."""
    shown: list[tuple[str, Choice | None]] = [(name, getattr(found, name)) for name in ENDS]
    shown += [("alone", one) for one in found.alone]
    rows = [{"choice": name, **asdict(one), "steps": " ".join(one.steps)} for name, one in shown if one is not None]
    return list(map(flat, rows))


def tier_csv(found: TierResult) -> str:
    """`tier_rows` as CSV."""
    return csv_text(tier_rows(found))
