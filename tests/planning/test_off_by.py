"""`planner sensitivity` against brute force: each number of a file is edited in the file, and the file simulated."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import app
from planner.loading import load
from planner.planning import Effect, Sensitivity, first_to_get_right, sensitivity
from planner.planning.sensitivity import tornado, variations
from planner.planning.sizing import Sizing
from planner.reading.yaml.parse import parse_yaml
from planner.report import sensitivity_text
from planner.sampling import Batch, GridPoint, Stopping, ThreadBackend, base_draws, sample
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.sample import extend
from planner.workflow import Workflow, read_workflow
from tests.conftest import ROOT, read_example

Declare = Callable[..., Workflow]
Data = dict[str, Any]

SAMPLES = 64

QUEUE = """
workflow: queue
model: fast
models: {fast: {ttft: 0.5s, prefill_speed: 11k, output_speed: 147, price: {input: 1, output: 5}}}
crews: {desk: {agents: 8}, people: {agents: 3}}
steps:
  ticket:
    for_each: 300
    crew: desk
    steps:
      solve: {llm: {input: 6k, output: 300}, success: 92%, otherwise: person}
      person: {crew: people, human: 5min to 20min}
"""
"""300 tickets, of which 8% need a person."""


def of(found: Sensitivity, step: str, key: str) -> Effect:
    (one,) = [one for one in found.estimates if (one.step, one.key) == (step, key)]
    return one


# Brute force


def times(written: Any, change: Callable[[float], float]) -> Any:
    """An estimate as written, with each of its numbers changed."""
    if isinstance(written, dict):
        return {key: times(value, change) for key, value in written.items()}
    if isinstance(written, str) and written.startswith("="):
        bounds = written[1:].split(" to ")
        return "= " + " to ".join(f"({bound}) * {change(1.0)!r}" for bound in bounds)
    parts = re.split(r"\s+to\s+", str(written))
    changed = []
    for part in parts:
        number, unit = re.fullmatch(r"([\d._]+)(.*)", part.strip()).groups()  # type: ignore[union-attr]
        changed.append(f"{change(float(number))!r}{unit}")
    return " to ".join(changed)


def odds(written: str, factor: float) -> str:
    chance = float(written.removesuffix("%")) / 100
    ratio = factor * chance / (1 - chance)
    return f"{100 * ratio / (1 + ratio)!r}%"


def edit(data: Data, effect: Effect, factor: float) -> Data:
    """The data of a file with one number off."""
    data = json.loads(json.dumps(data))
    holder, key = place(data, effect)
    written = holder[key]
    if effect.measure == "count":
        holder[key] = max(1, math.floor(float(written) * factor + 0.5))
        if key == "at_most" and holder[key] == 1:
            holder.pop("wait", None)  # a file must not have a wait before a second attempt that is never made
    elif effect.measure == "spread":
        holder[key] = times(written, lambda number: number**factor)
    elif effect.measure == "factor":
        holder[key] = times(written, lambda number: number * factor)
    else:
        holder[key] = odds(written, factor)
        if effect.kind == "choose":
            rescale(data, effect, float(written[:-1]), float(holder[key][:-1]))
    return data


def place(data: Data, effect: Effect) -> tuple[Data, str]:
    """The mapping and the key of a number, in the data of the file that has it."""
    keys = effect.key.split(".")
    if effect.kind == "parameter":
        return data["parameters"], effect.key
    if effect.kind == "uncertainty":
        return data["uncertainty"], effect.key
    if effect.kind == "model":
        return data["models"][effect.step], effect.key
    if effect.kind == "crew":
        return inside(data["crews"][effect.step]["coordination"], keys)
    step = step_of(data, effect.step)
    if effect.kind in step and keys[0] not in step:
        return inside(step, [effect.kind, *keys])
    return inside(step, keys)


def inside(data: Data, keys: list[str]) -> tuple[Data, str]:
    """The mapping and the key of a value; `tool: 5s` is the short form of `tool: {time: 5s}`."""
    for at, key in enumerate(keys[:-1]):
        if not isinstance(data[key], dict) or ("p50" in data[key] and keys[at + 1] != "p50"):
            return data, key
        data = data[key]
    return data, keys[-1]


def step_of(data: Data, path: str) -> Data:
    step = data
    for name in path.split("."):
        step = (step.get("steps") or step["choose"])[name]
    return step


def rescale(data: Data, effect: Effect, before: float, after: float) -> None:
    """Scale the chances of the other branches of a choice, so that the sum is 100%."""
    path, _, name = effect.step.rpartition(".")
    for other, branch in step_of(data, path)["choose"].items():
        if other != name:
            branch["chance"] = f"{float(branch['chance'][:-1]) * (100 - after) / (100 - before)!r}%"


def simulated(workflow: Workflow, samples: int) -> ScenarioSamples:
    (found,) = sample([Batch.of(workflow, [GridPoint(1.0, Sizing.at(workflow, None, None)[1])], 1)], Stopping(samples))
    return ScenarioSamples(found, 0)


def read(data: Data, folder: Path) -> Workflow:
    path = folder / "edited.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return load(path).serving()[0]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("support_triage", {"tickets": 10}),
        ("draft_review_approve", {}),
        ("port_codebase", {"modules": 6}),
        ("fix_bugs", {}),
        ("eval_500", {"cases": 20}),
    ],
)
def test_effects_are_those_of_edited_files(name: str, parameters: Mapping[str, int], tmp_path: Path) -> None:
    """Draws are paired, so a changed workflow and an edited file differ only by rounding of floats."""
    file = ROOT / "workflows" / f"{name}.yaml"
    data = parse_yaml(file.read_text(encoding="utf-8"), str(file)).data
    data["parameters"] = {**data.get("parameters", {}), **parameters}
    found = sensitivity(read(data, tmp_path), samples=SAMPLES)
    assert len(found.estimates) > 12
    compared = 0
    for effect in found.estimates:
        for factor, changed in ((1 / 1.5, effect.low), (1.5, effect.high)):
            brute = simulated(read(edit(data, effect, factor), tmp_path), SAMPLES)
            about = f"{effect.step} {effect.key} {factor:g}"
            assert changed.p50 == pytest.approx(brute.seconds.quantile(0.5), rel=1e-6), about
            assert changed.p90 == pytest.approx(brute.seconds.quantile(0.9), rel=1e-6), about
            assert brute.usd is not None
            assert changed.usd == pytest.approx(brute.usd.quantile(0.5), rel=1e-6), about
            compared += 1
    assert compared == 2 * len(found.estimates)


# The ranking


@pytest.fixture(scope="module")
def queue() -> Sensitivity:
    return sensitivity(read_workflow(QUEUE), samples=1024)


def test_what_is_done_only_sometimes_counts_where_it_is_done(queue: Sensitivity) -> None:
    """The people are the limit: the p90 is nearly proportional to their time, whoever few tickets need them.

    The number of escalated tickets has the mean 300 p and the variance 300 p (1 - p). So its p90 does not grow as fast
    as p, and the chance comes second.
    """
    assert [(one.step, one.key) for one in queue.estimates[:2]] == [
        ("ticket.person", "time"),
        ("ticket.solve", "success"),
    ]
    p90 = queue.seconds.p90
    person, success = queue.estimates[:2]
    assert person.high.p90 == pytest.approx(1.5 * p90, rel=0.01)  # the desk and the first tickets take under 1%
    assert person.low.p90 == pytest.approx(p90 / 1.5, rel=0.01)
    assert success.low.value == pytest.approx(0.92 / 1.5 / (0.92 / 1.5 + 0.08))
    for chance, changed in ((success.low.value, success.low), (success.high.value, success.high)):
        assert chance is not None
        before, after = (300 * p + 1.2816 * math.sqrt(300 * p * (1 - p)) for p in (0.08, 1 - chance))
        assert changed.p90 == pytest.approx(after / before * p90, rel=0.1)  # and 3 people, who end at different times
    assert min(one.effect or 0 for one in (person, success)) > 1800


def test_draws_of_escalations_explain_most_of_the_spread(queue: Sensitivity) -> None:
    """N escalations take a total of N times, with the variance Var(N) m² + E(N) s² for times of mean m and sd s.

    The first part is due to N. The times are lognormal, and 300 tickets fail with 8%. That people end at different
    times adds a little variance of its own.
    """
    first = queue.drivers[0]
    assert (first.driver.step, first.driver.key) == ("ticket.solve", "failures")
    sigma = math.log(20 / 5) / (2 * 1.6448536)
    relative = math.expm1(sigma**2)  # s² / m²
    share = 300 * 0.08 * 0.92 / (300 * 0.08 * 0.92 + 300 * 0.08 * relative)
    assert first.share_error is not None
    assert share - 0.1 < first.share < share + 4 * first.share_error
    assert first.swing > 1800


def test_numbers_that_somebody_decides_come_last(queue: Sensitivity) -> None:
    decided = [one.decided for one in queue.estimates]
    assert decided == sorted(decided)
    items = of(queue, "ticket", "for_each.count")
    assert (items.decided, items.low.value, items.high.value) == (True, 200, 450)
    first = first_to_get_right(queue.estimates)
    assert first == queue.estimates[0]


def test_the_text_leads_with_the_answer(queue: Sensitivity) -> None:
    lines = sensitivity_text(queue).splitlines()
    answer = next(line for line in lines if line.startswith("Get right first: "))
    assert "'ticket.person' (5min to 20min)" in answer
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    everything = sensitivity_text(queue, everything=True)
    assert all(f"{one.step}: {one.key}"[:29] in everything for one in queue.estimates)


def test_effects_without_a_change_are_zero(declare: Declare) -> None:
    """A chance of 100% has no finite odds, a step off the critical path has no effect, one round cannot be fewer."""
    steps = "  a: {success: 100%, chance: 0%, tool: 5s}\n  b: {tool: 10s, repeat: {times: 1}}\n  c: {tool: 1s}"
    found = sensitivity(declare(steps), samples=64)
    for step, key in (("a", "success"), ("a", "chance"), ("c", "time")):
        one = of(found, step, key)
        assert (one.low.p90, one.high.p90, one.effect) == (10, 10, 0), key
    assert (of(found, "b", "repeat.times").low.value, of(found, "b", "repeat.times").low.p90) == (1, 10)
    assert of(found, "b", "repeat.times").high.p90 == 20  # 1.5 rounds are rounded half up
    assert of(found, "b", "time").high.p90 == 15


def test_the_factor_is_that_of_the_option(declare: Declare) -> None:
    found = sensitivity(declare("  a: {tool: 10s}\n  b: {needs: a, human: 5s}"), off=2, samples=64)
    assert [(one.step, one.low.p90, one.high.p90, one.effect) for one in found.estimates] == [
        ("a", 10, 25, 10),
        ("b", 12.5, 20, 5),
    ]
    assert [one.effect_error for one in found.estimates] == [0, 0]


# Files, parameters and models


def test_a_number_of_a_used_file_is_changed_wherever_it_is_used(tmp_path: Path) -> None:
    inner = "workflow: inner\nparameters: {n: 2, m: 3}\nsteps:\n  x: {tool: = 1s * n * m}\n  y: {needs: x, human: 5s}\n"
    (tmp_path / "inner.yaml").write_text(inner)
    outer = (
        "workflow: outer\nparameters: {k: 2}\nsteps:\n  a: {use: {file: inner.yaml, parameters: {n: = 2 * k}}}\n"
        "  b: {needs: a, use: {file: inner.yaml, parameters: {n: 6}}}\n"
    )
    path = tmp_path / "outer.yaml"
    path.write_text(outer)
    found = sensitivity(read_workflow(path), samples=64)
    base = 2 * 2 * 3 + 5 + 6 * 3 + 5
    assert found.seconds.p90 == base
    expected = {
        ("k", "k"): (1 * 2 * 3 - 12, 3 * 2 * 3 - 12),
        ("b", "parameters.n"): (4 * 3 - 18, 9 * 3 - 18),
        ("a", "m"): (10 * 2 - 30, 10 * 5 - 30),
        ("a.x", "time"): (30 / 1.5 - 30, 15),
        ("a.y", "time"): (10 / 1.5 - 10, 5),
    }
    rows = {(one.step, one.key): (one.low.p90, one.high.p90) for one in found.estimates}
    assert rows.keys() == expected.keys()
    for key, (low, high) in expected.items():
        assert rows[key] == pytest.approx((base + low, base + high)), key


def test_a_model_of_the_catalogue_has_its_output_speed() -> None:
    found = sensitivity(read_example(ROOT / "workflows" / "hour_long_run.yaml"), samples=64)
    assert [one.key for one in found.estimates if one.kind == "model"] == ["output_speed"]
    speed = of(found, "glm-5.1", "output_speed")
    assert speed.low.p90 is not None
    assert speed.low.p90 > found.seconds.p90


def test_a_tier_changes_with_its_base(declare: Declare) -> None:
    models = (
        "models: {slow: {ttft: 0s, output_speed: 100, jitter: 0.1}, fast: {based_on: slow, speed: 2x, jitter: 0}}\n"
        "model: slow"
    )
    steps = "  a: {model: fast, llm: {output: 1000}}"
    found = sensitivity(declare(steps, models), samples=64)
    rows = {(one.step, one.key): (one.low.p90, one.high.p90) for one in found.estimates if one.kind == "model"}
    assert rows["slow", "output_speed"] == rows["fast", "speed"] == pytest.approx((7.5, 5 / 1.5))


def test_sizes_of_a_backlog_are_off_by_their_spread(tmp_path: Path) -> None:
    """Sizes 1 and 4 become 1 and 8, relative to their mean: the larger item takes 16/9 of the mean instead of 8/5."""
    (tmp_path / "rows.csv").write_text("size\n1\n4\n")
    text = (
        "workflow: rows\nmodel: m\nmodels: {m: {ttft: 0s, output_speed: 100, jitter: 0}}\ncrews: {c: {agents: 2}}\n"
        "steps:\n  a: {for_each: {file: rows.csv, size: size}, crew: c, llm: {output: 10000}}\n"
    )
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    found = sensitivity(read_workflow(path), samples=64)
    one = of(found, "a", "for_each.size")
    assert (one.measure, found.seconds.p90) == ("spread", 160)
    assert one.high.p90 == pytest.approx(100 * 16 / 9, rel=1e-4)
    low = 4 ** (1 / 1.5)
    assert one.low.p90 == pytest.approx(100 * 2 * low / (1 + low), rel=1e-4)


def test_a_count_that_does_not_fit_is_left_unknown(declare: Declare) -> None:
    """4 modules in batches of 2: 6 are possible, but 3 are not a whole number of batches."""
    found = sensitivity(declare("  a: {for_each: = n / 2, tool: 1s}", "parameters: {n: 4}"), samples=64)
    one = of(found, "n", "n")
    assert (one.low.value, one.low.p90) == (3, None)
    assert (one.high.value, one.high.p90) == (6, 1)
    assert "estimates-refused" in [note.code for note in found.notes]
    assert of(found, "a", "for_each.count").low.p90 == 1  # rounded half up


# Limits


def test_time_and_numbers_are_limited(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = declare("\n".join(f"  s{at}: {{tool: 1s to 9s}}" for at in range(6)))
    monkeypatch.setattr(variations, "MOST_NUMBERS", 4)
    monkeypatch.setattr(tornado, "MOST_NUMBERS", 4)
    found = sensitivity(workflow, samples=64)
    assert [one.effect is None for one in found.estimates] == [False] * 4 + [True] * 2
    assert [note.values["numbers"] for note in found.notes if note.code == "estimates-left-out"] == [6]
    short = sensitivity(workflow, max_time=1e-9)
    assert all(one.effect is None for one in short.estimates)
    assert "estimates-cut-short" in [note.code for note in short.notes]


def test_results_do_not_depend_on_threads_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = load(ROOT / "workflows" / "support_triage.yaml", {"tickets": 10}).serving()[0]
    alone = sensitivity(workflow, samples=64, backend=ThreadBackend(1))
    monkeypatch.setattr(variations, "TOGETHER", 3)
    assert sensitivity(workflow, samples=64, backend=ThreadBackend(2)) == alone


@pytest.mark.parametrize("name", ["support_triage", "port_codebase"])
def test_reused_draws_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"tickets": 10} if name == "support_triage" else {"modules": 6}
    workflow = load(ROOT / "workflows" / f"{name}.yaml", parameters).serving()[0]
    reused = sensitivity(workflow, samples=64)
    monkeypatch.setattr(base_draws, "MOST", 0)
    assert sensitivity(workflow, samples=64) == reused


def test_effects_of_few_samples_are_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an interval of 95% is 1.96 standard errors. Two results of 8 numbers differ by over 4 with 1 in 1,000."""
    simulated = []

    def counted(accumulators: list[Accumulator], samples: int, *rest: Any) -> None:
        simulated.append(len(accumulators) * (samples - accumulators[0].count))
        extend(accumulators, samples, *rest)

    monkeypatch.setattr(variations, "extend", counted)
    few = sensitivity(read_workflow(QUEUE))
    of_few = sum(simulated)
    simulated.clear()
    whole = sensitivity(read_workflow(QUEUE), samples=few.samples)
    assert few.seconds == whole.seconds
    assert of_few < 0.6 * sum(simulated)
    for one in whole.estimates:
        other = of(few, one.step, one.key)
        assert one.effect is not None
        assert other.effect_error is not None
        assert other.effect == pytest.approx(one.effect, abs=4 / 1.96 * other.effect_error + 1e-9), one
        assert other.effect_error <= max(0.1 * (other.effect or 0), 0.005 * few.seconds.p50)


def test_progress_rises_to_the_end() -> None:
    shares: list[float] = []
    sensitivity(read_workflow(QUEUE), samples=128, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["sensitivity", *map(str, arguments)])


def test_every_number_has_a_row(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text(QUEUE)
    data = json.loads(run(path, "--samples", 64, "--json", "--off", "2x").stdout)
    assert data["off"] == 2
    assert {(row["step"], row["key"]) for row in data["estimates"]} == {
        ("ticket", "for_each.count"), ("ticket.solve", "input"), ("ticket.solve", "output"), ("ticket.solve", "success"),
        ("ticket.person", "time"), ("fast", "ttft"), ("fast", "prefill_speed"), ("fast", "output_speed"),
    }  # fmt: skip


def test_numbers_left_out_are_said_before_the_answer(declare: Declare) -> None:
    workflow = declare("\n".join(f"  s{at}: {{tool: {at + 1}s}}" for at in range(3)))
    found = sensitivity(workflow, max_time=1e-9)
    assert "Only 0 of 3 numbers of the file were changed." in sensitivity_text(found)


def test_choices_keep_their_sum(declare: Declare) -> None:
    """Of branches of 10 s, 20 s and 30 s, the third is the p90. Its chance falls from 20% to 1/7, so it stays so."""
    branches = "x: {chance: 50%, tool: 10s}, y: {chance: 30%, tool: 20s}, z: {chance: 20%, tool: 30s}"
    found = sensitivity(declare(f"  a: {{choose: {{{branches}}}}}"), samples=256)
    rows = {one.step: (one.low.value, one.high.value) for one in found.estimates if one.key == "chance"}
    assert rows == {
        "a.x": pytest.approx((0.4, 0.6)),
        "a.y": pytest.approx((2 / 9, 9 / 23)),
        "a.z": pytest.approx((1 / 7, 3 / 11)),
    }
    assert of(found, "a.z", "chance").low.p90 == 30
