"""Inputs at the far ends: hundreds of rounds, and estimates over 300 orders of magnitude."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from planner.engine import Samples
from planner.errors import InputError
from planner.expansion import ConditionDraws, Guard, Index, draw_estimate
from planner.planning import forecast
from planner.reading import TOKENS, parse_estimate
from planner.workflow import Workflow
from tests.conftest import PLAIN

Declare = Callable[..., Workflow]
ROUNDS = 400
"""So many that what doubles with each round never ends, and what each round does for all before it shows."""


@pytest.mark.parametrize(
    "step",
    [
        f"  a: {{repeat: {{times: {ROUNDS}}}, llm: {{output: 5, continues: a}}}}",
        f"  a: {{repeat: {{until: 50%, at_most: {ROUNDS}}}, llm: {{output: 5, continues: a}}}}",
        f"""
  a:
    repeat: {{until: 50%, at_most: {ROUNDS}}}
    steps:
      draft: {{retry: {{chance: 50%, at_most: 2}}, llm: {{output: 5, continues: draft}}}}
      check: {{needs: draft, success: 50%, tool: 5s}}
""",
    ],
)
def test_a_round_that_continues_the_one_before_is_drawn_once(declare: Declare, step: str) -> None:
    result = forecast(declare(step), samples=2).result
    assert result.seconds.p50 > 1


@pytest.mark.parametrize(
    ("step", "purpose"),
    [
        ("retry: {chance: 50%, at_most: 400}", "attempt"),
        ("repeat: {until: 50%, at_most: 400}", "accepted"),
    ],
)
def test_whether_a_round_fails_is_asked_once(
    declare: Declare, step: str, purpose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    uniform = Samples.uniform

    def counted(samples: Samples, rows: int, path: str, of: str, occurrence: tuple[int, ...] = ()) -> object:
        asked.append((of, occurrence))
        return uniform(samples, rows, path, of, occurrence)

    monkeypatch.setattr(Samples, "uniform", counted)
    forecast(declare(f"  a: {{{step}, llm: {{output: 5}}}}"), samples=2)
    runs = 4  # the forecast, one agent alone, the typical sample, the drags
    assert len([of for of, _ in asked if of == purpose]) <= runs * ROUNDS


def test_the_thousandth_round_is_no_deeper_than_the_first(declare: Declare) -> None:
    steps = "  a: {repeat: {until: 1%, at_most: 1500}, llm: {output: 5, continues: a}}"
    assert forecast(declare(steps), samples=2).result.seconds.p50 > 1


def test_who_reads_a_brief_is_found_in_time_that_grows_with_the_rounds(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    holds = ConditionDraws.holds

    def counted(activity: ConditionDraws, guard: Guard, index: Index) -> object:
        asked.append(guard)
        return holds(activity, guard, index)

    monkeypatch.setattr(ConditionDraws, "holds", counted)
    numbers = []
    for rounds in (50, 200):
        asked.clear()
        steps = "{x: {chance: 50%, llm: {output: 5}}}"
        items = f"for_each: 4, crew: c, repeat: {{until: 50%, at_most: {rounds}}}"
        header = f"{PLAIN}crews: {{c: {{agents: 2, coordination: {{brief: {{output: 5}}}}}}}}"
        forecast(declare(f"  a: {{{items}, steps: {steps}}}", header), samples=2)
        numbers.append(len(asked))
    assert numbers[1] < 6 * numbers[0]


def test_the_widest_estimates_are_finite_where_they_are_drawn_and_where_they_are_told() -> None:
    estimate = parse_estimate({"p50": 1e-300, "p95": 1e9}, TOKENS)
    assert math.isfinite(estimate.mean)
    assert estimate.quantile(0.5) == pytest.approx(1e-300)
    assert estimate.quantile(0.95) == pytest.approx(1e9)
    draws = draw_estimate(estimate, Samples(1, 0, 256), 1000, "a", "output")
    assert np.isfinite(draws).all()
    assert (draws > 1e9).mean() == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize(
    "step",
    [
        "{chance: 50%, llm: {input: WIDE, output: 5}}",
        "{agent: {turns: 50, output: 1, tool: {time: 1s, result: WIDE}, context_limit: 1, compaction: {output: WIDE}}}",
    ],
)
def test_what_the_widest_estimates_lead_to_is_refused_without_a_warning(declare: Declare, step: str) -> None:
    workflow = declare(f"  a: {step.replace('WIDE', '{p50: 1e-300, p95: 1e9}')}")
    with pytest.raises(InputError, match="a task takes over"):
        forecast(workflow, samples=50)


def test_what_takes_widely_longer_than_its_timeout_is_cut_there(declare: Declare) -> None:
    steps = "  a: {retry: {timeout: 1s, at_most: 3}, llm: {input: {p50: 1e-300, p95: 1e9}, output: 1}}"
    assert forecast(declare(steps), samples=50).result.seconds.p90 <= 3


def test_an_item_that_is_not_drawn_keeps_no_agent(declare: Declare) -> None:
    """With seeds for which the lead once waited forever."""
    header = f"{PLAIN}crews: {{c: {{agents: 3, coordination: {{brief: {{output: 400}}, merge: 1min}}}}}}"
    workflow = declare("  a: {for_each: {values: [1, 3, 3, 1]}, crew: c, llm: {output: 10}}", header)
    for seed in range(1, 21):
        assert forecast(workflow, samples=2, seed=seed).result.seconds.p50 > 1
