"""Estimates beyond ranges: triangles, values, columns of files, by model; and counts that are computed or estimated."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError
from planner.reading import (
    DURATION,
    SIZE,
    TOKENS,
    TURNS,
    BadValueError,
    Estimate,
    FileContext,
    bind,
    count_of,
    parse_count,
    parse_estimate,
    parse_item_count,
)
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.forms import MOST_VALUES, UnboundEstimate
from planner.workflow import AgentLoop, Llm, Workflow, read_workflow
from tests.conftest import Golden

Declare = Callable[..., Workflow]

MODELS = "models: {m: {ttft: 1s, output_speed: 50}, fast: {based_on: m, speed: 2x}}\nmodel: m\n"


# Triangles.


def test_a_triangle_has_the_moments_and_quantiles_of_a_triangle() -> None:
    estimate = parse_estimate({"low": "2s", "likely": "5s", "high": "20s"}, DURATION)
    assert (estimate.shape, estimate.points, estimate.whole, estimate.least) == ("triangular", (2, 5, 20), False, 0)
    assert estimate.mean == estimate.scale == pytest.approx(9)
    assert estimate.varies
    assert str(estimate) == "low 2s, likely 5s, high 20s"
    assert [estimate.quantile(p) for p in (0, 1)] == pytest.approx([2, 20])
    assert estimate.quantile(3 / 18) == pytest.approx(5)  # the share below the mode is (5 − 2) / (20 − 2)
    assert estimate.quantile(0.5) == pytest.approx(20 - math.sqrt(0.5 * 18 * 15))


@given(st.floats(0.1, 100), st.floats(0, 100), st.floats(0, 100), st.floats(0.001, 0.999))
def test_the_quantile_of_a_triangle_inverts_its_distribution(low: float, up: float, more: float, p: float) -> None:
    estimate = parse_estimate({"low": low, "likely": low + up, "high": low + up + more + 1}, TOKENS)
    a, c, b = estimate.points
    x = estimate.quantile(p)
    share = (x - a) ** 2 / ((b - a) * (c - a)) if x < c else 1 - (b - x) ** 2 / ((b - a) * (b - c))
    assert a <= x <= b
    assert share == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize(("low", "least"), [(0, 0), (0.2, 1), (3, 1)])
def test_draws_of_a_triangle_of_counts_are_at_least_1_unless_0_is_written(low: float, least: float) -> None:
    estimate = parse_estimate({"low": low, "likely": 5, "high": "1.5k"}, TOKENS)
    assert (estimate.points, estimate.least, estimate.whole) == ((low, 5, 1500), least, True)


def test_a_triangle_may_have_its_mode_at_an_end_and_needs_a_width() -> None:
    assert parse_estimate({"low": 2, "likely": 2, "high": 8}, TOKENS).quantile(0.75) == pytest.approx(5)
    assert parse_estimate({"low": 2, "likely": 8, "high": 8}, TOKENS).quantile(0.25) == pytest.approx(5)
    assert parse_estimate({"high": 8, "likely": 8, "low": 8}, TOKENS) == parse_estimate(8, TOKENS)


# Values.


def test_values_are_equally_likely() -> None:
    estimate = parse_estimate({"values": [8, 3, "1.5k", 3]}, TOKENS)
    assert (estimate.shape, estimate.points, estimate.least) == ("empirical", (3, 3, 8, 1500), 1)
    assert estimate.mean == pytest.approx(1514 / 4)
    assert [estimate.quantile(p) for p in (0, 0.49, 0.5, 0.74, 0.75, 1)] == [3, 3, 8, 8, 1500, 1500]
    assert str(estimate) == "one of 8, 3, 1.5k, 3"
    assert str(parse_estimate({"values": list(range(9))}, TOKENS)) == "one of 0, 1, 2, 3, 4, …"


def test_values_of_counts_are_rounded_as_plain_numbers_are() -> None:
    estimate = parse_estimate({"values": [0, 0.3, 2.5]}, TOKENS)
    assert (estimate.points, estimate.least) == ((0, 1, 3), 0)
    assert parse_estimate({"values": ["0.3s", "2.5s"]}, DURATION).points == (0.3, 2.5)


def test_values_that_are_all_equal_are_known_exactly() -> None:
    for values in ([5], [5, 5.0], [4.6, 5.4]):
        estimate = parse_estimate({"values": values}, TOKENS)
        assert (estimate.shape, estimate.scale, estimate.varies) == ("constant", 5, False)


def test_there_may_be_10_000_values_and_no_more() -> None:
    assert len(parse_estimate({"values": list(range(MOST_VALUES))}, TOKENS).points) == MOST_VALUES
    with pytest.raises(BadValueError, match="expected at most 10,000 values, not 10,001") as error:
        parse_estimate({"values": list(range(MOST_VALUES + 1))}, TOKENS)
    assert error.value.at == ("values",)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_a_uniform_number_draws_each_value_equally_often(values: list[int]) -> None:
    estimate = parse_estimate({"values": values}, TOKENS)
    n = len(values)
    if estimate.varies:
        assert sorted(estimate.quantile((index + 0.5) / n) for index in range(n)) == sorted(values)
        assert estimate.mean == pytest.approx(sum(values) / n)


# Quantiles and multiples of every shape.


@pytest.mark.parametrize(
    "value", ["5s", "5s to 50s", "0s to 9s", {"p50": "5s", "p95": "9s"}, {"low": "1s", "likely": "2s", "high": "9s"}, {"values": ["1s", "7s", "9s"]}]
)  # fmt: skip
def test_quantiles_rise_and_give_the_mean(value: Any) -> None:
    estimate = parse_estimate(value, DURATION)
    steps = 20_000
    numbers = [estimate.quantile((index + 0.5) / steps) for index in range(steps)]
    assert numbers == sorted(numbers)
    assert sum(numbers) / steps == pytest.approx(estimate.mean, rel=2e-3)
    assert [estimate.times(3).quantile(p) for p in (0.1, 0.5, 0.9)] == pytest.approx(
        [3 * estimate.quantile(p) for p in (0.1, 0.5, 0.9)]
    )
    assert estimate.times(3).mean == pytest.approx(3 * estimate.mean)


def test_quantiles_of_ranges_are_the_bounds() -> None:
    assert parse_estimate("5s to 50s", DURATION).quantile(0.05) == pytest.approx(5)
    assert parse_estimate("5s to 50s", DURATION).quantile(0.95) == pytest.approx(50)
    assert parse_estimate("0s to 50s", DURATION).quantile(0.95) == pytest.approx(50)
    assert [parse_estimate("5s to 50s", DURATION).quantile(p) for p in (0.0, 1.0)] == [0, math.inf]


# Columns of files.


def in_folder(folder: Path, text: str, name: str = "turns.csv") -> FileContext:
    (folder / name).write_text(text, encoding="utf-8")
    return FileContext(folder)


def test_a_column_of_a_file_gives_the_values(tmp_path: Path) -> None:
    around = in_folder(tmp_path, '\ufeffid, turns ,"note"\n1,3,\n\n2, 8 ,"a, b\nc"\n3,"5",x\n')
    estimate = parse_estimate({"file": "turns.csv", "column": "turns"}, TURNS, around)
    assert (estimate.shape, estimate.points) == ("empirical", (3, 5, 8))
    assert str(estimate) == "turns of turns.csv"


def test_cells_have_units_as_values_in_a_workflow_have(tmp_path: Path) -> None:
    around = in_folder(tmp_path, "time,tokens\n30s,1.5k\n2min,900\n")
    assert parse_estimate({"file": "turns.csv", "column": "time"}, DURATION, around).points == (30, 120)
    assert parse_estimate({"file": "turns.csv", "column": "tokens"}, TOKENS, around).points == (900, 1500)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", "file"),
        ("turns\n\n , \n", "file"),
        ("turns\nmany\n", "column"),
        ('turns\n"1\n"\n3\n4000\n', "column"),
        ("id,turns\n1,2\n2\n", "column"),
        ("id\n1\n", "column"),
        ("turns\n" + "5\n" * (MOST_VALUES + 1), "file"),
        ("turns\n" + "5" * 1_000_000, "file"),
        ("turns\n" + "5" * 200_000 + "\n", "file"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_file_without_such_values(text: str, at: str, tmp_path: Path, golden: Golden) -> None:
    with pytest.raises(BadValueError) as error:
        parse_estimate({"file": "turns.csv", "column": "turns"}, TURNS, in_folder(tmp_path, text))
    assert error.value.at == (at,)
    golden(error.value)


@pytest.mark.parametrize("name", ["", "no/such.csv", "x" * 5000, "nul\0byte", ".", None, 5, ["a"]])
def test_a_file_that_cannot_be_read(name: Any, tmp_path: Path) -> None:
    for around in (FileContext(tmp_path), FileContext(tmp_path, tables={})):
        with pytest.raises(BadValueError) as error:
            parse_estimate({"file": name, "column": "turns"}, TURNS, around)
        assert error.value.at == ("file",)


def test_files_are_looked_for_in_the_folder_of_the_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    in_folder(folder, "turns\n3\n9\n")
    path = folder / "plan.yaml"
    path.write_text(
        f"workflow: w\n{MODELS}steps:\n  a: {{agent: {{turns: {{file: turns.csv, column: turns}}, output: 5}}}}\n"
    )
    for where, named in ((tmp_path, Path("here/plan.yaml")), (folder, Path("plan.yaml"))):
        monkeypatch.chdir(where)
        agent = read_workflow(named).steps["a"].agent
        assert agent is not None
        assert agent.turns.points == (3, 9)


# By model.


def test_an_estimate_by_model_is_settled_by_the_model() -> None:
    estimate = parse_estimate({"by_model": {"m": 900, "fast": "= 24k / agents", "other": "1k to 2k"}}, TOKENS)
    assert isinstance(estimate, UnboundEstimate)
    assert estimate.shape == "unbound"
    assert math.isnan(estimate.scale)
    assert estimate.bind({}, "m") == replace(parse_estimate(900, TOKENS), own=True)  # of the model's own tokens
    assert estimate.bind({"agents": 4}, "fast").scale == 6000
    for model in ("third", None):
        assert estimate.bind({}, model) == replace(parse_estimate("1k to 2k", TOKENS), own=True)
    with pytest.raises(ValueError, match="not bound"):
        estimate.times(2)
    with pytest.raises(ValueError, match="not bound"):
        estimate.quantile(0.5)


@pytest.mark.parametrize("model", ["n", None])
def test_a_model_that_is_not_listed(model: str | None, golden: Golden) -> None:
    with pytest.raises(BadValueError) as error:
        parse_estimate({"by_model": {"m": 900}}, TOKENS).bind({}, model)
    golden(error.value)


def test_models_that_are_known_elsewhere_may_be_listed(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("workflow: w\nmodel: opus\nsteps: {a: {llm: {output: {by_model: {opus: 5}}}}}\n")
    assert read_workflow(path, known_models=["opus"]).model == "opus"
    with pytest.raises(InputError, match="unknown model 'opus'"):
        read_workflow(path)


# Settling declarations.


def test_a_declaration_without_anything_open_settles_to_itself(declare: Declare) -> None:
    workflow = declare("  a: {agent: {turns: 5, output: 5, tool: {time: 5s to 9s}}}")
    step = workflow.steps["a"]
    assert bind(step, {"agents": 3}, "m") is step


def test_settling_goes_into_declarations_and_leaves_the_rest(declare: Declare) -> None:
    header = f"{MODELS}parameters: {{modules: 40}}"
    workflow = declare("  a: {agent: {turns: 5, output: = modules * 10, tool: {time: = 60s / agents}}}", header)
    agent = workflow.steps["a"].agent
    assert agent is not None
    found = bind(agent, {**workflow.parameters, "agents": 4}, "m")
    assert isinstance(found, AgentLoop)
    assert found.tool is not None
    assert (found.output.scale, found.tool.time.scale) == (400, 15)
    assert found.turns is agent.turns


def test_what_cannot_be_settled_is_told_with_its_text(declare: Declare, golden: Golden) -> None:
    llm = declare("  a: {llm: {output: '= 24k / max(5 - agents, 0.5)'}}").steps["a"].llm
    assert isinstance(llm, Llm)
    assert bind(llm, {"agents": 9}, None).output.scale == 48_000
    with pytest.raises(InputError) as error:
        bind(llm, {}, None)
    golden(error.value)
    llm = declare("  a: {llm: {output: = 24k - agents * 1k}}").steps["a"].llm
    assert llm is not None
    with pytest.raises(InputError) as error:
        bind(llm, {"agents": 25}, None)
    golden(error.value)


# Counts.


def test_a_count_is_a_number_a_name_or_arithmetic() -> None:
    values = {"modules": 40.0, "agents": 4.0}
    for value, number in ((5, 5), ("5", 5), ("modules", 40), ("= modules / 4", 10), ("= ceil(modules / 3)", 14), ("= 7", 7)):  # fmt: skip
        assert count_of(parse_count(value, 100), values) == number
    assert count_of(parse_count("= 0.1 * 3 * 10", 100), values) == 3, "not 3 to the bit"
    assert str(parse_count("=  modules/4", 100)) == "= modules/4"


@pytest.mark.parametrize(
    "value",
    [
        "= modules / 3",
        "= modules - 40",
        "= modules * 3",
        "= 1 / (modules - 40)",
        "moduls",
        "= moduls",
    ],
)
def test_a_count_that_does_not_come_out(value: str, golden: Golden) -> None:
    with pytest.raises(BadValueError) as error:
        count_of(parse_count(value, 100), {"modules": 40.0})
    golden(error.value)


def test_a_number_of_items_may_be_estimated() -> None:
    exact: list[tuple[Any, Any]] = [
        (5, 5),
        ("120", 120),
        ("5 to 5", 5),
        ({"values": [7, 7]}, 7),
        ("modules", "modules"),
    ]
    for value, number in exact:
        assert parse_item_count(value) == number
    for value, shape in (("80 to 150", "lognormal"), ({"p50": 80, "p95": 150}, "lognormal"), ({"low": 1, "likely": 2, "high": 9}, "triangular"), ({"values": [3, 5]}, "empirical"), ("= 80 / agents to 150", "unbound")):  # fmt: skip
        found = parse_item_count(value)
        assert isinstance(found, Estimate)
        assert (found.shape, found.whole) == (shape, True)
    assert isinstance(parse_item_count("= 80 / agents"), ComputedCount)


@pytest.mark.parametrize(
    "count", ["120", "modules", "= modules / 4", "80 to 150", "{p50: 80, p95: 150}", "{low: 1, likely: 2, high: 9}", "{values: [3, 5]}", "{file: items.csv, column: n}"]
)  # fmt: skip
def test_a_fan_out_takes_a_count_bare_or_under_its_key(count: str, declare: Declare, tmp_path: Path) -> None:
    in_folder(tmp_path, "n\n3\n9\n", "items.csv")
    workflow = declare(
        f"  a: {{for_each: {count}, tool: 5s}}\n  b: {{for_each: {{count: {count}, size: 0.5x to 2x}}, tool: 5s}}",
        "parameters: {modules: 40}",
    )
    bare, under = workflow.steps["a"].for_each, workflow.steps["b"].for_each
    assert bare is not None
    assert under is not None
    assert bare.count == under.count


def test_a_size_may_be_of_any_form() -> None:
    assert parse_estimate({"values": ["0.5x", 2]}, SIZE).mean == 1.25


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["p50", "p95", "low", "likely", "high", "values", "file", "column", "by_model", "other"]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=9,
    )
)
def test_any_shape_of_an_estimate_is_read_or_refused(value: Any) -> None:
    for quantity in (DURATION, TOKENS):
        try:
            estimate = parse_estimate(value, quantity)
        except BadValueError:
            continue
        if not isinstance(estimate, UnboundEstimate):
            levels = [estimate.quantile(random.Random(0).random()) for _ in range(3)]
            assert all(math.isfinite(level) and level >= 0 for level in levels)
            assert math.isfinite(estimate.mean)
