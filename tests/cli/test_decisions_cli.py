"""Options of `planner compare` that decisions are taken with, against numbers worked out by hand.

Four items of 1 + 9 / speed seconds and 0.45 USD, at twice the speed for twice the price: T(1x, 1) = 40 s, T(1x, 2) = 20 s,
T(2x, 1) = 22 s, T(2x, 2) = 11 s, for 1.80 USD and for 3.60 USD.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import app
from tests.conftest import Golden, amounts

FOUR = """\
workflow: four
model: plain
models: {plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0, price: {input: 0, output: 1000}}}
steps: {a: {for_each: 4, llm: {output: 450}}}
"""
GRID = ("--speed", "1x,2x", "--agents", "1,2", "--premium", "1", "--samples", "64")


@pytest.fixture
def four(tmp_path: Path) -> Path:
    file = tmp_path / "four.yaml"
    file.write_text(FOUR, encoding="utf-8")
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def decided(*arguments: object) -> Any:
    found = run(*arguments, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)["decisions"]


def said(*arguments: object) -> str:
    found = run(*arguments, "--all")
    assert found.exit_code == 0, found.output
    return found.stdout


def value(interval: Any) -> float:
    """Of an interval of no width."""
    assert interval["low"] == pytest.approx(interval["value"]) == pytest.approx(interval["high"])
    return float(interval["value"])


def test_a_value_of_time_chooses(four: Path, golden: Golden) -> None:
    """3 × 120 USD an hour are 0.10 USD a second: four agents at 1x take 10 s for 1.80 USD. No other scenario is better."""
    options = (four, *GRID, "--value-of-time", "$120", "--waiting", 3)
    found = decided(*options)
    assert found["waiting"] == 3
    (pays,) = found["break_evens"]
    assert (pays["speed"], pays["agents"], pays["pays"]) == (2.0, 1, "from")
    assert value(pays["usd_per_hour"]) == pytest.approx(1.80 / (3 * 18) * 3600)
    assert decided(four, *GRID, "--value-of-time", "120/h", "--waiting", 3) == found
    text = said(*options)
    golden(text)
    assert amounts(text) >= {"$120", "2x"}


def test_without_options_nothing_is_said_of_them(four: Path) -> None:
    found = decided(four, *GRID)
    assert (found["setup"], found["payback"], found["waiting"]) == (None, [], 1)
    (pays,) = [one for one in found["break_evens"] if one["agents"] == 1]
    assert value(pays["usd_per_hour"]) == pytest.approx(360)
    text = said(*(four, *GRID))
    assert "waiting" not in text
    assert "Setup" not in text


def test_a_setup_pays_back_after_so_many_runs(four: Path, golden: Golden) -> None:
    """Two agents save 20 s and no dollar; at 0.10 USD a second that is 2 USD of the 5 + 2 that 60 s and 5 USD are."""
    options = (four, *GRID, "--setup", "1min,$5", "--runs", 200, "--value-of-time", 120, "--waiting", 3)
    found = decided(*options)
    assert found["setup"] == {"seconds": 60, "usd": 5, "runs": 200}
    (two,) = [one for one in found["payback"] if one["scenario"]["agents"] == 2 and one["scenario"]["speed"] == 1]
    assert two["time"] == {"runs": 3, "low": 3, "high": 3}
    assert two["usd"] == {"runs": None, "low": None, "high": None}
    assert two["value"] == {"runs": 4, "low": 4, "high": 4}
    assert value(two["seconds_saved"]) == pytest.approx(200 * 20 - 60)
    assert value(two["usd_saved"]) == pytest.approx(-5)
    assert amounts(golden(said(*options))) >= {"$5.00", "1h39", "1min"}


def test_a_setup_alone_has_no_value(four: Path, golden: Golden) -> None:
    """Two agents at 2x save 29 s for 1.80 USD more."""
    options = (four, *GRID, "--setup", "2min")
    (quickest,) = [
        one for one in decided(*options)["payback"] if one["scenario"]["agents"] == 2 == one["scenario"]["speed"]
    ]
    assert quickest["time"]["runs"] == 5
    assert (quickest["value"], quickest["seconds_saved"]) == (None, None)
    assert amounts(golden(said(*options))) >= {"2min", "2x"}


def test_every_number_of_agents_is_tried_where_that_is_asked_for(four: Path, golden: Golden) -> None:
    """40, 20, 20 and 10 s: without coordination four agents are tried anyway."""
    few, every = decided(four, *GRID), decided(four, *GRID, "--every-n")
    assert (few["exchange"]["tried"], few["exchange"]["every"]) == ([1, 2, 4], False)
    assert (every["exchange"]["tried"], every["exchange"]["every"]) == ([1, 2, 3, 4], True)
    (rate,) = every["exchange"]["agents_for_speed"]
    assert (rate["speed"], rate["needed"], rate["surely"], value(rate["difference"])) == (2, 2, 2, -2)
    matched = [(one["agents"], one["speed"]) for one in every["exchange"]["speed_for_agents"]]
    assert matched == [(2, None), (3, None), (4, None)]
    text = said(four, *GRID, "--every-n")
    golden(text)
    assert amounts(text) >= {"10.0s", "40.0s"}


def test_no_sample_accepted_does_not_mean_never(four: Path, golden: Golden) -> None:
    """Of 0 in 20 samples Wilson's interval goes to 1.96² / (20 + 1.96²) = 16 %; nothing follows for another chance."""
    four.write_text(FOUR.replace("output: 450}", "output: 450}, success: 0.001%"), encoding="utf-8")
    text = said(four, "--speed", "1x,2x", "--agents", "1,2", "--samples", "20")
    golden(text)
    assert amounts(text) >= {"0%", "16%"}
    assert "20% less often" not in text


def test_numbers_beyond_the_widest_fan_out_were_not_all_tried(four: Path, golden: Golden) -> None:
    text = said(four, "--speed", "1x,2x", "--agents", "1,8", "--samples", "64", "--every-n")
    golden(text)


@pytest.mark.parametrize(
    "options",
    [
        ("--value-of-time", "-1"),
        ("--value-of-time", "nan"),
        ("--value-of-time", "inf"),
        ("--value-of-time", "3h"),
        ("--waiting", "0"),
        ("--waiting", "-2"),
        ("--waiting", "nan"),
        ("--waiting", "inf"),
        ("--waiting", "2 people"),
        ("--setup", "5"),
        ("--setup", "-2h"),
        ("--setup", "2h,3h"),
        ("--setup", "2h,$nan"),
        ("--runs", "200"),
        ("--setup", "2h", "--runs", "1.5"),
        ("--setup", "2h", "--runs", "0"),
        ("--setup", "5", "--runs", "inf", "--waiting", "-1", "--value-of-time", "x", "--speed", "0", "--max-time", "5"),
    ], ids=" ".join,
)  # fmt: skip
def test_bad_values_are_refused_all_at_once(four: Path, options: tuple[str, ...], golden: Golden) -> None:
    found = run(four, *options)
    assert found.exit_code == 2
    assert found.stdout == ""
    golden(found.stderr)
