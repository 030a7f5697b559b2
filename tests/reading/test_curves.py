"""Time to first token and speed by concurrency: each on its own, and both together by Little's law."""

from __future__ import annotations

import json
import pickle
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.catalogue import Catalogue, Profile, resolve
from planner.catalogue.listing import model_rows
from planner.errors import InputError
from planner.planning import DecisionOptions, Target, compare, find_cheapest, forecast, tier
from planner.planning.tier.limits import Limits
from planner.reading import Curve, Estimate, ProfileDeclaration
from planner.report import model_json, model_text, models_text
from planner.report.wording.notes import worded
from planner.workflow import read_workflow
from tests.conftest import Golden, amounts

FULL = {"ttft": {"4": "0s", "16": "1s", "64": "13s"}, "output_speed": {"4": 100, "16": 50, "64": 40},
        "measured_output": 200}  # fmt: skip
"""200 tokens take 2, 4 and 5 s to write; whole requests 2, 5 and 18 s. 4, 16 · 4/5 = 12.8 and 64 · 5/18 = 17.8 write."""


def profile(**declared: Any) -> Profile:
    return resolve("m", {"m": ProfileDeclaration.model_validate(declared)})


def read(of: Profile, concurrency: int) -> tuple[float, float]:
    """Seconds to the first token and per output token."""
    at = of.at(concurrency)
    assert isinstance(at.ttft, Estimate)
    assert isinstance(at.output_speed, Estimate)
    return at.ttft.scale, 1 / at.output_speed.scale


@pytest.mark.parametrize(
    ("concurrency", "ttft", "per_token"),
    [
        (1, 0, 0.01),  # below the first point it is that
        (4, 0, 0.01),
        (16, 1, 0.02),
        (64, 13, 0.025),
        (8, 0, 3 / 200),  # w = 2 + 4/12 · 3 = 3; all 8 write, as all 4 did: 8 is under 12.8
        (14, 4.5 * 1.2 / 14, 4.5 * 12.8 / 14 / 200),  # w = 2 + 10/12 · 3 = 4.5; full: 12.8 of 14 write, 1.2 wait
        (20, 73 / 12 / 5, 73 / 12 * 4 / 5 / 200),  # w = 5 + 4/48 · 13 = 73/12; 12.8 · 20/16 = 16 of 20 write
        (40, 11.5 * (1 - 160 / 9 / 40), 11.5 * 160 / 9 / 40 / 200),  # w = 5 + 24/48 · 13 = 11.5; full: 160/9 write
        (128, 26, 0.05),  # above the last all take twice as long as 64
    ],
)
def test_a_server_by_littles_law(concurrency: int, ttft: float, per_token: float) -> None:
    assert read(profile(**FULL), concurrency) == pytest.approx((ttft, per_token))


def test_a_queue_before_ten_slots_is_read_exactly() -> None:
    """10 write at a time, at 20 ms a token, 100 tokens each: c ≥ 10 requests take 2 s · c / 10, of which they write 2."""
    queue = profile(ttft={"10": "0s", "40": "6s"}, output_speed={"10": 50, "40": 50}, measured_output=100)
    for concurrency in range(10, 41):
        assert read(queue, concurrency) == pytest.approx((0.2 * concurrency - 2, 0.02), abs=1e-12)


def test_a_number_that_falls_or_rises_too_fast_is_read_along_a_line() -> None:
    """Of 2 one writes and of 8 all do, over 1 · 8/2: at 5, w = 2 and b = 4.5. Of 2 all write and of 8 one: the same."""
    rising = profile(ttft={"2": "1s", "8": "0s"}, output_speed={"2": 100, "8": 50}, measured_output=100)
    assert read(rising, 5) == pytest.approx((2 * 0.1, 2 * 0.9 / 100))
    falling = profile(ttft={"2": "0s", "8": "7s"}, output_speed={"2": 100, "8": 100}, measured_output=100)
    assert read(falling, 5) == pytest.approx((4.5 * 0.7, 4.5 * 0.3 / 100))  # w = 1 + 3/6 · 7; b = 2 - 3/6


def test_without_measured_output_each_is_read_on_its_own() -> None:
    alone = profile(ttft=FULL["ttft"], output_speed=FULL["output_speed"])
    assert read(alone, 10) == pytest.approx((0.5, 0.015))
    assert read(alone, 128) == pytest.approx((26, 0.05))
    other = profile(ttft={"8": "2s", "64": "9s"}, output_speed={"4": 100, "16": 50})
    assert [read(other, at) for at in (1, 10, 36)] == [pytest.approx(one) for one in
        ((2, 0.01), (2.25, 0.015), (5.5, 0.045))]  # fmt: skip


def test_ttft_alone_by_concurrency() -> None:
    waits = profile(ttft={"1": "500ms", "9": "1min"}, output_speed="40 to 80")
    assert isinstance(waits.at(5).output_speed, Estimate)
    assert waits.at(5).output_speed == waits.output_speed
    assert [waits.at(at).ttft.scale for at in (1, 5, 9, 18)] == [0.5, 30.25, 60, 120]  # type: ignore[union-attr]


def test_a_faster_profile_waits_as_long_and_writes_faster() -> None:
    """`speed` takes a share off the time that is written, between points as at them."""
    declared = {
        "base": ProfileDeclaration.model_validate(FULL),
        "fast": ProfileDeclaration.model_validate({"based_on": "base", "speed": "2.5x", "jitter": 0}),
    }
    base, fast = resolve("base", declared), resolve("fast", declared)
    for concurrency in (1, 4, 7, 16, 40, 64, 100):
        ttft, per_token = read(base, concurrency)
        assert read(fast, concurrency) == pytest.approx((ttft, per_token / 2.5))


@pytest.mark.parametrize(
    ("own", "at_10"),
    [
        ({"ttft": "1s"}, (1, 0.015)),
        ({"output_speed": {"4": 200, "16": 100}}, (0.5, 0.0075)),
        ({"ttft": {"4": "2s", "16": "4s"}}, (3, 0.015)),
        ({"jitter": 0.1}, None),
    ],
)
def test_measured_output_is_of_the_curves_beside_it(own: dict[str, Any], at_10: tuple[float, float] | None) -> None:
    """A profile that has either of its own reads each on its own."""
    declared = {
        "base": ProfileDeclaration.model_validate(FULL),
        "m": ProfileDeclaration.model_validate({"based_on": "base", **own}),
    }
    found = resolve("m", declared)
    assert (found.measured_output is None) == (at_10 is not None)
    assert read(found, 10) == pytest.approx(at_10 or read(resolve("base", declared), 10))


SECONDS = st.floats(0, 1e4) | st.just(0.0)
SPEED = st.floats(0.01, 1e5)


@given(
    points=st.dictionaries(st.integers(1, 2000), st.tuples(SECONDS, SPEED), min_size=1, max_size=5),
    output=st.floats(1, 1e6), factor=st.floats(0.1, 10), concurrency=st.integers(1, 3000),
)  # fmt: skip
def test_whatever_was_measured_time_is_told_that_can_be(
    points: dict[int, tuple[float, float]], output: float, factor: float, concurrency: int
) -> None:
    """No time is negative; points are exact; whole requests take a time on the line between their neighbours', and as many
    of them write as between those. Beyond the last point they share its total."""
    waits = Curve(tuple((at, points[at][0]) for at in sorted(points)), False)
    speeds = Curve(tuple((at, points[at][1]) for at in sorted(points)), True)
    base = profile(ttft="0s", output_speed=1)
    one = Profile(
        **{**vars(base), "ttft": waits, "output_speed": speeds.times(factor), "measured_output": output * factor}
    )
    ttft, per_token = read(one, concurrency)
    assert ttft >= 0
    assert per_token > 0
    whole = {at: wait + output / speed for at, (wait, speed) in points.items()}
    now = ttft + output * factor * per_token
    if concurrency in points:
        assert (ttft, 1 / per_token) == pytest.approx((points[concurrency][0], points[concurrency][1] * factor))
    elif concurrency > max(points):
        assert now == pytest.approx(whole[max(points)] * concurrency / max(points))
    elif concurrency > min(points):
        low, high = max(at for at in points if at < concurrency), min(at for at in points if at > concurrency)
        assert now == pytest.approx(whole[low] + (concurrency - low) / (high - low) * (whole[high] - whole[low]))
        number = concurrency * output * factor * per_token / now
        writing = [at * output / points[at][1] / whole[at] for at in (low, high)]
        assert min(writing) * (1 - 1e-9) <= number <= max(writing) * (1 + 1e-9)


@given(
    waits=st.tuples(SECONDS, SECONDS), speeds=st.tuples(SPEED, SPEED), output=st.floats(1, 1e4),
    low=st.integers(1, 200), wide=st.integers(2, 300),
)  # fmt: skip
def test_from_point_to_point_the_number_that_writes_runs_one_way(
    waits: tuple[float, float], speeds: tuple[float, float], output: float, low: int, wide: int
) -> None:
    ends = (low, low + wide)
    server = profile(
        ttft={str(at): f"{wait:.9f}s" for at, wait in zip(ends, waits, strict=True)},
        output_speed={str(at): speed for at, speed in zip(ends, speeds, strict=True)},
        measured_output=output,
    )
    numbers = []
    for concurrency in range(ends[0], ends[1] + 1):
        ttft, per_token = read(server, concurrency)
        numbers.append(concurrency * output * per_token / (ttft + output * per_token))
    rises = [later - earlier for earlier, later in pairwise(numbers)]
    tiny = 1e-9 * max(numbers)
    assert all(rise >= -tiny for rise in rises) or all(rise <= tiny for rise in rises)


def test_a_profile_by_concurrency_survives_the_way_to_another_process() -> None:
    there = pickle.loads(pickle.dumps(profile(**FULL)))
    assert read(there, 14) == read(profile(**FULL), 14)


# In plans and in the catalogue.


def written(folder: Path, models: str, steps: str = "a: {for_each: 8, llm: {output: 100}}") -> Path:
    path = folder / "w.yaml"
    path.write_text(f"workflow: w\nmodel: m\nmodels: {{{models}}}\nsteps: {{{steps}}}\n", encoding="utf-8")
    return path


def test_waits_alone_make_agents_slow_each_other_down(tmp_path: Path) -> None:
    """8 requests of 1 s of writing: one agent 8 · (1 + 1), 8 agents 15 + 1."""
    path = written(tmp_path, "m: {ttft: {1: 1s, 8: 15s}, output_speed: 100, jitter: 0}")
    workflow = read_workflow(path)
    assert [forecast(workflow, agents=n, samples=1).result.seconds.p50 for n in (1, 8)] == pytest.approx([16, 16])
    ceilings = compare(workflow, [1.0], [1, 8], samples=1, wishes=DecisionOptions()).decisions.ceilings
    assert ceilings.slowed
    assert ceilings.infinite_agents.p50.value == pytest.approx(2)  # 8 agents, each served as if it were alone


CATALOGUE = """
sources: {test: {title: Our load test, as_of: 2026-11-01}}
profiles:
  house:
    ttft: {value: {4: 0.5s, 64: 9s}, source: test, kind: measured, conditions: prompts of 1k}
    output_speed: {value: {4: 80, 64: 30}, source: test, kind: measured, conditions: outputs of 128}
    measured_output: {value: 128, source: test, kind: measured}
  waits: {ttft: {2: 500ms, 8: 3s}, output_speed: 60}
  house-fast: {based_on: house, speed: 2x}
  house-near: {based_on: house, ttft: 0.4s}
  glm-5-vllm-1k: {ttft: 100ms}
"""


def test_a_catalogue_has_both_by_concurrency(tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("catalogue.yaml")
    path.write_text(CATALOGUE, encoding="utf-8")
    found = Catalogue.load(path, today=date(2026, 11, 21))
    house = model_text(found, "house")
    golden(house)
    golden(model_text(found, "waits"))
    data = json.loads(model_json(found, "house"))
    assert (data["ttft"], data["speed"], data["speed_text"]) == (0.5, 80, "80 at 4")
    assert data["facts"]["measured_output"]["source"] == "Our load test"
    (line,) = (line for line in models_text(model_rows(found)).splitlines() if line.startswith("waits "))
    assert line.split()[1:3] == ["60", "0.50s"]
    assert found.profile("house-fast").measured_output == 256
    assert "measured_output" in found.facts("house-fast")
    for name in ("house-near", "glm-5-vllm-1k"):  # a curve that was measured with another is read on its own
        assert found.profile(name).measured_output is None
        assert "measured_output" not in found.facts(name)
    assert isinstance(found.profile("glm-5-vllm-1k").output_speed, Curve)


def test_a_mistake_in_a_catalogue_has_its_place(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        "profiles:\n"
        "  a:\n"
        "    ttft: {value: {1: 1s, 8: 9s}, kind: measured}\n"
        "    output_speed: {value: {1: 60, 16: 9}, kind: measured}\n"
        "    measured_output: {value: 100, kind: measured}\n"
        "  b: {ttft: {value: {1: 1s, 8: 9}}, output_speed: 60}\n"
        "  glm-5-vllm-1k: {measured_output: 100}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        Catalogue.load(path)
    places = [(one.position and one.position.line, one.code) for one in error.value.problems]
    assert places == [(3, "bad-profile"), (6, "bad-value"), (7, "bad-profile")]
    golden(error.value)


# What is noted.

LOOPS = "a: {for_each: 64, agent: {turns: 2, output: 100, tool: {time: 1s}}}"


def noted(found: Any) -> list[str]:
    """Its notes on speeds by concurrency."""
    return [note for note in worded(found.notes) if note.code in ("outside-curve", "constant-concurrency")]


def test_agents_without_items_slow_nobody_down(tmp_path: Path, golden: Golden) -> None:
    """200 requests of 1,000 tokens: at 200 at a time 40 tokens/s · 16 / 200 for each, whatever more agents there are."""
    path = written(
        tmp_path, "m: {ttft: 0s, output_speed: {1: 60, 16: 40}, jitter: 0}", "a: {for_each: 200, llm: {output: 1k}}"
    )
    found = compare(read_workflow(path), [1.0], [100, 200, 250, 500], samples=1, wishes=DecisionOptions())
    assert [one.seconds.p50 for one in found.results] == pytest.approx([2 * 156.25, 312.5, 312.5, 312.5])
    (note,) = noted(found)
    assert amounts(golden(note)) >= {"1", "16", "100", "200"}


def test_what_was_measured_at_one_concurrency_is_said(tmp_path: Path, golden: Golden) -> None:
    workflow = read_workflow(written(tmp_path, "m: {ttft: 1s, output_speed: {16: 40}, price: {per_hour: 1}}", LOOPS))
    found = compare(workflow, [1.0], [1, 8, 16, 32, 64, 99], samples=1, wishes=DecisionOptions())
    golden(noted(found), "compared")
    golden(noted(forecast(workflow, agents=16, samples=1)), "16 agents")  # against one agent
    golden(noted(forecast(workflow, agents=1, samples=1)), "1 agent")
    golden(noted(forecast(workflow, samples=1)), "no limit")  # of 64 items
    golden(noted(find_cheapest(workflow, Target(0.5, 1e9), [1.0], [8, 32], samples=1)), "target")


@pytest.mark.parametrize(
    ("models", "steps", "count"),
    [
        ("m: {ttft: 1s, output_speed: {1: 60, 64: 40}}", "a: {for_each: 64, llm: {output: 9}}", 0),
        ("m: {ttft: 1s, output_speed: 60}", LOOPS, 0),
        ("m: {ttft: {4: 1s, 64: 2s}, output_speed: {1: 60, 8: 40}}", "a: {for_each: 64, llm: {output: 9}}", 2),
        ("m: {ttft: 1s, output_speed: {1: 60, 64: 40}}",
         "a: {for_each: 64, steps: {t: {tool: 1s}, l: {needs: t, llm: {output: 9}}}}", 1),
        ("m: {ttft: 1s, output_speed: {1: 60, 64: 40}}", "a: {for_each: 64, llm: {output: 9}}, b: {for_each: 9, tool: 1s}",
         0),
    ],
)  # fmt: skip
def test_notes_are_there_where_they_matter(tmp_path: Path, models: str, steps: str, count: int, golden: Golden) -> None:
    notes = noted(forecast(read_workflow(written(tmp_path, models, steps)), agents=64, samples=1))
    assert len(notes) == count
    golden(notes)


def test_a_choice_of_tiers_says_it_too(tmp_path: Path, golden: Golden) -> None:
    models = (
        "m: {ttft: 1s, output_speed: {2: 60}, price: {input: 1, output: 1}}, "
        "fast: {ttft: 1s, output_speed: {1: 90, 8: 80}, price: {input: 2, output: 2}}"
    )
    workflow = read_workflow(written(tmp_path, models, LOOPS))
    golden(noted(tier(workflow, "fast", Limits(budget=1e6), agents=8, samples=1)))


@pytest.mark.parametrize(
    "reading",
    [
        "prefill_speed: 5000",
        "context: 64k",
    ],
)
def test_what_a_time_to_the_first_token_holds(
    tmp_path: Path, reading: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("catalogue.yaml")
    path.write_text(f"profiles:\n  a: {{ttft: 1s, output_speed: 50, {reading}}}\n", encoding="utf-8")
    told = golden(model_text(Catalogue.load(path), "a"))
    assert "empty prompt" not in told
