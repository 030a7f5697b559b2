"""Ways to coordinate that were measured, as mechanisms of a crew.

What a crew declares beside a preset replaces its part.

The first four are of "Towards a Science of Scaling Agent Systems" (arXiv 2512.08296), table 5: mean turns of a trial,
of which a single agent takes 7.2. It counts turns, not seconds. A turn is a request here, and a trial three items of
2.4 turns for three agents (the paper's power law gives 23.6 turns to three). A brief, a report, its reading and a
merge of each item are 12 turns, a message of each agent to all after every second item 4.5. `redundancy` is what
makes up the turns that the paper counts: (1 + 2 · redundancy) · (7.2 + 12 + 4.5) is its 44.3 of hybrid teams.
Messages are as long as a turn of that architecture: every trial has 4,800 tokens.

The last two are fitted to 624 runs of teams in rounds (arXiv 2603.12229; benchmarks/fidelity.py --suite teams): the
share is read off their output tokens, 1 + redundancy · (agents − 1) times those of one agent, and not off their
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planner.errors import did_you_mean
from planner.reading.units import BadValueError

_SCALING = "turns of arXiv 2512.08296, table 5"
_TEAMS = "output tokens of the teams of arXiv 2603.12229"


@dataclass(frozen=True)
class Preset:
    """Keys of `coordination`, and whether the crew works in lockstep."""

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
    """The name of a preset."""
    if isinstance(value, str) and value in PRESETS:
        return value
    hint = did_you_mean(value, PRESETS) if isinstance(value, str) else None
    raise BadValueError("expected the name of a preset", hint or f"one of {', '.join(PRESETS)}")


def preset_of(coordination: object) -> Preset | None:
    """The preset that a `coordination` names as it stands in a file."""
    name = coordination.get("preset") if isinstance(coordination, dict) else None
    return PRESETS.get(name) if isinstance(name, str) else None


def filled(crew: Any) -> Any:
    """A crew as it stands in a file, with the parts of its preset that it does not declare itself."""
    preset = preset_of(crew.get("coordination")) if isinstance(crew, dict) else None
    if preset is None:
        return crew
    return {"lockstep": preset.lockstep, **crew, "coordination": {**preset.parts, **crew["coordination"]}}
