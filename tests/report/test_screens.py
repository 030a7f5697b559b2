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
from planner.report.wording.advice import advice_table
from planner.report.wording.screen_notes import CAUTION, LEAST_ERROR, MOST_NOTES, additions, screen_notes
from tests.conftest import ROOT, Golden, amounts

EXAMPLES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))


def imprecise(error: float) -> Note:
    """A note that p90 is known to `error`: 100 samples, of the `100 (error / 1%)²` that 1% needs."""
    needed = round(100 * (error / 0.01) ** 2)
    values = {"samples": 100, "target": 0.01, "p50": error / 2, "p90": error, "needed": needed, "beyond_limit": False}
    return Note("not-converged", values)


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
        (
            [Note("not-converged", {"samples": 1, "target": 0.01, "p50": None, "p90": 0.1, "needed": None})],
            ["not-converged"],
        ),
    ],
)
def test_the_notes_of_a_first_screen(notes: list[Note], codes: list[str]) -> None:
    assert [note.code for note in screen_notes(notes)] == codes


@pytest.mark.parametrize(
    ("notes", "count"),
    [
        ([], None),
        ([UNPAID], None),
        ([CONTEXT, UNPAID], None),
        ([CONTEXT, OTHER, UNPAID], "1"),
        ([CONTEXT, UNUSED, UNPAID, Note("constant-concurrency", {})], "2"),
        ([*ESTIMATES, CONTEXT, UNUSED], "3"),  # no line for the cautions
    ],
)
def test_a_pointer_counts_the_notes_that_a_screen_leaves_out(notes: list[Note], count: str | None) -> None:
    added = additions(["steps", "tokens"], notes, screen_notes(notes))
    assert ("note" in added) == (count is not None)
    assert amounts(added) == ({count} if count else set())


def test_a_pointer_says_if_cautions_are_shown_in_one_line() -> None:
    assert "caution" in additions(["steps"], ESTIMATES, screen_notes(ESTIMATES))
    assert "caution" not in additions(["steps"], [CONTEXT], screen_notes([CONTEXT]))


def test_the_precision_on_a_screen_is_that_of_its_times() -> None:
    workflow = planner.load_workflow(ROOT / "workflows" / "fix_bugs.yaml")
    forecast = planner.forecast(workflow, samples=64)
    (note,) = (note for note in forecast.notes if note.code == "not-converged")
    seconds = forecast.result.seconds
    assert seconds.p50_low
    assert seconds.p50_high
    assert note.values["p50"] == pytest.approx((seconds.p50_high - seconds.p50_low) / 2 / seconds.p50)
    assert note.values["p90"] == forecast.precision.p90
    (line,) = (line for line in screen_notes(forecast.notes) if line.code == "not-converged")
    shown = [f"{100 * note.values[percentile]:.2g}%" for percentile in ("p50", "p90")]
    assert {*shown, "64"} <= amounts(line)


def test_the_precision_of_tiers_is_that_of_all_choices_shown() -> None:
    text = (ROOT / "workflows" / "fix_bugs.yaml").read_text(encoding="utf-8")
    text = text.replace("models:\n", "models:\n  quick: {based_on: sonnet, speed: 2x, price_multiplier: 3}\n", 1)
    tiers = planner.tier(planner.load_workflow(text), fast="quick", budget=25, samples=64)
    (note,) = (note for note in tiers.notes if note.code == "not-converged")
    assert tiers.best
    for choice in (tiers.standard, tiers.fast, tiers.best):
        seconds = choice.seconds
        assert seconds.p90_low
        assert seconds.p90_high
        assert (seconds.p90_high - seconds.p90_low) / 2 / seconds.p90 <= note.values["p90"] + 1e-12


SOLD = """\
workflow: w
model: m
models:
  m: {ttft: 1s, output_speed: 50, price: {input: 1, output: 1}}
  gone: {based_on: m, speed: 2x, available: retired}
  scarce: {based_on: m, speed: 2x, available: limited}
steps: {a: {llm: {input: 10, output: 50 to 90}}}
"""


@pytest.mark.parametrize(
    ("models", "marks"), [("m,gone", {"", "!!"}), ("m,scarce", {"", "!"}), ("m,gone,scarce", {"", "!", "!!"})]
)
def test_the_table_tells_retired_models_from_those_not_sold_to_everybody(models: str, marks: set[str]) -> None:
    comparison = planner.compare(planner.load_workflow(SOLD), models=models, samples=16)
    table = advice_table(comparison, 9)
    assert {mark for _, mark, _ in table.rows} == marks
    assert ("no longer sold" in table.legend) == ("!!" in marks)
    assert ("everybody" in table.legend) == ("!" in marks)


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
