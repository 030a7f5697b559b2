"""`speed` of a profile as a range: one draw per sample and declaring profile, independent of the level of the base."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, hypot, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from planner.catalogue import Profile, resolve
from planner.cli.app import app
from planner.engine import TICK, Samples
from planner.errors import InputError
from planner.planning import explain, forecast, sensitivity
from planner.reading import Estimate, ProfileDeclaration
from planner.report import explanation_text
from planner.timing import ServiceTimes
from planner.workflow import Workflow, read_workflow
from tests.conftest import Golden, read_example
from tests.theory.test_closed_forms import (
    Law,
    check_quantile,
    check_seconds,
    constant,
    discrete,
    ends,
    lognormal,
    median_and_sigma,
)

Declare = Callable[..., Workflow]

SAMPLES = 10_000
BASE = "base: {ttft: 2s, output_speed: 20 to 40, jitter: 0}"


def header(*profiles: str, model: str = "fast") -> str:
    return "models:\n" + "".join(f"  {profile}\n" for profile in profiles) + f"model: {model}\n"


def reciprocal(low: float, high: float, tokens: float = 1.0) -> Law:
    """`tokens` divided by what `low to high` declares."""
    median, sigma = median_and_sigma(low, high)
    return lognormal(tokens / median, sigma)


@pytest.mark.parametrize("speed", [1.0, 2.5])
def test_a_request_of_a_tier(declare: Declare, speed: float) -> None:
    """T = TTFT + output / (v · s): the product of two lognormals is a lognormal whose variances add up."""
    tier = header(BASE, "fast: {based_on: base, speed: 1.2x to 2.5x}")
    found = forecast(declare("  a: {llm: {output: 600}}", tier), samples=SAMPLES, speed=speed)
    (v, v_sigma), (s, s_sigma) = median_and_sigma(20, 40), median_and_sigma(1.2, 2.5)
    median, sigma = 600 / (v * s * speed), hypot(v_sigma, s_sigma)
    check_seconds(found.result.seconds, constant(2) + lognormal(median, sigma), SAMPLES)

    def inverse(q: float) -> float:
        from statistics import NormalDist

        return 2 + median * exp(sigma * NormalDist().inv_cdf(q))

    check_quantile(found.result.seconds.p90, 0.9, inverse, SAMPLES)


@pytest.mark.parametrize(
    ("speed", "seconds"),
    [
        ("{values: [1.25, 2, 2.5]}", discrete([48, 30, 24], [1 / 3] * 3)),
        ("{p50: 1.5x, p95: 3x}", lognormal(40, log(2) / 1.6448536269514722)),
    ],
)
def test_other_forms_of_estimates(declare: Declare, speed: str, seconds: Law) -> None:
    """600 tokens at 10 tokens/s are 60 s, divided by the factor."""
    tier = header("base: {ttft: 2s, output_speed: 10, jitter: 0}", f"fast: {{based_on: base, speed: {speed}}}")
    found = forecast(declare("  a: {llm: {output: 600}}", tier), samples=SAMPLES)
    check_seconds(found.result.seconds, constant(2) + seconds, SAMPLES)


def test_all_requests_of_a_sample_share_the_draw(declare: Declare) -> None:
    """Nine requests take nine times as long as one: the factor does not average out."""
    tier = header(BASE, "fast: {based_on: base, speed: 1.2x to 2.5x}")
    found = forecast(declare("  a: {repeat: {times: 9}, llm: {output: 600}}", tier), samples=SAMPLES)
    law = constant(18) + reciprocal(20, 40, 5400) * reciprocal(1.2, 2.5)
    check_seconds(found.result.seconds, law, SAMPLES)


def test_a_tier_shares_the_level_of_its_base_and_not_its_factor(declare: Declare) -> None:
    """T = 4 s + 600 / v · (1 + 1 / s) where v and s are independent."""
    tier = header(BASE, "fast: {based_on: base, speed: 1.2x to 2.5x}")
    steps = "  a: {llm: {output: 600}}\n  b: {needs: a, model: base, llm: {output: 600}}"
    law = constant(4) + reciprocal(20, 40, 600) * (constant(1) + reciprocal(1.2, 2.5))
    check_seconds(forecast(declare(steps, tier), samples=SAMPLES).result.seconds, law, SAMPLES)


def test_a_tier_is_never_slower_than_its_base_if_its_factor_is_not(declare: Declare) -> None:
    """In each sample the tier takes TTFT + (T(base) − TTFT) / s, with 1 ≤ s ≤ 3, whatever the level of the base."""
    profiles = (BASE, "fast: {based_on: base, speed: {low: 1x, likely: 1.5x, high: 3x}}")
    slow, fast = (
        ends(declare("  a: {llm: {output: 600}}", header(*profiles, model=m)), 2000) for m in ("base", "fast")
    )
    factor = (slow - 2) / (fast - 2)
    assert factor.min() >= 1 - TICK
    assert factor.max() <= 3 + TICK
    independent = ERRORS_OF_A_CORRELATION / sqrt(2000)
    assert abs(np.corrcoef(np.log(slow - 2), factor)[0, 1]) <= independent


ERRORS_OF_A_CORRELATION = 5
"""Standard errors of the correlation of independent quantities, which are 1/√n each."""


def test_a_profile_inherits_the_draw_of_its_tier_and_tiers_draw_their_own(declare: Declare) -> None:
    base = "base: {ttft: 2s, output_speed: 30, jitter: 0}"
    fast = "fast: {based_on: base, speed: 1.2x to 2.5x}"
    steps = "  a: {llm: {output: 600}}\n  b: {needs: a, model: other, llm: {output: 600}}"
    inherits = declare(steps, header(base, fast, "other: {based_on: fast, context: 9k}"))
    shared = constant(4) + reciprocal(1.2, 2.5, 2 * 20)
    check_seconds(forecast(inherits, samples=SAMPLES).result.seconds, shared, SAMPLES)
    own = declare(steps, header(base, fast, "other: {based_on: base, speed: 1.2x to 2.5x}"))
    independent = constant(4) + reciprocal(1.2, 2.5, 20).times(2)
    check_seconds(forecast(own, samples=SAMPLES).result.seconds, independent, SAMPLES)


def test_factors_along_a_chain_multiply_and_an_own_speed_forgets_them() -> None:
    declared = {
        name: ProfileDeclaration.model_validate(profile)
        for name, profile in {
            "a": {"ttft": "1s", "output_speed": 60},
            "b": {"based_on": "a", "speed": "1.2x to 2.5x"},
            "c": {"based_on": "b", "speed": "2x"},
            "d": {"based_on": "c", "speed": {"p50": "1.5x", "p95": "2x"}},
            "e": {"based_on": "d", "output_speed": 100},
        }.items()
    }
    profiles: dict[str, Profile] = {name: resolve(name, declared) for name in declared}
    speeds = {name: profile.output_speed for name, profile in profiles.items()}
    assert {name: speed.scale for name, speed in speeds.items() if isinstance(speed, Estimate)} == {
        "a": 60, "b": 60, "c": 120, "d": 120, "e": 100,
    }  # fmt: skip
    assert {name: [factor.profile for factor in profile.factors] for name, profile in profiles.items()} == {
        "a": [], "b": ["b"], "c": ["b"], "d": ["b", "d"], "e": [],
    }  # fmt: skip


def test_a_factor_acts_on_speeds_by_concurrency() -> None:
    """Between two points too, TTFT and the time per token are those of the base, the latter divided by the factor."""
    full = {"ttft": {"4": "2s", "16": "8s"}, "output_speed": {"4": 100, "16": 50}, "measured_output": 500}
    declared = {
        "base": ProfileDeclaration.model_validate(full),
        "fast": ProfileDeclaration.model_validate({"based_on": "base", "speed": "1.2x to 2.5x"}),
    }
    samples = Samples(1, 0, 50)
    base, fast = (resolve(name, declared) for name in ("base", "fast"))
    for concurrency in (1, 4, 7, 16, 40):
        slow, quick = (ServiceTimes.of(profile.at(concurrency), samples) for profile in (base, fast))
        assert np.array_equal(slow.ttft, quick.ttft)
        (factor,) = quick.factors
        assert factor.shape == (1, 50)
        assert quick.decode == pytest.approx(slow.decode / factor, rel=1e-12)


def test_constants_in_any_form_are_plain_numbers(tmp_path: Path) -> None:
    """The JSON of a forecast, a comparison and a choice of tiers is the same, byte by byte."""
    path = tmp_path / "workflow.yaml"
    outputs: dict[str, set[str]] = {}
    for speed in ("2.5", "2.5x", "2.5x to 2.5x", "{values: [2.5]}", "{low: 2.5x, likely: 2.5x, high: 2.5x}"):
        base = "base: {ttft: 1s to 2s, output_speed: 20 to 40, price: {input: 1, output: 5}}"
        profiles = header(base, f"fast: {{based_on: base, speed: {speed}, price_multiplier: 2}}", model="base")
        path.write_text(f"workflow: w\n{profiles}steps: {{a: {{llm: {{output: 600}}}}}}\n", encoding="utf-8")
        for command in ("forecast --model fast", "compare --model base,fast", "tier --fast fast --budget 1"):
            name, *options = command.split()
            result = CliRunner().invoke(app, [name, str(path), *options, "--samples", "16", "--json"])
            assert result.exit_code == 0
            outputs.setdefault(command, set()).add(result.stdout)
    assert [len(texts) for texts in outputs.values()] == [1, 1, 1]


def test_the_factor_is_a_driver_and_is_explained(declare: Declare, golden: Golden) -> None:
    """T = 1200 / (v · s): in logarithms the variances of v and s add up, and that of s is the larger one."""
    base = "base: {ttft: 0s, output_speed: 25 to 35, jitter: 0}"
    workflow = declare("  a: {llm: {output: 1200}}", header(base, "fast: {based_on: base, speed: 1x to 3x}"))
    found = sensitivity(workflow, samples=2048)
    assert [(one.driver.step, one.driver.kind, one.driver.key, one.driver.estimate) for one in found.drivers] == [
        ("fast", "model", "speed", "1x to 3x"), ("fast", "model", "output_speed", "25 to 35"),
    ]  # fmt: skip
    predicted = forecast(workflow, samples=64)
    (level,) = explain(workflow, predicted).models
    ((factor, declared),) = level.factors.values()
    assert list(level.factors) == ["fast"]
    assert declared == "1x to 3x"
    assert level.output_speed == pytest.approx(1200 / predicted.typical.seconds, rel=1e-6)
    assert 0.5 < factor < 6
    lines = explanation_text(predicted, explain(workflow, predicted)).splitlines()
    (row,) = (index for index, line in enumerate(lines) if line.startswith("  output_speed"))
    golden("\n".join(lines[row : row + 2]))


@pytest.mark.parametrize(
    ("speed", "message", "hint"),
    [
        ("1.2 to 2.5", "write the factors of a range with an x", "write 1.2x to 2.5x; tokens per second belong in 'output_speed'"),
        ("40-80", "write the factors of a range with an x", "write 40x to 80x; tokens per second belong in 'output_speed'"),
        ("1.2-2.5x", "expected a factor, such as 2.5x", "write 1.2x to 2.5x"),
        ("-1x to 2x", "must not be negative", None),
        ("0x to 2x", "must be above 0", None),
        ("2.5x to 1.2x", "the lower bound of '2.5x to 1.2x' is above the upper bound", "write 1.2x to 2.5x"),
        ("1x to 2000000x", "must be at most 1,000,000", None),
        ("{low: 2x, likely: 1x, high: 3x}", "'low' is above 'likely'", "write three values in ascending order: first 'low', then 'likely', then 'high'"),
        ("{1: 2x, 8: 1x}", "unknown key '1'", "write a factor, such as 2.5x, or 1.2x to 2.5x, or {p50: 1.2x, p95: 2.5x}"),
    ],
)  # fmt: skip
def test_what_is_no_factor_is_refused(speed: str, message: str, hint: str | None, tmp_path: Path) -> None:
    text = f"workflow: w\n{header(BASE, f'fast: {{based_on: base, speed: {speed}}}')}steps: {{a: {{llm: {{output: 1}}}}}}\n"
    with pytest.raises(InputError) as error:
        read_workflow(text, {}, (), str(tmp_path / "w.yaml"))
    (problem,) = error.value.problems
    assert (problem.message, problem.hint) == (message, hint)
    assert problem.position is not None
    assert problem.position.line == 4


def test_a_measured_report_is_predicted(tmp_path: Path) -> None:
    """A public report of 2026: an essay of 1,525 tokens through a ChatGPT subscription in 72.23 s, fast in 54.45 s.

    8.6 s + 1525 / 23.98 is 72.2 s, times a jitter of median 1. The fast tier's 10th to 90th percentile holds its time.
    """

    def seconds(model: str) -> np.ndarray:
        path = tmp_path / "essay.yaml"
        path.write_text(f"workflow: essay\nmodel: {model}\nsteps: {{essay: {{llm: {{output: 1525}}}}}}\n")
        return ends(read_example(path), 4000)

    standard, fast = seconds("gpt-5.6-sol-subscription"), seconds("gpt-5.6-sol-subscription-fast")
    assert np.median(standard) == pytest.approx(72.2, abs=72.2 * 0.2 * 5 * 1.2533 / sqrt(4000))
    low, high = np.quantile(fast, [0.1, 0.9])
    assert low < 54.45 < high
    assert np.median(standard) > 54.45
