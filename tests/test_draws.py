from __future__ import annotations

import numpy as np
import pytest

from planner.engine.draws import BLOCK, Samples
from planner.engine.statistics import quantile_interval
from planner.expansion.distributions import drawn
from planner.reading.estimates import LN20, Z95, parse_estimate
from planner.reading.units import DURATION, TOKENS


def test_a_draw_depends_on_its_key_alone() -> None:
    samples = Samples(seed=7, block=3)
    first = samples.normal(5, "build.edit/agent", "output", (2,))
    samples.exponential(2, "elsewhere", "time")
    assert np.array_equal(Samples(7, 3).normal(5, "build.edit/agent", "output", (2,)), first)


def test_more_items_leave_the_draws_of_the_first_as_they_were() -> None:
    samples = Samples(1, 0)
    for draw in (samples.normal, samples.exponential):
        assert np.array_equal(draw(121, "a", "b")[:120], draw(120, "a", "b"))


@pytest.mark.parametrize(("low", "high"), [(0, 100), (64, 128), (255, 256)])
def test_a_slice_of_a_block_holds_the_block_s_own_draws(low: int, high: int) -> None:
    whole, part = Samples(1, 2), Samples(1, 2, low, high)
    rows = 5000  # more than are drawn at once
    assert np.array_equal(part.normal(rows, "a", "b"), whole.normal(rows, "a", "b")[:, low:high])


@pytest.mark.parametrize(
    "other",
    [
        (2, 0, "a", "b", (0,)),
        (1, 1, "a", "b", (0,)),
        (1, 0, "a.b", "", (0,)),
        (1, 0, "a", "c", (0,)),
        (1, 0, "a", "b", (1,)),
    ],
)
def test_every_part_of_the_key_gives_other_draws(other: tuple[int, int, str, str, tuple[int, ...]]) -> None:
    seed, block, path, purpose, occurrence = other
    one = Samples(1, 0).normal(4, "a", "b", (0,))
    two = Samples(seed, block).normal(4, path, purpose, occurrence)
    n = one.size
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 5 / np.sqrt(n)  # 5 standard errors of r = 0
    assert not np.any(one == two)


def test_samples_outside_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match=f"block of {BLOCK}"):
        Samples(1, 0, 10, BLOCK + 1)


def _many(text: str, quantity: object = DURATION) -> np.ndarray:
    estimate = parse_estimate(text, quantity)  # type: ignore[arg-type]
    return np.concatenate([drawn(estimate, Samples(1, block), 400, "p", "q").ravel() for block in range(4)])


@pytest.mark.parametrize(
    ("text", "quantiles"),
    [
        ("2s to 32s", {0.05: 2.0, 0.5: 8.0, 0.95: 32.0}),
        ("0s to 30s", {0.5: 30.0 * np.log(2) / LN20, 0.95: 30.0}),
    ],
)
def test_draws_have_the_quantiles_that_were_declared(text: str, quantiles: dict[float, float]) -> None:
    values = _many(text)
    for q, expected in quantiles.items():
        low, high = quantile_interval(values, q)
        spread = (high - low) / 2  # 1.96 standard errors; allow five
        assert abs(np.quantile(values, q) - expected) < spread * 5 / 1.96


def test_percentiles_declare_a_lognormal() -> None:
    estimate = parse_estimate({"p50": "10s", "p95": "40s"}, DURATION)
    assert estimate.scale == 10
    assert estimate.scale * np.exp(estimate.sigma * Z95) == pytest.approx(40)


def test_tokens_are_whole_and_at_least_one() -> None:
    values = _many("1 to 3", TOKENS)
    assert np.array_equal(values, np.floor(values))
    assert values.min() == 1
    assert _many("0 to 3", TOKENS).min() == 0


def test_the_interval_of_a_quantile_covers_it_in_95_percent_of_cases() -> None:
    """500 medians of 256 uniform samples: the count of misses is binomial, 5 standard deviations allowed."""
    rng = np.random.default_rng(11)
    trials = 500
    for q in (0.5, 0.9):
        covered = 0
        for _ in range(trials):
            low, high = quantile_interval(rng.random(256), q)
            covered += low <= q <= high
        assert covered >= trials * 0.95 - 5 * np.sqrt(trials * 0.95 * 0.05)
        assert covered < trials  # an interval that never misses is too wide
