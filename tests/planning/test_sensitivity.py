"""`planner sensitivity` against closed forms: sums of independent times, layers, and what makes no difference."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import app
from planner.engine import Samples
from planner.errors import InputError
from planner.planning import Influence, Sensitivity, forecast, sensitivity
from planner.report.text.sensitivities import dice_text
from planner.sampling import ThreadBackend
from planner.sampling.draws import RecordingSamples
from planner.workflow import Workflow
from tests.conftest import PLAIN, ROOT, Golden, read_example

Declare = Callable[..., Workflow]

Z95 = 1.6448536269514722


def variance(median: float, p95: float) -> float:
    """Of a lognormal."""
    square = (math.log(p95 / median) / Z95) ** 2
    return median**2 * math.exp(square) * math.expm1(square)


def of(found: Sensitivity, step: str, key: str) -> Influence:
    (one,) = [one for one in found.drivers if (one.driver.step, one.driver.key) == (step, key)]
    return one


TWO = "  a: {tool: {time: {p50: 10s, p95: 20s}}}\n  b: {needs: a, tool: {time: {p50: 10s, p95: 16s}}}\n  c: {human: 1s}"


@pytest.mark.parametrize("seed", range(3))
def test_the_share_of_a_sum_is_the_share_of_its_variance(declare: Declare, seed: int) -> None:
    found = sensitivity(declare(TWO), samples=4096, seed=seed)
    assert [one.driver.step for one in found.drivers] == ["a", "b"]
    a, b = variance(10, 20), variance(10, 16)
    for step, exact in (("a", a / (a + b)), ("b", b / (a + b))):
        one = of(found, step, "time")
        assert one.share_error is not None
        assert one.share == pytest.approx(exact, abs=4 * one.share_error)
        assert 0 < one.share_error < 0.05
        assert one.told
        assert one.correlation == pytest.approx(math.sqrt(one.share))


def test_the_swing_is_that_of_the_conditional_percentiles(declare: Declare) -> None:
    """Of a single lognormal the p90 of its lowest fifth is its 18th percentile, that of its highest fifth its 98th."""
    found = sensitivity(declare("  a: {tool: {time: {p50: 10s, p95: 20s}}}"), samples=8192)
    one = of(found, "a", "time")
    sigma = math.log(2) / Z95
    low, high = (10 * math.exp(z * sigma) for z in (-0.9153650878428141, 2.0537489106318225))
    assert one.swing == pytest.approx(high - low, abs=2 * one.swing_error)  # 1.96 standard errors; here nearly 4
    assert one.swing == one.p90_high - one.p90_low
    assert one.share == pytest.approx(1)


def test_layers_are_drivers_of_their_own(declare: Declare) -> None:
    """T = x · step · all, all lognormal: in logarithms the variances add up."""
    header = "uncertainty: {per_step: 2x, overall: 1.5x}"
    found = sensitivity(declare("  a: {tool: {time: {p50: 10s, p95: 12s}}}", header), samples=4096)
    assert [one.driver.key for one in found.drivers] == ["per_step", "overall", "time"]
    step, every = of(found, "a", "per_step"), of(found, "", "overall")
    assert step.share > every.share > of(found, "a", "time").share
    plain = sensitivity(declare("  a: {tool: 10s}\n  b: {human: 5s to 9s}", header), samples=512)
    assert [
        one.driver.key for one in plain.drivers if one.driver.step == "a"
    ] == []  # a plain number is never perturbed
    assert [one.driver.key for one in plain.drivers if one.driver.step == "b"] == ["time"]  # nor are people


def test_what_is_not_on_the_critical_path_is_not_told_from_nothing(declare: Declare) -> None:
    workflow = declare("  long: {tool: 100s to 200s}\n" + "".join(f"  s{at}: {{tool: 1s to 9s}}\n" for at in range(20)))
    wrong = 0
    for seed in range(10):
        found = sensitivity(workflow, samples=512, seed=seed)
        assert found.drivers[0].driver.step == "long"
        wrong += sum(one.told for one in found.drivers[1:])
    assert wrong <= 3  # each analysis has one in 5 of 100 cases: Poisson(0.5) exceeds 3 in 2 of 1,000


def test_what_makes_it_quicker_has_a_negative_swing(declare: Declare) -> None:
    """A higher output speed of the service; the time of the step is 1,000 tokens over it."""
    header = "models: {m: {ttft: 0s, output_speed: 20 to 80, jitter: 0}}\nmodel: m"
    found = sensitivity(declare("  a: {llm: {output: 1000}}", header), samples=512)
    (one,) = found.drivers
    assert (one.driver.step, one.driver.kind, one.driver.key) == ("m", "model", "output_speed")
    assert one.swing < 0
    assert one.correlation < 0


def test_an_item_counts_with_the_mean_of_what_was_drawn_for_it(declare: Declare) -> None:
    """Of 5 items one after the other the completion time is 5 times that mean."""
    workflow = declare("  a: {for_each: 5, crew: one, tool: 5s to 20s}", "crews: {one: {agents: 1}}")
    (one,) = sensitivity(workflow, samples=300).drivers
    assert one.share == pytest.approx(1, abs=1e-9)


def test_draws_and_times_are_those_of_a_forecast() -> None:
    workflow = read_example(ROOT / "workflows" / "fix_bugs.yaml")
    assert sensitivity(workflow, samples=200).seconds == forecast(workflow, samples=200).result.seconds
    alone = sensitivity(workflow, samples=600, backend=ThreadBackend(1))
    assert alone == sensitivity(workflow, samples=600, backend=ThreadBackend(2))
    assert alone == sensitivity(workflow, samples=600, backend=ThreadBackend(3))
    mine, other = RecordingSamples(3, 10, 20), Samples(3, 10, 20)
    for draw in ("normal", "exponential", "uniform"):
        assert np.array_equal(getattr(mine, draw)(4, "a", "b", (1,)), getattr(other, draw)(4, "a", "b", (1,)))
    some = other.cells(4)[1:3, 2:5]
    assert np.array_equal(mine.normal(some, "c", "d"), other.normal(some, "c", "d"))
    mean = other.normal(some, "c", "d").mean(0)
    assert np.allclose(mine.mean(("c", "d"))[2:5], mean)


def test_what_a_chance_decides_is_a_driver(declare: Declare) -> None:
    """The draws of a chance count as done or not done, so the highest fifth has the step and the lowest has not."""
    found = sensitivity(declare("  a: {chance: 30%, tool: 100s}\n  b: {tool: {time: 1s to 2s}}"), samples=500)
    one = of(found, "a", "done")
    assert (one.driver.kind, one.told) == ("chance", True)
    assert one.p90_high == pytest.approx(100)
    assert one.p90_low < 3


@pytest.mark.parametrize(
    ("inside", "path", "key"),
    [
        ("w: {tool: 0s, success: 80%, otherwise: o}, o: {tool: 10s}", "a.w", "failures"),
        ("w: {tool: 10s, retry: {chance: 20%, at_most: 2}}", "a.w", "attempts"),
        ("w: {chance: 20%, tool: 10s}", "a.w", "done"),
    ],
)
def test_an_event_counts_as_often_as_it_happens(declare: Declare, inside: str, path: str, key: str) -> None:
    """The completion time is 10 s times the number of events, plus a constant: the number explains all of it.

    Attempts that are not made are drawn too. They add as much variance as those that are made, so half is explained.
    """
    steps = f"  a: {{for_each: 50, crew: one, steps: {{{inside}}}}}"
    one = of(sensitivity(declare(steps, PLAIN + "crews: {one: {agents: 1}}"), samples=1024), path, key)
    assert one.swing > 0
    if key == "attempts":
        assert one.share_error is not None
        assert one.share == pytest.approx(0.5, abs=4 * one.share_error)
    else:
        assert one.share == pytest.approx(1, abs=1e-9)


def test_nothing_varies(declare: Declare, golden: Golden) -> None:
    found = sensitivity(declare("  a: {tool: 10s}"), samples=100)
    assert found.drivers == ()
    golden(dice_text(found))


def test_crews_are_named_by_their_sizes(declare: Declare, golden: Golden) -> None:
    crews = "crews: {migrators: {agents: 6}, reviewers: {agents: 3}}"
    steps = "  a: {for_each: 9, crew: migrators, tool: 1s to 9s}\n  b: {for_each: 9, crew: reviewers, tool: 1s to 9s}"
    found = sensitivity(declare(steps, crews), samples=100)
    golden(dice_text(found))
    assert "\nPlanned: at most 1 agent, model plain" in dice_text(
        sensitivity(declare("  a: {tool: 1s to 9s}"), samples=100)
    )


def test_what_a_forecast_notes_of_times_is_noted(declare: Declare) -> None:
    """Requests of 900 to 1,200 tokens, of which some exceed 1,000; a crew without a step."""
    header = "models: {m: {ttft: 1s, output_speed: 50, context: 1000}}\nmodel: m\ncrews: {idle: {agents: 2}}"
    workflow = declare("  a: {llm: {input: 500, output: 400 to 700}}", header)
    notes = [note for note in forecast(workflow, samples=100).notes if note.code not in ("no-price", "not-converged")]
    assert [note.code for note in notes] == ["unused-crew", "no-prefill-speed", "over-context"]
    assert [note for note in sensitivity(workflow, samples=100).notes if note.code != "not-converged"] == notes


def test_too_few_samples_are_refused(declare: Declare) -> None:
    with pytest.raises(InputError, match="at least 50"):
        sensitivity(declare(TWO), samples=49)


# The command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["sensitivity", *map(str, arguments)])


@pytest.mark.parametrize("name", ["fix_bugs", "deep_research", "draft_review_approve", "react_bugfix", "patience"])
def test_the_text_fits_80_columns_and_25_lines(name: str) -> None:
    file = ROOT / "workflows" / f"{name}.yaml"
    shown = run(file, "--samples", 200)
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 25
    assert re.search("Get right first: |No estimate has to be exact", shown.stdout)
    dice = run(file, "--samples", 200, "--dice")
    lines = dice.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 25
    assert re.search("Chance acts most through |No random draw moves", dice.stdout)


def test_json_and_csv_are_as_documented() -> None:
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    file = ROOT / "workflows" / "fix_bugs.yaml"
    data = json.loads(run(file, "--samples", 100, "--json").stdout)
    effect = data["estimates"][0]
    named = {*data, *data["drivers"][0], *effect, *effect["low"], *data["precision"], *data["seconds"]}
    assert [key for key in sorted(named) if f"`{key}`" not in page] == []
    assert data["first"] == effect
    dice = json.loads(run(file, "--samples", 100, "--json", "--dice").stdout)
    assert (dice["off"], dice["first"], dice["estimates"]) == (None, None, [])
    assert dice["drivers"] == data["drivers"]
    for options, rows in (((), data["estimates"]), (("--dice",), data["drivers"])):
        text = run(file, "--samples", 100, "--csv", *options).stdout
        assert f"\n{text.splitlines()[0]}\n" in page
        assert len(list(csv.DictReader(io.StringIO(text)))) == len(rows)


@pytest.mark.parametrize(
    "options",
    [
        ("--samples", 10),
        ("--speed", "1x,2x"),
        ("--agents", "1,2"),
        ("--json", "--csv"),
        ("--speed", "quick"),
        ("--off", "1x"),
        ("--off", "20x"),
        ("--off", "2x", "--dice"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_bad_options_are_refused(options: tuple[object, ...], golden: Golden) -> None:
    result = run(ROOT / "workflows" / "fix_bugs.yaml", *options)
    assert result.exit_code == 2
    golden(result.stderr)
    assert result.stdout == ""
