"""`planner target` against closed forms: what is needed, what is cheapest, and why nothing is enough."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from planner.catalogue import Premium
from planner.cli.app import app
from planner.engine import Values, share_interval
from planner.engine.statistics import KEPT
from planner.errors import InputError, Note
from planner.planning import Candidate, Target, TargetResult, find_cheapest
from planner.planning.target.goal import standing
from planner.planning.target.solve import rounded_down, rounded_up
from planner.report import target_text
from planner.sampling import DrawCache
from planner.workflow import Workflow
from tests.conftest import ROOT, Golden, amounts

Declare = Callable[..., Workflow]

PRICED = (
    "models: {plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 0, output: 10}}}\n"
    "model: plain\n"
)
CREW = PRICED + "crews: {team: {agents: 2}}"
CHAIN = "  a: {llm: {output: 5000}}\n  b: {needs: a, tool: 10s}"
"""11 + 100 / speed seconds; 0.05 USD at 1x."""

TWELVE = "  a: {for_each: 12, crew: team, llm: {output: 450}}"
"""⌈12 / agents⌉ · (1 + 9 / speed) seconds."""

Z90 = 1.2815515655446004


def solved(
    workflow: Workflow, deadline: float, speeds: list[float], agents: list[int], **options: object
) -> TargetResult:
    budget, q = options.pop("budget", None), options.pop("percentile", 0.9)
    options.setdefault("samples", 64)
    return find_cheapest(workflow, Target(q, deadline, budget), speeds, agents, **options)  # type: ignore[arg-type]


def point(candidate: Candidate | None) -> tuple[float, int]:
    assert candidate is not None
    return candidate.scenario.speed, candidate.scenario.agents


def test_the_speed_that_a_chain_needs_is_solved_between_the_grid_points(declare: Declare) -> None:
    found = solved(declare(CHAIN, PRICED), 60, [1, 1.5, 2.5, 5], [1], premium=Premium(1.0))
    (needed,) = found.speeds
    exact = 100 / (60 - 11)
    assert needed.value == needed.low == needed.high == 2.05 == rounded_up(exact)
    assert needed.at.seconds.p90 == pytest.approx(11 + 100 / 2.05, abs=1e-5)
    assert needed.at.usd
    assert needed.at.usd.mean == pytest.approx(0.05 * 2.05)
    assert point(found.cheapest) == (2.05, 1)  # cheaper than the requested 2.5x


@pytest.mark.parametrize("deadline", [11.5, 20, 30, 110.9, 111, 200])
def test_needed_speeds_are_the_least_of_three_digits(declare: Declare, deadline: float) -> None:
    (needed,) = solved(declare(CHAIN, PRICED), deadline, [1, 2], [1]).speeds
    assert needed.value == max(1.0, rounded_up(100 / (deadline - 11)))


def test_the_agents_that_side_by_side_items_need_are_a_ceiling(declare: Declare) -> None:
    for deadline, speeds in ((35, [1.0]), (20, [1.0]), (45, [1.0, 2.0]), (10.0, [1.0])):
        found = solved(declare(TWELVE, CREW), deadline, speeds, [1, 8])
        for needed in found.agents:
            rounds = math.floor(deadline / (1 + 9 / needed.fixed))
            assert needed.value == needed.low == needed.high == math.ceil(12 / rounds), deadline


def test_agents_beyond_those_asked_for_are_found_and_none_where_none_is_enough(
    declare: Declare, golden: Golden
) -> None:
    workflow = declare(TWELVE, CREW)
    (needed,) = solved(workflow, 10, [1], [1, 2]).agents
    assert needed.value == 12
    found = solved(workflow, 9.9, [1], [1, 2])
    assert found.agents[0].value is None
    assert found.agents[0].at.seconds.p90 == pytest.approx(10)  # as many as can be of use
    assert [needed.value for needed in found.speeds] == [None, 13.9]  # 9.9 / 6 = 1 + 9 / 13.85; 9.9 / 12 < 1
    assert point(found.cheapest) == (1.02, 12)  # 1 + 9 / 1.02 = 9.83; 11 agents need two rounds, so 2.28x
    text = words_of(found)
    golden(text)
    assert amounts(text) >= {"1,000x"}
    assert "to none" not in text
    met = words_of(solved(workflow, 60, [1], [2]))
    assert "none" not in met


def test_the_cheapest_is_of_the_least_mean_cost_then_of_the_fewest_agents(declare: Declare) -> None:
    found = solved(declare(TWELVE, CREW), 60, [1, 2], [1, 2, 4, 12])
    assert point(found.cheapest) == (1, 2)  # 4 and 12 agents cost the same, 2x more
    assert found.obstacle is None
    marks = {(one.scenario.speed, one.scenario.agents): one.standing for one in found.candidates}
    assert marks[1, 1] == "misses"
    assert marks[2, 1] == "misses"  # 12 · 5.5 s
    assert marks[2, 2] == "meets"


@pytest.mark.parametrize(("less", "expected"), [(1, 1), (200, 12)])
def test_a_tie_in_cost_goes_to_the_fewest_agents(declare: Declare, less: int, expected: int, golden: Golden) -> None:
    """Further agents write `less` tokens fewer of 4,500 each: 0.02 % is no reason for twice the agents, 9 % is.

    The cheapest lies outside of the requested numbers: one agent, and one for each item.
    """
    steps = f"  a: {{for_each: 12, crew: team, llm: {{output: = 4500 - {less} * agents}}}}"
    found = solved(declare(steps, CREW), 2000, [1], [2, 4])
    assert point(found.cheapest) == (1, expected)
    golden(target_text(found))


def test_costs_that_cannot_be_told_apart_are_a_tie(declare: Declare, golden: Golden) -> None:
    """Branches of equal chance: one costs twice as much with few agents, the other with many."""
    steps = """  a:
    for_each: {count: 2}
    crew: team
    choose:
      few: {chance: 50%, llm: {output: = 8k / agents}}
      many: {chance: 50%, llm: {output: = 500 * agents}}"""
    found = solved(declare(steps, CREW), 4000, [1], [2, 8], samples=20, seed=1)
    two, eight = found.candidates
    assert two.usd
    assert eight.usd
    assert eight.usd.mean < 0.9 * two.usd.mean  # by the luck of 20 samples: both cost 0.05 USD
    # 4 agents are the cheapest, at 0.04 USD in either branch; 3 cost 0.0417 on average, but not surely more
    assert point(found.cheapest) == (1, 3)
    golden(target_text(found))


def words_of(found: TargetResult) -> str:
    return " ".join(target_text(found).split())


def test_a_budget_excludes_what_is_quick_enough(declare: Declare, golden: Golden) -> None:
    workflow = declare(CHAIN, PRICED)
    law = Premium(1.0)
    assert point(solved(workflow, 60, [1, 2.5], [1], budget=0.103, premium=law).cheapest) == (2.05, 1)
    found = solved(workflow, 60, [1, 2.5], [1], budget=0.1, premium=law)
    assert found.cheapest is None
    assert found.obstacle
    assert point(found.obstacle.closest) == (1, 1)  # the quickest that can be bought within the budget
    assert found.speeds[0].sure
    assert found.speeds[0].sure.standing == "misses"  # 2.05x costs 0.1025 USD
    text = target_text(found)
    golden(text)
    assert amounts(text) >= {"2.05x", "2.5x"}
    assert "$" in text
    nothing = solved(workflow, 60, [1, 2.5], [1], budget=0.01, premium=law)
    golden(target_text(nothing))


def test_a_target_that_nothing_meets_names_the_step_to_shorten(declare: Declare, golden: Golden) -> None:
    workflow = declare("  write: {llm: {output: 5000}}\n  sign: {needs: write, human: 1h}\n  file: {tool: 5s}", PRICED)
    found = solved(workflow, 1800, [1, 2], [1, 2])
    assert found.cheapest is None
    assert found.obstacle
    assert [step.step for step in found.obstacle.steps] == ["sign", "write"]
    assert found.obstacle.steps[0].drag.seconds == pytest.approx(3600)
    assert all(needed.value is None for needed in (*found.speeds, *found.agents))
    text = re.sub(r"\s+", " ", target_text(found))
    golden(target_text(found))
    assert amounts(text) >= {"1,000x", "1h00", "2x"}


# What is known of a claim


def test_what_lies_at_the_limit_is_neither_met_nor_missed(declare: Declare, golden: Golden) -> None:
    workflow = declare("  a: {tool: {time: {p50: 10s, p95: 20s}}}", PRICED)
    exact = 10 * math.exp(Z90 * math.log(2) / 1.6448536269514722)
    at = solved(workflow, exact, [1], [1], samples=1000)
    assert at.cheapest is None
    assert at.perhaps is at.candidates[0]
    assert at.candidates[0].standing == "limit"
    golden(target_text(at))
    chance = at.candidates[0].chance
    assert chance.low <= 0.9 <= chance.high
    assert abs(chance.chance - 0.9) < 4 * math.sqrt(0.09 / 1000)
    for factor, expected in ((1.15, "meets"), (0.85, "misses")):
        # at p90 the density is φ(1.28) / (σ q): the interval is ± 1.96 · √0.09 / √1000 · σ / 0.1755 = 4.5 % of q
        assert solved(workflow, factor * exact, [1], [1], samples=1000).candidates[0].standing == expected


def test_how_well_chances_are_known_is_the_further_end_of_their_interval(declare: Declare) -> None:
    """30 of 30 samples in time: Wilson's interval is 30 / (30 + 1.96²) = 88.6 % to 100 %."""
    found = solved(declare("  a: {tool: 10s}", PRICED), 20, [1], [1], samples=30)
    assert "± 11% at most" in re.sub(r"\s+", " ", target_text(found))


def test_the_interval_of_a_needed_speed_holds_the_exact_one(declare: Declare) -> None:
    workflow = declare("  a: {llm: {output: 5000}}\n  b: {needs: a, tool: {time: {p50: 10s, p95: 20s}}}", PRICED)
    exact = 100 / (60 - 1 - 10 * math.exp(Z90 * math.log(2) / 1.6448536269514722))
    held = 0
    for seed in range(20):
        (needed,) = solved(workflow, 60, [1, 4], [1], samples=500, seed=seed).speeds
        assert needed.low is not None
        assert needed.high is not None
        assert needed.value is not None
        assert needed.low <= needed.value <= needed.high
        held += needed.low <= rounded_up(exact) <= needed.high
    assert held >= 16  # of Binomial(20, 0.95): fewer in 3 of 1,000 cases


def test_few_samples_do_not_support_a_claim() -> None:
    few = Values.of(np.linspace(1, 2, 20))
    assert standing(few, 0.9, 3.0) == "limit"  # 0.9^20 = 12 % of such samples lie below the quantile altogether
    assert standing(Values.of(np.linspace(1, 2, 100)), 0.9, 3.0) == "meets"
    assert standing(Values.of(np.ones(1)), 0.9, 3.0) == "meets"  # nothing varies
    assert standing(few, 0.9, 0.5) == "misses"


def test_an_interval_that_begins_at_the_limit_does_not_miss_it() -> None:
    samples = Values.of(np.linspace(1, 2, 100))
    low, high = samples.interval(0.5)
    assert low < high
    assert standing(samples, 0.5, low) == "limit"
    assert standing(samples, 0.5, np.nextafter(low, 0)) == "misses"
    assert standing(samples, 0.5, high) == "meets"


def test_shares_have_wilson_intervals() -> None:
    assert share_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)  # Newcombe (1998), table I
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert share_interval(10, 10)[1] == 1


def test_samples_up_to_a_limit_are_counted_one_by_one_and_in_bins() -> None:
    values = np.random.default_rng(1).exponential(size=3 * KEPT)
    assert Values.of(values[:1000]).share(0.7)[0] == np.mean(values[:1000] <= 0.7)
    share, *_ = Values.of(values).share(0.7)
    assert share == pytest.approx(np.mean(values <= 0.7), abs=0.7 * 2**-14 * 2)  # a bin is 1 part in 2¹⁴ wide


def test_numbers_of_three_digits() -> None:
    assert [rounded_up(1.0), rounded_up(1.001), rounded_up(9.991), rounded_up(10.01)] == [1, 1.01, 10, 10.1]
    assert [rounded_up(1.0, above=True), rounded_up(9.99, above=True), rounded_up(99.9, above=True)] == [1.01, 10, 100]
    assert [rounded_down(1.01), rounded_down(10.0), rounded_down(10.05), rounded_down(1.0)] == [1, 9.99, 10, 0.999]


def test_a_budget_needs_prices(declare: Declare, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        solved(declare(CHAIN), 60, [1], [1], budget=5.0)
    golden(error.value)
    assert "Its cost is unknown" in target_text(solved(declare(CHAIN), 200, [1], [1]))


def test_time_ends_the_search_and_that_is_said(declare: Declare) -> None:
    """12 items of 1 + 9 / speed seconds within 24 s: 1x needs 6 agents; without time only 1, 4 and 12 are known."""
    workflow = declare(TWELVE, CREW)
    cut = solved(workflow, 24, [1.0], [1, 4, 12], samples=None, max_time=1e-9)
    whole = solved(workflow, 24, [1.0], [1, 4, 12])
    assert [(one.value, one.solved) for one in cut.agents] == [(12, False)]
    assert [(one.value, one.solved) for one in whole.agents] == [(6, True)]
    assert Note("unsolved") in cut.notes
    assert Note("unsolved") not in whole.notes
    assert re.search(r"at 1x +≤ 12 ", target_text(cut))
    assert re.search(r"1 agent of 'team' +unknown ", target_text(cut))
    assert re.search(r"1 agent of 'team' +9x ", target_text(whole))


def test_what_was_drawn_is_kept_and_changes_nothing(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = declare(
        "  a: {for_each: 12, crew: team, llm: {output: 100 to 900}, retry: {chance: 10%, at_most: 2, timeout: 20s}}",
        CREW,
    )
    kept, room = solved(workflow, 60, [1.0, 2.0], [1, 12]), DrawCache.__init__
    assert kept.agents[0].value not in (None, 1, 12)
    for most in (0, 50_000):  # nothing is kept, and some of it
        monkeypatch.setattr(DrawCache, "__init__", lambda self, given, most=most: room(self, most))
        assert solved(workflow, 60, [1.0, 2.0], [1, 12]) == kept


def test_samples_are_those_of_a_comparison(declare: Declare) -> None:
    from planner.planning import compare

    workflow = declare("  a: {for_each: 6, crew: team, llm: {output: 100 to 900}}", CREW)
    found = solved(workflow, 20, [1, 2], [1, 3], samples=300)
    for one, other in zip(found.candidates, compare(workflow, [1, 2], [1, 3], samples=300).results, strict=True):
        assert (one.scenario, one.seconds, one.usd) == (other.scenario, other.seconds, other.usd)


# The command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["target", *map(str, arguments)])


BUGS = ROOT / "workflows" / "fix_bugs.yaml"
FEW = ("--samples", 60, "--agents", "1,4", "--speed", "1x,2.5x")


def test_the_exit_code_tells_whether_the_target_is_met(tmp_path: Path, golden: Golden) -> None:
    assert run(BUGS, "--p90", "4h", *FEW).exit_code == 0
    missed = run(BUGS, "--p90", "30min", *FEW)
    assert missed.exit_code == 1
    golden(missed.stdout)
    assert run(BUGS, "--p50", "30min", *FEW, "-o", tmp_path / "plan.txt").exit_code == 1
    assert (tmp_path / "plan.txt").read_text(encoding="utf-8").startswith("fix-bugs: what is the cheapest")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--p90", "4h", "--p50", "3h"),
        ("--p90", "4"),
        ("--p50", "0s"),
        ("--p90", "4h", "--budget", "cheap"),
        ("--p90", "4h", "--speed", "fast"),
        ("--p90", "4h", "--agents", "0"),
        ("--p90", "4h", "--agents", "fixres=2"),
        ("--p90", "4h", "--json", "--csv"),
        ("--p90", "4h", "--set", "bugs=3"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_bad_options_are_refused(options: tuple[str, ...], golden: Golden) -> None:
    result = run(BUGS, *options)
    assert result.exit_code == 2
    golden(result.stderr)
    assert result.stdout == ""


@pytest.mark.parametrize("options", [("--p90", "4h"), ("--p90", "1h", "--budget", "20"), ("--p50", "100min")])
def test_the_text_fits_80_columns(options: tuple[str, ...]) -> None:
    for more in (FEW, ("--samples", 40, "--model", "sonnet,claude-opus-4-8,gpt-5.2", "--agents", "1,2,3,4,5,6,7,8,16")):
        shown = run(BUGS, *options, *more)
        assert shown.exit_code in (0, 1), shown.output
        assert max(map(len, shown.stdout.splitlines())) <= 80


def test_json_and_csv_are_as_documented() -> None:
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")

    def keys(data: object) -> set[str]:
        if isinstance(data, dict):
            return set(data).union(*map(keys, data.values()))
        return set().union(*map(keys, data)) if isinstance(data, list) else set()

    for deadline in ("4h", "30min"):
        data = json.loads(run(BUGS, "--p90", deadline, "--budget", 500, *FEW, "--json").stdout)
        assert [key for key in sorted(keys(data)) if f"`{key}`" not in page] == []
    assert data["met"] is False
    assert data["needed_agents"][0]["speed"] == 1
    assert [one["agents"] for one in data["needed_speeds"]] == [1, 4]
    text = run(BUGS, "--p90", "4h", *FEW, "--csv").stdout
    assert f"\n{text.splitlines()[0]}\n" in page
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["standing"] for row in rows] == ["misses", "meets", "misses", "meets"]
    assert (
        rows[0].keys()
        == csv.DictReader(io.StringIO(run(BUGS, "--p90", "4h", "--budget", 9, *FEW, "--csv").stdout)).__next__().keys()
    )


def test_the_same_command_prints_the_same_bytes() -> None:
    options = (BUGS, "--p90", "150min", *FEW)
    assert run(*options).stdout == run(*options, "--threads", 1).stdout


def test_speeds_that_nobody_sells_and_models_that_few_can_buy_are_said(tmp_path: Path, golden: Golden) -> None:
    text = BUGS.read_text(encoding="utf-8").replace("sonnet: {", "sonnet: {available: limited, ")
    file = tmp_path / "bugs.yaml"
    file.write_text(text, encoding="utf-8")
    shown = re.sub(r"\s+", " ", run(file, "--p90", "4h", "--samples", 60, "--speed", "2.5x", "--agents", "4").stdout)
    golden(shown)
    assert amounts(shown) >= {"2.5x"}
