"""How well results are known: intervals that cover what they should, and samples until they are narrow enough."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.engine import Values, standard_error
from planner.engine.statistics import GROUPS, KEPT, ranks
from planner.planning import compare, forecast
from planner.report import forecast_json, forecast_text
from planner.sampling import Batch, GridPoint, Precision, Stopping, sample
from planner.sampling.sample import FIRST_LOOK, USUALLY, half_width
from planner.workflow import Workflow
from tests.conftest import ROOT, Golden, read_example

Declare = Callable[..., Workflow]
CELLS = [GridPoint(1.0, {"agents": 1})]
NORMAL = NormalDist()

# Values


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    return np.random.default_rng(3).lognormal(3, 1, 3 * KEPT + 1000)


@pytest.mark.parametrize("count", [1, 2, 999, KEPT, KEPT + 1, 2 * KEPT, 3 * KEPT + 1000])
def test_values_are_summed_up_as_numpy_does_it(many: np.ndarray, count: int) -> None:
    values = many[:count]
    found = Values.of(values[:1])
    for low in range(1, count, 700):
        found.add(values[low : min(low + 700, count)])
    assert found.count == count
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    error = values.std(ddof=1) / math.sqrt(count) if count > 1 else 0.0
    assert found.standard_error == pytest.approx(error, rel=1e-9)
    exact = count <= KEPT
    for q in (0.0, 0.05, 0.5, 0.9, 1.0):
        assert found.quantile(q) == pytest.approx(np.quantile(values, q), rel=1e-12 if exact else 2**-15)
    assert np.array_equal(found.first, values[:KEPT])


@pytest.mark.parametrize("count", [KEPT, KEPT + 1, KEPT * 3 // 2, 2 * KEPT, 3 * KEPT + 1000])
def test_a_share_counts_every_sample(many: np.ndarray, count: int) -> None:
    """A bin has a relative width of 2⁻¹⁴: the samples within it are at most that much above or below the limit."""
    found = Values()
    for low in range(0, count, 1000):
        found.add(many[low : min(low + 1000, count)])
    limit = float(np.exp(3.0))
    share, lower, upper = found.share(limit)
    exact = [float(np.mean(many[:count] <= limit * (1 + sign * 2**-14))) for sign in (-1, 1)]
    assert exact[0] <= share <= exact[1]
    assert lower < share < upper


def test_nothing_is_nothing_however_many_samples_there_are() -> None:
    """The first bin begins at 0: its middle is above 0, and no value that is drawn lies in it but 0 itself."""
    found = Values.of(np.zeros(1))
    while found.count <= KEPT:
        found.add(np.zeros(KEPT // 4))
    assert (found.quantile(0.5), found.interval(0.5)) == (0.0, (0.0, 0.0))


def test_values_do_not_depend_on_how_they_come(many: np.ndarray) -> None:
    one, other = Values(), Values()
    for low in range(0, len(many), 256):
        one.add(many[low : low + 256])
    for low in range(0, len(many), 1000):
        other.add(many[low : low + 1000])
    assert (one.mean, one.standard_error, one.interval(0.9)) == (other.mean, other.standard_error, other.interval(0.9))


def test_an_error_from_groups_is_that_of_a_median() -> None:
    """Of 4,096 normal samples it is √(π/2)/64, itself known to 1/√30 from 16 groups; half allowed, 2.7 of these."""
    samples = np.random.default_rng(5).standard_normal(4096)
    medians = Values.of(samples).group_medians()
    assert medians is not None
    assert standard_error(medians) == pytest.approx(math.sqrt(math.pi / 2) / 64, rel=0.5)
    assert Values.of(samples[: 2 * GROUPS - 1]).group_medians() is None


# Coverage: of 1,000 seeds the quantile, known exactly, lies within the 95 % interval in 93 to 97 of 100


def lognormal(q: float) -> float:
    return 8.0 * math.exp(math.log(4) / NORMAL.inv_cdf(0.95) * NORMAL.inv_cdf(q))


EXACT = {
    "one": ("  a: {tool: 2s to 32s}", lognormal),
    "slowest": ("  a: {for_each: 5, tool: 2s to 32s}", lambda q: lognormal(q ** (1 / 5))),
    "first": ("  a: {first_of: 4, tool: 0s to 60s}", lambda q: -20 / math.log(20) * 3 / 4 * math.log(1 - q)),
}
"""Workflows and the quantile functions of their completion times: of order statistics."""


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("stopping", ["fixed", "stopped"])
def test_intervals_cover_what_they_should(declare: Declare, name: str, stopping: str) -> None:
    steps, quantile = EXACT[name]
    workflow = declare(steps)
    covered = dict.fromkeys((0.5, 0.9), 0)
    for seed in range(1000):
        rule = Stopping(300) if stopping == "fixed" else Stopping(precision=0.2)
        (found,) = sample([Batch.of(workflow, CELLS, seed)], rule)
        for q in covered:
            low, high = found.seconds[0].interval(q)
            covered[q] += low <= quantile(q) <= high
    for count in covered.values():
        assert 930 <= count <= 970


def test_ranks_enclose_a_quantile_in_95_of_100_cases() -> None:
    """By the binomial distribution itself. Quantile q lies between them if as many samples are below it as lie between."""
    for n in (256, 300, 1024, 4096):
        for q in (0.5, 0.9, 0.95):
            low, high = ranks(n, q)
            logs = (
                math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
                + k * math.log(q) + (n - k) * math.log(1 - q)
                for k in range(low + 1, high + 1)
            )  # fmt: skip
            assert 0.945 < sum(map(math.exp, logs)) < 0.975


# Stopping


def looks(**wanted: float) -> list[int]:
    found = []
    for look in Stopping(**wanted).looks():  # type: ignore[arg-type]
        found.append(look)
        if len(found) == 4:
            break
    return found


def test_looks_double_up_to_the_most() -> None:
    assert looks() == [FIRST_LOOK, 2 * FIRST_LOOK, USUALLY]
    assert looks(samples=1000) == [1000]
    assert looks(samples=1000, precision=0.01) == [256, 512, 1000]
    assert looks(samples=100, precision=0.01) == [100]
    assert looks(precision=0.01) == [256, 512, 1024, 2048]
    assert looks(seconds=9.0) == [256, 512, 1024, 2048]


def test_what_is_known_exactly_stops_at_the_first_look(declare: Declare) -> None:
    found = forecast(declare("  a: {tool: 5s}"))
    assert found.samples == FIRST_LOOK
    assert found.precision == Precision(0.01, 0.0, 0.0)
    assert "not-converged" not in {note.code for note in found.notes}


def test_what_is_not_known_goes_on_to_the_most_and_says_so(declare: Declare, golden: Golden) -> None:
    found = forecast(declare("  a: {tool: 1s to 1h}"))
    assert found.samples == USUALLY
    assert not found.precision.converged
    for samples, one in ((USUALLY, found), (1, forecast(declare("  a: {tool: 1s to 1h}"), samples=1))):
        assert one.notes[0].code == "not-converged"
        assert one.notes[0].values["samples"] == samples


def test_a_precision_is_reached(declare: Declare) -> None:
    workflow = declare("  a: {tool: 5s to 20s}")
    found = forecast(workflow, precision=0.02)
    assert found.precision.converged
    assert found.samples > USUALLY
    seconds = found.result.seconds
    for low, value, high in (
        (seconds.p50_low, seconds.p50, seconds.p50_high),
        (seconds.p90_low, seconds.p90, seconds.p90_high),
    ):
        assert low is not None
        assert high is not None
        assert (high - low) / 2 <= 0.02 * value
    before = forecast(workflow, samples=found.samples // 2).precision
    assert max(before.p50 or 0.0, before.p90 or 0.0) > 0.02


@pytest.mark.parametrize(
    ("samples", "of_p50", "of_p90"), [(1, False, False), (4, False, False), (20, True, False), (64, True, True)]
)
def test_what_too_few_samples_cannot_tell_is_not_told(
    declare: Declare, samples: int, of_p50: bool, of_p90: bool
) -> None:
    found = forecast(declare("  a: {tool: 5s to 20s}"), samples=samples)
    assert (found.precision.p50 is not None) == of_p50
    assert (found.precision.p90 is not None) == of_p90
    assert (found.result.seconds.p90_low is not None) == of_p90
    assert not found.precision.converged
    assert "not-converged" in {note.code for note in found.notes}
    assert ("p90 unknown" in forecast_text(found)) == (not of_p90 and samples > 1)
    assert not math.isnan(json.loads(forecast_json(found))["precision"]["target"])


def test_all_scenarios_share_their_samples(declare: Declare) -> None:
    """The steady one goes on as long as the other."""
    workflow = declare("  a: {for_each: 4, llm: {output: 100 to 900}}")
    found = compare(workflow, [1.0, 1000.0], [1, 4], precision=0.02)
    assert found.precision.converged
    (alone,) = sample([Batch.of(workflow, CELLS, 1)], Stopping(precision=0.02))
    assert found.samples >= alone.count


def test_time_that_is_over_ends_it_with_what_is_known(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now)))
    (found,) = sample(
        [Batch.of(declare("  a: {tool: 1s to 1h}"), CELLS, 1)], Stopping(precision=1e-6, seconds=3.0, began=0.0)
    )
    assert 0 < found.count <= 8 * FIRST_LOOK  # the fourth block, of the fourth look


def test_intervals_of_binned_samples_hold_what_they_are_of() -> None:
    low, high = Values.of(np.full(KEPT, 15.1)).interval(0.5)
    assert low == high == 15.1
    binned = Values.of(np.full(KEPT, 15.1))
    binned.add(np.full(1, 15.1))
    low, high = binned.interval(0.5)
    assert low < 15.1 < high
    assert high / low - 1 <= 2**-14


def test_a_width_is_half_an_interval_over_the_quantile() -> None:
    values = Values.of(np.arange(1.0, 1001.0))
    low, high = values.interval(0.5)
    assert half_width(values.quantile(0.5), *values.interval(0.5)) == (high - low) / 2 / 500.5
    assert half_width(0.0, 0.0, 0.0) == 0.0
    assert half_width(0.0, 0.0, 1.0) is None


@pytest.mark.parametrize(
    "options",
    [("--precision", "0"), ("--precision", "x"), ("--precision", "101%"), ("--max-time", "0s"), ("--max-time", "5")],
)
def test_bad_wishes_are_refused(options: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["forecast", str(ROOT / "workflows" / "fix_bugs.yaml"), *options])
    assert result.exit_code == 2
    assert options[0] in result.output


def test_a_million_samples_take_no_more_room_than_a_few() -> None:
    """Beyond those that are kept, memory holds bins: as many as the range of the values needs."""
    plan = Batch.of(read_example(ROOT / "workflows" / "parallel_qa.yaml"), CELLS, 1)
    (found,) = sample([plan], Stopping(KEPT + 4096))
    values = found.seconds[0]
    assert len(values.first) == KEPT
    assert len(values._bins) < KEPT
    assert values.count == KEPT + 4096


@pytest.mark.parametrize("samples", [1, 20])
def test_a_plan_in_which_nothing_is_drawn_is_known_exactly(declare: Declare, samples: int) -> None:
    known = forecast(declare("  a: {tool: 5min}\n  b: {needs: a, human: 3min}"), samples=samples)
    assert known.precision == Precision(0.01, 0.0, 0.0)
    assert (known.result.seconds.p90_low, known.result.seconds.p90_high) == (480.0, 480.0)
    assert "as in every sample" in forecast_text(known)
    assert "not-converged" not in {note.code for note in known.notes}


def test_samples_that_happen_to_be_equal_are_not_known_exactly(declare: Declare) -> None:
    workflow = declare("  a: {tool: 5min}\n  b: {needs: a, chance: 0.1%, human: 3min}")
    rare = forecast(workflow, samples=20)
    assert rare.result.seconds.standard_error == 0.0
    assert not rare.precision.converged
    compared = compare(workflow, [1.0], [1, 2], samples=20)
    assert not compared.precision.converged
