"""A choice of tiers as JSON and CSV (docs/reference/json.md): seconds, US dollars."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.planning.tier.search import Choice, TierResult
from planner.report.data.results import (
    csv_text,
    flat,
    json_text,
    plain,
)

ENDS = ("standard", "fast", "best", "thrifty")


def tier_data(found: TierResult) -> dict[str, Any]:
    """The choice, both ends, and each step by itself."""
    data: dict[str, Any] = plain(found)
    del data["restricted"]
    data["precision"]["converged"] = found.precision.converged
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
