"""Wrong answers that a new user reported, each with the workflow that showed it. Brute force gives the right answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import planner
from planner.planning import TargetResult
from planner.planning.results import ALIKE
from planner.report.text.advice import first_screen
from planner.report.text.searches import target_screen
from planner.report.wording.targets import requirement_row

Read = Callable[[str], planner.Workflow]

SAMPLES = 256

QUEUE = """
workflow: queue
model: claude-haiku-5-5
crews: {desk: {agents: 8}, people: {agents: 3}}
steps:
  ticket:
    for_each: 300
    crew: desk
    steps:
      solve: {llm: {input: 6k, output: 300}, success: 92%, otherwise: person}
      person: {crew: people, human: 5min to 20min}
"""

SUPPORT = """
workflow: support
model: claude-haiku-5-5
crews: {desk: {agents: 8}, people: {agents: 3}}
steps:
  ticket:
    for_each: {count: 300, size: 0.5x to 2x}
    crew: desk
    steps:
      solve:
        agent: {turns: 3 to 9, prompt: 6k, output: 100 to 400, tool: {time: 1s to 5s, result: 300 to 2k}}
        success: 92%
        otherwise: person
      person: {crew: people, human: 5min to 20min}
"""

MIGRATION = """
workflow: migrate
model: claude-opus-5-5
crews:
  coders: {agents: 8, coordination: {merge: 1min to 3min, conflict: {chance: 0.5%, rework: 20%}}}
  runners: {agents: 4}
  reviewers: {agents: 2}
steps:
  plan: {llm: {input: 40k, thinking: 2k to 8k, output: 2k to 4k}}
  package:
    needs: plan
    for_each: {file: packages.csv, id: package, size: loc, needs: after}
    crew: coders
    steps:
      change:
        repeat: {until: 70%, at_most: 3}
        otherwise: by_hand
        steps:
          edit: {agent: {turns: 10 to 40, prompt: 15k, output: 200 to 900, tool: {time: 2s to 30s, result: 300 to 3k}}}
          ci: {needs: edit, crew: runners, tool: 12min, retry: {chance: 10%, at_most: 3}}
      by_hand: {crew: reviewers, human: 30min to 3h}
      review: {needs: change, crew: reviewers, human: 5min to 30min}
"""

FIXED = """
workflow: fixed
model: m
models: {m: {ttft: 1s, prefill_speed: 10k, output_speed: 100, jitter: 0, price: {input: 1, output: 5}}}
crews: {desk: {agents: 4}, people: {agents: 3}}
steps:
  ticket:
    for_each: 12
    crew: desk
    steps:
      answer: {llm: {output: 900}}
      approve: {needs: answer, crew: people, human: 60s}
"""

RESEARCH = """
workflow: research
model: claude-opus-5-5
crews: {searchers: {agents: 5}}
steps:
  plan: {llm: {input: 4k, thinking: 1k to 3k, output: 500 to 1200}}
  search:
    needs: plan
    for_each: 3 to 8
    crew: searchers
    agent: {turns: 4 to 10, prompt: 6k, output: 150 to 500, tool: {time: 1s to 6s, result: 1k to 8k, usd: 0.01}}
  draft:
    needs: search
    repeat: {until: 60%, at_most: 3}
    steps:
      write: {llm: {input: 12k to 30k, thinking: 1k to 4k, output: 2k to 5k}}
      critic: {needs: write, llm: {input: 8k, output: 300 to 800}}
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a workflow to a file, and load it with the profiles of the catalogue."""

    def loaded(text: str) -> planner.Workflow:
        path = tmp_path / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return planner.load_workflow(path)

    return loaded


@pytest.fixture
def migration(tmp_path: Path, read: Read) -> planner.Workflow:
    """60 packages of 100 to 1,500 lines. Every third needs an earlier one."""
    draw = random.Random(1)
    rows = [
        f"p{row},{draw.randint(100, 1500)},{f'p{draw.randrange(row)}' if row % 3 == 2 else ''}" for row in range(60)
    ]
    (tmp_path / "packages.csv").write_text("package,loc,after\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return read(MIGRATION)


def p90(workflow: planner.Workflow) -> float:
    return planner.forecast(workflow, samples=SAMPLES).result.seconds.p90


def p50(workflow: planner.Workflow, agents: Mapping[str, int], samples: int) -> float:
    return planner.forecast(workflow, agents=agents, samples=samples).result.seconds.p50


def edited(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_sensitivity_said_that_nothing_matters_where_two_numbers_decide_everything(read: Read) -> None:
    """Of 300 tickets 8% need a person. The person's time 1.5x off is about an hour, the odds of 8% nearly as much."""
    found = planner.sensitivity(read(QUEUE), samples=SAMPLES)
    assert [(one.step, one.key) for one in found.estimates[:2]] == [
        ("ticket.person", "time"),
        ("ticket.solve", "success"),
    ]
    base = p90(read(QUEUE))
    assert found.seconds.p90 == pytest.approx(base)
    success = [ratio / (1 + ratio) for ratio in (92 / 8 / 1.5, 92 / 8 * 1.5)]
    brute = [
        (p90(read(edited(QUEUE, "5min to 20min", f"{5 / 1.5!r}min to {20 / 1.5!r}min"))),
         p90(read(edited(QUEUE, "5min to 20min", "7.5min to 30min")))),
        tuple(p90(read(edited(QUEUE, "92%", f"{100 * chance!r}%"))) for chance in success),
    ]  # fmt: skip
    for one, (low, high) in zip(found.estimates, brute, strict=False):
        assert one.low.p90 == pytest.approx(low, rel=1e-6)
        assert one.high.p90 == pytest.approx(high, rel=1e-6)
        assert one.effect == pytest.approx(max(abs(low - base), abs(high - base)), rel=1e-6)
        assert 30 * 60 < (one.effect or 0) < 90 * 60
    assert max(one.effect or 0 for one in found.estimates[2:] if not one.decided) < 10 * 60


@pytest.mark.slow
def test_compare_recommended_a_speed_of_315_dollars_for_17_minutes(migration: planner.Workflow) -> None:
    """Two reviewers hold the migration up. No number of coders and no speed saves 5%."""
    advice = planner.compare(migration, agents={"coders": [2, 4, 8, 16]}, samples=64).advice
    assert advice.verdict in ("keep", "fewer-agents")
    assert (advice.recommended.model, advice.recommended.speed) == ("claude-opus-5-5", 1)
    assert advice.other_crew == "reviewers"
    held = {(holder.kind, holder.name) for holder in advice.holders}
    assert held >= {("step", "package.review"), ("crew", "reviewers")}
    declared = p50(migration, {"coders": 8}, 64)
    fast = planner.forecast(migration, agents={"coders": 8}, model="claude-opus-5-5-fast", samples=64)
    assert fast.result.seconds.p50 > 0.95 * declared
    assert p50(migration, {"coders": 16}, 64) > 0.95 * declared

    advice = planner.compare(migration, samples=64).advice
    assert (advice.verdict, advice.recommended.model, advice.recommended.speed) == ("more-agents", "claude-opus-5-5", 1)
    times = {count: p50(migration, {"reviewers": count}, 64) for count in (*range(1, 11), 16, 32, 60)}
    assert advice.recommended.agents == min(count for count in times if times[count] <= 1.05 * min(times.values()))
    assert advice.recommended.agents > 2


@pytest.mark.slow
def test_the_best_number_of_agents_was_all_300(read: Read) -> None:
    """The fewest within 5% of the quickest number are named. For the desk, these are few; for the people, some tens."""
    workflow = read(SUPPORT)
    for crew, most in (("desk", 10), ("people", 20)):
        times = {count: p50(workflow, {crew: count}, 64) for count in (*range(1, 33), 64, 128, 300)}
        fewest = min(count for count in times if times[count] <= 1.05 * min(times.values()))
        assert planner.compare(workflow, crew=crew, samples=64).advice.enough == fewest
        assert planner.compare(workflow, agents={crew: list(times)}, samples=64).advice.enough == fewest
        assert fewest <= most


def test_one_plan_had_four_speedups(read: Read) -> None:
    """12 tickets of 10 s at the desk and 60 s of 3 people: 10 + 4 * 60 s. One agent at the desk needs 20 s more.

    It answers the tickets of the first three people after 10, 20 and 30 s.
    """
    workflow = read(FIXED)
    ways: list[dict[str, int] | None] = [None, {"desk": 4}, {"people": 3}, {"desk": 4, "people": 3}]
    results = [planner.forecast(workflow, agents=agents, samples=2).result for agents in ways]
    for crew, count in (("desk", 4), ("people", 3)):
        results += planner.compare(workflow, speeds=[1], agents={crew: [count]}, samples=2).results
    assert {(result.seconds.p50, result.speedup, result.efficiency) for result in results} == {
        (250.0, 270 / 250, 270 / 250 / 4)
    }
    for one in ({"desk": 1}, {"desk": 1, "people": 3}):
        alone = planner.forecast(workflow, agents=one, samples=2).result
        assert (alone.seconds.p50, alone.speedup, alone.efficiency) == (270, 1, 1)


def printed(found: TargetResult) -> dict[str, float]:
    """Cost of each row of the tables of what is needed, by its label."""
    rows = [requirement_row(found, need) for need in (*found.speeds, *found.agents)]
    return {row.label: float(row.cost.removeprefix("$").replace(",", "")) for row in rows if "$" in row.cost}


@pytest.mark.parametrize("deadline", ["4min", "270s", "5min"])
def test_the_cheapest_scenario_was_dearer_than_others_in_its_own_output(read: Read, deadline: str) -> None:
    """Each row that can be bought as easily costs at least as much, up to ties: those within 1% go to fewer agents."""
    workflow = read(RESEARCH)
    found = planner.target(workflow, p90=deadline, speeds=[1, 1.5, 2.5], agents=[1, 2, 4, 8], samples=SAMPLES)
    best = found.cheapest
    assert best is not None
    assert best.usd is not None
    sure = [need.sure for need in (*found.speeds, *found.agents) if need.sure is not None]
    others = [one for one in (*sure, *found.candidates) if one.standing == "meets" and one.rank <= best.rank]
    assert len(others) > 3
    assert best.usd.mean <= min(one.usd.mean for one in others if one.usd) * (1 + ALIKE)
    if best.availability == "hypothetical":
        costs = printed(found)
        assert len(costs) > 3
        assert float(f"{best.usd.mean:.2f}") <= min(costs.values()) * (1 + ALIKE) + 0.01


def test_the_cheapest_scenario_could_not_be_bought(read: Read) -> None:
    """Within 270 s, the fast tier is for sale. A speed that nobody sells would cost less, and comes second."""
    workflow = read(RESEARCH)
    tiers = ["claude-opus-5-5", "claude-opus-5-5-fast"]
    found = planner.target(workflow, p90="270s", speeds=[1, 1.5, 2.5], models=tiers, samples=SAMPLES)
    best = found.cheapest
    assert best is not None
    assert best.usd is not None
    assert (best.scenario.model, best.scenario.speed, best.availability) == ("claude-opus-5-5-fast", 1, "")
    alone = planner.target(workflow, p90="270s", speeds=[1, 1.5, 2.5], samples=SAMPLES).cheapest
    assert alone is not None
    assert alone.usd is not None
    assert (alone.availability, alone.usd.mean < best.usd.mean) == ("hypothetical", True)


@pytest.mark.parametrize("text", [QUEUE, SUPPORT, FIXED, RESEARCH], ids=["queue", "support", "fixed", "research"])
def test_the_answer_came_after_four_tables(read: Read, text: str) -> None:
    workflow = read(text)
    fit(first_screen(planner.compare(workflow, samples=SAMPLES)), 18)
    fit(str(planner.forecast(workflow, samples=SAMPLES)), 25)
    fit(str(planner.sensitivity(workflow, samples=64)), 25)
    fit(target_screen(planner.target(workflow, p90="4min", samples=64)), 25)


@pytest.mark.slow
def test_the_answer_for_a_migration_came_after_four_tables(migration: planner.Workflow) -> None:
    fit(first_screen(planner.compare(migration, samples=64)), 18)


def fit(text: str, most: int) -> None:
    answer, *notes = text.split("\nNote: ")
    assert len(answer.splitlines()) <= most
    assert len(notes) <= 2
    assert max(map(len, text.splitlines())) <= 80
