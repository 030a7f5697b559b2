"""First screens: their length, their notes, and pay of people."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

import planner
from planner.errors import Note
from planner.report import without_colour
from planner.report.text.forecast_screen import MOST_LINES, forecast_screen
from planner.report.text.sensitivities import sensitivity_text
from planner.report.wording import quantities
from planner.report.wording.screen_notes import CAUTION, LEAST_ERROR, MOST_NOTES, screen_notes
from tests.conftest import ROOT, Golden, amounts

EXAMPLES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))


def imprecise(error: float) -> Note:
    """A note that p50 is known to `error`: 100 samples, of the `100 (error / 1%)²` that 1% needs."""
    needed = round(100 * (error / 0.01) ** 2)
    return Note("not-converged", {"samples": 100, "target": 0.01, "needed": needed, "beyond_limit": False})


def caveat(kind: str, text: str) -> Note:
    return Note("caveat", {"text": text, "kind": kind, "profile": "fast"})


CONTEXT = Note("over-context", {"model": "a", "share": 0.1, "context": 1000})
OTHER = Note("over-context", {"model": "b", "share": 0.1, "context": 1000})
UNUSED = Note("unused-crew", {"crew": "c"})
UNPAID = Note("unpaid-people", {"places": ({"step": "ask", "crew": ""},)})
ESTIMATES = [caveat("estimate", "one"), caveat("estimate", "two"), caveat("price", "three")]
LIMITED = Note("restricted-model", {"model": "quick", "available": "limited"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_first_screens_of_forecast_and_sensitivity_fit(name: str) -> None:
    workflow = planner.load_workflow(ROOT / "workflows" / f"{name}.yaml")
    forecast = planner.forecast(workflow, samples=16)
    texts = [forecast_screen(forecast), sensitivity_text(planner.sensitivity(workflow, samples=50))]
    for text in texts:
        assert len(text.splitlines()) <= MOST_LINES == 25
        assert text.count("\nNote: ") <= MOST_NOTES == 2
        assert max(map(len, text.splitlines())) <= 80
        assert "\x1b" not in text
    time = forecast.result.seconds
    assert {quantities.seconds(time.p50), quantities.seconds(time.p90)} <= amounts(texts[0])
    everything = forecast.text(everything=True)
    answer = str(forecast).partition("\n\n")[0]
    assert everything.startswith(answer)
    assert len(everything.splitlines()) > len(str(forecast).splitlines())


WIDE = """\
workflow: \u4fee\u590d\u6240\u6709\u5df2\u77e5\u9519\u8bef\U0001f680 \u5e76\u53d1\u5e03{more}
model: \u6a21\u578b\u7532
models:
  \u6a21\u578b\u7532: {{ttft: 1s, output_speed: 50, price: {{input: 1, output: 1}}}}
  \u6a21\u578b\u4e59\u5f88\u957f\u7684\u540d\u5b57\u5feb\u901f\u7248\u672c: {{based_on: \u6a21\u578b\u7532, speed: 2x, price_multiplier: 3}}
crews: {{engineers: {{agents: 4}}, reviewers: {{agents: 2}}}}
steps:
  analyse: {{llm: {{input: 10, output: 50 to 900}}}}
  build: {{needs: analyse, for_each: 9, crew: engineers, llm: {{output: 900 to 1k}}}}
  review: {{needs: build, for_each: 9, crew: reviewers, human: 5min to 9min}}
"""
FAST = "\u6a21\u578b\u4e59\u5f88\u957f\u7684\u540d\u5b57\u5feb\u901f\u7248\u672c"


@pytest.mark.parametrize("length", [0, 3, 20, 60])
def test_first_screens_with_wide_characters_fit(length: int) -> None:
    workflow = planner.load_workflow(WIDE.format(more="\u6d41" * length))
    results = [
        planner.forecast(workflow, samples=16),
        planner.compare(workflow, samples=16),
        planner.target(workflow, p50="20min", models=[workflow.model or "", FAST], samples=16),
        planner.target(workflow, p50="1min", samples=16),
        planner.tier(workflow, fast=FAST, budget=1, samples=16),
        planner.tier(workflow, fast=FAST, p50="1min", samples=16),
        planner.sensitivity(workflow, samples=50),
    ]
    for result in results:
        for text in (str(result), result.text(everything=True)):
            widest = max(without_colour(text).splitlines(), key=cell_len)
            assert cell_len(widest) <= 80, widest
        assert "\u4fee\u590d" in str(result)


@pytest.mark.parametrize("name", ["fix_bugs", "eval_500"])
def test_the_first_screen_of_a_forecast(name: str, golden: Golden) -> None:
    workflow = planner.load_workflow(ROOT / "workflows" / f"{name}.yaml")
    golden(forecast_screen(planner.forecast(workflow, samples=64)))


@pytest.mark.parametrize(
    ("notes", "codes"),
    [
        ([UNPAID, CONTEXT, OTHER], ["over-context", "unpaid-people"]),  # one of each code, pay last
        ([UNPAID, CONTEXT, UNUSED], ["over-context", "unused-crew"]),
        ([*ESTIMATES, CONTEXT], ["over-context", CAUTION]),  # cautions are one line, after all others
        ([*ESTIMATES, LIMITED], [CAUTION]),
        ([Note("hypothetical-speeds", {}), Note("constant-concurrency", {})], []),
        ([imprecise(0.9 * LEAST_ERROR)], []),
        ([imprecise(1.1 * LEAST_ERROR)], ["not-converged"]),
        ([Note("not-converged", {"samples": 1, "target": 0.01, "needed": None})], ["not-converged"]),
    ],
)
def test_the_notes_of_a_first_screen(notes: list[Note], codes: list[str]) -> None:
    assert [note.code for note in screen_notes(notes)] == codes


def test_what_a_screen_says_itself_is_no_note() -> None:
    assert screen_notes([UNPAID, CONTEXT], ("unpaid-people",)) == [CONTEXT]


def test_cautions_count_speeds_and_name_what_not_everybody_can_buy(golden: Golden) -> None:
    (line,) = screen_notes([*ESTIMATES, LIMITED])
    golden(str(line))
    assert "2" in amounts(line)


PEOPLE = """\
workflow: w
model: m
models: {{m: {{ttft: 1s, output_speed: 50, price: {{input: 1, output: 1}}}}}}
crews: {{people: {{agents: 2{crew}}}}}
steps:
  a: {{llm: {{output: 50}}}}
  b: {{needs: a, for_each: 4, crew: people, human: {human}}}
"""


@pytest.mark.parametrize(
    ("crew", "human", "unpaid"),
    [("", "5min", True), (", usd: $80/h", "5min", False), ("", "{time: 5min, usd: $80/h}", False)],
)
def test_people_without_pay_are_noted(crew: str, human: str, unpaid: bool) -> None:
    workflow = planner.load_workflow(PEOPLE.format(crew=crew, human=human))
    for result in (planner.forecast(workflow, samples=2), planner.compare(workflow, samples=2)):
        assert [note.values["places"] for note in result.notes if note.code == "unpaid-people"] == (
            [({"step": "b", "crew": "people"},)] if unpaid else []
        )
        assert any(text in str(result) for text in ("not paid", "not in this plan")) == unpaid


@pytest.mark.parametrize(
    ("name", "count", "text"),
    [
        ("agents", 1, "1 agent"),
        ("fixers", 4, "4 fixers"),
        ("fixers", 1, "1 fixer"),
        ("people", 1, "1 person"),
        ("desk", 1, "1 agent of 'desk'"),
        ("desk", 8, "8 agents of 'desk'"),
        ("agencies", 1, "1 agent of 'agencies'"),
        ("glass", 2, "2 agents of 'glass'"),
    ],
)
def test_a_number_of_agents_of_a_crew(name: str, count: int, text: str) -> None:
    assert quantities.crew(name, count) == text
