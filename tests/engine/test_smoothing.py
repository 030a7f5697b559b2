"""Percentiles of completion times with a wait in series: against closed forms, and where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import Samples, Smoothed, Values, Waits, build_graph
from planner.engine.statistics import GROUPS, KEPT
from planner.planning import compare, forecast
from planner.sampling import Batch, GridPoint, Stopping, sample, simulate_block
from planner.sampling.series_wait import _in_series
from planner.workflow import Workflow
from tests.conftest import PLAIN

Declare = Callable[..., Workflow]
CELLS = [GridPoint(1.0, {"agents": 1})]
NORMAL = NormalDist()


def lognormal(seconds: float) -> float:
    """The distribution function of `2s to 32s`."""
    return NORMAL.cdf(math.log(seconds / 8) / math.log(4) * NORMAL.inv_cdf(0.95)) if seconds > 0 else 0.0


def exponentials(seconds: float) -> float:
    """Of the sum of exponentials with means 20 / ln 20 and 60 / ln 20."""
    one, other = math.log(20) / 20, math.log(20) / 60
    return 1 - (one * math.exp(-other * seconds) - other * math.exp(-one * seconds)) / (one - other)


def quantile(within: Callable[[float], float], q: float) -> float:
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < q else (low, middle)
    return low


EXACT: dict[str, tuple[str, Callable[[float], float]]] = {
    "two points": (
        "  a: {tool: {values: [10s, 30s]}}\n  b: {needs: a, human: 2s to 32s}",
        lambda x: (lognormal(x - 10) + lognormal(x - 30)) / 2,
    ),
    "exponentials": ("  a: {human: 0s to 60s}\n  b: {needs: a, tool: 0s to 20s}", exponentials),
}
"""Workflows and the distribution function of their completion times."""


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_intervals_cover_what_they_should(declare: Declare, name: str) -> None:
    """Of 1,000 seeds in 93 to 97 of 100; and they are narrower than those of order statistics."""
    steps, within = EXACT[name]
    workflow = declare(steps)
    exact = {q: quantile(within, q) for q in (0.5, 0.9)}
    covered, widths = dict.fromkeys(exact, 0), dict.fromkeys(exact, 0.0)
    for seed in range(1000):
        (found,) = sample([Batch.of(workflow, CELLS, seed)], Stopping(300))
        seconds = found.seconds[0]
        for q, wanted in exact.items():
            low, high = seconds.interval(q)
            covered[q] += low <= wanted <= high
            plain = Values.of(seconds.first).interval(q)
            widths[q] += (high - low) / (plain[1] - plain[0])
    for q in exact:
        assert 930 <= covered[q] <= 970
        assert widths[q] < 800


@pytest.mark.parametrize("name", EXACT)
def test_chances_are_those_of_the_closed_form(declare: Declare, name: str) -> None:
    """Within 5 standard errors of a share of 20,000 samples, which is more than is left to know."""
    steps, within = EXACT[name]
    (found,) = sample([Batch.of(declare(steps), CELLS, 3)], Stopping(20_000))
    for limit in (12.0, 25.0, 40.0, 90.0):
        share, low, high = found.seconds[0].share(limit)
        assert low <= share <= high
        exact = within(limit)
        assert share == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 20_000))


def test_a_wait_alone_is_known_exactly(declare: Declare) -> None:
    seconds = forecast(declare("  a: {tool: 10s}\n  b: {needs: a, human: 2s to 32s}"), samples=256).result.seconds
    assert seconds.p50 == pytest.approx(18.0, rel=1e-4)
    assert seconds.p90 == pytest.approx(
        10 + 8 * math.exp(math.log(4) / NORMAL.inv_cdf(0.95) * NORMAL.inv_cdf(0.9)), rel=1e-4
    )
    assert seconds.p50_low is not None
    assert seconds.p50_high is not None
    assert 18 * 0.99 < seconds.p50_low < 18 < seconds.p50_high < 18 * 1.01  # half a sample of 256 to either side


def test_a_chance_that_is_seldom_missed_is_counted(declare: Declare) -> None:
    """What no sample drew is not known to be impossible."""
    workflow = declare("  a: {chance: 0.3%, tool: 1h}\n  b: {needs: a, human: 1s to 2s}")
    for seed in range(5):
        (found,) = sample([Batch.of(workflow, CELLS, seed)], Stopping(256))
        share, low, high = found.seconds[0].share(60.0)
        assert low < 0.997 < high
        assert share == np.mean(found.seconds[0].first <= 60)


def test_the_rest_is_the_workflow_without_the_wait(declare: Declare) -> None:
    """To the tick of 2⁻²⁰ s to which both are rounded."""
    steps = (
        "  a: {for_each: 9, crew: c, repeat: {until: 60%, at_most: 3}, llm: {output: 100 to 900}}\n"
        "  b: {needs: a, human: WAIT}\n  d: {needs: b, for_each: 5, crew: c, tool: 1s to 60s}"
    )
    header = f"{PLAIN}\ncrews: {{c: {{agents: 3, coordination: {{merge: 5s to 20s, brief: {{output: 200}}}}}}}}"
    for agents in (1, 2, 3):
        cells = [GridPoint(1.0, {"c": agents})]
        waiting = Batch.of(declare(steps.replace("WAIT", "1min to 1h"), header), cells, 1)
        without = Batch.of(declare(steps.replace("WAIT", "0s"), header), cells, 1)
        (wait,) = waiting.waits
        assert wait is not None
        assert without.waits == (None,)
        drawn = wait.drawn(Samples(1, 0, 256))
        rest = simulate_block(waiting, 0, 256).seconds[0] - drawn
        assert rest == pytest.approx(simulate_block(without, 0, 256).seconds[0], abs=2**-20)


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ("  a: {llm: {output: 9}}\n  b: {needs: a, human: 1s to 9s}", "b/human"),
        ("  b: {human: 1s to 9s}\n  a: {needs: b, for_each: 3, llm: {output: 9}}", "b/human"),
        ("  g: {steps: {b: {human: 1s to 9s}, a: {needs: b, llm: {output: 9}}}}", "g.b/human"),
        ("  a: {human: 1s to 9s}\n  b: {needs: a, human: 0s to 1min}", "b/human"),
        (
            "  a: {llm: {output: 9}}\n  b: {needs: a, human: 1s to 9s}\n  c: {needs: [a, b], llm: {output: 9}}",
            "b/human",
        ),
        ("  a: {human: {low: 1s, likely: 2s, high: 9s}}", "a/human"),
    ],
)
def test_a_wait_that_everything_passes_through(declare: Declare, steps: str, path: str) -> None:
    (wait,) = Batch.of(declare(steps), CELLS, 1).waits
    assert wait is not None
    assert wait.path == path


@pytest.mark.parametrize(
    "steps",
    [
        "  a: {llm: {output: 9}}\n  b: {human: 1s to 9s}",
        "  a: {llm: {output: 9}}\n  b: {needs: a, human: 1s to 9s}\n  c: {needs: a, llm: {output: 9}}",
        "  a: {human: 5s}",
        "  a: {tool: 1s to 9s}",
        "  a: {chance: 50%, human: 1s to 9s}",
        "  a: {for_each: 2, human: 1s to 9s}",
        "  a: {repeat: {times: 2}, human: 1s to 9s}",
        "  a: {first_of: 2, human: 1s to 9s}",
        "  a: {retry: {chance: 5%, at_most: 2}, human: 1s to 9s}",
        "  a: {human: {values: [1s, 9s]}}",
        "  a: {llm: {output: 9}}\n  b: {needs: a, human: {time: 1s to 9s, leaves: {after: 5s, back: 1min}}}",
        "  a: {llm: {output: 9}}\n  b: {needs: a, human: 1s to 9s}\n  c: {needs: b, llm: {continues: a, output: 9}}",
    ],
)
def test_a_wait_that_something_passes_by_or_depends_on(declare: Declare, steps: str) -> None:
    assert Batch.of(declare(steps), CELLS, 1).waits == (None,)


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    )
)
def test_in_series_is_comparable_with_all(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    """Against the closure of the edges by brute force."""
    n, pairs = drawn
    edges = sorted((min(pair), max(pair)) for pair in pairs if pair[0] != pair[1])
    before = np.eye(n, dtype=bool)
    for source, target in edges:
        before[source, target] = True
    for _ in range(n):
        before = (before.astype(int) @ before.astype(int)) > 0
    graph = build_graph(n, list(dict.fromkeys(edges)))
    for task in range(n):
        assert _in_series(graph, task) == bool((before[task] | before[:, task]).all())


def test_medians_of_groups_are_those_of_their_samples() -> None:
    random = np.random.default_rng(2)
    drawn, rest = random.exponential(3.0, 32 * GROUPS), random.uniform(1, 9, 32 * GROUPS)
    shares = np.linspace(0.0005, 0.9995, 2000)
    table = shares, -3.0 * np.log1p(-shares)

    def smoothed(part: slice) -> Smoothed:
        waits = Waits(*table)
        waits.add(drawn[part])
        found = Smoothed(waits)
        found.add((drawn + rest)[part])
        return found

    medians = smoothed(slice(None)).group_medians()
    assert medians is not None
    waits = Waits(*table)
    parts = [waits.quantiles(np.array([0.5]), rest[None, low : low + 32])[0] for low in range(0, 32 * GROUPS, 32)]
    assert medians == pytest.approx(parts)
    few = smoothed(slice(0, 255))
    assert few.quantile(0.5) == Values.of((drawn + rest)[:255]).quantile(0.5)


def test_beyond_those_that_are_kept_percentiles_are_of_samples() -> None:
    random = np.random.default_rng(4)
    shares = np.linspace(0.0005, 0.9995, 2000)
    waits, plain = Waits(shares, -np.log1p(-shares)), Values()
    smoothed = Smoothed(waits)
    while smoothed.count <= KEPT:
        drawn = random.exponential(1.0, KEPT // 2)
        waits.add(drawn)
        smoothed.add(drawn + 1.0)
        plain.add(drawn + 1.0)
    assert (smoothed.quantile(0.9), smoothed.interval(0.9), smoothed.share(2.0)) == (
        plain.quantile(0.9), plain.interval(0.9), plain.share(2.0)
    )  # fmt: skip


def test_each_scenario_has_its_own(declare: Declare) -> None:
    """A comparison's scenarios are the forecasts of them, also where the wait depends on how many agents there are."""
    header = f"{PLAIN}\ncrews: {{c: {{agents: 2}}}}"
    steps = "  a: {for_each: 4, crew: c, llm: {output: 100 to 900}}\n  b: {needs: a, crew: c, human: = 1min * agents to 15min * agents}"
    workflow = declare(steps, header)
    compared = compare(workflow, [1.0], [1, 2, 4], samples=300)
    for result in compared.results:
        alone = forecast(workflow, agents=result.scenario.agents, samples=300)
        assert alone.result.seconds == result.seconds
