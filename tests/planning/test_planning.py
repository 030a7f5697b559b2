"""Times and costs against closed forms, hand-worked cases and an independent simulator."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from planner.catalogue import Premium
from planner.engine import TICK, Samples, quantile_interval, simulate
from planner.errors import InputError, Note
from planner.expansion import crew_sizes, expand
from planner.planning import Comparison, Result, Tokens, compare, forecast
from planner.planning.decisions.holders import Drags
from planner.report import forecast_json, forecast_text
from planner.report.wording import quantities
from planner.sampling import Batch, GridPoint, Stopping, ThreadBackend, batch, block, sample
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow, read_workflow
from tests import oracle
from tests.conftest import PLAIN, ROOT, Golden, read_example, simulated

Declare = Callable[..., Workflow]

EIGHT = Path(__file__).resolve().parents[1] / "cases" / "eight_items.yaml"
JITTERED = "models: {m: {ttft: 1s, prefill_speed: 2k, output_speed: 50, price: {input: 3, output: 15}}}\nmodel: m\n"
ALONE = PLAIN + "crews: {team: {agents: 1}}"
COORDINATED = PLAIN + (
    "crews: {team: {agents: 2, coordination: "
    "{brief: {output: 100}, report: {output: 50, input: 500}, merge: {time: 5s, output: 100}}}}"
)


def seconds(workflow: Workflow, **options: object) -> float:
    """The completion time of a workflow in which nothing varies."""
    found = forecast(workflow, samples=3, **options).result.seconds  # type: ignore[arg-type]
    assert found.mean == pytest.approx(found.p50) == pytest.approx(found.p95)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    return found.p50


def cell(comparison: Comparison, speed: float, agents: int) -> Result:
    (found,) = [one for one in comparison.results if (one.scenario.speed, one.scenario.agents) == (speed, agents)]
    return found


def test_the_eight_items_take_what_three_schedulers_agree_on() -> None:
    comparison = compare(read_workflow(EIGHT), [1, 2.5], [1, 2, 4, 8], samples=5)
    expected = {1: (1305.3, 973.3, 807.3, 724.3), 2.5: (1042.3, 830.3, 724.3, 671.3)}
    for speed, row in expected.items():
        for agents, p50 in zip((1, 2, 4, 8), row, strict=True):
            result = cell(comparison, speed, agents)
            assert result.seconds.p50 == pytest.approx(p50, abs=0.05)
            assert result.speedup == pytest.approx(1305.333 / result.seconds.p50, rel=1e-5)
            alone = cell(comparison, speed, 1).seconds.p50
            assert result.efficiency == pytest.approx(alone / (agents * result.seconds.p50))


def test_one_request_takes_ttft_prefill_and_decode(declare: Declare) -> None:
    workflow = declare("  a: {llm: {input: 3000, thinking: 100, output: 400}}")
    assert seconds(workflow) == pytest.approx(1 + 3 + 10, abs=TICK)
    assert seconds(workflow, speed=2.5) == pytest.approx(1 + 3 + 4, abs=TICK)  # a fast tier speeds up output alone


def test_a_chain_adds_up_and_branches_wait_for_the_slowest(declare: Declare) -> None:
    chain = "  a: {human: 10s}\n  b: {needs: a, tool: 5s}\n  c: {needs: b, llm: {output: 50}}"
    assert seconds(declare(chain)) == pytest.approx(17)
    branches = "  a: {human: 10s}\n  b: {tool: 25s}\n  c: {needs: [a, b], llm: {output: 50}}"
    assert seconds(declare(branches)) == pytest.approx(27)


@pytest.mark.parametrize("agents", [1, 2, 4, 8])
def test_amdahl(declare: Declare, agents: int) -> None:
    """A serial part of 11 s and eight parallel items of 3 s: 11 + 24/n, speedup by Amdahl's law."""
    workflow = declare("  a: {llm: {output: 500}}\n  b: {needs: a, for_each: 8, llm: {output: 100}}")
    result = forecast(workflow, agents=agents, samples=2).result
    assert result.seconds.p50 == pytest.approx(11 + 24 / agents)
    serial = 11 / 35
    assert result.speedup == pytest.approx(1 / (serial + (1 - serial) / agents))


def test_coordination_worked_out_by_hand(declare: Declare) -> None:
    """Two agents, two items on `PLAIN`, where a request takes 1 + input/1000 + output/50 s.

    The lead briefs item 1 (1 + 2 = 3 s, 0–3), then item 2 (3–6). An item reads its brief:
    1 + (900 + 100)/1000 + 100/50 = 4 s, then writes its report, 1 + 0.5 + 1 = 2.5 s: 3–9.5 and 6–12.5.
    The lead reads each report, 1 + 0.05 s: 9.5–10.55 and 12.5–13.55. Merges, 5 + 1 + 2 = 8 s, one at a time:
    10.55–18.55 and 18.55–26.55.
    """
    workflow = declare("  work: {for_each: 2, crew: team, llm: {input: 900, output: 100}}", COORDINATED)
    found = forecast(workflow, samples=2)
    assert found.result.seconds.p50 == pytest.approx(26.55, abs=1e-5)
    # critical: brief 1 (3), item 1 (4 of work, 2.5 of report), reading 1 (1.05), both merges (16)
    assert found.breakdown["coordination"] == pytest.approx(3 + 2.5 + 1.05 + 16, abs=1e-4)
    assert found.result.coordination_share == pytest.approx(22.55 / 26.55, abs=1e-5)
    assert found.breakdown["ttft"] == pytest.approx(1)
    assert found.breakdown["prefill"] == pytest.approx(1)
    assert found.breakdown["decode"] == pytest.approx(2)
    assert found.breakdown["waiting"] == pytest.approx(0, abs=1e-6)
    # tokens: items 2 × (1000 in, 100 out), briefs 2 × 100 out, reports 2 × (500 in, 50 out), readings 2 × 50 in, merges 2 × 100 out
    assert found.result.tokens.input == 2 * 1000 + 2 * 500 + 2 * 50
    assert found.result.tokens.output == 2 * (100 + 100 + 50 + 100)
    assert seconds(workflow, agents=1) == pytest.approx(2 * (1 + 0.9 + 2))  # nobody to coordinate with


def test_only_the_first_request_reads_the_brief(declare: Declare) -> None:
    header = PLAIN + "crews: {team: {agents: 2, coordination: {brief: {output: 1000}}}}"
    steps = """  work:
    for_each: 3
    crew: team
    repeat: {times: 2}
    steps:
      wait: {human: 1s}
      first: {needs: wait, llm: {input: 10, output: 1}}
      second: {needs: first, agent: {turns: 1, prompt: 10, output: 1}}"""
    found = forecast(declare(steps, header), samples=2)
    tokens = {step.step + "/" + step.kind: step.tokens.input for step in found.steps}
    assert tokens["work.first/llm"] == 3 * (1000 + 10 + 10)
    assert tokens["work.second/agent"] == 3 * 2 * 10


def test_waiting_for_an_agent_is_told_from_what_the_lead_does(declare: Declare, golden: Golden) -> None:
    """Four items of 3 s on two agents: the last starts at 3 and ends at 6; its path is 3 s of waiting and 3 s of work."""
    header = PLAIN + "crews: {team: {agents: 2}}"
    found = forecast(declare("  work: {for_each: 4, crew: team, llm: {output: 100}}", header), samples=2)
    assert found.result.seconds.p50 == pytest.approx(6)
    assert found.breakdown["waiting"] == pytest.approx(3)
    text = forecast_text(found)
    assert "\n                          busy   awaited\n" in text
    assert re.search(r"^  team +2  100%     3\.00s  █+$", text, re.MULTILINE)
    golden(text)
    assert found.breakdown["decode"] == pytest.approx(2)


def test_hold_false_lets_another_item_in(declare: Declare) -> None:
    """One agent, two items of 3 s then 10 s of tool: held 26 s; let go, the second starts at 3 and ends at 16."""
    steps = "  work:\n    for_each: 2\n    crew: team\n    steps:\n      a: {llm: {output: 100}}\n      b: {needs: a, tool: 10s%s}"
    assert seconds(declare(steps % "", ALONE)) == pytest.approx(26)
    assert seconds(declare(steps % ", hold: false", ALONE)) == pytest.approx(16)


def test_repeat_on_a_fan_out_is_per_item(declare: Declare) -> None:
    """One agent, two items, two rounds of 3 s of work and 10 s of test that lets the agent go.

    Per item: works at 0–3, 3–6, 13–16, 16–19, the last test ends at 29.
    Around the fan-out: a round is works at 0–3 and 3–6, tests until 16; the next begins only then: 32.
    """
    body = "steps: {a: {llm: {output: 100}}, b: {needs: a, tool: 10s, hold: false}}"
    inside = declare(f"  work: {{for_each: 2, crew: team, repeat: {{times: 2}}, {body}}}", ALONE)
    around = declare(f"  work: {{repeat: {{times: 2}}, steps: {{item: {{for_each: 2, crew: team, {body}}}}}}}", ALONE)
    assert seconds(inside) == pytest.approx(29)
    assert seconds(around) == pytest.approx(32)


def test_cost_is_what_the_price_list_says(declare: Declare) -> None:
    """Three turns with a cache: 1,000 + 2 × 300 tokens written, 1,000 + 1,300 read, 300 out; a request of 500 in, 20 out."""
    header = (
        "models: {m: {ttft: 1s, output_speed: 50, jitter: 0, cache_ttl: 5min, "
        "price: {input: 3, output: 15, cache_read: 0.3, cache_write: 3.75}}}\nmodel: m\n"
    )
    steps = """  a: {agent: {turns: 3, prompt: 1000, output: 100, tool: {time: 1s, result: 200}}}
  b: {llm: {input: 500, output: 20}}"""
    result = forecast(declare(steps, header), samples=2).result
    expected = (1600 * 3.75 + 2300 * 0.3 + 300 * 15 + 500 * 3 + 20 * 15) / 1e6
    assert result.usd is not None
    assert result.usd.mean == pytest.approx(expected)
    assert (result.tokens.input, result.tokens.cache_read, result.tokens.output) == (2100, 2300, 320)


def test_a_tier_multiplies_output_speed_and_prices(declare: Declare) -> None:
    header = """model: base
models:
  base: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 3, output: 15}}
  fast: {based_on: base, speed: 2.5x, price_multiplier: 2}
"""
    slow, fast = (
        declare("  a: {llm: {input: 1000, output: 500}}", header),
        declare("  a: {model: fast, llm: {input: 1000, output: 500}}", header),
    )
    assert seconds(slow) == pytest.approx(12)
    assert seconds(fast) == pytest.approx(6)
    costs = [forecast(one, samples=1).result.usd for one in (slow, fast)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[1].mean == pytest.approx(2 * costs[0].mean) == pytest.approx(2 * (3000 + 7500) / 1e6)


def test_an_unknown_price_makes_the_whole_cost_unknown(declare: Declare) -> None:
    header = "models:\n  a: {ttft: 1s, output_speed: 50, price: {input: 3, output: 15}}\n  b: {ttft: 1s, output_speed: 50}\nmodel: a\n"
    found = forecast(declare("  x: {llm: {output: 5}}\n  y: {model: b, llm: {output: 5}}", header), samples=10)
    assert found.result.usd is None
    assert all(step.usd is None for step in found.steps)
    assert Note("no-price", {"models": ("b",)}) in found.notes


def test_the_breakdown_and_the_steps_add_up(declare: Declare) -> None:
    workflow = read_workflow(ROOT / "workflows" / "port_codebase.yaml", {"modules": 12})
    found = forecast(workflow, samples=300)
    mean = found.result.seconds.mean
    assert sum(found.breakdown.values()) == pytest.approx(mean, rel=1e-6)
    assert sum(step.critical for step in found.steps) + found.breakdown["waiting"] == pytest.approx(mean, rel=1e-6)
    assert found.result.usd is not None
    assert sum(step.usd or 0 for step in found.steps) == pytest.approx(found.result.usd.mean)
    for kind in ("input", "cache_read", "output"):
        assert sum(getattr(step.tokens, kind) for step in found.steps) == pytest.approx(
            getattr(found.result.tokens, kind)
        )


def test_the_slowest_of_n_lognormals(declare: Declare) -> None:
    """n parallel tools: P(max ≤ t) = Φ(ln(t/m)/σ)ⁿ, so the median of the maximum is m·exp(σ·Φ⁻¹(2^(−1/n)))."""
    from statistics import NormalDist

    n = 16
    workflow = declare(f"  a: {{for_each: {n}, tool: 2s to 32s}}")
    found = simulated(workflow, [GridPoint(1.0, {"agents": 1})], 8000)
    sigma = np.log(32 / 2) / (2 * NormalDist().inv_cdf(0.95))
    expected = 8 * np.exp(sigma * NormalDist().inv_cdf(0.5 ** (1 / n)))
    low, high = quantile_interval(found[0], 0.5)
    assert abs(np.median(found[0]) - expected) < (high - low) / 2 * 5 / 1.96  # five standard errors


def test_a_range_of_a_profile_is_one_level_for_a_whole_sample(declare: Declare) -> None:
    """100 requests at a level drawn once: the spread of their sum is that of one, not a tenth of it."""
    header = "models: {m: {ttft: 0s, output_speed: 20 to 80, jitter: 0}}\nmodel: m\n"
    found = forecast(declare("  a: {for_each: 100, llm: {output: 40}}", header), agents=1, samples=2000)
    assert found.result.seconds.p50 == pytest.approx(100, rel=0.05)
    assert found.result.seconds.p95 == pytest.approx(200, rel=0.1)


def test_jitter_of_many_requests_averages_out(declare: Declare) -> None:
    """The sum of 100 requests of 2 s with log-sd 0.2: mean 200·exp(0.02), sd 20·√(exp(0.04)(exp(0.04) − 1))."""
    header = "models: {m: {ttft: 1s, output_speed: 50}}\nmodel: m\n"
    found = simulated(declare("  a: {for_each: 100, llm: {output: 50}}", header), [GridPoint(1.0, {"agents": 1})], 4000)
    sums = found[0]
    sd = 20 * np.sqrt(np.exp(0.04) * (np.exp(0.04) - 1))
    assert abs(sums.mean() - 200 * np.exp(0.02)) < 5 * sd / np.sqrt(4000)
    assert sums.std() == pytest.approx(sd, rel=5 / np.sqrt(2 * 4000))  # sd of a standard deviation: σ/√(2N)


def test_a_request_over_the_context_is_noted(declare: Declare, golden: Golden) -> None:
    header = "models: {m: {ttft: 1s, output_speed: 50, context: 1000}}\nmodel: m\n"
    note = Note("over-context", {"model": "m", "context": 1000, "share": 1})
    assert note in forecast(declare("  a: {llm: {input: 990, output: 11}}", header), samples=5).notes
    notes = forecast(declare("  a: {llm: {input: 990, output: 10}}", header), samples=5).notes
    assert "over-context" not in {note.code for note in notes}


# Draws: the same project, whatever is varied.


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    workflow = read_workflow(ROOT / "workflows" / "parallel_qa.yaml")
    one, two = (compare(workflow, [1, 2], [1, 2], seed=5, samples=300) for _ in range(2))
    assert one == two
    assert compare(workflow, [1, 2], [1, 2], seed=6, samples=300).results[0].seconds != one.results[0].seconds


def test_samples_do_not_depend_on_how_they_are_sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = read_workflow(ROOT / "workflows" / "port_codebase.yaml", {"modules": 7})
    cells = [GridPoint(speed, {"engineers": agents}) for speed in (1.0, 2.5) for agents in (1, 3)]
    (whole,) = sample([Batch.of(workflow, cells, 1)], Stopping(60))
    monkeypatch.setattr(batch, "BLOCK", 1)
    monkeypatch.setattr(block, "STEPS", 100)
    (sliced,) = sample([Batch.of(workflow, cells[::-1], 1)], Stopping(60))
    for one, other in zip(whole.seconds, sliced.seconds[::-1], strict=True):
        assert np.array_equal(one.first, other.first)
    for one, other in zip(whole.coordination, sliced.coordination[::-1], strict=True):
        assert np.array_equal(one.first, other.first)


def test_fewer_samples_are_the_first_of_more() -> None:
    workflow = read_workflow(ROOT / "workflows" / "parallel_qa.yaml")
    cells = [GridPoint(1.0, {"agents": 1})]
    few, many = (simulated(workflow, cells, samples)[0] for samples in (300, 600))
    assert np.array_equal(few, many[:300])


def test_one_more_module_leaves_the_first_120_as_they_were() -> None:
    def demands(modules: int) -> dict[tuple[str, str, int], np.ndarray]:
        workflow = read_workflow(ROOT / "workflows" / "port_codebase.yaml", {"modules": modules})
        graph = expand(workflow, crew_sizes(workflow))
        times = Pipeline.of(workflow, graph).draw(Samples(1, 0, 16), detailed=True).times
        return {
            (step.work.step, step.work.kind, number): np.stack(
                [np.broadcast_to(one.seconds(1.0), (modules, 16)) for one in step.occurrences]
            )
            for number, step in enumerate(times.works)
            if step.work.step.startswith("port") and step.work.kind != "ramp_up"  # which is of agents
        }

    before, after = demands(120), demands(121)
    assert before.keys() == after.keys()
    assert len(before) == 13
    for key, values in before.items():
        assert np.array_equal(values, after[key][:, :120])


def test_agents_and_other_steps_leave_a_step_s_draws_as_they_were(declare: Declare) -> None:
    alone = declare("  a: {for_each: 5, tool: 1s to 9s}")
    beside = declare("  z: {tool: 1s to 2s}\n  a: {for_each: 5, tool: 1s to 9s}\n  b: {llm: {output: 5 to 500}}")
    work = [
        next(step.seconds for step in forecast(one, samples=200).steps if step.step == "a") for one in (alone, beside)
    ]
    assert work[0] == work[1]


# An independent simulator on what the planner really schedules.


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_oracle_schedules_the_examples_alike(path: Path) -> None:
    workflow = read_example(path)
    for size in (1, 3):
        sizes = dict.fromkeys(crew_sizes(workflow), size)
        graph = expand(workflow, sizes)
        timed = Pipeline.of(workflow, graph, requests=size).draw(Samples(1, 0, 3), speed=2.5).at(2.5)
        times = timed.drawn.times
        for row, patience, away in zip(timed.durations, times.patience, times.away, strict=True):
            found = simulate(graph.graph, row[None], patience=patience[None], away=away[None])
            start, end, makespan = oracle.simulate(graph.graph, row.tolist(), patience.tolist(), away.tolist())
            assert found.makespan[0] == makespan
            assert np.array_equal(found.start, start, equal_nan=True)
            assert np.array_equal(found.end, end, equal_nan=True)


# Limits and choices.


def test_a_plan_that_needs_too_much_memory_is_refused_with_its_size(declare: Declare, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        compare(declare("  a: {llm: {output: 1}}"), list(range(1, 101)), list(range(1, 11)), samples=10_000_000)
    golden(error.value)


def test_a_task_beyond_the_clock_is_refused(declare: Declare) -> None:
    header = "models: {m: {ttft: 1s, output_speed: 0.001, jitter: 0}}\nmodel: m\n"
    with pytest.raises(InputError, match="over 136 years"):
        forecast(declare("  a: {agent: {turns: 1000, output: 1M}}", header), samples=1)


def test_a_completion_time_beyond_exact_sums_is_refused(declare: Declare, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        forecast(declare("  a: {repeat: {times: 1000}, human: 366d}"), samples=1)
    golden(error.value)


def test_agents_size_the_named_crew_and_ask_for_a_name_among_several(declare: Declare, golden: Golden) -> None:
    header = PLAIN + "crews: {team: {agents: 3}, other: {agents: 2}}"
    workflow = declare(
        "  a: {for_each: 6, crew: team, llm: {output: 100}}\n  b: {for_each: 6, crew: other, llm: {output: 100}}",
        header,
    )
    assert forecast(workflow, crew="team", agents=6, samples=1).sizes == {"team": 6, "other": 2}
    assert forecast(workflow, samples=1).result.scenario.agents == 5
    with pytest.raises(InputError) as error:
        compare(workflow, [1], [1, 2], samples=1)
    (problem,) = error.value.problems
    assert (problem.code, problem.argument) == ("unknown-crew", "crew")
    assert problem.remedy == Note("name-crew", {"crews": ("team", "other")})
    with pytest.raises(InputError, match="did you mean 'team'"):
        compare(workflow, [1], [1, 2], crew="teem", samples=1)


def test_a_crew_that_no_step_names_is_noted(declare: Declare, golden: Golden) -> None:
    workflow = declare("  a: {for_each: 4, llm: {output: 5}}", PLAIN + "crews: {team: {agents: 8}}")
    note = Note("unused-crew", {"crew": "team", "paid": None})
    assert note in forecast(workflow, samples=1).notes
    assert note in compare(workflow, [1], [1, 2], samples=1).notes


@pytest.mark.parametrize(
    ("steps", "noted"),
    [
        ("  fix: {for_each: 60, success: 95%, otherwise: hand, tool: 1s}\n  hand: {human: 9s}", True),
        ("  fix: {success: 95%, otherwise: hand, tool: 1s}\n  hand: {human: 9s}", False),
        ("  fix: {for_each: 6, success: 95%, otherwise: hand, tool: 1s}\n  hand: {for_each: 6, human: 9s}", False),
        ("  all: {for_each: 6, steps: {fix: {success: 95%, otherwise: hand, tool: 1s}, hand: {human: 9s}}}", False),
        ("  all: {steps: {fix: {for_each: 6, success: 95%, otherwise: hand, tool: 1s}, hand: {human: 9s}}}", True),
    ],
)
def test_what_is_done_once_for_all_items_is_noted(declare: Declare, steps: str, noted: bool) -> None:
    note = Note("once-for-all-items", {"step": "hand", "fan_out": "fix"})
    assert (note in forecast(declare(steps), samples=1).notes) is noted
    assert (note in compare(declare(steps), [1], [1], samples=1).notes) is noted


def test_factors_along_a_chain_of_profiles_have_bounds(declare: Declare, golden: Golden) -> None:
    tiers = "\n".join(f"  m{index}: {{based_on: m{index - 1}, price_multiplier: 1000}}" for index in range(1, 9))
    header = f"model: m8\nmodels:\n  m0: {{ttft: 1s, output_speed: 50, price: {{input: 3, output: 15}}}}\n{tiers}\n"
    with pytest.raises(InputError) as error:
        forecast(declare("  a: {llm: {output: 5}}", header), samples=1)
    golden(error.value)


def test_forecasts_in_several_threads_have_the_bytes_of_one() -> None:
    workflow = read_workflow(ROOT / "workflows" / "port_codebase.yaml", {"modules": 5})
    alone = forecast_json(forecast(workflow, samples=300))
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(lambda _: forecast_json(forecast(workflow, samples=300)), range(4)))
    assert beside == [alone] * 4


def test_profiles_that_ask_for_the_same_share_what_is_drawn(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast tier has its model's tokenizer, cache and jitter."""
    drawn: list[tuple[object, ...]] = []
    draw = Samples._draw

    def noted(self: Samples, shape: Any, cells: Any, path: str, purpose: str, occurrence: Any) -> Any:
        drawn.append((path, purpose, occurrence))
        return draw(self, shape, cells, path, purpose, occurrence)

    monkeypatch.setattr(Samples, "_draw", noted)
    monkeypatch.setattr("planner.planning.comparison.drags", lambda *_: Drags(1, 1.0, (), (), ()))
    workflow = declare(
        "  a: {llm: {input: 1k to 2k, output: 200 to 900}}",
        header="""model: slow
models:
  slow: {ttft: 1s, output_speed: 50}
  fast: {ttft: 1s, output_speed: 100}
  rough: {ttft: 1s, output_speed: 50, jitter: 0.4}""",
    )

    def draws(*models: str) -> int:
        drawn.clear()
        compare(workflow, [1.0], [1], models=models, samples=32, backend=ThreadBackend(1))
        return len(drawn)

    assert draws("slow") == draws("slow", "fast") == 3  # input, output, jitter
    assert draws("slow", "rough") == 6


def test_tokens_and_cost_of_a_step_are_as_well_known_as_what_they_make_up(declare: Declare) -> None:
    """Only the output of a varies, and it alone is paid for: at 2.5x, 3 times 20 USD for a million, and 1 USD for b.

    So all errors are that of the whole cost, which is found from its samples.
    """
    header = PLAIN.replace("jitter: 0", "jitter: 0, price: {input: 0, output: 20}")
    workflow = declare(
        "  a: {llm: {input: 300, output: 100 to 900}}\n  b: {needs: a, tool: {time: 1s, usd: 1}}", header
    )
    found = forecast(workflow, speed=2.5, premium=Premium.through(2.5, 3), samples=600)
    a, b = found.steps
    usd = found.result.usd
    assert usd is not None
    assert usd.standard_error > 0
    assert a.usd_standard_error == pytest.approx(usd.standard_error, rel=1e-6)
    assert b.usd_standard_error == 0
    known = found.result.standard_errors.tokens
    assert known.output == pytest.approx(usd.standard_error / 60e-6, rel=2e-3)  # whole tokens
    assert (known.input, known.cache_read) == (0, 0)
    assert a.tokens_standard_error == known
    assert b.tokens_standard_error == Tokens(0, 0, 0)
    said = forecast_text(found)
    assert re.search(r"^Tokens +300 input, \d+ ± [\d.]+ output$", said, re.MULTILINE)
    assert "\ntimes, work, cost: means\n" in said
    assert f", cost ± {quantities.usd(usd.standard_error)}." in said
    compared = cell(compare(workflow, [2.5], [1], samples=600), 2.5, 1)
    assert compared.standard_errors.tokens == known


def test_a_step_without_a_price_has_no_error_of_one(declare: Declare) -> None:
    (step,) = forecast(declare("  a: {llm: {output: 100 to 900}}"), samples=60).steps
    assert (step.usd, step.usd_standard_error) == (None, None)
    assert step.tokens_standard_error.output > 0
