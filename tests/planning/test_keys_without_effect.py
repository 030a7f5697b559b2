"""A key without effect on its step is noted, and only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from planner.planning import forecast
from planner.report.wording.notes import worded
from planner.workflow import Workflow
from tests.conftest import PLAIN, Golden

Declare = Callable[..., Workflow]

HEADER = PLAIN.replace("}}", "}, caching: {based_on: plain, cache_ttl: 5min}}") + "crews: {team: {agents: 2}}\n"


def without_effect(workflow: Workflow) -> dict[str, tuple[Mapping[str, Any], ...]]:
    notes = forecast(workflow, samples=1).notes
    return {note.code: note.values["places"] for note in notes if note.code.endswith("-without-effect")}


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("crew", "{crew: team, steps: {a: {tool: 5s}, b: {human: 5s}}}"),
        ("crew", "{crew: team, choose: {a: {chance: 50%, tool: 5s}, b: {chance: 50%, human: 5s}}}"),
        ("crew", "{crew: team, steps: {a: {crew: lead, llm: {output: 9}}, b: {crew: lead, tool: 5s}}}"),
        ("crew", "{crew: team, steps: {a: {for_each: 3, tool: 5s}}}"),
        ("model", "{model: caching, steps: {a: {model: plain, llm: {output: 9}}, b: {tool: 5s}}}"),
        ("model", "{model: caching, steps: {a: {steps: {b: {model: plain, agent: {turns: 2, output: 9}}}}}}"),
        ("size", "{for_each: {count: 3, size: 0.5x to 2x}, tool: 5s}"),
        ("size", "{for_each: {count: 3, size: 0.5x to 2x}, steps: {a: {human: 5s}, b: {tool: 5s}}}"),
        ("cached", "{llm: {input: 100, cached: 50, output: 9}}"),
        ("tool", "{agent: {turns: 1, output: 9, tool: 5s}}"),
        ("hold", "{for_each: 3, steps: {a: {tool: 5s, hold: false}}}"),
        ("sized", "{for_each: 3, tool: {time: 5s, sized: true}}"),
    ],
)
def test_a_key_without_effect_is_noted(declare: Declare, golden: Golden, key: str, step: str) -> None:
    workflow = declare(f"  x: {step}", HEADER)
    assert without_effect(workflow).keys() == {f"{key}-without-effect"}
    notes = worded(forecast(workflow, samples=1).notes)
    golden([note for note in notes if note.code.endswith("-without-effect")])


@pytest.mark.parametrize(
    "step",
    [
        "{crew: team, steps: {a: {tool: 5s}, b: {llm: {output: 9}}}}",
        "{crew: team, steps: {a: {for_each: 3, steps: {b: {tool: 5s}}}}}",  # an agent holds each item
        "{crew: team, for_each: 3, steps: {a: {human: 5s}, b: {human: 5s}}}",  # in turn
        "{crew: lead, for_each: 3, steps: {a: {crew: team, steps: {b: {tool: 5s}}}}}",  # the tool is done by the team
        "{crew: team, steps: {a: {for_each: = 2 * agents, tool: 5s}}}",
        "{model: caching, steps: {a: {model: plain, llm: {output: 9}}, b: {llm: {output: 9}}}}",
        "{for_each: {count: 3, size: 0.5x to 2x}, steps: {a: {steps: {b: {tool: {time: 5s, sized: true}}}}}}",
        "{for_each: {count: 3, size: 0.5x to 2x}, choose: {a: {chance: 50%, tool: 5s}, b: {chance: 50%, llm: {output: 9}}}}",
        "{model: caching, llm: {input: 100, cached: 50, output: 9}}",
        "{model: caching, steps: {a: {llm: {input: 100, cached: 50, output: 9}}}}",
        "{llm: {input: 100, cached: 0, output: 9}}",
        "{agent: {turns: 1 to 3, output: 9, tool: 5s}}",
        "{for_each: {count: 3, size: 0.5x to 2x}, agent: {turns: 1, output: 9, tool: 5s}}",  # large items have two turns
    ],
)
def test_a_key_with_an_effect_is_not_noted(declare: Declare, step: str) -> None:
    assert without_effect(declare(f"  x: {step}", HEADER)) == {}


def test_the_model_of_a_used_file_is_its_own(declare: Declare, tmp_path: Any) -> None:
    """A file that names a model does not take that of the step, and its requests read from that model's cache."""
    used = "workflow: used\nmodel: caching\nsteps: {ask: {llm: {input: 100, cached: 50, output: 9}}}\n"
    (tmp_path / "used.yaml").write_text(used)
    assert without_effect(declare("  x: {model: plain, use: used.yaml}", HEADER)) == {
        "model-without-effect": ({"step": "x"},)
    }
    (tmp_path / "used.yaml").write_text(used.replace("model: caching\n", ""))
    assert without_effect(declare("  x: {model: plain, use: used.yaml}", HEADER)) == {
        "cached-without-effect": ({"step": "x.ask", "model": "plain"},)
    }


def test_keys_of_a_crew_that_coordinates_nothing_are_noted(declare: Declare) -> None:
    crews = (
        "crews: {a: {agents: 1, coordination: {merge: 20s}}, b: {agents: 3, lockstep: true}, "
        "c: {agents: 3, coordination: {merge: 20s}}}"
    )
    steps = (
        "  x: {for_each: 3, crew: a, llm: {output: 10}}\n  y: {crew: b, llm: {output: 10}}\n"
        "  z: {for_each: 3, crew: c, llm: {output: 10}}"
    )
    found = forecast(declare(steps, f"{PLAIN}\n{crews}"), samples=1)
    (note,) = (note for note in found.notes if note.code == "crew-key-without-effect")
    assert [(place["step"], place["key"]) for place in note.values["places"]] == [
        ("a", "coordination"),
        ("b", "lockstep"),
    ]
