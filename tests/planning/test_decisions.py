"""Decisions against closed forms: eight workflows whose answers follow from a line of arithmetic.

On `PLAIN` a request of o output tokens and no input takes 1 + o/50 s, so that 50 o tokens at speed s take 1 + o/s.
Nothing varies in them, so every interval is a point; what samples decide is tested on numbers further down.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest

from planner.engine import TICK, Interval, Values, intervals
from planner.expansion import crew_sizes
from planner.expansion.build.size_limits import most_busy_agents
from planner.loading import load
from planner.planning import Comparison, DecisionOptions, Decisions, Scenario, compare
from planner.planning.decisions import ceilings, chances, money, payback
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.decisions.exchange import exchange
from planner.planning.decisions.payback import pace_name
from planner.report.wording import quantities
from planner.report.wording.decisions import decision_sentences as text
from planner.sampling import Batch
from planner.workflow import Workflow
from tests.conftest import PLAIN, ROOT, Golden, amounts

Declare = Callable[..., Workflow]

PRICED = PLAIN.replace("jitter: 0", "jitter: 0, price: {input: 0, output: 1000}")
"""Output costs 1 USD per 1,000 tokens."""

SPEEDS = [1.0, 2.0, 4.0]
NUMBERS = [1, 2, 4, 8, 16]


def decided(workflow: Workflow, **wishes: object) -> Decisions:
    return compared(workflow, **wishes).decisions


def compared(workflow: Workflow, **wishes: object) -> Comparison:
    return compare(workflow, SPEEDS, NUMBERS, samples=64, wishes=DecisionOptions(**wishes))  # type: ignore[arg-type]


def crew(*mechanisms: str) -> str:
    return PRICED + f"crews: {{team: {{agents: 2, coordination: {{{', '.join(mechanisms)}}}}}}}"


# Eight workflows.


def test_embarrassingly_parallel(declare: Declare) -> None:
    """16 items of 1 + 9 s: T(n) = 160/n, T(1 agent, s) = 16 + 144/s: 88 s at 2x, 52 s at 4x, 16 s at infinity."""
    found = decided(declare("  a: {for_each: 16, llm: {output: 450}}", PRICED))
    assert (found.widest, found.exchange.every) == (16, False)
    # 88 s: 2 agents take 80; 52 s: 4 take 40
    assert [(one.speed, one.needed, one.surely) for one in found.exchange.agents_for_speed] == [(2, 2, 2), (4, 4, 4)]
    # no speed makes one agent as quick as 80 s but 4x (52); none as 40 s
    assert [(one.agents, one.speed) for one in found.exchange.speed_for_agents] == [
        (2, 4), (4, None), (8, None), (16, None),
    ]  # fmt: skip
    assert found.ceilings.infinite_speed.p50.value == pytest.approx(16)
    assert found.ceilings.infinite_agents.speedup.value == pytest.approx(16)
    assert found.ceilings.serial_fraction.value == pytest.approx(1 / 16)
    assert found.usl is not None
    assert found.usl.contention.value == pytest.approx(0, abs=1e-9)
    assert found.usl.coherency.value == pytest.approx(0, abs=1e-9)
    # 16 agents at 1x are as cheap as any; at 2x 88/16 = 5.5 s, at 4x 3.25 s
    assert found.pareto_p50 is not None
    assert [one.scenario.agents for one in found.pareto_p50] == [16, 16, 16]


def test_a_pure_chain(declare: Declare, golden: Golden) -> None:
    """Two requests of 1 + 9 s: agents change nothing, speed s takes 2 + 18/s."""
    comparison = compared(declare("  a: {llm: {output: 450}}\n  b: {needs: a, llm: {output: 450}}", PRICED))
    found = comparison.decisions
    assert (found.widest, comparison.advice.enough) == (1, 1)
    assert [one.needed for one in found.exchange.agents_for_speed] == [None, None]
    assert [one.speed for one in found.exchange.speed_for_agents] == [1, 1, 1, 1]
    assert found.ceilings.infinite_speed.p50.value == pytest.approx(2, abs=2 * TICK)
    assert found.ceilings.serial_fraction.value == 1
    assert found.usl is None
    # at 2x 11 s, 9 less, for 2^0.97 times 0.90 USD
    assert found.break_evens is not None
    assert found.break_evens[0].pays == "from"
    assert found.break_evens[0].usd_per_hour is not None
    assert found.break_evens[0].usd_per_hour.value == pytest.approx(0.9 * (2**0.97 - 1) / 9 * 3600)
    lines = " ".join(text(comparison))
    golden(text(comparison))
    assert amounts(lines) >= {"10x", "2.00s"}


def test_ceilings_name_their_model_where_there_are_several(declare: Declare, golden: Golden) -> None:
    """They are the first model's: 4 + 8 s, 4 s at infinite speed; the second takes 1 + 2 s."""
    models = """model: slow
models:
  slow: {ttft: 4s, output_speed: 50, jitter: 0}
  quick: {ttft: 1s, output_speed: 200, jitter: 0}"""
    workflow = declare("  a: {llm: {output: 400}}", models)
    comparison = compare(workflow, [1.0], [1], models=["slow", "quick"], samples=16)
    assert amounts(golden(text(comparison))) >= {"3x", "4.00s"}


def test_bound_by_coordination(declare: Declare, golden: Golden) -> None:
    """16 items of 1 s; a lead writes a brief of 2 s for each: from 2 agents on, 32 s of briefs and a last item of 1 s."""
    comparison = compared(declare("  a: {for_each: 16, crew: team, tool: 1s}", crew("brief: {output: 50}")))
    found = comparison.decisions
    assert comparison.advice.enough == 1
    assert [each.seconds.p50 for each in comparison.results[:3]] == pytest.approx([16, 33, 33])
    assert found.ceilings.infinite_agents.p50.value == pytest.approx(1)  # without briefs
    golden(text(comparison))
    assert found.ceilings.serial_fraction.value == pytest.approx(1 / 16)


def test_bound_by_tools(declare: Declare) -> None:
    """8 items, each held for 2 s of requests and a tool of 98 s: infinite speed saves 8 s of 800; agents divide all of it."""
    comparison = compared(
        declare("  a: {for_each: 8, crew: team, steps: {b: {llm: {output: 50}}, c: {needs: b, tool: 98s}}}", crew())
    )
    found = comparison.decisions
    assert found.ceilings.infinite_speed.p50.value == pytest.approx(792)
    assert found.ceilings.infinite_agents.p50.value == pytest.approx(100)
    assert comparison.advice.enough == 8
    assert all(one.needed == 2 for one in found.exchange.agents_for_speed)
    assert all(one.speed is None for one in found.exchange.speed_for_agents)
    assert comparison.advice.verdict == "more-agents"


def test_bound_by_people(declare: Declare) -> None:
    """A person of 1 h and a request of 9 + 1 s: 3,610 s, and hardly less at any speed."""
    found = decided(declare("  a: {human: 1h}\n  b: {needs: a, llm: {output: 450}}", PRICED))
    base = found.pace[0]
    assert base.names == ("8 hours",)
    assert found.ceilings.infinite_speed.speedup.value == pytest.approx(3610 / 3601)
    assert found.ceilings.serial_fraction.value == 1


def test_further_agents_do_not_excuse_a_worse_model(declare: Declare, golden: Golden) -> None:
    """16 items of 10 s: 160 s with one agent, which at 2x takes 88 s; two agents take 80 s at 1x already."""
    workflow = declare("  a: {for_each: 16, llm: {output: 450}}", PRICED)
    assert amounts(golden(text(compare(workflow, [1, 2], [1, 2], samples=64)))) >= {"2x"}
    assert "less often" not in " ".join(text(compare(workflow, [1, 2], [2, 4], samples=64)))


def test_full_of_conflicts(declare: Declare) -> None:
    """Every pair conflicts: each of 8 items of 4 s is redone in full three times, and merges of 10 s queue."""
    header = crew("merge: {time: 10s}", "conflict: {chance: 100%, rework: 100%}")
    comparison = compared(declare("  a: {for_each: 8, crew: team, tool: 4s}", header))
    found = comparison.decisions
    # 8 items × 4 merges × 10 s after the first item's 4 s, whatever the number of agents is
    assert comparison.advice.enough == 1
    assert comparison.results[0].seconds.p50 == 32
    assert comparison.results[1].seconds.p50 >= 8 * 4 * 10 + 4
    assert found.ceilings.infinite_agents.p50.value == pytest.approx(4)
    assert found.ceilings.serial_fraction.value == pytest.approx(1 / 8)


def test_two_stages(declare: Declare) -> None:
    """Amdahl: 11 s, then 8 items of 3 s: T(n) = 11 + 24/n, serial fraction (11 + 3)/35 with 8 agents."""
    found = decided(declare("  a: {llm: {output: 500}}\n  b: {needs: a, for_each: 8, llm: {output: 100}}", PRICED))
    assert found.widest == 8
    assert found.ceilings.serial_fraction.value == pytest.approx(14 / 35)
    # T(s) = 9 + 26/s: 22 s at 2x, 15.5 s at 4x; T(2) = 23, T(4) = 17, T(8) = 14
    assert [one.needed for one in found.exchange.agents_for_speed] == [4, 8]
    assert [one.speed for one in found.exchange.speed_for_agents] == [2, 4, None, None]
    assert found.usl is not None
    assert found.usl.contention.value == pytest.approx(11 / 35, abs=1e-5)
    assert found.usl.coherency.value == pytest.approx(0, abs=1e-9)


def test_mixed(declare: Declare) -> None:
    """Messages between all peers make a middle number the quickest; all numbers from 1 to 16 are tried."""
    header = crew("sync: {output: 500, every: 1}")
    workflow = declare("  a: {for_each: 16, crew: team, tool: 20s}", header)
    found = compare(workflow, [1.0], samples=2, wishes=DecisionOptions(every_n=True))
    assert found.decisions.exchange.every
    assert found.decisions.exchange.tried == tuple(range(1, 17))

    def seconds(n: int) -> float:
        """Rounds of items of 20 s and, for n > 1, n messages: TTFT 1 s, 500 tokens in 10 s, n − 1 of them read in 0.5 s each."""
        share = n * (1 + 10 + 0.5 * (n - 1)) if n > 1 else 0.0
        return -(-16 // n) * (20 + share)

    quickest = min(map(seconds, range(1, 17)))
    assert found.advice.enough == min(n for n in range(1, 17) if seconds(n) <= 1.05 * quickest)
    assert found.decisions.pace[-1].p50.value == pytest.approx(seconds(found.advice.recommended.agents))


def test_facts_follow_the_advice(declare: Declare) -> None:
    """16 items of 10 s for a crew of 2: 16 agents take 10 s; the fact sheet is about them and the 2 declared ones."""
    result = compared(
        declare("  a: {for_each: 16, crew: team, llm: {output: 450}}", crew()), setup=payback.Setup(60, 0)
    )
    advice, found = result.advice, result.decisions
    changes = [change for change in (advice.change, advice.more, advice.faster) if change]
    assert [(one.one, one.other) for one in found.beats] == [(change.after, change.before) for change in changes]
    assert [one.scenario for one in found.pace] == [advice.declared, advice.recommended]
    assert {row.agents for row in found.break_evens or ()} == {advice.recommended.agents} == {16}
    assert {one.scenario for one in found.payback} == {each.scenario for each in result.results} - {found.one}
    assert all(row not in " ".join(text(result)) for row in ("Best number", "gain more here"))


def test_a_price_that_the_advice_has_is_not_said_again(declare: Declare) -> None:
    """Two scenarios: their price of an hour and break-even are those of the change. Of three, one is new."""
    workflow = declare("  a: {llm: {output: 450}}", PRICED)
    assert not any("hour" in line for line in text(compare(workflow, [1, 2], [1], samples=4)))
    lines = text(compare(workflow, [1, 2, 4], [1], samples=4))
    assert sum("hour" in line for line in lines) == 1


# What samples decide.


def samples(seconds: list[float], usd: float | None = None) -> ScenarioValues:
    times = np.array(seconds, float)
    cost = None if usd is None else Values.of(np.full(len(times), float(usd)))
    return ScenarioValues(Values.of(times), cost, Values.of(np.ones(len(times))))


def noisy(mean: float, seed: int, usd: float | None = None) -> ScenarioValues:
    return samples((mean + np.random.default_rng(seed).normal(0, 1, 400)).tolist(), usd)


def test_requests_that_slow_each_other_down_are_no_ceiling(declare: Declare, golden: Golden) -> None:
    """16 requests of 1,000 tokens: 1 + 10 s alone, 1 + 20 s of four at a time, 1 + 100 s of 16 at a time."""
    header = PRICED.replace("output_speed: 50", "output_speed: {1: 100, 4: 50, 16: 10}") + "crews: {team: {agents: 2}}"
    comparison = compared(declare("  a: {for_each: 16, crew: team, llm: {output: 1000}}", header))
    found = comparison.decisions.ceilings
    assert found.infinite_agents.p50.value == pytest.approx(11)
    assert found.infinite_agents.speedup.value == pytest.approx(16)
    assert found.serial_fraction.value == pytest.approx(1 / 16)
    seconds = {
        result.scenario.agents: result.seconds.p50 for result in comparison.results if result.scenario.speed == 1
    }
    assert [seconds[count] for count in (1, 4, 16)] == pytest.approx([176, 84, 101])
    assert comparison.decisions.exchange.tried == (1, 2, 4, 8, 16)
    assert amounts(golden(text(comparison))) >= {"11.0s", "16x"}


@pytest.mark.parametrize(
    ("model", "of_step", "slowed"),
    [("plain", "", False), ("plain", "model: shared, ", True), ("half", "", True)],
)
def test_only_models_that_are_used_slow_their_requests_down(
    declare: Declare, model: str, of_step: str, slowed: bool
) -> None:
    """Of three that are declared, `shared` does, and what is based on it."""
    header = (
        f"model: {model}\nmodels: {{plain: {{ttft: 1s, output_speed: 50}}, half: {{based_on: shared, speed: 0.5}},"
        " shared: {ttft: 1s, output_speed: {1: 50, 4: 10}}}\n"
    )
    found = decided(declare(f"  a: {{for_each: 4, {of_step}llm: {{output: 100}}}}", header)).ceilings
    assert found.slowed is slowed


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml")))
def test_decisions_add_few_tasks_to_the_default_grid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is 30 % of the time; what can be counted is scheduled task by task, in as many samples each."""
    workflow, _ = load(ROOT / "workflows" / f"{name}.yaml").serving()
    batches: list[Batch] = []

    def caught(given: list[Batch], *_: object) -> None:
        batches.extend(given)
        raise StopIteration

    monkeypatch.setattr("planner.planning.grid.sample", caught)
    declared = crew_sizes(workflow)
    crew = next(iter(declared), None)
    numbers = sorted({*NUMBERS, declared[crew]}) if crew else NUMBERS
    with pytest.raises(StopIteration):
        compare(workflow, [1.0, 1.5, 2.5, 5.0, 8.0], numbers, crew=crew)
    cells = [
        (point.requested, len(graph))
        for batch in batches
        for point, graph in zip(batch.points, batch.graphs, strict=True)
    ]
    added, asked = (sum(tasks for was, tasks in cells if was is wanted) for wanted in (False, True))
    assert 0 < added <= 0.3 * asked


def test_a_ceiling_names_its_model_where_there_are_several(declare: Declare, golden: Golden) -> None:
    workflow = declare("  a: {llm: {output: 450}}", PRICED.replace("{plain: {", "{other: {based_on: plain}, plain: {"))
    one, several = (compare(workflow, [1.0, 2.0], [1], models=models, samples=2) for models in ([], ["other", "plain"]))
    for found in (one, several):
        (line,) = (line for line in text(found) if line.startswith("Ceiling"))
        assert amounts(golden(line)) >= {"1.00s", "10x"}


def test_an_exchange_is_sure_only_where_its_interval_is() -> None:
    cells = {1: noisy(100, 1), 2: noisy(50, 2), 4: noisy(30, 3)}
    found = exchange(("m", 1.0), 1, cells, {("m", 2.0): samples(cells[2].seconds.first.tolist())}, False)
    (one,) = found.agents_for_speed
    assert (one.needed, one.surely) == (2, 4)


def test_of_numbers_that_are_all_slower_the_one_that_may_be_quickest_is_told() -> None:
    """Two agents are 1 s slower, give or take nothing; four are 2 s slower at the median, but perhaps 8 s quicker."""
    quick = samples([10.0] * 40)
    cells = {1: samples([90.0] * 40), 2: samples([11.0] * 40), 4: samples([2.0] * 15 + [12.0] * 25)}
    (found,) = exchange(("m", 1.0), 1, cells, {("m", 2.0): quick}, False).agents_for_speed
    assert found.needed is None
    assert (found.difference.value, found.difference.low) == (2, -8)


def test_few_samples_leave_everything_unsure(declare: Declare, golden: Golden) -> None:
    """95 % intervals of a median take about 8 samples."""
    for count, sure in ((4, False), (12, True)):
        found = compare(
            declare("  a: {for_each: 16, llm: {output: 430 to 470}}", PRICED), SPEEDS, [1, 16], samples=count
        )
        golden(text(found), f"{count} samples")
        exchanged = found.decisions.exchange
        assert [(one.needed, one.surely is not None) for one in exchanged.agents_for_speed] == [(16, sure)] * 2
        assert [one.p50.low is not None for one in found.decisions.pace] == [sure] * len(found.decisions.pace)


def test_that_nothing_matches_is_said_only_where_it_is_known(declare: Declare) -> None:
    """50.001 s against 50 s of noise is not known to be slower; 60 s is."""
    first, twice = noisy(100, 1), noisy(50, 2)
    near, far = noisy(50.001, 3), noisy(60, 4)
    for matched, known in ((near, False), (far, True)):
        found = exchange(("m", 1.0), 1, {1: first, 2: matched}, {("m", 2.0): twice}, False)
        (one,) = found.agents_for_speed
        assert (one.needed, one.difference.above) == (None, known)
        back = exchange(("m", 1.0), 1, {1: first, 2: twice}, {("m", 2.0): matched}, False)
        (other,) = back.speed_for_agents
        assert (other.speed, other.difference.above) == (None, known)
        result = compared(declare("  a: {for_each: 4, llm: {output: 450}}", PRICED))
        for rate, sentence in (
            (found, "no number matches 1" if known else "no number surely matches 1"),
            (back, "No speed compared lets 1" if known else "No speed compared is known to let 1"),
        ):
            shown = dataclasses.replace(result, decisions=dataclasses.replace(result.decisions, exchange=rate))
            assert any(sentence in line for line in text(shown))


def said(declare: Declare, **found: object) -> str:
    """The lines of a comparison in which a decision is another."""
    result = compared(declare("  a: {for_each: 4, llm: {output: 450}}", PRICED))
    return " ".join(text(dataclasses.replace(result, decisions=dataclasses.replace(result.decisions, **found))))  # type: ignore[arg-type]


def test_what_is_surely_quicker_does_not_match(declare: Declare, golden: Golden) -> None:
    """2 agents take 50 s, 4 take 30 s: against rows of 49.99 s, 51 s, 40 s, and of exactly 30 s."""
    one, two, four = noisy(100, 1), noisy(50, 2), noisy(30, 3)
    faster = {
        ("m", 2.0): samples((two.seconds.first + 1).tolist()), ("m", 3.0): noisy(50.01, 4), ("m", 4.0): noisy(40, 5),
        ("m", 5.0): four,
    }  # fmt: skip
    found = exchange(("m", 1.0), 1, {1: one, 2: two, 4: four}, faster, False)
    line = said(declare, exchange=found)
    golden(line)
    assert amounts(line) >= {"2x", "3x", "4x", "5x"}
    back = {("m", 2.0): noisy(49.9, 8), ("m", 3.0): noisy(20, 7)}
    line = said(declare, exchange=exchange(("m", 1.0), 1, {1: one, 2: two, 4: four}, back, False))
    golden(line)
    assert amounts(line) >= {"2x", "3x"}


def test_ceilings_have_intervals_where_something_varies(declare: Declare) -> None:
    workflow = declare("  a: {for_each: 4, llm: {output: 300 to 600}}", PRICED)
    found = compare(workflow, [1.0], [1, 4], samples=256)
    (line,) = [line for line in text(found) if line.startswith("Ceiling of agents")]
    one = found.decisions.ceilings.infinite_agents.p50
    assert one.low is not None
    assert one.high is not None
    assert f"{quantities.seconds(one.value)} ({quantities.seconds(one.low)} to {quantities.seconds(one.high)})" in line
    assert re.search(r"[\d.]+x \([\d.]+x to [\d.]+x\)", line)


def test_of_models_it_is_models_that_are_named(declare: Declare, golden: Golden) -> None:
    """16 items: 160 s of one agent, 40 s of 4; the other model takes as long as the first."""
    workflow = declare(
        "  a: {for_each: 16, llm: {output: 450}}", PRICED.replace("{plain: {", "{other: {based_on: plain}, plain: {")
    )
    for speeds in ([1.0], [1.0, 1.5]):
        found = compare(workflow, speeds, [1, 4], models=["plain", "other"], samples=12)
        golden(text(found))


def test_more_agents_may_be_slower_than_those_that_no_speed_matches(declare: Declare, golden: Golden) -> None:
    """64 items of over 100 s, mostly of tools; each of 64 agents reads 64 · 63 · 200 tokens: over 8,000 s."""
    source = PRICED.replace("prefill_speed: 1000", "prefill_speed: 100") + (
        "crews: {team: {agents: 2, coordination: {sync: {output: 200, every: 1}}}}\n"
    )
    workflow = declare(
        "  a: {for_each: 64, crew: team, steps: {t: {tool: 100s}, w: {needs: t, llm: {output: 50}}}}", source
    )
    result = compare(workflow, [1.0, 2.0], [1, 2, 4, 64], samples=8, wishes=DecisionOptions())
    found = [one.agents for one in result.decisions.exchange.speed_for_agents if one.speed is None]
    assert found == [2, 4]
    golden(text(result))


def test_usl_finds_the_constants_it_is_made_of() -> None:
    sigma, kappa = 0.05, 0.002
    cells = {n: samples([1000 / n * (1 + sigma * (n - 1) + kappa * n * (n - 1))] * 64) for n in (1, 2, 4, 8, 16, 32)}
    found = ceilings.usl(cells, 32)
    assert found is not None
    assert found.contention.value == pytest.approx(sigma)
    assert found.contention.high == pytest.approx(sigma)
    assert found.coherency.value == pytest.approx(kappa)
    assert found.peak == pytest.approx(((1 - sigma) / kappa) ** 0.5)
    assert found.largest_error == pytest.approx(0, abs=1e-9)


def scenario(agents: int, speed: float = 1.0) -> Scenario:
    return Scenario("m", speed, agents)


def test_the_hull_leaves_out_what_lies_above_it() -> None:
    """1 h for 10 USD, 0.5 h for 19, 0 h for 20: going by the middle is dearer than its corners."""
    cells = {
        scenario(1): samples([3600] * 4, 10), scenario(2): samples([1800] * 4, 19), scenario(4): samples([1] * 4, 20),
    }  # fmt: skip
    (trade,) = money.trades(cells)
    assert (trade.cheaper, trade.quicker) == (scenario(1), scenario(4))
    assert trade.usd_per_hour.value == pytest.approx(10 / 3599 * 3600)
    assert [one.scenario for one in money.pareto(cells, 0.5)] == [scenario(1), scenario(2), scenario(4)]


def test_the_hull_leaves_out_what_lies_on_it() -> None:
    """3, 2 and 1 h for 10, 20 and 30 USD: the whole way costs 10 USD for each hour, in one trade."""
    cells = {scenario(n): samples([3600.0 * hours] * 4, usd) for n, hours, usd in ((1, 3, 10), (2, 2, 20), (4, 1, 30))}
    (trade,) = money.trades(cells)
    assert (trade.cheaper, trade.quicker, trade.usd_per_hour.value) == (scenario(1), scenario(4), 10)


def test_a_choice_gains_more_than_one_percent() -> None:
    cells = {
        scenario(1): samples([100] * 4, 1), scenario(2): samples([50] * 4, 1),
        scenario(4): samples([49.9] * 4, 1), scenario(8): samples([49.8] * 4, 2),
    }  # fmt: skip
    assert [one.scenario for one in money.pareto(cells, 0.9)] == [scenario(2)]


def test_an_hour_breaks_even_in_both_directions() -> None:
    """An hour less costs 20 USD; two wait."""
    cells = {scenario(1): samples([7200] * 4, 10)}
    fast = {scenario(1, 2.0): samples([3600] * 4, 30)}
    (tier,) = money.break_evens(cells, fast, 2)
    assert tier.usd_per_hour is not None
    assert tier.pays == "from"
    assert tier.usd_per_hour.value == pytest.approx(10)
    (back,) = money.break_evens(fast, cells, 2)
    assert (back.pays, back.usd_per_hour) == ("up to", tier.usd_per_hour)


def test_setup_pays_back() -> None:
    """2 h and 500 USD, against 30 min and 3 USD of each run: 4 and 167 runs; at 120 USD an hour, 740 USD by 63: 12."""
    base, other = samples([3600] * 4, 10), samples([1800] * 4, 7)
    found = payback.payback(scenario(2), other, base, payback.Setup(7200, 500, 200), 120.0, 1)
    assert found.time == payback.PaybackRuns(4, 4, 4)
    assert found.usd == payback.PaybackRuns(167, 167, 167)
    assert found.value == payback.PaybackRuns(12, 12, 12)
    assert found.seconds_saved is not None
    assert found.usd_saved is not None
    assert (found.seconds_saved.value, found.usd_saved.value) == (200 * 1800 - 7200, 100)
    assert payback.payback(scenario(2), base, other, payback.Setup(1, 1), None, 1).time.runs is None


def test_a_saving_that_may_be_a_loss_is_not_sure(declare: Declare) -> None:
    workflow = declare("  a: {for_each: 4, llm: {output: 450}}", PRICED)
    setup = payback.Setup(0, 100, 10)
    result = compared(workflow, setup=setup)
    (best,) = [one for one in result.decisions.payback if one.scenario == result.advice.recommended]
    for dollars, sentence in (
        (Interval(-1, -3, 1), "its $100 never (not surely)"), (Interval(-1, -3, -0.5), "its $100 never;"),
    ):  # fmt: skip
        usd = payback.runs_to_pay_back(100, dollars)
        saved = Interval(10 * dollars.value, -30, 10 * (dollars.high or 0))
        one = dataclasses.replace(best, usd=usd, usd_saved=saved)
        shown = dataclasses.replace(result, decisions=dataclasses.replace(result.decisions, payback=(one,)))
        (line,) = [line for line in text(shown) if line.startswith("Setup")]
        assert sentence in line
        assert line.endswith("lose $10.00 (not surely)." if usd.low else "lose $10.00.")


def test_chances() -> None:
    found = chances.beats(scenario(1), scenario(2), samples([1, 2, 3, 3]), samples([2, 2, 2, 4]))
    assert (found.quicker.value, found.equal) == (0.5, 0.25)
    # Wilson 1927, for 5 of 10: 0.2366 to 0.7634
    half = intervals.share(5, 10)
    assert half.low == pytest.approx(0.2366, abs=1e-4)
    assert half.high == pytest.approx(0.7634, abs=1e-4)
    # at 60 % of the time, right in 60 of 100 cases breaks even
    less = chances.success(scenario(2), samples([6] * 4, 5), samples([10] * 4, 10))
    assert less.by_usd is not None
    assert less.by_time.value == pytest.approx(0.6)
    assert less.by_usd.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("seconds", "word"),
    [(1, "at once"), (1.1, "within attention"), (60, "within patience"), (61, "a coffee"), (28801, "longer")],
)
def test_paces(seconds: float, word: str) -> None:
    assert pace_name(seconds) == word


# Options.


def test_options_reach_the_decisions_from_python_and_are_checked(golden: Golden) -> None:
    import planner

    source = "workflow: w\n" + PRICED + "steps:\n  a: {for_each: 4, llm: {output: 450}}\n"
    workflow = planner.load_workflow(source)
    found = planner.compare(
        workflow, speeds=[1, 2], agents=[1, 2], samples=64, value_of_time=120, waiting=3, setup="2h,$500", runs=200,
        every_n=True,
    )  # fmt: skip
    assert (found.advice.usd_per_hour, found.decisions.waiting) == (360, 3)
    assert found.decisions.setup == payback.Setup(7200, 500, 200)
    assert found.decisions.exchange.tried == (1, 2, 3, 4)
    assert found.to_dict()["decisions"]["exchange"]["every"] is True
    golden(str(found).replace("\n  ", " "))
    with pytest.raises(planner.InputError) as problems:
        planner.compare(workflow, value_of_time="x", waiting=0, runs=3)  # type: ignore[arg-type]
    assert [one.message.split(":")[0] for one in problems.value.problems] == ["value_of_time", "waiting", "runs"]


def test_other_scenarios_do_not_change_what_was_asked_for(declare: Declare) -> None:
    """Every number of agents beside the grid changes none of its results, nor how many samples are taken."""
    workflow = declare("  a: {for_each: 6, llm: {output: 50 to 900}}", PRICED)
    few, many = (
        compare(workflow, [1.0, 2.0], [1, 3], wishes=DecisionOptions(every_n=every)) for every in (False, True)
    )
    assert few.results == many.results
    assert (few.samples, few.precision, few.notes) == (many.samples, many.precision, many.notes)


@pytest.mark.parametrize("copies", [1, 3])
def test_the_widest_fan_out_counts_copies_and_steps_side_by_side(declare: Declare, copies: int) -> None:
    """Copies of a loop take an agent each, copies of a request together one."""
    steps = "  a: {for_each: 4, best_of: %d, %s: {output: 5%s}}\n  b: {for_each: 5, llm: {output: 5}}\n"
    steps += "  c: {needs: [a, b], for_each: 2, llm: {output: 5}}"
    assert decided(declare(steps % (copies, "agent", ", turns: 1"))).widest == 4 * copies + 5
    assert decided(declare(steps % (copies, "llm", ""))).widest == 4 + 5


def test_an_item_of_steps_of_other_crews_may_have_an_agent_of_its_own(declare: Declare) -> None:
    """The crew of the items reports and merges, even if others do all of their steps: up to five at a time."""
    crews = PLAIN + "crews: {own: {agents: 5, coordination: {report: {output: 5}}}, other: {agents: 9}}"
    workflow = declare("  work: {for_each: 5, crew: own, steps: {a: {tool: 1s, crew: other}}}", crews)
    assert most_busy_agents(workflow, crew_sizes(workflow), "own") == 5
