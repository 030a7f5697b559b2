"""What fuzzing with atheris has found, once each; mistakes in files are in tests/errors instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.engine.draws import Samples
from planner.planning.forecast import forecast
from planner.workflow.declaration import Workflow

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
    assert len([of for of, _ in asked if of == purpose]) < 3 * ROUNDS


def test_the_thousandth_round_is_no_deeper_than_the_first(declare: Declare) -> None:
    steps = "  a: {repeat: {until: 1%, at_most: 1500}, llm: {output: 5, continues: a}}"
    assert forecast(declare(steps), samples=2).result.seconds.p50 > 1
