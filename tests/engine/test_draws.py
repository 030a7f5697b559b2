from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from planner.engine import Samples, Turns, normal_quantile, quantile_interval
from planner.engine.draws import MOST
from planner.expansion import draw_estimate
from planner.reading import DURATION, LN20, TOKENS, Z95, parse_estimate


def test_a_draw_depends_on_its_key_alone() -> None:
    samples = Samples(7, 768, 1024)
    first = samples.normal(5, "build.edit/agent", "output", (2,))
    samples.exponential(2, "elsewhere", "time")
    assert np.array_equal(Samples(7, 768, 1024).normal(5, "build.edit/agent", "output", (2,)), first)


def test_draws_are_those_of_their_first_release() -> None:
    """Whoever repeats a forecast with its seed gets its numbers: these may change in a release that says so, only."""
    draws = Samples(1, 0, 2)
    assert draws.uniform(1, "a", "b").tolist() == [[0.9295815444675244, 0.05389635786120722]]


def test_more_items_leave_the_draws_of_the_first_as_they_were() -> None:
    samples = Samples(1, 0, 256)
    for draw in (samples.normal, samples.exponential, samples.uniform):
        assert np.array_equal(draw(121, "a", "b")[:120], draw(120, "a", "b"))


@pytest.mark.parametrize(("low", "high"), [(0, 100), (64, 128), (255, 256), (200, 300)])
def test_samples_have_the_same_draws_in_every_slice(low: int, high: int) -> None:
    whole, part = Samples(1, 0, 512), Samples(1, low, high)
    rows = 50
    assert np.array_equal(part.normal(rows, "a", "b"), whole.normal(rows, "a", "b")[:, low:high])


def test_cells_have_the_same_draws_alone() -> None:
    samples = Samples(1, 5, 300)
    chosen = np.array([7, 40_000, 3, 7])
    cells = samples.cells(200).reshape(-1)[chosen]
    for draw in (samples.normal, samples.exponential, samples.uniform):
        assert np.array_equal(draw(cells, "a", "b", (1,)), draw(200, "a", "b", (1,)).reshape(-1)[chosen])


def test_turns_have_the_same_draws_together_and_alone() -> None:
    samples = Samples(1, 5, 300)
    cells = samples.cells(60).reshape(-1)
    sizes = (len(cells), 9000, 3, 3)  # more than are drawn at once
    for draw in (samples.normal, samples.exponential, samples.uniform):
        together = draw(np.concatenate([cells[:size] for size in sizes]), "a", "b", (4, Turns(range(7, 11), sizes), 2))
        alone = [draw(cells[:size], "a", "b", (4, turn, 2)) for turn, size in enumerate(sizes, start=7)]
        assert np.array_equal(together, np.concatenate(alone))


@pytest.mark.parametrize(
    "other",
    [
        (2, 0, "a", "b", (0,)),
        (1, 256, "a", "b", (0,)),
        (1, 0, "a.b", "", (0,)),
        (1, 0, "a", "c", (0,)),
        (1, 0, "a", "b", (1,)),
    ],
)
def test_every_part_of_the_key_gives_other_draws(other: tuple[int, int, str, str, tuple[int, ...]]) -> None:
    seed, low, path, purpose, occurrence = other
    one = Samples(1, 0, 256).normal(40, "a", "b", (0,))
    two = Samples(seed, low, low + 256).normal(40, path, purpose, occurrence)
    n = one.size
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 5 / np.sqrt(n)  # 5 standard errors of r = 0
    assert not np.any(one == two)


def test_samples_out_of_range_are_refused() -> None:
    for low, high in ((-1, 3), (3, 3), (0, MOST + 1)):
        with pytest.raises(ValueError, match="are not within"):
            Samples(1, low, high)


def test_neighbours_are_independent() -> None:
    """Correlations with the next sample, the next item, and the same cells of the next turn: 5 standard errors of 0."""
    samples = Samples(3, 0, 2048)
    turns = [samples.normal(500, "a", "output", (turn,)) for turn in range(2)]
    for one, two in (
        (turns[0][:, 1:], turns[0][:, :-1]),
        (turns[0][1:], turns[0][:-1]),
        (turns[0], turns[1]),
        (turns[0] ** 2, turns[1] ** 2),
        (turns[0][1:] ** 2, turns[0][:-1] ** 2),
    ):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 5 / np.sqrt(one.size)


def test_draws_fill_their_distributions_evenly() -> None:
    """Counts in 1,000 equally likely parts: chi-square within 5 standard deviations, √(2·999), of its mean of 999."""
    samples = Samples(5, 0, 4096)
    for shares in (
        samples.uniform(500, "a", "b"),
        ndtr(samples.normal(500, "a", "b")),
        1 - np.exp(-samples.exponential(500, "a", "c")),
    ):
        counts = np.bincount((shares.ravel() * 1000).astype(int), minlength=1000)
        assert len(counts) == 1000
        expected = shares.size / 1000
        assert abs(((counts - expected) ** 2 / expected).sum() - 999) < 5 * np.sqrt(2 * 999)


def ndtr(z: np.ndarray) -> np.ndarray:
    """The standard normal distribution function, from the standard library."""
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in z.ravel()])


def test_quantiles_are_those_of_the_standard_library() -> None:
    p = np.concatenate(
        [np.linspace(0.0005, 0.9995, 1999), 10.0 ** -np.arange(4, 300, 7), 1 - 10.0 ** -np.arange(4, 16)]
    )
    expected = [NormalDist().inv_cdf(float(one)) for one in p]
    assert np.allclose(normal_quantile(p), expected, rtol=1e-15, atol=1e-15)


def _many(text: str, quantity: object = DURATION) -> np.ndarray:
    estimate = parse_estimate(text, quantity)  # type: ignore[arg-type]
    return draw_estimate(estimate, Samples(1, 0, 1024), 400, "p", "q").ravel()


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
