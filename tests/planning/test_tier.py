"""`planner tier` against brute force and cases worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import planner
from planner.cli.app import app
from planner.errors import InputError, Note
from planner.expansion import crew_sizes
from planner.planning import TierResult, forecast, tier
from planner.planning.tier import assignments as selection
from planner.planning.tier.assignments import Assignments, finalists, may_be_fast, selected, tiered
from planner.planning.tier.limits import Limits, cost
from planner.report import tier_text
from planner.sampling import Stopping, ThreadBackend
from planner.workflow import Workflow
from tests.conftest import ROOT, Golden, amounts

Declare = Callable[..., Workflow]

TIERS = """models:
  slow: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 0, output: 10}}
  fast: {based_on: slow, speed: 2x, price_multiplier: 3}
model: slow
"""
"""A request of o tokens takes 1 + o/50 s for o/10⁵ USD; on the fast tier 1 + o/100 s for three times as much."""

CHAIN = """
  a: {llm: {output: 1000}}
  b: {needs: a, llm: {output: 4000}}
  c: {needs: b, llm: {output: 2000}}
  d: {needs: c, tool: 5s}"""


def found(workflow: Workflow, budget: float | Limits, **options: object) -> TierResult:
    options.setdefault("samples", 8)
    limits = budget if isinstance(budget, Limits) else Limits(budget=budget)
    return tier(workflow, "fast", limits, **options)  # type: ignore[arg-type]


def test_a_chain_gets_the_steps_that_a_knapsack_would_take(declare: Declare) -> None:
    """a, b, c save 10, 40, 20 s for 0.02, 0.08, 0.04 USD; all standard costs 0.07."""
    workflow = declare(CHAIN, TIERS)
    for budget, steps in ((0.07, ()), (0.09, ("a",)), (0.12, ("c",)), (0.13, ("a", "c")), (0.16, ("b",)),
                          (0.17, ("a", "b")), (0.20, ("b", "c")), (0.21, ("a", "b", "c"))):  # fmt: skip
        answer = found(workflow, budget + 1e-9)
        assert answer.best
        assert answer.best.steps == steps, budget
        assert answer.exhaustive
        saved = {"a": 10, "b": 40, "c": 20}
        assert answer.best.to_standard.seconds == pytest.approx(-sum(saved[step] for step in steps), abs=1e-5)
        assert answer.best.to_standard.usd == pytest.approx(sum(saved[step] for step in steps) * 0.002)
        assert answer.best.to_fast.seconds == pytest.approx(70 - sum(saved[step] for step in steps), abs=1e-5)
    assert found(workflow, 0.06).best is None  # even all standard costs more
    assert [one.to_standard.seconds for one in found(workflow, 1).alone] == pytest.approx([-10, -40, -20], abs=1e-5)


def test_all_fast_is_not_compared_with_itself(declare: Declare, golden: Golden) -> None:
    workflow = declare(CHAIN, TIERS)
    every, some = (" ".join(tier_text(found(workflow, budget)).split()) for budget in (1, 0.17 + 1e-9))
    golden(every)
    assert amounts(every) >= {"$0.14", "1min10s"}
    golden(some)
    assert amounts(some) >= {"$0.04", "20.0s"}


def test_of_parallel_steps_both_are_fast_or_none(declare: Declare) -> None:
    """Either alone gains nothing: 41 s either way. Both gain 20 s for 0.08 USD."""
    side = declare("  all: {for_each: 2, crew: team, steps: {a: {llm: {output: 2000}}}}\n  b: {llm: {output: 2000}}",
                   TIERS + "crews: {team: {agents: 2}}")  # fmt: skip
    answer = found(side, 0.20)
    assert answer.best
    assert answer.best.steps == ("all.a", "b")
    assert answer.best.to_standard.seconds == pytest.approx(-20, abs=1e-5)
    short = found(side, 0.11)  # enough for b alone, which saves nothing
    assert short.best
    assert short.best.steps == ()
    assert re.search(r"^b +0s +\+\$0\.04 +0$", tier_text(short), re.MULTILINE)


def test_what_is_about_as_quick_for_less_is_told(declare: Declare, golden: Golden) -> None:
    workflow = declare(CHAIN + "\n  e: {needs: d, human: 10000s}", TIERS)
    answer = found(workflow, 1)
    assert answer.best
    assert answer.best.steps == ("a", "b", "c")
    assert answer.thrifty
    assert answer.thrifty.steps == ()  # 70 s are under 1 % of it
    assert answer.chosen is answer.thrifty
    text = " ".join(tier_text(answer).split())
    # 10,148 s for $0.07, and 10,078 s for $0.21
    golden(tier_text(answer))
    assert amounts(text) >= {"$0.07", "$0.21", "1%", "2h48"}
    assert re.search(r"chosen 2h49 \$0.07 quickest 2h48 \$0.21", re.sub(r" 2h\d+ to 2h\d+", "", text))
    assert "yes" not in text


def test_what_gains_a_percent_leads(declare: Declare, golden: Golden) -> None:
    """All of a, b, c save 70 s of 4,148; a and c alone save 30 of them for the least that is within 1 % of that."""
    answer = found(declare(CHAIN + "\n  e: {needs: d, human: 4000s}", TIERS), 1)
    assert answer.best
    assert answer.best.steps == ("a", "b", "c")
    assert answer.chosen
    assert answer.chosen.steps == ("a", "c")  # 4,118 s, under 1 % over 4,078
    text = " ".join(tier_text(answer).split())
    golden(tier_text(answer))
    assert amounts(text) >= {"$0.06", "$0.13", "$0.21", "1%", "1h08", "30.0s", "40.0s"}


UNEVEN = """
  a: {llm: {output: 500 to 2k}}
  b: {needs: a, llm: {output: 1k to 3k}}
  c: {needs: a, agent: {turns: 2 to 4, prompt: 2k, output: 300, tool: 2s}}
  d: {needs: [b, c], llm: {output: 400 to 4k}}
  e: {needs: c, for_each: 3, llm: {output: 700}}"""


def brute(workflow: Workflow, budget: float, samples: int) -> tuple[str, ...]:
    """The quickest choice whose p50 of the cost is within the budget, by a forecast of each."""
    steps = may_be_fast(workflow, crew_sizes(workflow))
    best: list[tuple[float, float, int, list[str]]] = []
    for count in range(len(steps) + 1):
        for some in combinations(steps, count):
            result = forecast(tiered(workflow, frozenset(some), "fast"), samples=samples).result
            assert result.usd
            high = result.usd.p50
            if high <= budget:
                best.append((result.seconds.p50, result.usd.mean, count, sorted(some)))
    return tuple(step for step in steps if step in min(best)[3])


@pytest.mark.parametrize("budget", [0.16, 0.22, 0.30])
def test_the_best_choice_is_that_of_brute_force(declare: Declare, budget: float) -> None:
    workflow = declare(UNEVEN, TIERS)
    answer = found(workflow, budget, samples=200)
    assert answer.best
    assert answer.best.usd.p50 <= budget
    wanted = brute(workflow, budget, 200)
    other = forecast(tiered(workflow, frozenset(wanted), "fast"), samples=200).result
    assert other.usd
    # the same, unless the interval of its cost reaches beyond the budget
    assert answer.best.steps == wanted or other.usd.p50 > 0.95 * budget


@pytest.mark.parametrize("budget", [0.16, 0.22, 0.30, 1.0])
def test_selection_comes_near_the_best_choice(declare: Declare, budget: float) -> None:
    workflow = declare(UNEVEN, TIERS)
    steps = may_be_fast(workflow, crew_sizes(workflow))
    choices = Assignments(workflow, "fast", crew_sizes(workflow), 1, ThreadBackend(), Stopping())
    choices.first([frozenset(), frozenset(steps)], 2, Stopping(200), lambda done: None)
    limits = Limits(budget=budget)
    chosen = finalists(choices, selected(choices, steps, limits, lambda done: None), limits, 1)[-1]
    best = finalists(choices, selection.every(choices, steps, lambda done: None), limits, 1)[-1]
    assert limits.time(choices.samples_of[chosen]) <= 1.03 * limits.time(choices.samples_of[best])
    assert limits.fits(choices.samples_of[chosen])


# Deadlines


def test_a_chain_gets_the_cheapest_steps_that_meet_a_deadline(declare: Declare) -> None:
    """All standard takes 148 s for 0.07 USD; a, b, c save 10, 40, 20 s for 0.02, 0.08, 0.04 USD."""
    workflow = declare(CHAIN, TIERS)
    for deadline, steps in ((148, ()), (140, ("a",)), (135, ("c",)), (120, ("a", "c")), (110, ("b",)), (100, ("a", "b")),
                            (90, ("b", "c")), (80, ("a", "b", "c"))):  # fmt: skip
        answer = found(workflow, Limits(0.9, deadline + 1e-5))
        assert answer.best
        assert answer.best.steps == steps, deadline
        assert answer.thrifty is None
        assert answer.best.chance
        assert answer.best.chance.chance == 1
        both = found(workflow, Limits(0.9, deadline + 1e-5, answer.best.usd.p90 + 1e-9))
        assert both.best
        assert both.best.steps == steps
        dear = found(workflow, Limits(0.9, deadline + 1e-5, answer.best.usd.p90 - 1e-3))
        assert dear.best is None
        assert dear.closest
        assert dear.closest.in_budget == "meets" or not dear.closest.steps
    late = found(workflow, Limits(0.9, 70))
    assert late.best is None
    assert late.closest
    assert late.closest.steps == ("a", "b", "c")
    assert (late.closest.in_time, late.closest.in_budget, late.closest.fits) == ("misses", "meets", False)


def test_the_closest_choice_takes_no_step_that_gains_under_1_percent(declare: Declare) -> None:
    """Of 79 s, e saves 0.2 s for 0.0004 USD: the closest choice to 70 s leaves it on the standard tier."""
    workflow = declare(f"{CHAIN}\n  e: {{needs: d, llm: {{output: 20}}}}", TIERS)
    answer = found(workflow, Limits(0.9, 70))
    assert answer.best is None
    assert answer.closest
    assert answer.closest.steps == ("a", "b", "c")
    assert 0 < answer.closest.seconds.p90 / answer.fast.seconds.p90 - 1 < 0.01
    near = found(workflow, Limits(0.9, answer.fast.seconds.p90))  # only with e the deadline is not missed
    assert near.best
    assert near.best.steps == ("a", "b", "c", "e")


def test_the_closest_choice_over_the_budget_is_the_simplest_of_the_cheapest(declare: Declare) -> None:
    tiers = TIERS.replace("price_multiplier: 3", "price_multiplier: 0.995")
    answer = found(declare(CHAIN, tiers), 0.01)
    assert answer.best is None
    assert answer.closest
    assert answer.fast.usd.mean < answer.standard.usd.mean
    assert answer.closest.steps == ()


@pytest.mark.parametrize(("deadline", "budget"), [(100.0, 0.2), (100.0, 0.25), (90.0, 0.22), (60.0, None)])
def test_the_closest_choice_is_that_of_brute_force(declare: Declare, deadline: float, budget: float | None) -> None:
    workflow = declare(f"{UNEVEN}\n  f: {{needs: e, llm: {{output: 20}}}}", TIERS)
    answer = found(workflow, Limits(0.9, deadline, budget), samples=200)
    assert answer.best is None
    assert answer.closest
    within = []
    for some in selection.all_of(may_be_fast(workflow, crew_sizes(workflow))):
        result = forecast(tiered(workflow, some, "fast"), samples=200).result
        assert result.usd
        assert result.usd.p90_low
        if budget is None or result.usd.p90_low <= budget:
            within.append((result.seconds.p90, result.usd.mean, len(some), sorted(some)))
    least = min(within)[0]
    wanted = min((usd, steps, names) for seconds, usd, steps, names in within if seconds <= 1.01 * least)
    assert sorted(answer.closest.steps) == wanted[2]
    assert answer.closest.usd.mean == pytest.approx(wanted[0])


def brute_cheapest(workflow: Workflow, limits: Limits, samples: int) -> float | None:
    """The least mean cost of all choices whose intervals lie within the limits, by a forecast of each."""
    name, costs = f"p{100 * limits.percentile:.0f}_high", []
    for some in selection.all_of(may_be_fast(workflow, crew_sizes(workflow))):
        result = forecast(tiered(workflow, some, "fast"), samples=samples).result
        assert result.usd
        late = limits.deadline is not None and getattr(result.seconds, name) > limits.deadline
        if not late and (limits.budget is None or getattr(result.usd, name) <= limits.budget):
            costs.append(result.usd.mean)
    return min(costs, default=None)


@pytest.mark.parametrize("percentile", [0.5, 0.95])
@pytest.mark.parametrize("deadline", [130.0, 150.0, 170.0])
@pytest.mark.parametrize("budget", [None, 0.25])
def test_the_cheapest_choice_in_time_is_that_of_brute_force(
    declare: Declare, percentile: float, deadline: float, budget: float | None
) -> None:
    workflow, limits = declare(UNEVEN, TIERS), Limits(percentile, deadline, budget)
    answer, least = found(workflow, limits, samples=200), brute_cheapest(workflow, limits, 200)
    assert (answer.best is None) == (least is None)
    if answer.best is not None:
        assert answer.best.usd.mean == pytest.approx(least)
        assert answer.best.fits


@pytest.mark.parametrize("deadline", [130.0, 150.0, 170.0])
def test_selection_for_a_deadline_comes_near_the_cheapest_choice(declare: Declare, deadline: float) -> None:
    workflow, limits = declare(UNEVEN, TIERS), Limits(0.5, deadline)
    steps = may_be_fast(workflow, crew_sizes(workflow))
    choices = Assignments(workflow, "fast", crew_sizes(workflow), 1, ThreadBackend(), Stopping())
    choices.first([frozenset(), frozenset(steps)], 2, Stopping(200), lambda done: None)
    chosen = finalists(choices, selected(choices, steps, limits, lambda done: None), limits, 1)[-1]
    best = finalists(choices, selection.every(choices, steps, lambda done: None), limits, 1)[-1]
    assert cost(choices.samples_of[chosen]) <= 1.03 * cost(choices.samples_of[best])
    assert limits.fits(choices.samples_of[chosen])


def test_what_a_reader_must_know_is_noted(declare: Declare) -> None:
    """Requests write 1,000, 4,000 and 2,000 tokens: all exceed the standard tier's context, one the fast tier's of 3,000."""
    header = TIERS.replace("jitter: 0", "jitter: 0, context: 600").replace("speed: 2x", "speed: 2x, context: 3000")
    notes = found(declare(CHAIN, header), 1).notes
    slow, fast = (Note("over-context", {"model": model, "context": context, "share": 1})
                  for model, context in (("slow", 600), ("fast", 3000)))  # fmt: skip
    assert slow in notes
    assert fast in notes
    assert "context-of-other-tier" not in {note.code for note in notes}
    wide = header.replace("context: 3000", "context: 9000")
    assert [note for note in found(declare(CHAIN, wide), 1).notes if note.code == "over-context"] == [slow]


def test_many_steps_are_selected_and_the_chain_of_twins_is_exact(declare: Declare) -> None:
    """13 steps in a chain, of which step i writes 100 · i tokens: savings and costs are in proportion."""
    names = [f"s{at:02}" for at in range(1, 14)]
    lines = [
        f"  {name}: {{{f'needs: {names[at - 1]}, ' if at else ''}llm: {{output: {100 * (at + 1)}}}}}"
        for at, name in enumerate(names)
    ]
    workflow = declare("\n".join(lines), TIERS)
    answer = found(workflow, 0.0910 + 0.1 + 1e-9, samples=4)
    assert not answer.exhaustive
    assert answer.best
    saved = -answer.best.to_standard.seconds  # one second costs 0.002 USD: at most 50 s can be bought
    assert 49 <= saved <= 50 + 1e-6
    in_time = found(workflow, Limits(0.5, 13 + 182 - 50 + 1e-6), samples=4).best  # 13 requests, 9,100 tokens
    assert in_time
    assert 50 - 1e-6 <= -in_time.to_standard.seconds <= 51


def test_time_ends_the_search_and_that_is_said(declare: Declare, golden: Golden) -> None:
    """Nothing but both ends is simulated when there is no time at all."""
    names = "abcdefgh"
    steps = "  a: {llm: {output: 1000}}\n"
    steps += "\n".join(f"  {name}: {{needs: {before}, llm: {{output: 1000}}}}" for before, name in pairwise(names))
    answer = found(declare(steps, TIERS), 1.0, samples=None, max_time=1e-9)
    assert (answer.cut, answer.exhaustive, answer.searched, answer.alone) == (True, False, 2, ())
    assert answer.best
    assert answer.best.steps == tuple(names)
    assert {"search-cut-short", "steps-untried"} <= {note.code for note in answer.notes}
    golden(tier_text(answer))
    whole = found(declare(steps, TIERS), 1.0)
    assert (whole.cut, whole.exhaustive, whole.searched, len(whole.alone)) == (False, True, 256, 8)
    assert not {"search-cut-short", "steps-untried"} & {note.code for note in whole.notes}


def test_a_switch_of_tier_within_a_thread_reads_the_context_uncached(declare: Declare, golden: Golden) -> None:
    """b reads 10k tokens of a's context: 0 s where it is cached, 10 s where the tier has changed."""
    header = TIERS.replace("input: 0, output: 10", "input: 0, output: 10, cache_read: 0, cache_write: 0")
    workflow = declare(
        "  a: {llm: {input: 10k, output: 100}}\n  b: {needs: a, llm: {continues: a, output: 200}}", header
    )
    answer = found(workflow, 1)
    alone = {one.steps[0]: one.to_standard.seconds for one in answer.alone}
    # a alone: 1 s sooner, and then 10,100 tokens at 1,000/s; together 1 + 2 s sooner
    assert alone == {"a": pytest.approx(10 - 1, abs=0.2), "b": pytest.approx(10 - 2, abs=0.2)}
    assert Note("context-of-other-tier") in answer.notes
    assert answer.best
    assert answer.best.steps == ("a", "b")
    assert answer.fast.to_standard.seconds == pytest.approx(-3, abs=1e-5)


def test_steps_of_groups_choices_and_other_files_may_move_and_those_with_a_model_may_not(
    declare: Declare, tmp_path: Path
) -> None:
    (tmp_path / "other.yaml").write_text("workflow: other\nmodel: slow\nmodels: {slow: {ttft: 1s, output_speed: 50}}\n"
                                         "steps: {w: {llm: {output: 100}}}\n", encoding="utf-8")  # fmt: skip
    steps = """
  g: {steps: {x: {llm: {output: 100}}}}
  o: {choose: {l: {chance: 50%, llm: {output: 100}}, r: {chance: 50%, tool: 1s}}}
  u: {use: other.yaml}
  m: {model: fast, llm: {output: 100}}
  t: {tool: 1s}"""
    workflow = declare(steps, TIERS)
    names = may_be_fast(workflow, crew_sizes(workflow))
    assert set(names) == {"g.x", "o.l", "u.w"}
    moved = tiered(workflow, frozenset(names), "fast")
    assert may_be_fast(moved, crew_sizes(moved)) == ()
    assert may_be_fast(workflow, crew_sizes(workflow)) == names  # and the workflow is as it was


def test_what_cannot_be_tiered_is_refused(declare: Declare, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        tier(declare(CHAIN, TIERS), "slow", Limits(budget=1))
    golden(error.value)
    with pytest.raises(InputError, match="no step makes requests"):
        found(declare("  a: {tool: 1s}", TIERS), 1)
    with pytest.raises(InputError, match="fast has no price"):
        found(
            declare(
                CHAIN, TIERS.replace("based_on: slow, speed: 2x, price_multiplier: 3", "ttft: 1s, output_speed: 90")
            ),
            1,
        )


# The command


RESEARCH = ROOT / "workflows" / "deep_research.yaml"
FAST = ("--fast", "claude-opus-4-8-fast")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["tier", *map(str, arguments)])


@pytest.mark.slow
def test_the_exit_code_tells_whether_anything_is_within_the_budget(golden: Golden) -> None:
    shown = run(RESEARCH, *FAST, "--budget", "4", "--samples", 40)
    assert shown.exit_code == 0, shown.output
    golden(shown.stdout)
    assert "sooner than all on claude-opus-4-8" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert run(RESEARCH, *FAST, "--budget", "$4", "--samples", 40, "--threads", 1).stdout == shown.stdout
    none = run(RESEARCH, *FAST, "--budget", "0.5", "--samples", 40)
    assert none.exit_code == 1
    golden(none.stdout)
    assert max(map(len, none.stdout.splitlines())) <= 80


def test_the_exit_code_tells_whether_any_choice_is_in_time(tmp_path: Path, golden: Golden) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(f"workflow: plan\n{TIERS}steps:{CHAIN}\n", encoding="utf-8")
    options = (file, "--fast", "fast", "--samples", 60)
    for limits, code in (
        (("--p50", "120s"), 0), (("--p95", "120s", "--budget", "0.14"), 0), (("--p90", "120s", "--budget", "0.1"), 1),
        (("--p90", "70s"), 1), (("--budget", "0.01"), 1),
    ):  # fmt: skip
        shown = run(*options, *limits)
        assert shown.exit_code == code, shown.output
        golden(shown.stdout, " ".join(limits))
        assert len(shown.stdout.splitlines()) <= 25
        assert max(map(len, shown.stdout.splitlines())) <= 80
    result = planner.tier(planner.load_workflow(file), fast="fast", p95=120, budget=0.14, samples=60)
    assert result.chosen
    assert result.chosen.steps == ("a", "c")
    assert str(result) == run(*options, "--p95", "2min", "--budget", "0.14").stdout.removesuffix("\n")
    assert result.to_dict()["deadline"] == 120


@pytest.mark.parametrize(
    "options",
    [
        ("--budget", "4"),
        (*FAST, "--p50", "2min", "--p90", "3min"),
        (*FAST, "--p90", "4"),
        FAST,
        (*FAST, "--budget", "little"),
        ("--fast", "claude-opus-4-8-fasd", "--budget", "4"),
        ("--fast", "a,b", "--budget", "4"),
        (*FAST, "--budget", "4", "--agents", "1,2"),
        ("--fast", "claude-opus-4-8", "--budget", "4"),
        (*FAST, "--budget", "4", "--json", "--csv"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_bad_options_are_refused(options: tuple[str, ...], golden: Golden) -> None:
    result = run(RESEARCH, *options)
    assert result.exit_code == 2
    golden(result.stderr)
    assert result.stdout == ""


def test_json_and_csv_are_as_documented() -> None:
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")

    def keys(data: object) -> set[str]:
        if isinstance(data, dict):
            return set(data).union(*map(keys, data.values()))
        return set().union(*map(keys, data)) if isinstance(data, list) else set()

    options = (RESEARCH, *FAST, "--budget", 4, "--samples", 20)
    data = json.loads(run(*options, "--json").stdout)
    sizes = set(data.pop("sizes"))
    assert sizes == {"researchers", "searchers"}
    assert [key for key in sorted(keys(data) | {"sizes"}) if f"`{key}`" not in page] == []
    text = run(*options, "--csv").stdout
    assert f"\n{text.splitlines()[0]}\n" in page
    assert [row["choice"] for row in csv.DictReader(io.StringIO(text))][:3] == ["standard", "fast", "best"]
