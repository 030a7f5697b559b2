"""A crew that does nothing, and work that no crew limits, are noted: and only then."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planner.errors import InputError
from planner.planning import forecast
from planner.report.wording.notes import worded
from planner.workflow import Workflow
from tests.conftest import PLAIN, Golden

Declare = Callable[..., Workflow]

PAID = PLAIN + "crews: {team: {agents: 2, usd: 60/h}}"
CODES = (
    *("crew-without-effect", "crew-only-in-turn", "unused-crew", "idle-crew"),
    *("unpaid-people", "many-people", "unbounded-fan-out", "agents-without-effect", "crew-key-without-effect"),
)


def noted(workflow: Workflow, agents: int | None = None) -> dict[str, Mapping[str, Any]]:
    """Notes of `CODES` in a forecast: code → values."""
    notes = forecast(workflow, agents=agents, samples=1).notes
    return {note.code: note.values for note in notes if note.code in CODES}


def steps_of(notes: Mapping[str, Mapping[str, Any]], code: str) -> list[str]:
    return [place["step"] for place in notes[code]["places"]] if code in notes else []


@pytest.mark.parametrize(
    ("item", "remedy"),
    [
        ("look: {human: 10min}", "x.look"),
        ("look: {human: 10min}, sign: {needs: look, human: 5min}", "x.look"),
        ("run: {hold: false, tool: 10min}", None),
        ("runs: {for_each: 2, tool: 5min}", "x.runs"),
        ("ask: {crew: lead, llm: {output: 100}}", None),
        ("g: {steps: {look: {human: 1min}}}", "x.g.look"),
    ],
)
def test_a_crew_of_items_that_take_none_of_its_agents(declare: Declare, item: str, remedy: str | None) -> None:
    found = noted(declare(f"  x: {{for_each: 3, crew: team, steps: {{{item}}}}}", PAID))
    (place,) = found["crew-without-effect"]["places"]
    assert place == {"step": "x", "crew": "team", "named_inside": False, "person_or_tool": remedy}
    assert found["idle-crew"] == {"crew": "team", "paid": "busy"}
    assert bool(steps_of(found, "unpaid-people")) == ("human" in item)


def test_the_remedy_ends_the_notes(declare: Declare) -> None:
    found = noted(declare("  x: {for_each: 3, crew: team, steps: {look: {crew: team, human: 10min}}}", PAID))
    assert not {"crew-without-effect", "idle-crew", "unpaid-people", "many-people"} & found.keys()
    found = noted(declare("  x: {for_each: 3, crew: team, steps: {look: {human: 10min}, run: {tool: 5s}}}", PAID))
    assert not {"crew-without-effect", "crew-only-in-turn", "idle-crew"} & found.keys()


def test_a_crew_that_only_makes_steps_run_in_turn(declare: Declare) -> None:
    """10 min and 5 min, one after the other; without the crew, side by side."""
    step = "  x: {for_each: 3, crew: team, steps: {look: {human: 10min}, sign: {human: 5min}}}"
    workflow = declare(step, PAID)
    assert forecast(workflow, samples=1).result.seconds.p50 == pytest.approx(900)
    found = noted(workflow)
    assert steps_of(found, "crew-only-in-turn") == ["x"]
    assert "crew-without-effect" not in found
    assert found["idle-crew"]["paid"] == "busy"
    without = declare(step.replace("crew: team, ", ""), PAID)
    assert forecast(without, samples=1).result.seconds.p50 == pytest.approx(600)


def test_coordination_of_items_that_take_no_agent_is_an_effect(declare: Declare) -> None:
    """In lockstep two of four people work at the same time. With one agent there is no lockstep."""
    step = "  x: {for_each: 4, crew: team, steps: {look: {human: 10min}}}"
    crew = PLAIN + "crews: {team: {agents: 2, lockstep: true}}"
    workflow = declare(step, crew)
    assert forecast(workflow, samples=1).result.seconds.p50 == pytest.approx(1200)
    assert "crew-without-effect" not in noted(workflow)
    assert steps_of(noted(declare(step, crew.replace("agents: 2", "agents: 1"))), "crew-without-effect") == ["x"]


def test_a_group_whose_steps_name_the_crew_themselves(declare: Declare) -> None:
    found = noted(declare("  k: {crew: team, steps: {x: {crew: team, llm: {output: 10}}, y: {human: 5s}}}", PAID))
    assert [place["named_inside"] for place in found["crew-without-effect"]["places"]] == [True]
    item = declare("  k: {crew: team, for_each: 2, steps: {x: {crew: team, tool: 5s}, y: {llm: {output: 10}}}}", PAID)
    assert "crew-without-effect" not in noted(item)


@pytest.mark.parametrize(
    ("pay", "paid"), [("", None), (", usd: 36/h", "busy"), (", usd: 36/h, paid: always", "always")]
)
def test_the_pay_of_a_crew_that_no_step_names(declare: Declare, golden: Golden, pay: str, paid: str | None) -> None:
    """Two agents at $36/h, paid for 1 h if they are always paid."""
    workflow = declare("  z: {human: {time: 1h, usd: 0}}", PLAIN + f"crews: {{c: {{agents: 2{pay}}}}}")
    assert noted(workflow)["unused-crew"] == {"crew": "c", "paid": paid}
    usd = forecast(workflow, samples=1).result.usd
    assert usd is not None
    assert usd.mean == pytest.approx(72 if paid == "always" else 0)
    golden([note for note in worded(forecast(workflow, samples=1).notes) if "'c'" in note])


@pytest.mark.parametrize(("keys", "expected"), [("", []), (", coordination: {merge: 5s}", ["coordination"]),
                                                (", lockstep: true", ["lockstep"])])  # fmt: skip
def test_keys_of_a_crew_of_a_used_file_are_those_that_it_declares(
    declare: Declare, tmp_path: Path, keys: str, expected: list[str]
) -> None:
    (tmp_path / "used.yaml").write_text(
        f"workflow: used\nparameters: {{n: 1}}\ncrews: {{k: {{agents: n{keys}}}}}\n"
        "steps: {t: {crew: k, for_each: 3, llm: {output: 10}}}\n"
    )
    found = noted(declare("  u: {use: used.yaml}"))
    assert [place["key"] for place in found.get("crew-key-without-effect", {"places": ()})["places"]] == expected


@pytest.mark.parametrize("crews", ["", "crews: {team: {agents: 2}}"])
@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("{for_each: 1000, tool: 2min}", 1000),
        ("{for_each: 6, tool: 2min}", 6),
        ("{for_each: 5, tool: 2min}", None),
        ("{for_each: 3, steps: {a: {for_each: 2, tool: 2min}}}", 6),
        ("{for_each: 6, crew: lead, tool: 2min}", None),
        ("{for_each: 6, crew: lead, steps: {a: {tool: 2min}, b: {hold: false, tool: 2min}}}", None),
    ],
)
def test_tools_that_nobody_limits_are_noted_with_and_without_crews(
    declare: Declare, crews: str, step: str, count: int | None
) -> None:
    places = noted(declare(f"  a: {{llm: {{output: 10}}}}\n  t: {step}", PLAIN + crews)).get("unbounded-fan-out")
    assert (None if places is None else places["places"][0]["count"]) == count


@pytest.mark.parametrize(
    ("steps", "lead"),
    [
        ("  t: {for_each: 10, tool: 2min}", False),
        ("  a: {crew: lead, llm: {output: 10}}\n  b: {human: 5s}", True),
        ("  g: {crew: lead, steps: {a: {llm: {output: 10}}}}", True),
        ("  a: {llm: {output: 10}}", None),
        ("  g: {steps: {a: {agent: {turns: 2, output: 10}}}}", None),
        ("  t: {tool: = 9s * agents}", None),
    ],
)
def test_agents_of_the_command_that_limit_nothing(
    declare: Declare, golden: Golden, steps: str, lead: bool | None
) -> None:
    workflow = declare(steps)
    expected = {} if lead is None else {"agents-without-effect": {"lead": lead}}
    found = noted(workflow, agents=3)
    assert {code: found[code] for code in found if code.startswith("agents")} == expected
    golden([note for note in worded(forecast(workflow, agents=3, samples=1).notes) if "agents has no" in note])


def _step(dice: random.Random, depth: int) -> dict[str, Any]:
    """A random step. Groups name a crew often, and other steps seldom."""
    step: dict[str, Any] = {}
    if dice.random() < (0.6 if depth else 0.25):
        step["crew"] = dice.choice(["team", "team", "other", "lead"])
    if dice.random() < 0.4:
        step["for_each"] = dice.choice([2, 3])
    if depth and dice.random() < 0.8:
        names = "abc"[: dice.choice([1, 2, 3])]
        step["steps"] = {name: _step(dice, depth - 1) for name in names}
        if len(names) > 1 and dice.random() < 0.5:
            step["steps"]["b"]["needs"] = "a"
    else:
        seconds = f"{dice.randint(1, 50)}s"
        step |= dice.choice([{"human": seconds}, {"human": seconds}, {"tool": seconds}, {"llm": {"output": 100}}])
        if "tool" in step and "crew" not in step and dice.random() < 0.3:
            step["hold"] = False
    return step


def _lines(steps: Mapping[str, Any]) -> str:
    return "\n".join(f"  {name}: {json.dumps(step)}" for name, step in steps.items())


def _measures(workflow: Workflow) -> Any:
    found = forecast(workflow, samples=2)
    return found.result.seconds.p50, found.crews


def test_a_crew_noted_as_without_effect_has_none(declare: Declare) -> None:
    """Without the key, random files have the same time and the same busy agents."""
    header = PLAIN + "crews: {team: {agents: 2}, other: {agents: 1, lockstep: true}}"
    dice, tried = random.Random(7), 0
    while tried < 60:
        steps = {"x": _step(dice, 3), "y": _step(dice, 1)}
        workflow = declare(_lines(steps), header)
        for place in noted(workflow).get("crew-without-effect", {"places": ()})["places"]:
            step: dict[str, Any] = {"steps": steps}
            for name in place["step"].split("."):
                step = step["steps"][name]
            crew = step.pop("crew")
            without = declare(_lines(steps), header)
            assert _measures(without) == _measures(workflow), (place, steps)
            step["crew"] = crew
            tried += 1


@pytest.mark.parametrize(
    "steps",
    [
        "  g: {crew: team, steps: {h: {human: = 80s / agents}}}",
        "  g: {crew: team, steps: {t: {tool: = 80s / agents}}}",
        "  g: {crew: team, steps: {t: {for_each: = 2 * agents, tool: 1s}, a: {llm: {output: 1}}}}",
        "  g: {crew: team, for_each: 2, steps: {h: {human: = 80s / agents}, t: {tool: 1s}}}",
        "  g: {crew: team, for_each: 2, steps: {t: {hold: false, tool: = 80s / agents}, a: {llm: {output: 1}}}}",
        "  g: {crew: team, for_each: 2, steps: {f: {for_each: 2, tool: = 80s / agents}, a: {llm: {output: 1}}}}",
        "  g: {crew: team, for_each: = 2 * agents, steps: {h: {human: 5s}}}",
        "  g: {crew: team, repeat: {times: = 2 * agents}, steps: {h: {human: 5s}}}",
    ],
)
def test_agents_in_arithmetic_of_a_step_in_a_crew_that_takes_none_of_its_agents(declare: Declare, steps: str) -> None:
    workflow = declare(steps, PAID)
    with pytest.raises(InputError) as error:
        forecast(workflow, samples=1)
    (problem,) = error.value.problems
    assert problem.code == "unbound-agents"
    assert problem.position is not None
    assert f"  {steps.strip()}"[problem.position.column - 1 :].startswith("= ")


@pytest.mark.parametrize(
    "steps",
    [
        "  g: {crew: team, steps: {h: {crew: team, human: = 80s / agents}}}",
        "  g: {crew: team, steps: {a: {agent: {turns: 2, output: = 80 / agents}}}}",
        "  g: {crew: team, for_each: = 2 * agents, steps: {t: {tool: = 80s / agents}}}",
        "  g: {crew: team, repeat: {times: = 2 * agents}, steps: {h: {human: 5s}, k: {steps: {a: {llm: {output: 1}}}}}}",
    ],
)
def test_agents_in_arithmetic_of_a_step_that_agents_do(declare: Declare, steps: str) -> None:
    forecast(declare(steps, PAID), samples=1)
