"""Sizes of items and the error of estimates: what they act on, what they leave alone, and how they add up."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from planner.engine import quantile_interval
from planner.planning import forecast
from planner.sampling import GridPoint
from planner.workflow import Workflow
from tests.conftest import PLAIN, simulated

Declare = Callable[..., Workflow]
Floats = NDArray[np.float64]

Z95 = NormalDist().inv_cdf(0.95)


def ends(workflow: Workflow, samples: int = 4000) -> Floats:
    return np.asarray(simulated(workflow, [GridPoint(1.0, {"agents": 1})], samples)[0])


def near(values: Floats, q: float, expected: float) -> None:
    """A quantile is within five standard errors of what it should be."""
    low, high = quantile_interval(values, q)
    assert abs(np.quantile(values, q) - expected) <= (high - low) / 2 * 5 / 1.96


def uncertain(layers: str) -> str:
    return f"uncertainty: {{{layers}}}\n{PLAIN}"


def test_a_plain_number_is_never_perturbed(declare: Declare) -> None:
    steps = "  a: {llm: {input: 1000, output: 50}}\n  b: {needs: a, tool: 5s}\n  c: {needs: b, agent: {turns: 2, output: 50, tool: 3s}}"
    assert set(ends(declare(steps, uncertain("per_step: 2x, overall: 3x")), 300)) == set(ends(declare(steps), 1))


def test_people_and_turns_are_not_touched(declare: Declare) -> None:
    steps = "  a: {human: 10s to 20s}\n  b: {needs: a, agent: {turns: 2 to 9, output: 50}}"
    assert np.array_equal(ends(declare(steps, uncertain("per_step: 2x, overall: 3x"))), ends(declare(steps)))


@pytest.mark.parametrize("layer", ["per_step", "overall"])
def test_a_layer_of_an_all_but_certain_estimate_has_its_95th_percentile(declare: Declare, layer: str) -> None:
    """A range so narrow that it is 10 s, times a lognormal of median 1 and 95th percentile 1.5."""
    values = ends(declare("  a: {tool: 10s to 10.000001s}", uncertain(f"{layer}: 1.5x")))
    for q, expected in ((0.5, 10), (0.95, 15), (0.05, 10 / 1.5)):
        near(values, q, expected)


def test_layers_and_variation_multiply(declare: Declare) -> None:
    """Logarithms add: σ² = ln(4)²/(2·1.645)² of the range 5 to 20, and ln(1.3)² and ln(1.2)² over 1.645²."""
    values = ends(declare("  a: {tool: 5s to 20s}", uncertain("per_step: 1.3x, overall: 1.2x")))
    sigma = np.sqrt((np.log(4) / 2) ** 2 + np.log(1.3) ** 2 + np.log(1.2) ** 2) / Z95
    for q in (0.05, 0.5, 0.95):
        near(values, q, 10 * np.exp(sigma * NormalDist().inv_cdf(q)))


def spread(values: Floats) -> float:
    return float(np.log(values).std())


def test_the_spread_of_120_items_does_not_vanish_with_their_number(declare: Declare) -> None:
    """Variation between items averages out as √120; the error of the estimate, the same for all, does not.

    A sum of 120 tools one after the other: log-sd about s/√120 with s² = exp(σ²) − 1 for the variation alone, and
    ln(1.3)/1.645 = 0.16 more for the layer, both known to a twentieth.
    """
    steps = "  a: {for_each: 120, crew: lead, steps: {t: {tool: 5s to 20s}, z: {needs: t, llm: {output: 1}}}}"
    header = "models: {m: {ttft: 0s, output_speed: 1000, jitter: 0}}\nmodel: m\n"
    sigma = np.log(4) / 2 / Z95
    alone = np.sqrt((np.exp(sigma**2) - 1) / 120)
    assert spread(ends(declare(steps, header))) == pytest.approx(alone, rel=0.06)
    layer = np.log(1.3) / Z95
    found = spread(ends(declare(steps, f"uncertainty: {{per_step: 1.3x}}\n{header}")))
    assert found == pytest.approx(np.hypot(alone, layer), rel=0.06)


def test_the_error_of_one_step_is_its_own_and_the_overall_one_is_shared(declare: Declare) -> None:
    """Two tools of 10 s: independent factors halve the variance of the mean, a shared one does not."""
    steps = "  a: {tool: 10s to 10.000001s}\n  b: {needs: a, tool: 10s to 10.000001s}"
    own, shared = (ends(declare(steps, uncertain(f"{layer}: 1.3x"))) for layer in ("per_step", "overall"))
    assert spread(shared) == pytest.approx(np.log(1.3) / Z95, rel=0.06)
    assert spread(own) == pytest.approx(np.log(1.3) / Z95 / np.sqrt(2), rel=0.06)


def test_sizes_average_one_and_multiply_tokens_and_sized_tools(declare: Declare) -> None:
    """Plain numbers too: a size is a range of its own. People and other tools are as they are."""
    steps = "  f: {for_each: {count: 400, size: 0.25x to 4x}, steps: {a: {llm: {input: 100000, output: 10000}}, t: {needs: a, tool: {time: 60s, sized: true}}, u: {needs: t, tool: 30s}, h: {needs: u, human: 7s}}}"
    found = forecast(declare(steps), samples=250)
    sigma = np.log(16) / 2 / Z95
    error = np.sqrt((np.exp(sigma**2) - 1) / (400 * 250))
    by_step = {step.step: step for step in found.steps}
    assert by_step["f.a"].tokens.input / 400 / 100000 == pytest.approx(1, abs=5 * error)
    assert by_step["f.t"].seconds / 400 / 60 == pytest.approx(1, abs=5 * error)
    assert by_step["f.u"].seconds == pytest.approx(400 * 30)
    assert by_step["f.h"].seconds == pytest.approx(400 * 7)


def test_the_size_of_an_item_is_the_same_for_all_its_steps_and_rounds(declare: Declare) -> None:
    """Sized tools of one item: 10 s and 20 s of the same size add up to 30 s of that size, in three rounds to 90 s."""
    steps = "  f: {for_each: {count: 1, size: 0.5x to 2x}, repeat: {times: 3}, steps: {a: {tool: {time: 10s, sized: true}}, b: {needs: a, tool: {time: 20s, sized: true}}}}"
    values = ends(declare(steps))
    sigma = np.log(4) / 2 / Z95
    for q in (0.05, 0.5, 0.95):
        near(values, q, 90 * np.exp(sigma * NormalDist().inv_cdf(q) - sigma**2 / 2))


def test_size_multiplies_the_turns_of_agent_loops(declare: Declare) -> None:
    steps = "  f: {for_each: {count: 300, size: 0.25x to 4x}, agent: {turns: 10, output: 100}}"
    found = forecast(declare(steps), samples=200)
    turns = found.result.tokens.output / 100 / 300
    sigma = np.log(16) / 2 / Z95
    error = 10 * np.sqrt((np.exp(sigma**2) - 1) / (300 * 200))
    assert turns == pytest.approx(10, abs=5 * error + 0.1)  # rounding and at least one turn move the mean a little


def test_nested_sizes_multiply_and_keep_their_items(declare: Declare) -> None:
    """Two outer items of one size each, three inner ones each: the size of the outer one is that of all its inner ones."""
    inner = "steps: {i: {for_each: {count: 3, size: 1x to 1.0000001x}, tool: {time: 10s, sized: true}}}"
    steps = f"  f: {{for_each: {{count: 2, size: 0.5x to 2x}}, {inner}}}"
    found = ends(declare(steps))
    flat = ends(declare("  f: {for_each: {count: 2, size: 0.5x to 2x}, steps: {i: {tool: {time: 10s, sized: true}}}}"))
    assert np.allclose(found, flat, rtol=1e-5)
    assert len(set(flat)) > 1000


def test_one_more_item_leaves_the_sizes_of_the_others(declare: Declare) -> None:
    def first(count: int) -> Floats:
        workflow = declare(f"  f: {{for_each: {{count: {count}, size: 0.5x to 2x}}, tool: {{time: 10s, sized: true}}}}")
        return ends(workflow, 50)

    one, two, three = first(1), first(2), first(3)  # in parallel: a maximum over more, whose first are as they were
    assert np.all(one <= two)
    assert np.any(one < two)
    assert np.all(two <= three)
    assert np.any(two < three)


def test_agents_and_speeds_see_the_same_errors(declare: Declare) -> None:
    """Common draws: twice the tool time is exactly twice, sample by sample."""
    one = ends(declare("  a: {tool: 5s to 20s}", uncertain("per_step: 1.3x, overall: 1.2x")), 300)
    two = ends(declare("  a: {tool: 10s to 40s}", uncertain("per_step: 1.3x, overall: 1.2x")), 300)
    assert np.allclose(two, 2 * one, rtol=1e-6)
