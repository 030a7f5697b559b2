"""What hypothetical speeds cost."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.catalogue import Catalogue, Premium
from planner.catalogue.premium import FITTED, fitted, tiers
from planner.cli.app import app
from planner.planning import compare, explain, forecast
from planner.workflow import read_workflow
from tests.conftest import Golden, amounts

PLAN = """\
workflow: priced
model: plain
models: {{plain: {{ttft: 1s, prefill_speed: 1000, output_speed: 10, jitter: 0, price: {price}}}}}
steps: {{look: {{agent: {{turns: 2, prompt: 1k, output: 100, tool: {{time: 1s, result: 10, usd: 0.5}}}}}}}}
"""


def plan(folder: Path, price: str = "{input: 1000, output: 1000}") -> Path:
    path = folder / "priced.yaml"
    path.write_text(PLAN.format(price=price), encoding="utf-8")
    return path


def test_the_law_is_the_fit_to_the_tiers_of_the_catalogue() -> None:
    found = list(tiers(Catalogue.load()))
    assert len(found) == 14
    assert {tier.name: tier.speed for tier in found}["gpt-6-astra-ultrafast"] == pytest.approx(8)  # of 3.7x to 8x
    assert round(fitted(found), 2) == FITTED.exponent


@pytest.mark.parametrize(("speed", "price"), [(2.5, 6.0), (1.5, 2.5), (3.0, 1.0)])
def test_a_law_goes_through_the_tier_that_is_given(speed: float, price: float) -> None:
    law = Premium.through(speed, price)
    assert law.of(speed) == pytest.approx(price, rel=1e-12)
    assert law.of(speed**2) == pytest.approx(price**2, rel=1e-12)
    assert (law.of(1.0), law.of(0.5)) == (1.0, 1.0)


@pytest.mark.parametrize(("speed", "price"), [(1.0, 2.0), (0.5, 2.0), (2.0, 0.5), (2.0, math.nan)])
def test_a_law_needs_a_faster_speed_and_a_higher_price(speed: float, price: float) -> None:
    with pytest.raises(ValueError, match="above 1x"):
        Premium.through(speed, price)


def test_tokens_are_dearer_at_a_higher_speed_and_tools_are_not(tmp_path: Path) -> None:
    """Reads 1000, then 1110, and writes 200: $2.31 of tokens; a call of $0.50."""
    workflow = read_workflow(plan(tmp_path), {})
    cells = {
        result.scenario.speed: result
        for result in compare(workflow, [0.5, 1.0, 2.0], [1], premium=Premium(2.0), samples=2).results
    }
    usd = {speed: result.usd.mean for speed, result in cells.items() if result.usd}
    assert usd == pytest.approx({0.5: 2.81, 1.0: 2.81, 2.0: 4 * 2.31 + 0.5}, rel=1e-12)
    assert {speed: result.price_multiplier for speed, result in cells.items()} == {0.5: 1.0, 1.0: 1.0, 2.0: 4.0}
    alone = forecast(workflow, speed=2.0, premium=Premium(2.0), samples=2)
    assert alone.result.usd is not None
    assert alone.result.usd.mean == pytest.approx(usd[2.0], rel=1e-12)
    assert sum(step.usd or 0.0 for step in alone.steps) == pytest.approx(usd[2.0], rel=1e-12)
    explained = explain(workflow, alone)
    assert explained.usd == pytest.approx(usd[2.0], rel=1e-12)
    assert explained.models[0].price is not None
    assert explained.models[0].price["output"] == pytest.approx(4000.0)


def test_machines_of_a_higher_speed_are_dearer_too(tmp_path: Path) -> None:
    """Two requests of 1 + 1 + 10 s and 1 + 1.11 + 10 s, a second between; at 2x they decode for 5 s each."""
    workflow = read_workflow(plan(tmp_path, "{per_hour: 3600}"), {})
    found = compare(workflow, [1.0, 2.0], [1], premium=Premium(1.0), samples=2).results
    assert [result.usd.mean for result in found if result.usd] == pytest.approx([25.11 + 0.5, 2 * 15.11 + 0.5])


def test_the_output_says_which_law_and_marks_what_is_hypothetical(tmp_path: Path, golden: Golden) -> None:
    file = str(plan(tmp_path))
    run = CliRunner().invoke

    def said(*options: str) -> str:
        result = run(app, ["compare", file, "--agents", "1", "--samples", "2", "--all", *options])
        assert result.exit_code == 0
        return " ".join(result.output.split())

    assert amounts(golden(said("--speed", "1x,2x"))) >= {"2x"}
    golden(said("--speed", "1x,2x", "--premium", "2x=4x"))
    golden(said("--speed", "1x,2x", "--premium", "0"))
    assert "hypothetical" not in said("--speed", "1x")


@pytest.mark.parametrize("law", ["x", "-1", "11", "nan", "1x=2x", "2x=0.5x", "2x=", "=", "2x=y"])
def test_a_law_that_is_none_is_refused(tmp_path: Path, law: str) -> None:
    result = CliRunner().invoke(app, ["forecast", str(plan(tmp_path)), f"--premium={law}"])
    assert result.exit_code == 2
    assert "--premium" in result.output
