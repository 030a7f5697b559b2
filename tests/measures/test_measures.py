"""What a forecast finds beyond its end: drag, criticality, utilisation, the typical sample and its chart."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.engine import TICK, Mean, Moments, Samples, Values
from planner.errors import Note
from planner.expansion import crew_sizes, expand
from planner.measures import Distribution, Usage, Utilisation
from planner.measures.drag import Drag
from planner.measures.moments import BINS
from planner.measures.typical_run import SLOTS
from planner.planning import Forecast, StepResult, compare, forecast
from planner.planning.decisions import holders
from planner.planning.decisions.holders import drags
from planner.report import forecast_json, forecast_text, gantt
from planner.report.text.forecast_screen import histogram
from planner.report.wording import quantities
from planner.report.wording.forecasts import share_error
from planner.sampling import GridPoint, batch, block
from planner.timing.held_agents import HeldAgents
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow, read_workflow
from tests import oracle
from tests.conftest import PLAIN, ROOT, Golden, read_example, simulated

Declare = Callable[..., Workflow]
TEAM = PLAIN + "crews: {team: {agents: 2}}"
WORKFLOWS = sorted((ROOT / "workflows").glob("*.yaml"))
CASES = sorted((ROOT / "tests" / "cases").glob("*.yaml"))


def step(found: Forecast, name: str, kind: str | None = None) -> StepResult:
    (one,) = [one for one in found.steps if one.step == name and kind in (None, one.kind)]
    return one


def crew(found: Forecast, name: str) -> Utilisation:
    (one,) = [one for one in found.crews if one.name == name]
    return one


# Sums that no order changes.


def test_moments_are_those_of_numpy_and_exact_in_any_order() -> None:
    values = np.round(np.random.default_rng(1).lognormal(5, 2, 1000) / TICK) * TICK
    whole, parts = Moments(TICK), Moments(TICK)
    whole.add(values)
    for part in np.split(values[::-1], [7, 300, 301]):
        parts.add(part)
    assert whole.mean() == parts.mean()
    assert whole.mean().mean == pytest.approx(values.mean(), rel=1e-12)
    assert whole.mean().standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(1000), rel=1e-9)


def test_the_error_of_a_ratio_is_that_of_resampling() -> None:
    """The bootstrap's own error of a standard error from 2,000 resamples is about 1/√4000 = 1.6 %: five of them."""
    rng = np.random.default_rng(2)
    below = rng.lognormal(1, 0.5, 1000)
    above = below * rng.uniform(0.1, 0.5, 1000)
    chosen = rng.integers(0, 1000, (2000, 1000))
    resampled = above[chosen].mean(1) / below[chosen].mean(1)
    found = Mean.ratio(above, below)
    assert found.mean == pytest.approx(above.sum() / below.sum())
    assert found.standard_error == pytest.approx(resampled.std(), rel=0.08)


def test_what_is_found_does_not_depend_on_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = read_workflow(ROOT / "workflows" / "port_codebase.yaml", {"modules": 5})
    whole = forecast_json(forecast(workflow, samples=30))
    monkeypatch.setattr(batch, "BLOCK", 1_000_000)
    monkeypatch.setattr(block, "STEPS", 4000)
    assert forecast_json(forecast(workflow, samples=30)) == whole


# Drag: against the file with the step's time at 0.

HEADER = """models:
  m: {ttft: 0.5s to 2s, prefill_speed: 2k, output_speed: 50}
  at-once: {ttft: 0s, output_speed: 50}
model: m
crews: {team: {agents: 3, coordination: {brief: {output: 100 to 300}, report: {output: 50 to 100}%s}}}
"""
MERGE = ", merge: 2s to 9s"
STEPS = {
    "plan": "{llm: {input: 2k, output: 100 to 900}}",
    "b": "{needs: a, tool: 5s to 40s, hold: false}",
    "c": "{needs: b, llm: {output: 50 to 400}}",
    "side": "{needs: plan, human: {time: 20s to 5min, leaves: {after: 8s, back: 1min to 5min}}}",
}
AT_NOTHING = {
    "plan": "{llm: {output: 0}, model: at-once}",
    "b": "{needs: a, tool: 0s, hold: false}",
    "c": "{needs: b, llm: {output: 0}, model: at-once}",
    "side": "{needs: plan, human: 0s}",
}


def mixed(declare: Declare, steps: dict[str, str], merge: str) -> Workflow:
    """Items with everything that makes scheduling hard: rounds, agents let go, races, coordination."""
    text = """  plan: {plan}
  work:
    needs: plan
    for_each: 7
    crew: team
    repeat: {until: 60%, at_most: 2}
    steps:
      a: {agent: {turns: 2 to 6, prompt: 2k, output: 50 to 300, tool: {time: 1s to 9s}}}
      b: {b}
      c: {c}
      d: {needs: c, first_of: 2, agent: {turns: 3, prompt: 1k, output: 50 to 500}}
  side: {side}"""
    for name, value in steps.items():
        text = text.replace(f"{{{name}}}", value)
    return declare(text, HEADER % merge)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("plan", "llm"), ("work.b", "tool"), ("work.c", "llm"), ("side", "human"), ("work", "merge")],
)
def test_drag_is_what_the_same_file_gains_with_the_step_at_nothing(declare: Declare, name: str, kind: str) -> None:
    """To the tick: all else is drawn alike. A merge of no time is as none."""
    cells = [GridPoint(1.0, {"team": 3})]
    workflow = mixed(declare, STEPS, MERGE)
    own = name.rpartition(".")[2]
    changed = {**STEPS, own: AT_NOTHING[own]} if kind != "merge" else STEPS
    whole = simulated(workflow, cells, 200)[0]
    without = simulated(mixed(declare, changed, MERGE if kind != "merge" else ""), cells, 200)[0]
    held = drags(workflow, {"team": 3}, 1, 200)
    lost, saved = held.step(name, kind)
    whole, without = whole[: held.samples], without[: held.samples]
    gained = whole - without
    assert held.samples == holders.ENOUGH_SAMPLES
    assert gained.any()
    assert lost.seconds == pytest.approx(np.median(whole) - np.median(without), abs=1e-9)
    assert saved.mean == pytest.approx(gained.mean(), abs=1e-9)
    assert saved.standard_error == pytest.approx(gained.std(ddof=1) / np.sqrt(held.samples), abs=1e-9)


def test_drag_of_a_chain_is_its_time_and_of_a_branch_what_it_is_longer_by(declare: Declare) -> None:
    found = forecast(declare("  a: {human: 10s}\n  b: {tool: 25s}\n  c: {needs: [a, b], llm: {output: 50}}"), samples=3)
    assert [step(found, name).drag for name in "abc"] == [Drag(0, 0, 0, 0), Drag(15, 0, 15, 15), Drag(2, 0, 2, 2)]
    assert [step(found, name).criticality for name in "abc"] == [Mean(0, 0), Mean(1, 0), Mean(1, 0)]


def test_drag_may_be_below_zero_where_a_shorter_step_lets_another_one_in(declare: Declare) -> None:
    """Graham: two agents. a 0–2, c 0–5, d 2–8, b 5–8. Without a, b is ready as d is, and goes first: d 3–9."""
    header = PLAIN + "crews: {team: {agents: 2}}"
    steps = "  a: {tool: 2s}\n  b: {needs: a, tool: 3s}\n  c: {tool: 5s}\n  d: {tool: 6s}"
    found = forecast(declare(steps.replace("tool:", "crew: team, tool:"), header), samples=3)
    assert found.result.seconds.p50 == 8
    assert step(found, "a").drag == Drag(-1, 0, -1, -1)
    assert "drag below 0" in forecast_text(found)


def test_a_step_that_most_runs_lack_has_no_drag_but_saves_time_on_average(declare: Declare) -> None:
    """The step takes an hour in a tenth of the runs: p50 stays at 10 s, and the mean falls by 360 s."""
    text = "  a: {tool: 10s}\n  b: {needs: a, chance: 10%, tool: 1h}"
    found = forecast(declare(text), samples=256)
    assert found.result.seconds.p50 == 10
    assert step(found, "b").drag.seconds == 0
    assert step(found, "b").saved.mean == 3600 * step(found, "b").occurrences
    assert step(found, "b").occurrences == pytest.approx(0.1, abs=5 * np.sqrt(0.09 / 256))
    assert [holder.name for holder in found.holders] == ["a"]


@pytest.mark.parametrize(
    ("speeds", "together"), [("{1: 50, 8: 50}", 1.0), ("{1: 50, 2: 25}", 4.0), ("{1: 50, 8: 25}", 1 + 3 / 7)]
)
def test_an_unbounded_crew_has_models_as_slow_as_its_requests_make_them(
    declare: Declare, speeds: str, together: float
) -> None:
    """4 items of 50 tokens by one agent take 4 s. All at once they take 1 s at 50 tokens/s for each. If the total is 50
    tokens/s, 4 requests take 4 s. If 8 requests have 25 tokens/s each, 4 have 1 / (1/50 + 3/7 · (1/25 - 1/50)) = 35: 1.43 s.
    """
    header = f"models: {{m: {{ttft: 0s, jitter: 0, output_speed: {speeds}}}}}\nmodel: m\ncrews: {{team: {{agents: 1}}}}"
    held = drags(declare("  a: {for_each: 4, crew: team, llm: {output: 50}}", header), {"team": 1}, 1, 20)
    assert held.crews()["team"] == pytest.approx(4 - together, abs=1e-6)


@pytest.mark.parametrize("name", ["react_bugfix", "fix_bugs"])
def test_forecast_and_compare_say_the_same_drags(name: str) -> None:
    """Also if they simulate different numbers of samples. No drag exceeds the p50 of the samples that it is from."""
    workflow = read_example(ROOT / "workflows" / f"{name}.yaml")
    found = forecast(workflow)
    assert found.holders
    assert found.holders == compare(workflow).advice.holders
    whole = drags(workflow, found.sizes, 1, found.samples)
    assert all(holder.drag.seconds <= whole.seconds for holder in whole.all)


def test_the_error_of_a_drag_is_that_of_a_median() -> None:
    """A step that is all of the run: the drag is the median of n exponential times, with an error of 1 / √n."""
    errors = []
    for seed in range(20):
        times = np.random.default_rng(seed).exponential(size=256)
        (drag,) = Drag.each(times, np.zeros((1, 256)))
        assert drag.seconds == np.median(times)
        errors.append(drag.standard_error)
    assert np.mean(errors) == pytest.approx(1 / 16, rel=0.25)
    (drag,) = Drag.each(times, (times - 0.25)[None])
    assert [drag.seconds, drag.low, drag.high] == pytest.approx([0.25, 0.25, 0.25])
    assert drag.standard_error == pytest.approx(0, abs=1e-12)


def test_a_step_that_takes_time_in_each_of_a_few_samples_has_a_drag() -> None:
    """A standard error would not tell it from 0: 5 samples with a heavy tail have a median that varies much."""
    times = np.array([2.0, 30.0, 60.0, 700.0, 3000.0])
    (drag,) = Drag.each(times, np.ones((1, 5)))
    assert drag.significant
    assert drag.seconds < 1.96 * drag.standard_error


def test_the_size_of_a_graph_decides_from_how_many_samples_drags_are_computed() -> None:
    assert holders._samples(10, 5, 1024) == holders.MOST_SAMPLES
    assert holders._samples(10, 5, 20) == 20
    assert holders._samples(10_000, 10, 1024) == holders.ENOUGH_SAMPLES
    assert holders._samples(2_000_000, 20, 1024) == holders.LEAST_SAMPLES
    for tasks in (3, 500, 1_000, 7_000, 20_000, 100_000):
        samples = holders._samples(tasks, 15, 1024)
        most = holders.BUDGET if samples <= holders.ENOUGH_SAMPLES else holders.CHEAP
        assert samples == holders.LEAST_SAMPLES or samples * tasks * 15 <= most


def test_drag_says_on_how_many_samples_it_is_found(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = declare("  a: {tool: 1s to 9s}\n  b: {tool: 1s to 9s}")
    found = forecast(workflow, samples=40)
    assert found.drag_samples == 40
    assert not any(line.startswith("drag:") and "samples" in line for line in forecast_text(found).splitlines())
    monkeypatch.setattr(holders, "CHEAP", 0)
    monkeypatch.setattr(holders, "BUDGET", 0)
    found = forecast(workflow, samples=40)
    assert found.drag_samples == holders.LEAST_SAMPLES
    assert any(
        line.startswith("drag:") and line.endswith(" (16 samples)") for line in forecast_text(found).splitlines()
    )


def test_the_largest_error_of_each_column_is_told_in_a_sentence(declare: Declare, golden: Golden) -> None:
    """Times and costs are known exactly here, and are left out."""
    found = forecast(declare("  a: {tool: 1s to 9s}\n  b: {tool: 1s to 9s}"), samples=40)

    def most(error: str) -> str:
        return quantities.seconds(max(getattr(step, error) for step in found.steps))

    often = max(step.criticality.standard_error for step in found.steps)
    text = golden(forecast_text(found))
    drag_error = quantities.seconds(max(step.drag.standard_error for step in found.steps))
    for error in (most("seconds_standard_error"), most("critical_standard_error"), share_error(often), drag_error):
        assert f"± {error}" in " ".join(text.split())
    assert "largest" not in forecast_text(forecast(declare("  a: {tool: 1s}"), samples=40))


# Criticality


def test_each_of_two_independent_twins_is_critical_in_half_of_the_samples(declare: Declare) -> None:
    """Binomial: five standard errors of √(¼/N). No ties but at a tick in 10⁶, so the two add up to 1."""
    n = 2000
    found = forecast(declare("  a: {tool: 1s to 9s}\n  b: {tool: 1s to 9s}"), samples=n)
    shares = [step(found, name).criticality for name in "ab"]
    for share in shares:
        assert abs(share.mean - 0.5) < 5 * np.sqrt(0.25 / n)
        assert share.standard_error == pytest.approx(np.sqrt(share.mean * (1 - share.mean) / (n - 1)))
    assert shares[0].mean + shares[1].mean == 1


def test_of_equal_twins_the_later_in_the_file_is_critical_and_neither_drags(declare: Declare) -> None:
    found = forecast(declare("  b: {tool: 10s}\n  a: {tool: 10s}"), samples=3)
    assert [step(found, name).criticality.mean for name in "ba"] == [0, 1]
    assert [step(found, name).drag.seconds for name in "ab"] == [0, 0]


# Utilisation


@pytest.mark.parametrize(("items", "agents", "busy"), [(4, 2, 1.0), (3, 2, 0.75), (1, 4, 0.25), (5, 1, 1.0)])
def test_utilisation_is_held_time_over_agents_and_completion_time(
    declare: Declare, items: int, agents: int, busy: float
) -> None:
    """Items of 3 s: ⌈items / agents⌉ rounds of them."""
    found = forecast(declare(f"  a: {{for_each: {items}, llm: {{output: 100}}}}"), agents=agents, samples=3)
    assert crew(found, "agents").utilisation.mean == pytest.approx(busy, abs=1e-9)
    waits = crew(found, "agents").waiting.mean
    assert waits == found.breakdown["waiting"] == ((-(-items // agents) - 1) * 3 if agents > 1 else 0)


def test_an_agent_that_is_held_while_nothing_of_its_own_runs_is_busy(declare: Declare) -> None:
    """3 s of request and 10 s of a tool that keeps the agent, or lets it go: 13 of 13 s, or 3."""
    steps = "  work:\n    for_each: 2\n    crew: team\n    steps:\n      a: {llm: {output: 100}}\n      b: {needs: a, tool: 10s%s}"
    for hold, busy in (("", 1.0), (", hold: false", 3 / 13)):
        found = forecast(declare(steps % hold, TEAM), samples=3)
        assert crew(found, "team").utilisation.mean == pytest.approx(busy, abs=1e-9)


def test_the_lead_and_the_merges_of_a_crew_have_a_utilisation_of_their_own(declare: Declare) -> None:
    """Two items: briefs 0–1, 1–2 by the lead, items 1–4 and 2–5, merges 4–9 and 9–14."""
    header = PLAIN + "crews: {team: {agents: 2, coordination: {brief: {output: 0}, merge: 5s}}}"
    found = forecast(declare("  work: {for_each: 2, crew: team, llm: {output: 100}}", header), samples=3)
    assert found.result.seconds.p50 == pytest.approx(14)
    shares = {one.name: one.utilisation.mean for one in found.crews}
    assert shares == {
        "lead": pytest.approx(2 / 14, abs=1e-9),
        "team": pytest.approx(6 / 28, abs=1e-9),
        "team: merge": pytest.approx(10 / 14, abs=1e-9),
    }


@pytest.mark.parametrize("path", [*CASES, *WORKFLOWS], ids=lambda path: path.stem)
def test_the_oracle_s_agents_are_held_as_long(path: Path) -> None:
    workflow = read_example(path)
    sizes = {name: min(size, 3) for name, size in crew_sizes(workflow).items()}
    graph = expand(workflow, sizes)
    run = Pipeline.of(workflow, graph, requests=1).draw(Samples(1, 0, 3)).at(1.0).schedule(traced=True, recorded=True)
    durations, schedule, times = run.durations, run.schedule, run.times
    found = np.array(HeldAgents(graph.graph).held_ticks(durations, schedule)) * TICK
    for row, (lasting, patience, away) in enumerate(zip(durations, times.patience, times.away, strict=True)):
        one = oracle.Sample(graph.graph, lasting.tolist(), patience.tolist(), away.tolist())
        one.free = meter = oracle.Metered(one)
        one.run()
        assert meter == meter.capacity  # everything is given back
        assert found[:, row].tolist() == meter.held
    usage = Usage(graph.graph, graph.pools)
    usage.add(graph.graph, durations, schedule, {})
    waited = sum(one.waiting.mean for one in usage.results(priced=True))
    assert waited == pytest.approx(schedule.waiting.mean(), abs=1e-9)


# The typical sample

ROUNDS = """  begin: {llm: {output: 50}}
  work:
    needs: begin
    for_each: 3
    crew: team
    repeat: {times: 2}
    steps:
      a: {llm: {output: 100}}
      b: {needs: a, tool: 5s}
  end: {needs: work, human: 20s}"""
CHART = """
A typical sample, number 1: 54.0s
█ on the critical path   ░▒▓ running: up to 1/3, 2/3, all of its max at once
                      |0       |10s      |20s     |30s      |40s      |50s max
begin                 ██                                                     1
work.a                 ░▓▓▓    ▒▓▓▒    ████    ███                           2
work.b                    ░▓▓▓▓▒  ▒▓▓▓▓▒  ██████ ██████                      2
end                                                   ████████████████████   1
(waits for an agent)   ·················
Critical path: begin (2.00s), then work.a waits for an agent (16.0s), then
  work.a (3.00s), then work.b (5.00s), then work.a (3.00s), then work.b (5.00s),
  then end (20.0s).
"""


def test_the_chart_of_a_small_workflow(declare: Declare) -> None:
    """Two agents, three items of two rounds of 3 and 5 s in one task each: 2–18 twice, then 18–34."""
    found = forecast(declare(ROUNDS, TEAM), samples=3)
    assert gantt(found) == CHART


def test_the_typical_sample_in_numbers(declare: Declare) -> None:
    typical = forecast(declare(ROUNDS, TEAM), samples=3).typical
    assert [(row.step, row.start, row.end, row.most) for row in typical.rows] == [
        ("begin", 0, 2, 1), ("work.a", 2, 29, 2), ("work.b", 5, 34, 2), ("end", 34, 54, 1),
    ]  # fmt: skip
    slot = typical.seconds / SLOTS
    assert [round(sum(row.at_once) * slot, 6) for row in typical.rows] == [2, 18, 30, 20]
    assert [round(sum(row.critical) * slot, 6) for row in typical.rows] == [2, 6, 10, 20]
    assert sum(typical.waiting) * slot == pytest.approx(16)
    assert sum(stretch.seconds for stretch in typical.path) == pytest.approx(typical.seconds)
    assert typical.left_out == 0


def test_who_was_cancelled_stops_when_the_race_ends(declare: Declare) -> None:
    header = "models: {m: {ttft: 0s, output_speed: 10}}\nmodel: m\n"
    found = forecast(declare("  a: {first_of: 3, llm: {output: 20 to 2000}}", header), agents=3, samples=50)
    (row,) = found.typical.rows
    assert row.end == found.typical.seconds
    assert row.most == 3
    assert row.at_once == pytest.approx([3] * SLOTS)


def test_steps_cost_what_they_ask_for_and_hired_machines_by_the_hour(declare: Declare, golden: Golden) -> None:
    """An hour on a machine of $8 an hour; two calls of $1 are the tool's own."""
    header = "models: {m: {ttft: 0s, output_speed: 1, jitter: 0, price: {per_hour: 8}}}\nmodel: m\n"
    found = forecast(
        declare("  a: {llm: {output: 3600}}\n  b: {tool: {time: 0s, calls: 2, usd: 1}}", header), samples=2
    )
    assert found.result.usd is not None
    assert found.result.usd.mean == pytest.approx(10)
    assert [step.usd for step in found.steps] == [None, 2.0]
    assert Note("paid-by-the-hour", {"models": ("m",)}) in found.notes


@cache
def example(path: Path) -> Forecast:
    return forecast(read_example(path), samples=8)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_forecasts_of_the_examples_fit_80_columns(path: Path) -> None:
    found = example(path)
    text = forecast_text(found) + gantt(found)
    assert [line for line in text.splitlines() if len(line) > 80 or line != line.rstrip()] == []
    assert "\x1b" not in text
    assert 5 <= len(gantt(found).splitlines()) <= 40


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_path_of_a_typical_sample_is_as_long_as_the_sample(path: Path) -> None:
    typical = example(path).typical
    if not typical.left_out:
        assert sum(stretch.seconds for stretch in typical.path) == pytest.approx(typical.seconds, abs=1e-3)
    slot = typical.seconds / SLOTS
    critical = sum(sum(row.critical) for row in typical.rows) + sum(typical.waiting)
    assert critical * slot == pytest.approx(typical.seconds, abs=1e-3)
    assert max(max(row.critical) for row in typical.rows) < 1 + 1e-6


def test_many_steps_are_cut_to_25_rows_and_the_rest_is_told(declare: Declare, golden: Golden) -> None:
    steps = "\n".join(f"  s{number:02}: {{tool: {number + 1}s}}" for number in range(40))
    chart = gantt(forecast(declare(steps), samples=2))
    golden(chart)
    assert [line[:3] for line in chart.splitlines() if line.startswith("s")] == [f"s{n}" for n in range(15, 40)]


def test_many_at_once_leave_room_for_the_chart(declare: Declare) -> None:
    found = forecast(declare("  a: {for_each: 12345, tool: 1s}"), samples=1)
    assert gantt(found).splitlines()[4] == f"{'a':<21} {'█' * SLOTS} 12.3k"
    assert "How busy" not in forecast_text(found)  # tools hold no agent


def test_a_workflow_that_takes_no_time_has_an_answer_all_the_same(declare: Declare, golden: Golden) -> None:
    found = forecast(declare("  a: {tool: 0s}"), samples=2)
    golden(gantt(found))
    assert "Critical path" not in gantt(found)
    assert step(found, "a").drag == Drag(0, 0, 0, 0)
    json.loads(forecast_json(found))


# The distribution


def test_a_strip_tells_how_samples_are_spread(golden: Golden) -> None:
    samples = np.concatenate([np.full(50, 10.0), np.full(40, 20.0), np.full(10, 46.0)])
    found = Distribution.of(Values.of(samples))
    strip, marks = histogram(found)
    golden(strip)
    assert (marks.index("^p50"), marks.index("^p90")) == (11, 18)
    assert sum(found.histogram.counts) + found.histogram.beyond == 100
    assert len(found.histogram.counts) == BINS
    assert histogram(Distribution.of(Values.of(np.full(9, 3.0)))) == []


def test_percentiles_come_with_intervals_of_order_statistics() -> None:
    found = Distribution.of(Values.of(np.arange(1000.0)))
    (median,) = [one for one in found.percentiles if one.percentile == 50]
    assert median.seconds == 499.5
    assert median.low is not None
    assert median.high is not None
    assert 499.5 - median.low == pytest.approx(1.96 * np.sqrt(250), abs=2)
    assert median.high - 499.5 == pytest.approx(1.96 * np.sqrt(250), abs=2)


# The command


def test_gantt_is_an_option_and_text() -> None:
    options = ["forecast", str(ROOT / "workflows" / "fix_bugs.yaml"), "--samples", "20"]
    plain = CliRunner().invoke(app, options).stdout
    drawn = CliRunner().invoke(app, [*options, "--gantt"]).stdout
    assert drawn.startswith(plain)
    assert "A typical sample" in drawn[len(plain) :]
    assert CliRunner().invoke(app, [*options, "--gantt", "--json"]).exit_code == 2


def test_json_tells_what_the_chart_shows() -> None:
    data = json.loads(forecast_json(example(ROOT / "workflows" / "fix_bugs.yaml")))
    assert data["drag_samples"] == 8
    assert {one["name"] for one in data["crews"]} == {"lead", "fixers", "fixers: merge"}
    assert all(len(row["at_once"]) == len(row["critical"]) == SLOTS for row in data["typical"]["rows"])
    assert sum(one["waiting"]["mean"] for one in data["crews"]) == pytest.approx(data["breakdown"]["waiting"])
    assert data["standard_errors"]["coordination_share"] > 0
    assert set(data["breakdown_standard_error"]) == set(data["breakdown"])
