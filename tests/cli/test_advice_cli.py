"""The first screen of `planner compare`, its options, and the reports of a new user that led to it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.catalogue.catalogue import Catalogue
from planner.cli.app import app
from planner.loading import load
from planner.report.text.advice import MOST_LINES
from planner.report.wording.screen_notes import MOST_NOTES
from tests.conftest import ROOT, Golden

EXAMPLES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))

MIGRATE = """\
workflow: migrate
model: claude-opus-5-5
crews:
  coders: {agents: 8, coordination: {merge: 1min to 3min}}
  runners: {agents: 4}
  reviewers: {agents: 2}
steps:
  plan: {llm: {input: 40k, output: 2k to 4k}}
  package:
    needs: plan
    for_each: 40
    crew: coders
    steps:
      edit: {agent: {turns: 10 to 40, prompt: 15k, output: 200 to 900, tool: {time: 2s to 30s, result: 300 to 3k}}}
      ci: {needs: edit, crew: runners, tool: 12min}
      review: {needs: ci, crew: reviewers, human: 10min to 40min}
"""

SUPPORT = """\
workflow: support
model: claude-haiku-5-5
crews:
  desk: {agents: 8}
  people: {agents: 3}
steps:
  ticket:
    for_each: 300
    crew: desk
    steps:
      solve:
        agent: {turns: 3 to 9, prompt: 6k, output: 100 to 400, tool: {time: 1s to 5s, result: 300 to 2k}}
        success: 92%
        otherwise: person
      person: {crew: people, human: 5min to 20min}
"""


def screen(path: Path, *options: object) -> str:
    found = CliRunner().invoke(app, ["compare", str(path), *map(str, options)])
    assert found.exit_code == 0, found.output
    return found.stdout


def advice(path: Path, *options: object) -> Any:
    return json.loads(screen(path, "--json", *options))["advice"]


def plan(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_answer_fits_on_a_screen(name: str) -> None:
    text = screen(ROOT / "workflows" / f"{name}.yaml", "--samples", 16)
    answer, *notes = text.split("\nNote: ")
    assert len(answer.splitlines()) <= MOST_LINES == 18
    assert len(notes) <= MOST_NOTES == 2
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["fix_bugs", "support_triage", "interactive_chain"])
def test_the_first_screen_of_examples(name: str, golden: Golden) -> None:
    golden(screen(ROOT / "workflows" / f"{name}.yaml", "--samples", 64))


CREWS = {
    "two crews": ("coders=4,8,16", "reviewers=1,2,4"),
    "three crews": ("coders=2,4,8,16,32", "runners=1,2,4,8", "reviewers=1,2,4,8"),
    "one number each": ("coders=16", "reviewers=4"),
    "many of the other crew": ("reviewers=2,4", "coders=1,2,3,4,5,6,7,8"),
}


@pytest.mark.parametrize("crews", CREWS)
def test_the_answer_for_several_crews_fits_on_a_screen(crews: str, tmp_path: Path, golden: Golden) -> None:
    options = [part for text in CREWS[crews] for part in ("--agents", text)]
    path = plan(tmp_path, MIGRATE)
    text = screen(path, *options, "--samples", 32)
    answer, *notes = text.split("\nNote: ")
    assert len(answer.splitlines()) <= MOST_LINES
    assert len(notes) <= MOST_NOTES
    assert max(map(len, text.splitlines())) <= 80
    golden(text, crews)
    if crews == "two crews":
        golden(screen(path, *options, "--samples", 32, "--value-of-time", "100", "--setup", "2h", "--all"), "all")
    found = json.loads(screen(path, *options, "--samples", 32, "--json"))
    best = found["advice"]["recommended"]
    cells = {(each["model"], each["speed"], each["agents"], *each["others"].items()) for each in found["scenarios"]}
    if (best["model"], best["speed"], best["agents"], *best["others"].items()) in cells:
        assert answer.count("*") == 2  # the recommended cell and the legend
    elif crews != "one number each":
        assert best == found["advice"]["declared"]


def test_all_begins_with_the_answer(tmp_path: Path) -> None:
    path = plan(tmp_path, SUPPORT)
    short, long = (screen(path, "--samples", 16, *options).splitlines() for options in ((), ("--all",)))
    answer = short[: next(index for index, line in enumerate(short) if line.startswith(("--all", "Note: ")))]
    assert long[: len(answer)] == answer
    assert len(long) > 2 * len(short)


def test_advice_has_the_fields_that_are_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    section = page[page.index("\n### Advice") : page.index("\n### Barriers")]
    found = advice(plan(tmp_path, SUPPORT), "--samples", 16)
    for data in (found, found["change"], found["holders"][0]):
        assert [key for key in data if f"`{key}`" not in section] == []


def test_people_who_are_short_are_found_and_no_speed_is_bought(tmp_path: Path) -> None:
    """All cells lay within 5% for $64 to $648, and the advice was to pay $315 for 17 minutes."""
    path = plan(tmp_path, MIGRATE)
    found = advice(path, "--agents", "coders=2,4,8,16", "--samples", 64)
    assert found["verdict"] in ("keep", "fewer-agents")
    assert found["recommended"]["speed"] == 1
    assert found["recommended"]["model"] == "claude-opus-5-5"
    assert found["faster"]["after"]["model"] == "claude-opus-5-5-fast"  # a tier that can be bought
    assert (found["faster"]["worth"], found["faster"]["availability"]) == (False, "")
    assert found["other_crew"] == "reviewers"
    assert {(each["kind"], each["name"]) for each in found["holders"]} >= {
        ("step", "package.review"), ("crew", "reviewers"),
    }  # fmt: skip
    chosen = advice(path, "--samples", 64)
    assert (chosen["crew"], chosen["chosen"], chosen["verdict"]) == ("reviewers", True, "more-agents")


def test_the_crew_with_the_largest_drag_is_compared(tmp_path: Path) -> None:
    found = advice(plan(tmp_path, SUPPORT), "--samples", 64)
    assert (found["crew"], found["verdict"]) == ("people", "more-agents")
    assert 3 < found["enough"] < 40  # 300 agents were called best
    assert found["crew_drag"] > 0.3


def test_worth_is_an_option(tmp_path: Path) -> None:
    """16 items of 2 s on 2 agents: 16 s; at 2.5x 1.4 s each, 30% less."""
    path = plan(
        tmp_path,
        """\
workflow: w
model: m
models: {m: {ttft: 1s, output_speed: 50, jitter: 0, price: {input: 1, output: 1}}}
crews: {team: {agents: 2}}
steps: {a: {for_each: 16, crew: team, llm: {input: 1, output: 50}}}
""",
    )
    verdicts = [advice(path, "--agents", 2, "--worth", share, "--samples", 4)["verdict"] for share in ("29%", "31%")]
    assert verdicts == ["faster", "keep"]
    assert planner.compare(planner.load_workflow(path), agents=[2], worth=0.31, samples=4).advice.verdict == "keep"
    refused = CliRunner().invoke(app, ["compare", str(path), "--worth", "5"])
    assert refused.exit_code == 2
    assert "--worth" in refused.output


@pytest.mark.parametrize(("model", "tiers"), [
    ("claude-opus-5-5", ["claude-opus-5-5-fast"]),
    ("gpt-6.1-sol", ["gpt-6.1-sol-fast", "gpt-6.1-sol-ultrafast"]),
    ("gpt-5.5", ["gpt-5.5-fast"]),  # another tier is retired
    ("gpt-5.5-fast", []),  # as fast as the retired one, which is based on the same model
    ("claude-haiku-4-5", []),
])  # fmt: skip
def test_faster_tiers_that_can_be_bought(model: str, tiers: list[str]) -> None:
    text = f"workflow: w\nmodel: {model}\nsteps: {{a: {{llm: {{input: 1k, output: 1k}}}}}}\n"
    assert load(text, catalogue=Catalogue.load(today=date(2026, 11, 15))).faster_tiers() == tiers


def test_faster_tiers_of_the_file() -> None:
    assert load(ROOT / "workflows" / "interactive_chain.yaml").faster_tiers() == ["at-100", "at-400"]
    assert load(ROOT / "workflows" / "fix_bugs.yaml").faster_tiers() == []


def test_a_limited_tier_is_called_so() -> None:
    slow = "slow: {ttft: 1s, output_speed: 50, price: {input: 1, output: 5}}"
    quick = "quick: {based_on: slow, speed: 3x, price_multiplier: 2, available: limited}"
    text = f"workflow: w\nmodel: slow\nmodels: {{{slow}, {quick}}}\nsteps: {{a: {{llm: {{output: 9k}}}}}}\n"
    found = planner.compare(planner.load_workflow(text), samples=16).advice
    assert (found.verdict, found.recommended.model) == ("faster", "quick")
    assert found.change is not None
    assert found.change.availability == "limited"


def test_the_declared_scenario_is_that_of_a_forecast() -> None:
    """Without crews there is no limit on agents: the number that can be busy is as quick."""
    workflow = planner.load_workflow(ROOT / "workflows" / "questions.yaml")
    found = planner.compare(workflow, samples=64).advice
    forecast = planner.forecast(workflow, samples=64).result
    assert not found.limited
    assert found.declared == forecast.scenario
    assert found.declared_seconds == pytest.approx(forecast.seconds.p50)
