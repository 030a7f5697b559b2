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
        ("compaction", "{agent: {turns: 1, output: 9, context_limit: 9k, compaction: {output: 9}}}"),
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
        "c: {agents: 3, coordination: {merge: 20s}}, d: {agents: 3, coordination: {merge: 20s}}}"
    )
    steps = (
        "  x: {for_each: 3, crew: a, llm: {output: 10}}\n  y: {crew: b, llm: {output: 10}}\n"
        "  z: {for_each: 3, crew: c, llm: {output: 10}}\n  one: {for_each: 1, crew: d, llm: {output: 10}}"
    )
    found = forecast(declare(steps, f"{PLAIN}\n{crews}"), samples=1)
    (note,) = (note for note in found.notes if note.code == "crew-key-without-effect")
    assert [(place["step"], place["key"]) for place in note.values["places"]] == [
        ("a", "coordination"),
        ("b", "lockstep"),
        ("d", "coordination"),
    ]


def codes(workflow: Workflow) -> dict[str, Mapping[str, Any]]:
    """Notes on declarations that nothing uses: code → values."""
    named = ("unused-", "overridden-", "default-", "copies-over")
    return {note.code: note.values for note in forecast(workflow, samples=1).notes if note.code.startswith(named)}


ASK = "  ask: {llm: {input: 100, output: 9}}"
OTHERS = PLAIN.replace("}}", "}, fast: {based_on: plain, speed: 2x}, other: {ttft: 1s, output_speed: 9}}")


@pytest.mark.parametrize(
    ("header", "steps", "expected"),
    [
        (PLAIN + "parameters: {b: 2, a: 3}", ASK, {"unused-parameter": {"parameters": ("a", "b")}}),
        (PLAIN + "parameters: {ask: 3}", ASK + "\n  b: {needs: ask, tool: 5s}", {"unused-parameter": {"parameters": ("ask",)}}),
        (OTHERS, ASK, {"unused-model": {"models": ("other",)}}),
        (PLAIN, "  ask: {tool: 5s}", {"unused-default-model": {}}),
        (PLAIN + "uncertainty: {overall: 1.5x}", ASK, {"unused-uncertainty": {}}),
        (PLAIN + "uncertainty: {per_step: 1.5x}", "  a: {agent: {turns: 2 to 9, output: 9}}", {"unused-uncertainty": {}}),
        (
            PLAIN + "uncertainty: {per_step: 1.5x}",
            "  a: {human: 5s to 9s}\n  b: {llm: {output: = 3 * 9}}",
            {"unused-uncertainty": {}},
        ),
        (
            PLAIN + "runtime: langgraph\nmax_concurrency: 2",
            "  a: {best_of: 3, llm: {output: 9}}",
            {"copies-over-limit": {"places": ({"step": "a", "copies": 3, "max_concurrency": 2},)}},
        ),
    ],
)  # fmt: skip
def test_a_declaration_that_nothing_uses_is_noted(
    declare: Declare, golden: Golden, header: str, steps: str, expected: Mapping[str, Any]
) -> None:
    workflow = declare(steps, header)
    assert codes(workflow) == expected
    golden([note for note in worded(forecast(workflow, samples=1).notes) if note.code in expected])


@pytest.mark.parametrize(
    ("header", "steps"),
    [
        (PLAIN + "parameters: {n: 3}", "  a: {for_each: n, llm: {output: 9}}"),
        (PLAIN + "parameters: {n: 3}", "  a: {repeat: {times: n}, llm: {output: 9}}"),
        (PLAIN + "parameters: {n: 3}", "  a: {llm: {output: '= 9 * n'}}"),
        (PLAIN + "parameters: {n: 3}", "  a: {llm: {output: {by_model: {other: '= 9 * n'}}}}"),
        (PLAIN + "parameters: {n: 3}\ncrews: {w: {agents: n}}", "  a: {crew: w, llm: {output: 9}}"),
        (OTHERS, "  a: {llm: {output: 9}}\n  b: {model: other, llm: {output: 9}}"),
        (OTHERS, "  a: {llm: {output: {by_model: {plain: 5, other: 9}}}}"),
        (PLAIN + "crews: {w: {agents: 2, coordination: {brief: {output: 9}}}}", "  a: {for_each: 3, crew: w, human: 5s}"),
        (PLAIN + "uncertainty: {overall: 1.5x}", "  a: {llm: {output: 5 to 9}}"),
        (PLAIN + "uncertainty: {overall: 1.5x}", "  a: {llm: {output: '= 5 * 2 to 9 * 2'}}"),
        (PLAIN + "uncertainty: {overall: 1.5x}", "  a: {agent: {turns: 2, output: 5, tool: 1s to 5s}}"),
        (
            PLAIN + "uncertainty: {overall: 1.5x}\ncrews: {w: {agents: 2, coordination: {merge: 1s to 5s}}}",
            "  a: {for_each: 3, crew: w, llm: {output: 9}}",
        ),
        (PLAIN + "runtime: langgraph\nmax_concurrency: 3", "  a: {best_of: 3, llm: {output: 9}}"),
        (PLAIN + "runtime: langgraph\nmax_concurrency: 2", "  a: {first_of: 3, llm: {output: 9}}"),  # a single node
    ],
)  # fmt: skip
def test_a_declaration_that_something_uses_is_not_noted(declare: Declare, header: str, steps: str) -> None:
    assert codes(declare(steps, header)) == {}


def test_a_model_of_the_command_is_used(declare: Declare) -> None:
    workflow = declare(ASK, OTHERS)
    assert codes(workflow.on("other")) == {}  # nor is the declared one unused


def test_keys_of_used_files_that_the_outermost_overrides_are_noted(declare: Declare, tmp_path: Any) -> None:
    (tmp_path / "used.yaml").write_text(
        "workflow: used\nparameters: {n: 2, m: 3, k: 4}\nuncertainty: {overall: 2x}\nruntime: langgraph\n"
        "crews: {w: {agents: n}, v: {agents: 1}}\nmodels: {plain: {ttft: 9s, output_speed: 5}}\n"
        "steps: {ask: {for_each: m, crew: w, llm: {output: 5 to 9}}, b: {crew: v, llm: {output: 5}}}\n"
    )
    header = PLAIN + "crews: {w: {agents: 5}}"
    found = codes(declare("  x: {use: {file: used.yaml, parameters: {m: 5}}}", header))
    assert found["unused-parameter"] == {"parameters": ("k",)}
    assert [place["key"] for place in found["overridden-key"]["places"]] == [
        "runtime", "uncertainty", "crews.w", "models.plain",
    ]  # fmt: skip


def test_switches_that_say_their_default_are_noted(declare: Declare, golden: Golden) -> None:
    header = (
        PLAIN + "runtime: dataflow\ncrews: {w: {agents: 2, lockstep: false, usd: 5/h, paid: busy}, "
        "v: {agents: 2, lockstep: false, coordination: {preset: lockstep-preassigned}}}"
    )
    steps = (
        "  a: {for_each: 3, crew: w, steps: {b: {hold: true, tool: 5s}, c: {needs: b, tool: {time: 5s, sized: false}}}}\n"
        "  d: {for_each: 3, crew: v, llm: {output: 5}}"
    )
    workflow = declare(steps, header)
    found = [(place["step"], place["key"]) for place in codes(workflow)["default-declared"]["places"]]
    assert found == [("", "runtime"), ("w", "lockstep"), ("w", "paid"), ("a.b", "hold"), ("a.c", "sized")]
    golden([note for note in worded(forecast(workflow, samples=1).notes) if note.code == "default-declared"])


def test_copies_on_the_lead_are_no_items(declare: Declare) -> None:
    """One agent makes the requests of copies in parallel: 1 s and 9 tokens at 50 tokens/s."""
    found = forecast(declare("  a: {crew: lead, best_of: 2, llm: {output: 50}}"), samples=1)
    assert "items-in-turn" not in [note.code for note in found.notes]


@pytest.mark.parametrize(("cached", "noted"), [("100", False), ("101", True), ("50 to 200", False)])
def test_more_cached_tokens_than_input_are_noted(declare: Declare, golden: Golden, cached: str, noted: bool) -> None:
    workflow = declare(f"  x: {{model: caching, llm: {{input: 100, cached: {cached}, output: 9}}}}", HEADER)
    notes = [note for note in worded(forecast(workflow, samples=1).notes) if note.code == "cached-over-input"]
    assert bool(notes) == noted
    golden(notes)
