"""Coordination presets: the name of a team structure in, measured coordination keys out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.errors import did_you_mean
from planner.reading.units import BadValueError

_SCALING = "turns of arXiv 2512.08296, table 5"
_TEAMS = "output tokens of the teams of arXiv 2603.12229"


@dataclass(frozen=True)
class Preset:
    """Keys of `coordination`, where they were measured, and whether the crew works in lockstep."""

    parts: Mapping[str, Any]
    source: str
    lockstep: bool = False


_LEAD = {"brief": {"output": 170}, "report": {"output": 170}, "merge": {"output": 170}}

PRESETS = {
    "independent": Preset({"redundancy": 0.29}, _SCALING),
    "centralized": Preset({**_LEAD, "redundancy": 0.22}, _SCALING),
    "decentralized": Preset({"sync": {"output": 180, "every": 2}, "redundancy": 0.62}, _SCALING),
    "hybrid": Preset(
        {
            **{key: {"output": 110} for key in _LEAD},
            "sync": {"output": 110, "every": 2},
            "redundancy": 0.43,
        },
        _SCALING,
    ),
    "lockstep-preassigned": Preset({"redundancy": 0.09}, _TEAMS, lockstep=True),
    "lockstep-decentralized": Preset({"redundancy": 0.96}, _TEAMS, lockstep=True),
}


def preset_name(value: Any) -> str:
    """Return `value` if it is the name of a preset. Raises `BadValueError`."""
    if isinstance(value, str) and value in PRESETS:
        return value
    hint = did_you_mean(value, PRESETS) if isinstance(value, str) else None
    raise BadValueError("expected the name of a preset", hint or f"one of {', '.join(PRESETS)}")


def preset_of(coordination: object) -> Preset | None:
    """Return the preset that a raw `coordination` mapping names, if any."""
    name = coordination.get("preset") if isinstance(coordination, dict) else None
    return PRESETS.get(name) if isinstance(name, str) else None


def with_preset(crew: Any) -> Any:
    """Add to a raw crew mapping the keys of its preset that it does not declare itself."""
    preset = preset_of(crew.get("coordination")) if isinstance(crew, dict) else None
    if preset is None:
        return crew
    return {"lockstep": preset.lockstep, **crew, "coordination": {**preset.parts, **crew["coordination"]}}
