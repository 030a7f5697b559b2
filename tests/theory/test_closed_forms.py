"""Means, variances, quantiles and chances against closed forms: order statistics, geometric rounds, queues, copies.

Every tolerance is derived, none is measured. What is compared is an average of N independent samples, whose standard error
follows from the closed form of the quantity itself, by its moments (`Law`) and not by what was simulated:

- a mean: √(variance / N);
- a variance: √((fourth central moment − variance²) / N);
- a share of samples with a chance p: √(p (1 − p) / N);
- a quantile q: the number of samples below x is binomial, so a sample's quantile lies between the law's own quantiles
  at q ± k · √(q (1 − q) / N), and one rank more for the interpolation.

k is `ERRORS` = 5 throughout: by the central limit theorem a correct program fails a check with a probability of 6e-7, and one
of the some three hundred checks here with 2e-4; somewhat more where a law is skewed, and so that this is not much, no chance
is so small that it or its opposite is expected in under 100 samples. The seed is fixed: what fails, fails always. Waiting in
queues is correlated from job to job; there each of the N independent samples gives one average, and the standard error is
estimated from these (t with over 1,000 degrees of freedom: 7e-7). What is not random is compared to a tick of the clock
or, for tokens and money, to the rounding of binary64 (1e-12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from math import comb, erf, erfc, exp, log, pi, prod, sinh, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from planner.engine import TICK, round_to_ticks, simulate
from planner.expansion import crew_sizes, expand
from planner.planning import Forecast, Seconds, forecast
from planner.sampling import GridPoint
from planner.workflow import Workflow
from tests.conftest import PLAIN, simulated

Floats = NDArray[np.float64]
Declare = Callable[..., Workflow]
Draw = Callable[[tuple[int, int]], Floats]

ERRORS = 5.0
"""Standard errors that a check allows."""

NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.95)
LN20 = log(20)


# Laws, by their moments.


@dataclass(frozen=True)
class Law:
    """The distribution of a quantity: its raw moments of order 0 to 4. Sums and products are of independent quantities."""

    raw: tuple[float, ...]

    @classmethod
    def by(cls, moment: Callable[[int], float]) -> Law:
        return cls(tuple(moment(order) for order in range(5)))

    def __add__(self, other: Law) -> Law:
        return Law.by(lambda r: sum(comb(r, i) * self.raw[i] * other.raw[r - i] for i in range(r + 1)))

    def __mul__(self, other: Law) -> Law:
        return Law.by(lambda r: self.raw[r] * other.raw[r])

    def times(self, count: int) -> Law:
        """The sum of `count` independent ones."""
        return sum((self for _ in range(count)), constant(0))

    @property
    def mean(self) -> float:
        return self.raw[1] / self.raw[0]

    @property
    def variance(self) -> float:
        return self.central(2)

    def central(self, order: int) -> float:
        return sum(comb(order, i) * self.raw[i] / self.raw[0] * (-self.mean) ** (order - i) for i in range(order + 1))


def constant(value: float) -> Law:
    return Law.by(lambda r: value**r)


def lognormal(median: float, sigma: float) -> Law:
    return Law.by(lambda r: median**r * exp((r * sigma) ** 2 / 2))


def between(low: float, high: float) -> Law:
    """What `low to high` declares."""
    return lognormal(*median_and_sigma(low, high))


def median_and_sigma(low: float, high: float) -> tuple[float, float]:
    return sqrt(low * high), log(high / low) / (2 * Z95)


def exponential(mean: float) -> Law:
    return Law.by(lambda r: mean**r * prod(range(1, r + 1)))


def triangular(low: float, likely: float, high: float) -> Law:
    """E[Xʳ] is 2 / ((r + 1)(r + 2)) times the sum of all products of r of the three corners."""

    def moment(r: int) -> float:
        return 2 / ((r + 1) * (r + 2)) * sum(map(prod, combinations_with_replacement((low, likely, high), r)))

    return Law.by(moment)


def discrete(values: Iterable[float], chances: Iterable[float]) -> Law:
    return mixture(chances, map(constant, values))


def mixture(chances: Iterable[float], laws: Iterable[Law]) -> Law:
    """One of these laws, each with its chance. A law whose moment of order 0 is below 1 brings its chance along."""
    terms = list(zip(chances, laws, strict=True))
    return Law.by(lambda r: sum(chance * law.raw[r] for chance, law in terms))


def phi(x: float) -> float:
    """The standard normal distribution function, exact in both tails."""
    return erfc(-x / sqrt(2)) / 2


def extreme(n: int, median: float, sigma: float, sign: int) -> Law:
    """The largest (`sign` 1) or the least (−1) of n lognormals.

    E[Xʳ] = ∫ (median · e^(σz))ʳ · n φ(z) Φ(sign · z)ⁿ⁻¹ dz by the trapezoid rule, which converges faster than any
    power of its step for a smooth integrand that vanishes at both ends.
    """
    z = np.linspace(-14, 14, 5601)
    density = np.exp(-(z**2) / 2) / sqrt(2 * pi)
    below = np.array([phi(sign * x) for x in z])
    weight = n * density * below ** (n - 1) * (z[1] - z[0])
    return Law.by(lambda r: float(np.sum(weight * (median * np.exp(sigma * z)) ** r)))


def geometric(p: float, most: int) -> list[float]:
    """P(k rounds) for k = 1 … `most`, each of which is the last with the chance p, and the last of them anyway."""
    return [(1 - p) ** (k - 1) * (p if k < most else 1) for k in range(1, most + 1)]


def attempts(p: float, most: int) -> Law:
    """How many rounds or attempts are made."""
    return discrete(range(1, most + 1), geometric(p, most))


def rounded(low: float, high: float, most: int) -> list[float]:
    """P(N = k) of a whole number `low to high`, rounded half up, at least 1: the normal distribution function at ln(k ± ½)."""
    median, sigma = median_and_sigma(low, high)
    upper = [phi(log((k + 0.5) / median) / sigma) for k in range(1, most + 1)]
    return [high - low for low, high in pairwise([0.0, *upper])]


# Checks.


def near(found: float, expected: float, error: float, exact: float = TICK) -> None:
    """Within five standard errors, and what is not random."""
    assert abs(found - expected) <= ERRORS * error + exact, (
        f"{(found - expected) / (error or exact):+.2f} standard errors"
    )


def check_mean(found: float, law: Law, n: int, exact: float = TICK) -> None:
    near(found, law.mean, sqrt(max(law.variance, 0) / n), exact)


def check_seconds(found: Seconds, law: Law, n: int) -> None:
    """The mean of n samples, and their variance, as their standard error tells it."""
    check_mean(found.mean, law, n)
    near(found.standard_error**2 * n, law.variance, sqrt(max(law.central(4) - law.variance**2, 0) / n), 1e-9)


def check_share(found: float, chance: float, n: int) -> None:
    assert min(chance, 1 - chance) * n >= 100
    near(found, chance, sqrt(chance * (1 - chance) / n), 1e-12)


def check_quantile(found: float, q: float, inverse: Callable[[float], float], n: int) -> None:
    """`inverse` is the quantile function of the law."""
    width = ERRORS * sqrt(q * (1 - q) / n) + 1 / n
    assert inverse(q - width) - TICK <= found <= inverse(q + width) + TICK


def accepted(found: Any) -> float:
    return float(found.result.accepted.chance)


def ends(workflow: Workflow, n: int, agents: int = 1) -> Floats:
    """Completion times."""
    return np.asarray(simulated(workflow, [GridPoint(1.0, {"agents": agents})], n)[0])


def profile(**values: Any) -> str:
    given = ", ".join(f"{key}: {value}" for key, value in values.items())
    return f"models: {{m: {{{given}}}}}\nmodel: m\n"


# The closed forms themselves, where there are two of them.


def test_the_moments_that_errors_are_derived_from() -> None:
    """E[max], E[min] of two lognormals is 2 · mean · Φ(±σ/√2); a triangle's variance is that of the textbooks."""
    assert extreme(1, 3, 0.7, 1).raw == pytest.approx(lognormal(3, 0.7).raw)
    for sign in (1, -1):
        expected = 2 * lognormal(3, 0.7).mean * phi(sign * 0.7 / sqrt(2))
        assert extreme(2, 3, 0.7, sign).mean == pytest.approx(expected)
    a, c, b = 2.0, 3.0, 10.0
    law = triangular(a, c, b)
    assert law.raw[0] == 1
    assert law.mean == pytest.approx((a + b + c) / 3)
    assert law.variance == pytest.approx((a * a + b * b + c * c - a * b - a * c - b * c) / 18)
    assert lognormal(1, 0.5).variance == pytest.approx((exp(0.25) - 1) * exp(0.25))
    assert exponential(3).times(2).variance == pytest.approx(18)
    assert exponential(3).central(4) == pytest.approx(9 * 81)
    p, m = 0.3, 6
    assert attempts(p, m).mean == pytest.approx((1 - (1 - p) ** m) / p)
    assert attempts(p, 500).variance == pytest.approx((1 - p) / p**2)
    assert erf(1) == pytest.approx(2 * phi(sqrt(2)) - 1)


# Stragglers.


@pytest.mark.parametrize("n", [2, 8, 50])
def test_the_slowest_of_n_requests(declare: Declare, n: int) -> None:
    """T = jitter · 2 s; P(max ≤ t) = Φ(ln(t/2)/σ)ⁿ, so the quantile q of the maximum is 2 · exp(σ Φ⁻¹(q^(1/n)))."""
    samples, sigma = 8000, 0.6
    workflow = declare(
        f"  a: {{for_each: {n}, llm: {{output: 50}}}}", profile(ttft="1s", output_speed=50, jitter=sigma)
    )
    found = forecast(workflow, samples=samples, agents=n).result.seconds
    check_mean(found.mean, extreme(n, 2, sigma, 1), samples)
    for q, value in ((0.5, found.p50), (0.9, found.p90), (0.95, found.p95)):
        check_quantile(value, q, lambda u: 2 * exp(sigma * NORMAL.inv_cdf(u ** (1 / n))), samples)


def test_calls_of_one_go_take_the_slowest(declare: Declare) -> None:
    """`calls` at the same time, each of which is paid."""
    samples, n = 8000, 6
    found = forecast(declare(f"  a: {{tool: {{time: 5s to 20s, calls: {n}, usd: 0.25}}}}"), samples=samples)
    check_seconds(found.result.seconds, extreme(n, *median_and_sigma(5, 20), 1), samples)
    assert found.result.usd is not None
    assert found.result.usd.mean == pytest.approx(0.25 * n, rel=1e-12)


def test_the_slowest_of_a_few_in_two_waves(declare: Declare) -> None:
    """Four exponentials on two agents: when the first is done the third starts, and so on.

    The agents are busy until the queue is empty: twice a gap of mean s/2, then the larger of two: s/2 and s more.
    """
    samples, s = 8000, 10.0
    header = "crews: {team: {agents: 2}}"
    workflow = declare(f"  a: {{for_each: 4, crew: team, tool: 0 to {s * LN20:.12f}s}}", header)
    law = exponential(s / 2).times(3) + exponential(s)
    check_seconds(forecast(workflow, samples=samples).result.seconds, law, samples)


def test_agents_in_lockstep_wait_for_the_slowest_of_each_round(declare: Declare) -> None:
    """Three rounds of four: the sum of three maxima."""
    samples = 8000
    workflow = declare("  a: {for_each: 12, crew: team, tool: 5s to 20s}", "crews: {team: {agents: 4, lockstep: true}}")
    law = extreme(4, *median_and_sigma(5, 20), 1).times(3)
    check_seconds(forecast(workflow, samples=samples).result.seconds, law, samples)


def test_the_slowest_of_a_drawn_number(declare: Declare) -> None:
    """A count of `4 to 12`, at least 1. It is cut at its 99.9th percentile, 19.4, which moves moments by what lies beyond 19."""
    samples, most = 8000, 40
    chances = rounded(4, 12, most)
    found = forecast(declare("  a: {for_each: {count: 4 to 12}, llm: {output: 50}}"), samples=samples, agents=most)
    beyond = sum(chance * (k - 19) for k, chance in enumerate(chances, 1) if k > 19)
    check_mean(found.result.tokens.output / 50, discrete(range(1, most + 1), chances), samples, beyond)
    found = forecast(declare("  a: {for_each: {count: 4 to 12}, tool: 5s to 20s}"), samples=samples)
    slowest = [extreme(k, *median_and_sigma(5, 20), 1) for k in range(1, most + 1)]
    cut = sum(chance * (law.mean - slowest[18].mean) for chance, law in zip(chances[19:], slowest[19:], strict=True))
    check_mean(found.result.seconds.mean, mixture(chances, slowest), samples, cut)


# Rounds.


@pytest.mark.parametrize(("p", "m"), [(0.3, 6), (0.5, 3), (0.9, 2), (0.05, 12)])
def test_rounds_are_geometric_and_cut(declare: Declare, p: float, m: int) -> None:
    """E[K] = (1 − (1 − p)ᵐ) / p, and all m rounds are done with (1 − p)^(m − 1)."""
    samples = 8000
    found = ends(declare(f"  r: {{repeat: {{until: {p}, at_most: {m}}}, tool: 10s}}"), samples)
    law = attempts(p, m) * constant(10)
    assert law.mean == pytest.approx(10 * (1 - (1 - p) ** m) / p)
    check_mean(float(found.mean()), law, samples)
    near(float(found.var(ddof=1)), law.variance, sqrt((law.central(4) - law.variance**2) / samples))
    check_share(float(np.mean(found == 10 * m)), (1 - p) ** (m - 1), samples)


def rounds_of(law: Law, chances: Sequence[float], between_them: Law | None = None) -> Law:
    """The sum over a random number of independent rounds, with something between them."""
    pause = between_them or constant(0)
    return mixture(chances, [law.times(k) + pause.times(k - 1) for k in range(1, len(chances) + 1)])


def test_the_sum_over_random_rounds(declare: Declare) -> None:
    """Wald: E = E[K] E[X]; Var = E[K] Var X + Var K · E[X]²."""
    samples, p, m = 8000, 0.4, 5
    found = forecast(declare(f"  r: {{repeat: {{until: {p}, at_most: {m}}}, tool: 5s to 15s}}"), samples=samples)
    one, k = between(5, 15), attempts(p, m)
    law = rounds_of(one, geometric(p, m))
    assert law.mean == pytest.approx(k.mean * one.mean)
    assert law.variance == pytest.approx(k.mean * one.variance + k.variance * one.mean**2)
    check_seconds(found.result.seconds, law, samples)
    assert found.steps[0].seconds == pytest.approx(found.result.seconds.mean)
    check_mean(found.steps[0].occurrences, k, samples)


# Contexts that grow.

LOOP = "  a: {agent: {turns: %s, prompt: 10k, output: 400, thinking: 100, tool: {time: 3s, result: 600}}}"
PRICED = {"ttft": "1s", "prefill_speed": 5000, "output_speed": 50, "jitter": 0}


def contexts(turns: int, caches: bool) -> dict[str, float]:
    """Tokens, USD at prices of 3, 15, 0.3 and 3.75, and seconds of `LOOP`.

    Σ context = N · P + N (N − 1) / 2 · (O + R); with a cache P + (N − 1)(O + R) of it is prefilled and written.
    """
    context = turns * 10_000 + turns * (turns - 1) / 2 * 1000
    fresh = 10_000 + (turns - 1) * 1000 if caches else context
    output = turns * 500.0
    usd = (fresh * (3.75 if caches else 3) + (context - fresh) * 0.3 + output * 15) / 1e6
    seconds = turns + fresh / 5000 + output / 50 + (turns - 1) * 3
    return {"input": fresh, "cache_read": context - fresh, "output": output, "usd": usd, "seconds": seconds}


def told(found: Forecast) -> dict[str, float]:
    tokens, usd = found.result.tokens, found.result.usd
    assert usd is not None
    return {
        "input": tokens.input,
        "cache_read": tokens.cache_read,
        "output": tokens.output,
        "usd": usd.mean,
        "seconds": found.result.seconds.mean,
    }


def priced(caches: bool) -> str:
    cache = ", cache_read: 0.3, cache_write: 3.75" if caches else ""
    return profile(**PRICED, price=f"{{input: 3, output: 15{cache}}}")


@pytest.mark.parametrize("caches", [False, True])
@pytest.mark.parametrize("turns", [1, 2, 40])
def test_a_context_grows_with_the_square_of_its_turns(declare: Declare, turns: int, caches: bool) -> None:
    found = told(forecast(declare(LOOP % turns, priced(caches)), samples=3))
    expected = contexts(turns, caches)
    assert found.pop("seconds") == pytest.approx(expected.pop("seconds"), abs=TICK)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("caches", [False, True])
def test_expected_contexts_of_turns_that_are_drawn(declare: Declare, caches: bool) -> None:
    """A square grows faster than the square of the mean: E over the distribution of turns."""
    samples, most = 8000, 200
    chances = rounded(4, 16, most)
    assert 1 - sum(chances) < 1e-12
    found = forecast(declare(LOOP % "4 to 16", priced(caches)), samples=samples)
    expected = [contexts(turns, caches) for turns in range(1, most + 1)]
    for key, value in told(found).items():
        check_mean(value, discrete([one[key] for one in expected], chances), samples)
    check_seconds(found.result.seconds, discrete([one["seconds"] for one in expected], chances), samples)


def test_tokens_that_are_exponential_are_rounded_half_up(declare: Declare) -> None:
    """P(tokens ≥ k) = e^(−(k − ½)/m), so that their mean is 1 / (2 sinh(1/(2m))), below m, and many are 0."""
    samples, items, mean = 1000, 500, 0.8
    steps = f"  a: {{for_each: {items}, llm: {{output: 0 to {mean * LN20:.12f}}}}}"
    found = forecast(declare(steps), samples=samples, agents=items)
    tails = [exp(-(k - 0.5) / mean) for k in range(1, 100)]
    law = discrete(range(100), [high - low for high, low in pairwise([1.0, *tails, 0.0])])
    assert law.mean == pytest.approx(1 / (2 * sinh(1 / (2 * mean))))
    check_mean(found.result.tokens.output / items, law, samples * items)
    assert abs(law.mean - mean) > 10 * sqrt(law.variance / samples / items)  # the rounding is seen


# Quantities of requests.

LEVELS = {"ttft": "1s to 3s", "prefill_speed": "2000 to 8000", "output_speed": "30 to 90", "jitter": 0.3}
"""A service whose levels are drawn once per sample."""


def level(prompt: float, output: float, speed: float = 1.0) -> Law:
    """Seconds of a request without jitter. A lognormal's reciprocal is one too, with the reciprocal median."""
    prefill, decode = median_and_sigma(2000, 8000), median_and_sigma(30, 90)
    return (
        between(1, 3) + lognormal(prompt / prefill[0], prefill[1]) + lognormal(output / (decode[0] * speed), decode[1])
    )


@pytest.mark.parametrize("speed", [1.0, 2.5])
def test_a_request_at_a_level_of_service(declare: Declare, speed: float) -> None:
    """T = jitter · (TTFT + input / prefill speed + output / (output speed · speed)): a product and a sum of lognormals."""
    samples = 10_000
    found = forecast(declare("  a: {llm: {input: 20k, output: 300}}", profile(**LEVELS)), samples=samples, speed=speed)
    check_seconds(found.result.seconds, lognormal(1, 0.3) * level(20_000, 300, speed), samples)


def test_requests_share_the_level_and_not_the_jitter(declare: Declare) -> None:
    """(J₁ + … + J₉) · level: relative variance of the level stays, that of the jitter is divided by 9."""
    samples = 10_000
    steps = "  a: {repeat: {times: 9}, llm: {input: 20k, output: 300}}"
    found = forecast(declare(steps, profile(**LEVELS)), samples=samples)
    check_seconds(found.result.seconds, lognormal(1, 0.3).times(9) * level(20_000, 300), samples)


def test_two_services_share_nothing(declare: Declare) -> None:
    samples = 10_000
    header = "models: {one: {ttft: 1s to 4s, output_speed: 50, jitter: 0}, two: {ttft: 2s to 8s, output_speed: 50, jitter: 0}}\nmodel: one\n"
    steps = "  a: {llm: {output: 50}}\n  b: {needs: a, model: two, llm: {output: 50}}"
    law = between(1, 4) + between(2, 8) + constant(2)
    check_seconds(forecast(declare(steps, header), samples=samples).result.seconds, law, samples)


def test_a_tier_shares_the_level_of_what_it_is_based_on(declare: Declare) -> None:
    """The same draw twice: its double, and not the sum of two."""
    samples = 10_000
    header = (
        "models: {one: {ttft: 1s to 4s, output_speed: 50, jitter: 0}, two: {based_on: one, speed: 2x}}\nmodel: one\n"
    )
    steps = "  a: {llm: {output: 50}}\n  b: {needs: a, model: two, llm: {output: 50}}"
    law = between(1, 4) * constant(2) + constant(1.5)
    check_seconds(forecast(declare(steps, header), samples=samples).result.seconds, law, samples)


def test_every_turn_has_a_jitter_of_its_own(declare: Declare) -> None:
    """Turn i of a loop with a cache takes Jᵢ · (1 s + fresh / 5000 + 500 / 50), the tools 3 s each."""
    samples, turns, sigma = 10_000, 4, 0.4
    header = profile(**(PRICED | {"jitter": sigma}), price="{input: 3, output: 15, cache_read: 0.3}")
    found = forecast(declare(LOOP % turns, header), samples=samples)
    law = constant(3 * (turns - 1))
    for turn in range(turns):
        law += lognormal(1 + (1000 if turn else 10_000) / 5000 + 10, sigma)
    check_seconds(found.result.seconds, law, samples)


# Estimates.

ESTIMATES: list[tuple[str, Law]] = [
    ("5s to 20s", between(5, 20)),
    ("{p50: 10s, p95: 25s}", lognormal(10, log(2.5) / Z95)),
    ("0 to 30s", exponential(30 / LN20)),
    ("{low: 2s, likely: 3s, high: 10s}", triangular(2, 3, 10)),
    ("{low: 0s, likely: 0s, high: 6s}", triangular(0, 0, 6)),
    ("{low: 1s, likely: 7s, high: 7s}", triangular(1, 7, 7)),
    ("{values: [1s, 2s, 2s, 11s]}", discrete([1, 2, 11], [0.25, 0.5, 0.25])),
]


@pytest.mark.parametrize(("text", "law"), ESTIMATES, ids=[text for text, _ in ESTIMATES])
def test_mean_and_variance_of_an_estimate(declare: Declare, text: str, law: Law) -> None:
    samples = 20_000
    check_seconds(forecast(declare(f"  a: {{tool: {text}}}"), samples=samples).result.seconds, law, samples)


def test_measured_tokens_come_as_they_were_measured(declare: Declare) -> None:
    """Four values equally often; 0 stays 0. The time of a request tells which it was."""
    samples = 8000
    workflow = declare("  a: {llm: {output: {values: [0, 100, 100, 700]}}}")
    found = forecast(workflow, samples=samples)
    law = discrete([0, 100, 700], [0.25, 0.5, 0.25])
    check_mean(found.result.tokens.output, law, samples)
    check_seconds(found.result.seconds, constant(1) + law * constant(1 / 50), samples)
    seconds = ends(workflow, samples)
    for value, chance in ((1.0, 0.25), (3.0, 0.5), (15.0, 0.25)):
        check_share(float(np.mean(seconds == value)), chance, samples)


def test_tokens_of_a_triangle_are_rounded(declare: Declare) -> None:
    """P(tokens = k) is the triangle's over k ± ½, by its distribution function (t − low)² / ((high − low)(likely − low))."""
    samples, items = 1000, 200
    found = forecast(
        declare(f"  a: {{for_each: {items}, llm: {{output: {{low: 1, likely: 2, high: 7}}}}}}"), samples=samples
    )

    def below(t: float) -> float:
        if t <= 2:
            return max(t - 1, 0) ** 2 / 6
        return 1 - max(7 - t, 0) ** 2 / 30

    law = discrete(range(1, 8), [below(k + 0.5) - below(k - 0.5) for k in range(1, 8)])
    assert law.raw[0] == pytest.approx(1)
    check_mean(found.result.tokens.output / items, law, samples * items)


# Queues.


def queue(declare: Declare, jobs: int, gap: str, service: str, agents: int, end: str = "") -> Workflow:
    """Arrivals are a chain of delays that nobody works on; each lets a job in, which an agent of a crew serves."""
    lines = []
    for i in range(jobs):
        lines.append(f"  g{i}: {{{f'needs: g{i - 1}, ' if i else ''}tool: {gap}}}")
        lines.append(f"  j{i}: {{needs: g{i}, crew: team, tool: {service}}}")
    return declare("\n".join([*lines, end]), f"crews: {{team: {{agents: {agents}}}}}")


def waits(workflow: Workflow, jobs: int, samples: int, gap: Draw, service: Draw) -> Floats:
    """(samples, jobs) seconds from when a job could start to when it did.

    What tasks take is drawn here, by `gap` and `service` of a size; the planner makes the graph and the schedule.
    """
    graph = expand(workflow, crew_sizes(workflow))
    task = {mark.subject.step: int(mark.tasks) for mark in graph.works}
    arrivals, served = ([task[f"{letter}{i}"] for i in range(jobs)] for letter in "gj")
    durations = np.zeros((samples, len(graph.graph)))
    durations[:, arrivals] = gap((samples, jobs))
    durations[:, served] = service((samples, jobs))
    found = np.empty((samples, jobs))
    for row, seconds in zip(found, round_to_ticks(durations), strict=True):
        schedule = simulate(graph.graph, seconds[None])
        row[:] = schedule.start[served] - schedule.end[arrivals]
    return found


def erlang_c(agents: int, load: float) -> float:
    """The chance to wait where `agents` are offered `load` agents' work, by Poisson arrivals of exponential jobs."""
    terms = [load**k / prod(range(1, k + 1)) for k in range(agents + 1)]
    last = terms[-1] * agents / (agents - load)
    return last / (sum(terms[:-1]) + last)


def exact_waits(jobs: int, agents: int, rate: float) -> list[Law]:
    """The wait of each job of an M/M/c queue that begins empty; a service takes 1 on average.

    The number of jobs that an arrival finds is a Markov chain: with i there after it, the next event is an arrival with the
    chance rate / (rate + min(i, c)), else an end. Who finds j ≥ c waits for the sum of k = j − c + 1 exponentials of
    mean 1/c, E[Wʳ] = k (k + 1) … (k + r − 1) / cʳ.
    """
    states = 200
    step = np.zeros((states, states))
    for found in range(states - 1):
        flow = 1.0
        for i in range(found + 1, -1, -1):
            step[found, i] = flow * rate / (rate + min(i, agents))
            flow -= step[found, i]
    step[-1] = step[-2]
    ahead = np.maximum(np.arange(states) - agents + 1.0, 0)
    moments = [np.prod([(ahead + i) / agents for i in range(r)], axis=0) * np.ones(states) for r in range(5)]
    chances = np.eye(states)[0]
    laws = []
    for _ in range(jobs):
        laws.append(Law.by(lambda r, now=chances: float(now @ moments[r])))  # type: ignore[misc]
        chances = chances @ step
    return laws


def check_average(found: Floats, expected: float, exact: float = TICK) -> None:
    """`found` is one average of each independent sample."""
    near(float(found.mean()), expected, float(found.std(ddof=1)) / sqrt(len(found)), exact)


@pytest.mark.parametrize("agents", [1, 3])
def test_waiting_for_an_agent_is_erlangs(declare: Declare, agents: int) -> None:
    """W = C(c, a) / (c μ − λ) in the long run, and exactly that of the chain for the first jobs.

    At a load of 0.6 per agent. How far the jobs after the first 200 still are from the long run is known from the chain:
    less than 1e-5 of it, which is what the check allows beside its standard errors.
    """
    jobs, warm, samples, rate = 400, 200, 1024, 0.6 * agents
    rng = np.random.default_rng(1)
    workflow = queue(declare, jobs, "1s to 2s", "1s to 2s", agents)
    found = waits(workflow, jobs, samples, lambda size: rng.exponential(1 / rate, size), rng.standard_exponential)
    chance = erlang_c(agents, rate)
    wait = chance / (agents - rate)
    exact = np.array([law.mean for law in exact_waits(jobs, agents, rate)])
    assert abs(exact[warm:] - wait).max() < 1e-5 * wait
    check_average(found[:, warm:].mean(1), wait, 1e-5 * wait)
    check_average((found[:, warm:] > 0).mean(1), chance, 1e-5)
    check_average(found[:, :10].mean(1), float(exact[:10].mean()))
    assert np.all(found[:, :agents] == 0)


@pytest.mark.parametrize("agents", [1, 3])
def test_how_long_the_thirtieth_waits(declare: Declare, agents: int) -> None:
    """By ends alone: with an agent for everybody the same draws end earlier by what it waited for, and no more.

    After it comes something of 30 days, so that the end of all is its own end. It waits over 95 % as long as in the long run.
    """
    jobs, samples, s, rate = 30, 8192, 10.0, 0.6 * agents
    gap, service = (f"0 to {mean * LN20:.12f}s" for mean in (s / rate, s))
    workflow = queue(declare, jobs, gap, service, agents, f"  z: {{needs: j{jobs - 1}, tool: 30d}}")
    cells = [GridPoint(1.0, {"team": size}) for size in (agents, jobs)]
    few, many = simulated(workflow, cells, samples)
    law = exact_waits(jobs, agents, rate)[-1]
    check_mean(float((few - many).mean()) / s, law, samples)
    assert np.all(few >= many)
    assert 0.95 < law.mean / (erlang_c(agents, rate) / (agents - rate)) < 1


def spitzer(jobs: int, rate: float) -> Floats:
    """E[wait] of each job of an M/D/1 queue that begins empty; a service takes 1.

    Spitzer: E[Wₙ] = Σ E[Sₖ⁺] / k over k ≤ n, with Sₖ of k services less k gaps. The k gaps are a gamma variate, whose
    distribution function is a tail of a Poisson law: E[Sₖ⁺] = k P(Pois(kλ) ≥ k) − k/λ P(Pois(kλ) ≥ k + 1).
    """
    mean, total = np.zeros(jobs), 0.0
    for k in range(1, jobs):
        term, below = exp(-k * rate), 0.0
        for i in range(k):
            below += term
            term *= k * rate / (i + 1)
        total += (1 - below) - (1 - below - term) / rate
        mean[k] = total
    return mean


def test_waiting_for_work_of_one_length_is_half_of_that(declare: Declare) -> None:
    """Pollaczek and Khinchine: W = ρ / (2 (1 − ρ)) services where they all take the same; and Spitzer for the first."""
    jobs, warm, samples, rate = 400, 200, 1024, 0.6
    rng = np.random.default_rng(1)
    workflow = queue(declare, jobs, "1s to 2s", "1s to 2s", 1)
    found = waits(workflow, jobs, samples, lambda size: rng.exponential(1 / rate, size), np.ones)
    wait = rate / (2 * (1 - rate))
    exact = spitzer(jobs, rate)
    assert abs(exact[warm:] - wait).max() < 1e-5 * wait
    check_average(found[:, warm:].mean(1), wait, 1e-5 * wait)
    check_average(found[:, :10].mean(1), float(exact[:10].mean()))


# Success.

SUCCESSES: list[tuple[str, float]] = [
    ("  a: {success: 70%, tool: 1s}", 0.7),
    ("  a: {success: 80%, tool: 1s}\n  b: {needs: a, success: 90%, tool: 1s}", 0.8 * 0.9),
    ("  f: {for_each: 8, success: 90%, tool: 1s}", 0.9**8),
    ("  f: {for_each: 5, steps: {a: {success: 90%, tool: 1s}, b: {needs: a, success: 95%, tool: 1s}}}", (0.9 * 0.95) ** 5),
    ("  g: {success: 80%, steps: {a: {success: 90%, tool: 1s}, b: {tool: 1s}}}", 0.8 * 0.9),
    ("  r: {repeat: {times: 3}, success: 90%, tool: 1s}", 0.9**3),
    ("  r: {for_each: 2, repeat: {times: 3}, success: 90%, tool: 1s}", 0.9**6),
    ("  a: {chance: 40%, success: 50%, tool: 1s}", 1 - 0.4 * 0.5),
    ("  c: {choose: {x: {chance: 30%, success: 60%, tool: 1s}, y: {chance: 70%, success: 90%, tool: 1s}}}", 0.18 + 0.63),
    ("  r: {repeat: {until: 40%, at_most: 3}, tool: 1s}", 1 - 0.6**3),
    ("  r: {for_each: 4, repeat: {until: 60%, at_most: 3}, tool: 1s}", (1 - 0.4**3) ** 4),
    ("  r: {repeat: {until: 40%, at_most: 3}, success: 75%, tool: 1s}", 1 - 0.7**3),
    ("  r: {repeat: {until: 40%, at_most: 3}, steps: {a: {success: 75%, tool: 1s}}}", 1 - 0.7**3),
    ("  r: {repeat: {until: 100%, at_most: 3}, for_each: 2, success: 75%, tool: 1s}", (1 - 0.25**3) ** 2),
    ("  r: {repeat: {until: 100%, at_most: 3}, steps: {f: {for_each: 2, success: 75%, tool: 1s}}}", 1 - (1 - 0.75**2) ** 3),
    ("  a: {best_of: 3, success: 40%, tool: 1s}", 1 - 0.6**3),
    ("  f: {for_each: 4, best_of: 3, success: 60%, tool: 1s}", (1 - 0.4**3) ** 4),
    ("  r: {repeat: {until: 50%, at_most: 2}, best_of: 3, success: 40%, tool: 1s}", 1 - (1 - 0.5 * (1 - 0.6**3)) ** 2),
    ("  b: {best_of: 3, steps: {a: {success: 80%, tool: 1s}, c: {needs: a, success: 50%, tool: 1s}}}", 1 - 0.6**3),
    ("  a: {first_of: 3, success: 40%, tool: 1s to 3s}", 0.4),
    ("  f: {for_each: 3, first_of: 2, success: 80%, tool: 1s to 3s}", 0.8**3),
    ("  a: {retry: {chance: 60%, at_most: 3}, tool: 1s}", 1 - 0.6**3),
    ("  a: {retry: {chance: 60%, at_most: 3}, success: 90%, tool: 1s}", 0.9 * (1 - 0.6**3)),
    ("  a: {best_of: 2, retry: {chance: 60%, at_most: 2}, success: 90%, tool: 1s}", 1 - (1 - 0.9 * 0.64) ** 2),
    ("  f: {for_each: 3, retry: {chance: 50%, at_most: 3}, tool: 1s}", (1 - 0.5**3) ** 3),
    ("  r: {repeat: {until: 70%, at_most: 2}, retry: {chance: 50%, at_most: 2}, tool: 1s}", 1 - (1 - 0.7 * 0.75) ** 2),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "chance"), SUCCESSES, ids=[steps.strip() for steps, _ in SUCCESSES])
def test_the_chance_that_all_comes_out_well(declare: Declare, steps: str, chance: float) -> None:
    samples = 6000
    check_share(accepted(forecast(declare(steps), samples=samples)), chance, samples)


def test_what_cannot_fail_is_accepted(declare: Declare) -> None:
    assert accepted(forecast(declare("  a: {tool: 1s}"), samples=300)) == 1
    assert accepted(forecast(declare("  a: {success: 100%, tool: 1s}"), samples=300)) == 1


def test_an_accepted_result_takes_the_time_of_all_that_were_not(declare: Declare) -> None:
    """E[T] / P. A ratio of means: its relative variance is the sum of both over N, time and success being independent."""
    samples, n, p = 8000, 8, 0.9
    steps = f"  f: {{for_each: {n}, success: {p}, tool: {{time: 5s to 20s, usd: 0.5}}}}"
    found: Any = forecast(declare(steps), samples=samples)
    law, chance = extreme(n, *median_and_sigma(5, 20), 1), p**n
    check_share(accepted(found), chance, samples)
    of_chance = (1 - chance) / chance / samples
    expected = law.mean / chance
    near(found.result.accepted.seconds, expected, expected * sqrt(law.variance / law.mean**2 / samples + of_chance))
    near(found.result.accepted.usd, 0.5 * n / chance, 0.5 * n / chance * sqrt(of_chance))


def test_a_failure_may_be_dealt_with(declare: Declare) -> None:
    """Done after a failure, waited for, and then nothing is left over."""
    samples = 8000
    steps = "  a: {success: 70%, otherwise: b, tool: 10s}\n  b: {tool: 5s}\n  c: {needs: a, tool: 1s}"
    found = forecast(declare(steps), samples=samples)
    assert accepted(found) == 1
    check_seconds(found.result.seconds, discrete([11, 16], [0.7, 0.3]), samples)


def test_what_deals_with_a_failure_may_fail(declare: Declare) -> None:
    samples = 8000
    steps = "  a: {success: 70%, otherwise: b, tool: 10s}\n  b: {success: 60%, tool: 5s}"
    found = forecast(declare(steps), samples=samples)
    check_share(accepted(found), 1 - 0.3 * 0.4, samples)
    check_seconds(found.result.seconds, discrete([10, 15], [0.7, 0.3]), samples)


def test_the_failures_of_items_are_dealt_with_one_by_one_or_together(declare: Declare) -> None:
    """Inside of items, binomially many; beside the fan-out, once if any item failed: 1 − pⁿ."""
    samples, n, p = 4000, 5, 0.8
    inside = f"  f: {{for_each: {n}, steps: {{a: {{success: {p}, otherwise: b, tool: 1s}}, b: {{tool: 7s}}}}}}"
    found = forecast(declare(inside), samples=samples)
    assert accepted(found) == 1
    fixed = {step.step: step.seconds for step in found.steps}["f.b"]
    check_mean(fixed, discrete([0, 7], [p, 1 - p]).times(n), samples)
    beside = f"  f: {{for_each: {n}, success: {p}, otherwise: b, tool: 1s}}\n  b: {{tool: 7s}}"
    found = forecast(declare(beside), samples=samples)
    assert accepted(found) == 1
    check_seconds(found.result.seconds, discrete([1, 8], [p**n, 1 - p**n]), samples)


@pytest.mark.parametrize("inside", [False, True])
def test_a_round_in_which_something_failed_is_rejected(declare: Declare, inside: bool) -> None:
    """A round is the last with until · success: rounds, tokens, acceptance."""
    samples, until, success, most = 8000, 0.6, 0.5, 4
    one = f"success: {success}, llm: {{output: 100}}"
    body = f"steps: {{a: {{{one}}}}}" if inside else one
    found = forecast(declare(f"  r: {{repeat: {{until: {until}, at_most: {most}}}, {body}}}"), samples=samples)
    law = attempts(until * success, most)
    check_mean(found.result.tokens.output / 100, law, samples)
    check_seconds(found.result.seconds, law * constant(3), samples)
    check_share(accepted(found), 1 - (1 - until * success) ** most, samples)


# Copies.


@pytest.mark.parametrize("n", [2, 5])
def test_the_best_of_n_waits_for_the_slowest(declare: Declare, n: int) -> None:
    samples, sigma, p = 8000, 0.6, 0.3
    header = profile(ttft="1s", output_speed=50, jitter=sigma)
    workflow = declare(f"  a: {{best_of: {n}, success: {p}, llm: {{input: 70, output: 50}}}}", header)
    found = forecast(workflow, samples=samples, agents=n)
    check_mean(found.result.seconds.mean, extreme(n, 2, sigma, 1), samples)
    check_quantile(found.result.seconds.p90, 0.9, lambda u: 2 * exp(sigma * NORMAL.inv_cdf(u ** (1 / n))), samples)
    assert (found.result.tokens.input, found.result.tokens.output) == (70 * n, 50 * n)
    check_share(accepted(found), 1 - (1 - p) ** n, samples)


@pytest.mark.parametrize("n", [2, 5])
def test_the_first_of_n_is_the_fastest(declare: Declare, n: int) -> None:
    """P(min > t) = (1 − Φ(ln(t/2)/σ))ⁿ."""
    samples, sigma, p = 8000, 0.6, 0.3
    header = profile(ttft="1s", output_speed=50, jitter=sigma)
    workflow = declare(f"  a: {{first_of: {n}, success: {p}, llm: {{input: 70, output: 50}}}}", header)
    found = forecast(workflow, samples=samples, agents=n)
    check_seconds(found.result.seconds, extreme(n, 2, sigma, -1), samples)
    for q, value in ((0.5, found.result.seconds.p50), (0.9, found.result.seconds.p90)):
        check_quantile(value, q, lambda u: 2 * exp(sigma * NORMAL.inv_cdf(1 - (1 - u) ** (1 / n))), samples)
    assert found.result.tokens.input == 70 * n
    check_share(accepted(found), p, samples)


def test_the_first_of_n_exponentials(declare: Declare) -> None:
    """An exponential of a mean n times as small; what was called is paid."""
    samples, mean, n = 20_000, 10.0, 4
    header = profile(ttft="1s", output_speed=50, price="{input: 0, output: 0}")
    steps = f"  a: {{first_of: {n}, tool: {{time: 0 to {mean * LN20:.12f}s, usd: 0.25}}}}"
    found = forecast(declare(steps, header), samples=samples)
    check_seconds(found.result.seconds, exponential(mean / n), samples)
    assert found.result.usd is not None
    assert found.result.usd.mean == pytest.approx(0.25 * n, rel=1e-12)


def test_a_cancelled_request_is_paid_for_the_time_it_ran(declare: Declare) -> None:
    """Of two, the slower one puts out the share min/max of its output: e^(−a|Z|), a = σ√2, E = 2 e^(a²/2) Φ(−a).

    Tokens may be rounded: half a token of 100,000.
    """
    samples, sigma, output = 8000, 0.5, 100_000
    header = profile(ttft="1s", output_speed=50, jitter=sigma)
    steps = f"  a: {{first_of: 2, llm: {{input: 700, output: {output}}}}}"
    found = forecast(declare(steps, header), samples=samples, agents=2)
    a = sigma * sqrt(2)
    share = Law.by(lambda r: 2 * exp((a * r) ** 2 / 2) * phi(-a * r))
    check_mean(found.result.tokens.output, constant(output) + share * constant(output), samples, 0.5)
    assert found.result.tokens.input == 1400


def test_a_copy_that_never_started_costs_nothing(declare: Declare) -> None:
    """Two copies on one agent: the second is cancelled in the queue, and the first is one like any other."""
    samples, sigma = 8000, 0.5
    header = profile(ttft="1s", output_speed=50, jitter=sigma)
    steps = "  a: {first_of: 2, agent: {turns: 1, prompt: 700, output: 50}}"
    found = forecast(declare(steps, header), agents=1, samples=samples)
    check_seconds(found.result.seconds, lognormal(2, sigma), samples)
    assert (found.result.tokens.input, found.result.tokens.output) == (700, 50)


# Attempts.


def test_attempts_are_geometric_and_cut(declare: Declare) -> None:
    """K attempts of 10 s and K − 1 waits of 4 s; all of them are paid; exhausted with chanceᵐ."""
    samples, chance, most = 8000, 0.4, 4
    header = profile(ttft="1s", output_speed=50, jitter=0, price="{input: 2, output: 10}")
    steps = f"  a: {{retry: {{chance: {chance}, at_most: {most}, wait: 4s}}, llm: {{input: 1000, output: 450}}}}"
    found = forecast(declare(steps, header), samples=samples)
    law = attempts(1 - chance, most)
    assert law.mean == pytest.approx((1 - chance**most) / (1 - chance))
    check_seconds(found.result.seconds, law * constant(14) + constant(-4), samples)
    check_mean(found.result.tokens.input / 1000, law, samples)
    check_mean(found.result.tokens.output / 450, law, samples)
    assert found.result.usd is not None
    check_mean(found.result.usd.mean, law * constant(0.0065), samples, 1e-9)
    check_share(accepted(found), 1 - chance**most, samples)


def test_each_attempt_and_each_wait_draws_for_itself(declare: Declare) -> None:
    samples, chance, most = 20_000, 0.5, 4
    steps = f"  a: {{retry: {{chance: {chance}, at_most: {most}, wait: 0 to 20s}}, tool: 5s to 15s}}"
    law = rounds_of(between(5, 15), geometric(1 - chance, most), exponential(20 / LN20))
    check_seconds(forecast(declare(steps), samples=samples).result.seconds, law, samples)


def test_an_agent_loop_is_tried_again_as_a_whole(declare: Declare) -> None:
    samples, chance, most, turns = 8000, 0.4, 3, 5
    steps = LOOP.replace("{agent:", f"{{retry: {{chance: {chance}, at_most: {most}}}, agent:")
    found = forecast(declare(steps % turns, priced(True)), samples=samples)
    law, one = attempts(1 - chance, most), contexts(turns, True)
    check_seconds(found.result.seconds, law * constant(one["seconds"]), samples)
    for key, value in told(found).items():
        check_mean(value / one[key], law, samples)


def tried(median: float, sigma: float, timeout: float, chance: float, most: int, wait: float) -> tuple[Law, float]:
    """Seconds of all attempts at something lognormal, and the chance that one attempt fails.

    E[Tʳ; T ≤ τ] = medianʳ e^(r²σ²/2) Φ(ln(τ/median)/σ − rσ). An attempt that fails takes min(T, τ).
    """
    z = log(timeout / median) / sigma
    within = Law.by(lambda r: lognormal(median, sigma).raw[r] * phi(z - r * sigma))
    beyond = Law.by(lambda r: phi(-z) * timeout**r)
    good = mixture([1 - chance], [within])
    bad = mixture([chance, 1], [within, beyond])
    fails = bad.raw[0]
    again = bad + constant(wait)
    parts = [again.times(k) + good for k in range(most)] + [again.times(most - 1) + bad]
    law = mixture([1.0] * len(parts), parts)
    assert law.raw[0] == pytest.approx(1)
    cut = mixture([1, 1], [within, beyond]).mean
    assert law.mean == pytest.approx(attempts(1 - fails, most).mean * (cut + wait) - wait)  # Wald
    return law, fails


@pytest.mark.parametrize("chance", [0.0, 0.2])
def test_attempts_with_a_timeout(declare: Declare, chance: float) -> None:
    """One in four takes longer than its timeout: it fails, and has taken that long."""
    samples, most, wait = 20_000, 3, 2.0
    median, sigma = median_and_sigma(5, 20)
    timeout = median * exp(sigma * NORMAL.inv_cdf(0.75))
    retry = f"{{timeout: {timeout:.12f}s, at_most: {most}, wait: {wait:g}s, chance: {chance}}}"
    found = forecast(declare(f"  a: {{retry: {retry}, tool: 5s to 20s}}"), samples=samples)
    law, fails = tried(median, sigma, timeout, chance, most, wait)
    assert fails == pytest.approx(chance + (1 - chance) * 0.25)
    check_seconds(found.result.seconds, law, samples)
    check_share(accepted(found), 1 - fails**most, samples)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_request_that_timed_out_is_paid_in_full(declare: Declare, speed: float) -> None:
    """Its median is 1 s + 450/(50 · speed); a faster model times out less often, is paid less and waits less."""
    samples, most, sigma, timeout, wait = 20_000, 4, 0.4, 7.0, 3.0
    header = profile(ttft="1s", output_speed=50, jitter=sigma)
    retry = f"{{timeout: {timeout:g}s, at_most: {most}, wait: {wait:g}s}}"
    steps = f"  a: {{retry: {retry}, llm: {{input: 1000, output: 450}}}}"
    found = forecast(declare(steps, header), samples=samples, speed=speed)
    law, fails = tried(1 + 9 / speed, sigma, timeout, 0, most, wait)
    check_seconds(found.result.seconds, law, samples)
    for tokens in (found.result.tokens.input / 1000, found.result.tokens.output / 450):
        check_mean(tokens, attempts(1 - fails, most), samples)
    check_share(accepted(found), 1 - fails**most, samples)


def test_the_first_of_two_that_are_tried_again(declare: Declare) -> None:
    """Attempts of 10 s until one does not fail: the lesser of two numbers of attempts, P(min > k) = P(K > k)²."""
    samples, chance, most = 8000, 0.5, 5
    steps = f"  a: {{first_of: 2, retry: {{chance: {chance}, at_most: {most}}}, tool: 10s}}"
    found = forecast(declare(steps), samples=samples)
    tails = [chance ** (2 * k) for k in range(most)]
    law = discrete(range(1, most + 1), [high - low for high, low in pairwise([*tails, 0.0])])
    check_seconds(found.result.seconds, law * constant(10), samples)


# People and merges.


def test_people_who_leave_come_back_later(declare: Declare) -> None:
    """They wait for an exponential X, and in e^(−after/mean) of cases for longer than `after`: then for X + back."""
    samples, mean, after, back = 20_000, 20.0, 30.0, 60.0
    steps = f"""  a: {{human: 10s}}
  t: {{needs: a, tool: 0 to {mean * LN20:.12f}s}}
  b: {{needs: t, human: {{time: 5s, leaves: {{after: {after:g}s, back: {back:g}s}}}}}}"""
    gone = exp(-after / mean)
    beyond = exponential(mean) + constant(after)  # it has no memory
    within = mixture([1, -gone], [exponential(mean), beyond])
    law = mixture([1, gone], [within, beyond + constant(back)]) + constant(15)
    check_seconds(forecast(declare(steps), samples=samples).result.seconds, law, samples)


def test_conflicts_found_at_merge(declare: Declare) -> None:
    """After each merge with p = 1 − (1 − c)^(n − 1), at most three times: p + p² + p³ of them for an item.

    An item takes 1 s + 100/50 s, its rework the half of that, each merge 2 s.
    """
    samples, items, n, c = 4000, 6, 3, 0.2
    p = 1 - (1 - c) ** (n - 1)
    coordination = f"{{merge: 2s, conflict: {{chance: {c}, rework: 50%}}}}"
    header = f"{PLAIN}crews: {{team: {{agents: {n}, coordination: {coordination}}}}}"
    found = forecast(declare(f"  a: {{for_each: {items}, crew: team, llm: {{output: 100}}}}", header), samples=samples)
    one = discrete(range(4), [(1 - p) * p**k if k < 3 else p**3 for k in range(4)])
    assert one.mean == pytest.approx(p + p**2 + p**3)
    law = one.times(items)
    check_mean(found.result.tokens.output, law * constant(50) + constant(100 * items), samples)
    seconds = sum(step.seconds for step in found.steps)
    check_mean(seconds, law * constant(1.5 + 2) + constant((3 + 2) * items), samples)
