"""Text in, checked values with positions out: quantities, estimates, YAML, profiles, parameters; and what fuzzing finds."""

from __future__ import annotations

import contextlib
import math
import re
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.catalogue import JITTER, Price, Profile, resolve
from planner.errors import InputError, Position
from planner.expansion import in_order
from planner.reading import (
    DURATION,
    LN20,
    NOTHING,
    RATE,
    TOKENS,
    TURNS,
    Z95,
    BadValueError,
    Declared,
    Estimate,
    ProfileDeclaration,
    Quantity,
    count_of,
    parse_estimate,
    parse_yaml,
    units,
)
from planner.reading.profiles import PriceDeclaration
from planner.reading.yaml.parse import resolve_scalar
from planner.workflow import Step, Workflow, read_workflow
from planner.workflow.bodies import ESTIMATE_KEYS
from tests.conftest import Golden

ROOT = Path(__file__).resolve().parents[2]
VALID = [
    re.sub(r"\A(#.*\n)+", "", path.read_text(encoding="utf-8"))
    for path in sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "tests" / "cases").glob("*.yaml")])
]
"""Without the comments that they begin with, which are longer than the workflows."""
CODES = {
    line.removeprefix("## ").strip()
    for line in (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("## ")
}


# Quantities.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("500ms", 0.5), ("5min", 300), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("2h05", 7500), ("10h00", 36000),
        ("1h 30min 5s", 5405), ("0.5s", 0.5), (".5 s", 0.5), ("1.5e2s", 150), ("2 sec", 2), ("1_000s", 1000),
        (0, 0), (0.0, 0), ("0", 0), ("0s", 0), (" 5s ", 5), ("5 min", 300), ("2 h 30 min", 9000), ("10 s", 10),
    ],
)  # fmt: skip
def test_a_time_carries_its_unit(text: Any, seconds: float) -> None:
    assert units.duration(text) == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (900, 900), ("900", 900), ("12k", 12_000), ("12K", 12_000), ("1.5M", 1_500_000), ("12_000", 12_000), (1.5, 1.5),
        ("2 k tokens", 2_000), ("1.5 M", 1_500_000), ("7 tok", 7), ("1 token", 1), ("0", 0),
    ],
)  # fmt: skip
def test_tokens_take_thousands_and_millions(text: Any, tokens: float) -> None:
    assert units.tokens(text) == pytest.approx(tokens, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "rate"), [(60, 60), ("60", 60), ("1.2k", 1200), ("60 tok/s", 60), ("60 tokens/s", 60), ("60/s", 60)]
)
def test_speeds_are_tokens_per_second(text: Any, rate: float) -> None:
    assert units.rate(text) == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize(("text", "factor"), [("2.5x", 2.5), (2.5, 2.5), ("2.5", 2.5), ("3 ×", 3), (1_000_000, 1e6)])
def test_a_factor_may_end_in_x(text: Any, factor: float) -> None:
    assert units.factor(text) == factor


@pytest.mark.parametrize(
    ("text", "dollars"), [(5, "5"), (0.25, "0.25"), ("$5", "5"), ("$ 0.10", "0.10"), ("0.1", "0.1"), (0.1, "0.1")]
)
def test_money_is_exact(text: Any, dollars: str) -> None:
    assert units.money(text) == Decimal(dollars)


@pytest.mark.parametrize(
    "text", [40, "40", "$40", "40/h", "$40/h", "$ 40 / h", "40 $/h", "40/hr", "40/hour", "$40 per hour", " 40 /h "]
)
def test_money_per_hour_may_say_so(text: Any) -> None:
    assert units.money_per_hour(text) == 40
    assert PriceDeclaration.model_validate({"per_hour": text}).per_hour == 40


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (units.duration, 5),
        (units.duration, "5"),
        (units.duration, "5k"),
        (units.duration, "5M"),
        (units.duration, "5 MIN"),
        (units.duration, "5s later"),
        (units.duration, "12:30"),
        (units.duration, "s"),
        (units.duration, ""),
        (units.duration, None),
        (units.duration, True),
        (units.duration, -5),
        (units.duration, "-5s"),
        (units.duration, math.nan),
        (units.duration, math.inf),
        (units.duration, "1e999s"),
        (units.tokens, "5s"),
        (units.tokens, "5m"),
        (units.tokens, "1.5 million"),
        (units.tokens, False),
        (units.tokens, "- 5"),
        (units.tokens, math.nan),
        (units.tokens, "1e308M"),
        (units.count, "12k"),
        (units.count, [1]),
        (units.rate, 0),
        (units.rate, "5 MB/s"),
        (units.factor, "0x"),
        (units.factor, 2e6),
        (units.factor, "twice"),
        (units.money, "5 EUR"),
        (units.money, "40/h"),
        (units.money, "3 per million"),
        (units.money_per_hour, "40/min"),
        (units.money_per_hour, "/h"),
        (units.money_per_hour, "-40/h"),
        (units.money_per_hour, "40/h/h"),
        (units.money, "$-3"),
        (units.money, -3),
        (units.money, "1e99"),
        (units.money, math.nan),
        (units.log_sd, 4),
        (units.log_sd, "20%"),
        (units.context, 0),
        (units.tokens, "9" * 200),
    ],
    ids=lambda value: str(getattr(value, "__name__", value))[:40],
)
def test_a_mistake_says_what_was_expected(parse: Callable[[Any], Any], value: Any, golden: Golden) -> None:
    with pytest.raises(BadValueError) as error:
        parse(value)
    golden(error.value)


def test_money_per_minute_is_told_per_hour() -> None:
    for value, hint in (
        ("0.5/min", "write $30/h"),
        ("$2 per minute", "write $120/h"),
        ("40/day", "write $5/h for a day of 8 hours, or $1.66667/h for one of 24 hours"),
    ):
        with pytest.raises(BadValueError) as error:
            units.money_per_hour(value)
        assert error.value.hint == hint


def test_a_time_without_unit_or_by_the_clock_is_told_how_to_write_it() -> None:
    for value, hint in ((90, "write 90s, 90min or 90h"), (0.5, "write 0.5s, 0.5min or 0.5h"), ("12:30", "write 12min30s or 12h30min")):  # fmt: skip
        with pytest.raises(BadValueError) as error:
            units.duration(value)
        assert error.value.hint == hint


@pytest.mark.parametrize(("value", "number"), [(1, 1), (3.0, 3), ("12_000", 12_000), (1e3, 1000)])
def test_whole_numbers(value: Any, number: int) -> None:
    assert units.whole(value, 1_000_000) == number


@pytest.mark.parametrize(
    ("value", "message"), [(0, "at least 1"), (2.5, "a whole number"), (11, "at most 10"), (-1, "not be negative")]
)
def test_what_is_no_whole_number(value: Any, message: str) -> None:
    with pytest.raises(BadValueError, match=message):
        units.whole(value, 10)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(1, 999))
def test_a_written_time_reads_as_its_seconds(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    text = f"{hours}h{minutes}min {seconds}s{milliseconds}ms"
    assert units.duration(text) == pytest.approx(3600 * hours + 60 * minutes + seconds + milliseconds / 1000, rel=1e-12)


@given(st.floats(0.001, 1e6))
def test_a_number_reads_as_itself_with_every_unit(number: float) -> None:
    assert units.duration(f"{number!r}s") == number
    assert units.tokens(f"{number!r}k") == pytest.approx(1000 * number, rel=1e-15)
    assert units.tokens(number) == units.count(f"{number!r}") == number
    assert units.rate(f"{number!r} tok/s") == number
    assert units.factor(f"{number!r}x") == number
    assert units.money(f"${number!r}") == Decimal(repr(number)) == units.money(number)


@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers())))
def test_a_parser_returns_a_good_number_or_says_what_is_wrong(value: Any) -> None:
    for parse in (units.duration, units.tokens, units.count, units.rate, units.factor, units.log_sd, units.context):
        try:
            number = parse(value)
        except BadValueError:
            continue
        assert math.isfinite(number)
        assert number >= 0
    with contextlib.suppress(BadValueError):
        assert 0 <= units.money(value) <= 1_000_000


# Estimates.


def percentile(estimate: Estimate, z: float) -> float:
    return estimate.scale * math.exp(z * estimate.sigma)


@given(st.floats(0.01, 1e4), st.floats(1.001, 1e3))
def test_a_range_runs_from_the_5th_to_the_95th_percentile(low: float, ratio: float) -> None:
    high = low * ratio
    estimate = parse_estimate(f"{low!r}s to {high!r}s", DURATION)
    assert estimate.shape == "lognormal"
    assert percentile(estimate, -Z95) == pytest.approx(low, rel=1e-9)
    assert percentile(estimate, Z95) == pytest.approx(high, rel=1e-9)


def test_the_example_of_the_model_page() -> None:
    estimate = parse_estimate("30s to 4min", DURATION)
    assert estimate.scale == pytest.approx(math.sqrt(30 * 240))
    assert estimate.sigma == pytest.approx(math.log(8) / (2 * 1.6448536269514722))
    assert str(estimate) == "30s to 4min"
    assert estimate.varies


@given(st.floats(0.01, 1e6))
def test_a_range_from_0_is_an_exponential_with_that_95th_percentile(high: float) -> None:
    estimate = parse_estimate(f"0 to {high!r}s", DURATION)
    assert (estimate.shape, estimate.least) == ("exponential", 0.0)
    assert 1 - math.exp(-high / estimate.scale) == pytest.approx(0.95)
    assert pytest.approx(math.log(20)) == LN20


@given(st.integers(1, 10**6), st.floats(1.01, 100))
def test_percentiles_are_those_of_a_lognormal(p50: int, ratio: float) -> None:
    p95 = math.ceil(p50 * ratio) + 1
    estimate = parse_estimate({"p50": p50, "p95": p95}, TOKENS)
    assert estimate.scale == p50
    assert percentile(estimate, Z95) == pytest.approx(p95, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "number"),
    [(900, 900), ("12k", 12_000), (1.4, 1), (1.5, 2), (2.5, 3), (0.4, 1), (0, 0), ("0", 0), ("0.0001k", 1)],
)
def test_counts_round_half_up_to_at_least_1_unless_0_is_written(value: Any, number: float) -> None:
    estimate = parse_estimate(value, TOKENS)
    assert (estimate.shape, estimate.scale, estimate.least, estimate.whole) == ("constant", number, number, True)
    assert not estimate.varies


@pytest.mark.parametrize(
    ("value", "least"), [("0.2 to 0.4", 1), ("5 to 9", 1), ({"p50": 5, "p95": 9}, 1), ("0 to 9", 0)]
)
def test_draws_of_counts_are_at_least_1_unless_0_is_written(value: Any, least: float) -> None:
    estimate = parse_estimate(value, TOKENS)
    assert (estimate.least, estimate.whole) == (least, True)


@pytest.mark.parametrize("value", ["5s to 5s", {"p50": "5s", "p95": "5s"}, "5s", "0.0s to 0s", 0])
def test_a_range_without_width_is_exact(value: Any) -> None:
    estimate = parse_estimate(value, DURATION)
    assert (estimate.shape, estimate.sigma) == ("constant", 0)
    assert estimate.scale in (0, 5)


def test_a_time_is_not_rounded() -> None:
    assert parse_estimate("0.4s", DURATION) == Estimate("constant", 0.4, least=0.4, text="0.4s")


def test_the_widest_range_is_still_finite() -> None:
    estimate = parse_estimate("1e-300s to 366d", DURATION)
    assert math.isfinite(estimate.scale)
    assert math.isfinite(estimate.sigma)


def test_a_multiple_of_an_estimate_keeps_its_shape() -> None:
    estimate = parse_estimate("40 to 80", RATE)
    assert estimate.times(2.5).scale == 2.5 * estimate.scale
    assert estimate.times(2.5).sigma == estimate.sigma
    assert NOTHING.times(2.5).scale == 0


@pytest.mark.parametrize(
    ("value", "quantity", "at"),
    [
        ("90s to 20s", DURATION, ()),
        ("-5s to 20s", DURATION, ()),
        ("5 to 20s", DURATION, ()),
        ("5s to 10s to 20s", DURATION, ()),
        ("367d", DURATION, ()),
        ("1s to 367d", DURATION, ()),
        (True, DURATION, ()),
        (["5s"], DURATION, ()),
        (None, TOKENS, ()),
        ("5 to " + "9" * 200, TOKENS, ()),
        (2e9, TOKENS, ()),
        (0, TURNS, ()),
        ("0 to 5", TURNS, ()),
        (1001, TURNS, ()),
        ("0 to 5", RATE, ()),
        (0.0001, RATE, ()),
        ({"p50": 900, "p95": 500}, TOKENS, ("p95",)),
        ({"p50": 0, "p95": 500}, TOKENS, ("p50",)),
        ({"p50": "5s", "p95": 9}, DURATION, ("p95",)),
        ({"p50": {"p50": 1}, "p95": 9}, TOKENS, ("p50",)),
        ({"p50": 5}, TOKENS, ()),
        ({"p95": 5}, TOKENS, ()),
        ({}, TOKENS, ()),
        ({"p50": 5, "p95": 9, "max": 20}, TOKENS, ("max",)),
    ],
    ids=lambda value: str(getattr(value, "name", value))[:40],
)
def test_an_estimate_that_cannot_be_meant(
    value: Any, quantity: Quantity, at: tuple[str | int, ...], golden: Golden
) -> None:
    with pytest.raises(BadValueError) as error:
        parse_estimate(value, quantity)
    assert error.value.at == at
    golden(error.value)


# YAML 1.2.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("12:30", "12:30"), ("1_000", "1_000"),
        ("0o14", "0o14"), ("2026-11-21", "2026-11-21"), ("=", "="), ("<<", "<<"), ("nan", "nan"), ("inf", "inf"),
        ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("Null", None),
        ("12", 12), ("-7", -7), ("+7", 7), ("014", 14), ("0x1F", 31), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0),
        ("1e3", 1000.0), ("-1.5E-2", -0.015), (".inf", math.inf), ("-.INF", -math.inf), ("9" * 30, int("9" * 30)),
        ("9" * 400, math.inf),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    read = resolve_scalar(text)
    assert (read, type(read)) == (value, type(value))
    assert parse_yaml(f"a: {text}\n").data == {"a": value} or text == "<<"


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(parse_yaml("a: .nan").data["a"])


def test_quotes_make_text() -> None:
    assert parse_yaml("a: '5'\nb: \"null\"\n\"c d\": !!str 5\nd: |\n  5\n").data == {
        "a": "5", "b": "null", "c d": "5", "d": "5\n"
    }  # fmt: skip


def test_keys_are_text_as_written() -> None:
    assert parse_yaml("5: a\nnull: b\n1.50: c\n").data == {"5": "a", "null": "b", "1.50": "c"}


def test_anchors_stand_for_values_and_for_keys() -> None:
    text = "a: &x {b: &y [1, 2]}\nc: *x\nd: *y\n&k e: &v 5\nf: *v\ng: {*k : 6}\n"
    assert parse_yaml(text).data == {
        "a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": [1, 2], "e": 5, "f": 5, "g": {"e": 6}
    }  # fmt: skip
    assert parse_yaml("a: &x 1\nb: *x\nc: &x 2\nd: *x\n").data == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_merges_fill_in_what_is_not_given() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, y: 5}\nd: {<<: [*a, *b]}\ne: {y: 6, <<: *b, <<: *a}\n"
    data = parse_yaml(text).data
    assert data["c"] == {"x": 1, "y": 5}
    assert data["d"] == {"x": 1, "y": 2, "z": 4}
    assert data["e"] == {"x": 1, "y": 6, "z": 4}
    assert parse_yaml("'<<': 5\n").data == {"<<": 5}


def at(position: Position | None) -> tuple[int, int, int]:
    assert position is not None
    return position.line, position.column, position.width


def test_every_key_and_value_has_its_place() -> None:
    document = parse_yaml("a: 12 # twelve\nlist:\n  - one\n  - {b: 'two', c: }\ntext: |\n  more\n")
    assert at(document.key("a")) == (1, 1, 1)
    assert at(document.value("a")) == (1, 4, 2)
    assert at(document.value("list", 0)) == (3, 5, 3)
    assert at(document.key("list", 1, "b")) == (4, 6, 1)
    assert at(document.value("list", 1, "b")) == (4, 9, 5)
    assert at(document.value("list", 1)) == (4, 5, 1)
    assert at(document.nothing["list", 1, "c"]) == (4, 16, 1)
    assert at(document.value("text")) == (5, 7, 1)
    assert at(document.value()) == (1, 1, 1)
    position = document.value("a")
    assert position is not None
    assert (position.text, str(position)) == ("a: 12 # twelve", "<text>:1:4")


def test_what_has_no_place_has_the_nearest_one_around_it() -> None:
    document = parse_yaml("a: {b: 1}\n")
    assert document.value("a", "c", "d") == document.value("a")
    assert document.key("a", "c") == document.value("a")
    assert document.value("z") == document.value()


def test_through_an_alias_the_place_is_the_alias() -> None:
    document = parse_yaml("a: &x {b: {c: 1}}\nd: *x\ne: {<<: *x, f: 2}\n")
    assert at(document.value("a", "b", "c")) == (1, 15, 1)
    assert at(document.value("d", "b", "c")) == at(document.value("d")) == (2, 4, 2)
    assert at(document.value("e", "b", "c")) == at(document.key("e", "b")) == (3, 9, 2)
    assert at(document.value("e", "f")) == (3, 16, 1)
    assert document.aliases[2, 4] == ((1, 4), (1, 18))


def test_columns_count_characters() -> None:
    document = parse_yaml("é日本😀: [ü, 5]\n")
    assert at(document.value("é日本😀", 1)) == (1, 11, 1)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text("ab: -#{}[]'\"\\\n\u00e9\u65e5")),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text("abc -", min_size=1), inner)),
    ),
    st.booleans(),
)
def test_what_pyyaml_writes_is_read_back(data: Any, flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    document = parse_yaml(text)
    assert document.data == data
    assert document.problems == []


# Profiles.


def speed_of(profile: Profile) -> Estimate:
    assert isinstance(profile.output_speed, Estimate)
    return profile.output_speed


def declare_profiles(profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, ProfileDeclaration]:
    return {name: ProfileDeclaration.model_validate(profile) for name, profile in profiles.items()}


BASE: dict[str, Any] = {
    "ttft": "1s", "prefill_speed": "5k", "output_speed": "60", "jitter": 0.1, "context": "200k",
    "price": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75}, "cache_ttl": "5min",
}  # fmt: skip


def test_a_profile_takes_what_it_leaves_out_from_its_base() -> None:
    profile = resolve("b", declare_profiles({"a": BASE, "b": {"based_on": "a", "ttft": "2s"}}))
    assert (profile.name, profile.root) == ("b", "a")
    assert isinstance(profile.ttft, Estimate)
    assert profile.ttft.scale == 2
    assert speed_of(profile).scale == 60
    assert profile.prefill_speed is not None
    assert profile.prefill_speed.scale == 5000
    assert (profile.jitter, profile.context, profile.cache_ttl, profile.caches) == (0.1, 200_000, 300, True)
    assert profile.price == Price(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))


def test_factors_multiply_along_a_chain() -> None:
    chain: dict[str, dict[str, Any]] = {
        "a": BASE,
        "b": {"based_on": "a", "speed": "2x", "price_multiplier": 2},
        "c": {"based_on": "b"},
        "d": {"based_on": "c", "speed": 2.5, "price_multiplier": "1.5x"},
    }
    profile = resolve("d", declare_profiles(chain))
    assert speed_of(profile).scale == 60 * 2 * 2.5
    assert profile.price == Price(Decimal(9), Decimal(45), Decimal("0.9"), Decimal("11.25"))
    assert profile.root == "a"
    assert speed_of(resolve("c", declare_profiles(chain))).scale == 120


def test_a_value_of_its_own_forgets_the_factors_below_it() -> None:
    chain: dict[str, dict[str, Any]] = {
        "a": BASE,
        "b": {"based_on": "a", "speed": "2x", "price_multiplier": 2},
        "c": {"based_on": "b", "output_speed": "40 to 80", "price": {"input": 1, "output": 4}},
        "d": {"based_on": "c", "speed": "3x", "price_multiplier": 3},
    }
    own, faster = (resolve(name, declare_profiles(chain)) for name in "cd")
    assert speed_of(own).scale == pytest.approx(math.sqrt(40 * 80))
    assert own.price == Price(Decimal(1), Decimal(4))
    assert speed_of(faster).scale == pytest.approx(3 * math.sqrt(40 * 80))
    assert speed_of(faster).sigma == speed_of(own).sigma
    assert faster.price == Price(Decimal(3), Decimal(12))


@pytest.mark.parametrize(
    ("profile", "caches", "ttl"),
    [
        ({}, False, math.inf),
        ({"price": {"input": 3, "output": 15}}, False, math.inf),
        ({"price": {"input": 3, "output": 15, "cache_read": 0}}, True, math.inf),
        ({"cache_ttl": "5min"}, True, 300),
        ({"cache_ttl": 0}, True, 0),
    ],
)
def test_a_cache_is_declared_by_its_time_or_its_price(profile: dict[str, Any], caches: bool, ttl: float) -> None:
    found = resolve("a", declare_profiles({"a": {"ttft": "1s", "output_speed": 60, **profile}}))
    assert (found.caches, found.cache_ttl) == (caches, ttl)


def test_what_no_profile_says_is_unknown() -> None:
    profile = resolve("a", declare_profiles({"a": {"ttft": 0, "output_speed": 60}}))
    assert (profile.prefill_speed, profile.price, profile.context, profile.jitter) == (None, None, None, JITTER)


def test_jitter_may_be_none_at_all() -> None:
    assert resolve("a", declare_profiles({"a": {"ttft": 0, "output_speed": 60, "jitter": 0}})).jitter == 0


# Parameters.


def write(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


SIZED = """
workflow: w
parameters: {modules: 3, team: 2, empty: }
crews: {engineers: {agents: team}}
steps:
  a: {for_each: modules, crew: engineers, repeat: {times: 2}, tool: 5s}
"""


def test_parameters_take_the_values_that_are_set(tmp_path: Path) -> None:
    path = write(tmp_path, SIZED)
    workflow = read_workflow(path, {"modules": 240, "team": 3.0, "empty": 0.5})
    step = workflow.steps["a"]
    assert step.for_each is not None
    assert step.for_each.count == "modules"
    assert workflow.count("modules") == 240
    assert workflow.count(workflow.crews["engineers"].agents) == 3
    assert workflow.count(2) == 2
    assert workflow.parameters == {"modules": 240, "team": 3, "empty": 0.5}


def test_values_that_are_set_are_checked_like_those_of_the_file(tmp_path: Path, golden: Golden) -> None:
    path = write(tmp_path, SIZED)
    for name, value in (("modules", 0.0), ("modules", 2.5), ("team", 1e6), ("modules", math.inf), ("modules", -1.0)):
        with pytest.raises(InputError) as error:
            read_workflow(path, {"empty": 1, name: value})
        (problem,) = error.value.problems
        golden(problem.message, f"{name} {value}")


def test_only_declared_parameters_can_be_set(tmp_path: Path, golden: Golden) -> None:
    with pytest.raises(InputError) as error:
        read_workflow(write(tmp_path, SIZED), {"moduls": 5})
    golden(error.value)
    with pytest.raises(InputError) as error:
        read_workflow(write(tmp_path, "workflow: w\nsteps: {a: {tool: 5s}}\n"), {"modules": 5})
    (problem,) = error.value.problems
    assert problem.position is None
    golden(problem)


def test_models_that_are_known_elsewhere_need_no_declaration(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "workflow: w\nmodel: fast\nmodels: {fast: {based_on: opus, speed: 2x, price_multiplier: 2}}\n"
        "steps: {a: {model: opus, llm: {output: 5}}, b: {llm: {output: 5}}}\n",
    )
    assert read_workflow(path, known_models=["opus"]).model == "fast"
    with pytest.raises(InputError) as error:
        read_workflow(path, known_models=["opos"])
    assert [problem.hint for problem in error.value.problems] == ["did you mean 'opos'?"] * 2


def test_a_workflow_knows_where_it_stands(tmp_path: Path) -> None:
    workflow = read_workflow(write(tmp_path, "workflow: w\nsteps:\n  a: {steps: {b: {tool: 5s}}}\n"))
    assert at(workflow.place("steps", "a", "steps", "b", "tool")) == (3, 25, 2)
    assert [path for path, _ in workflow.walk()] == [("a",), ("a", "b")]


# Fuzzing: whatever the text, it is read or refused with problems that have a place.

SOON = timedelta(seconds=5)
"""Deadline of one example; most take milliseconds, and nothing may take superlinear time."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the files that those of tests/cases name."""
    made = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(ROOT / "tests" / "cases" / "data", made / "data")
    return made


def check(folder: Path, text: str) -> None:
    """The text is read as a workflow that can be planned, or refused."""
    path = folder / "plan.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        workflow = read_workflow(path)
    except InputError as error:
        check_problems(error, path, text)
    else:
        check_workflow(workflow)


def check_problems(error: InputError, path: Path, text: str) -> None:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert error.problems
    assert len(set(error.problems)) == len(error.problems)
    for problem in error.problems:
        position = problem.position
        assert problem.code in CODES
        assert position is not None
        assert position.file == str(path)
        assert "YAML parser" not in (problem.hint or ""), "its words, which are not for users"
        if problem.code not in ("not-utf-8", "unreadable"):
            assert position.text == lines[position.line - 1]
            assert 1 <= position.column <= len(position.text) + 1
            assert position.width >= 1
    shown = str(error)
    assert all(character in "\n\t" or character.isprintable() for character in shown)
    assert max(map(len, shown.splitlines())) < 1_200


def check_workflow(workflow: Workflow) -> None:
    """What planning relies on."""
    used = {step.model for _, step in workflow.walk()} | {workflow.model}
    for name in used - {None}:
        resolve(str(name), workflow.models)
    for crew in workflow.crews.values():
        assert workflow.count(crew.agents) >= 1
    check_steps(workflow.steps, workflow, workflow.parameters)


def check_steps(steps: Mapping[str, Step], workflow: Workflow, parameters: Mapping[str, float]) -> None:
    """A group of `workflow`, or of a file that it uses, which has parameters of its own."""
    assert steps
    assert sorted(in_order(steps)) == sorted(steps)
    values = {**parameters, "agents": 1.0}
    for step in steps.values():
        assert step.kind
        if step.for_each is not None and not isinstance(step.for_each.count, Estimate):
            assert count_of(step.for_each.count, values) >= 1
        rounds = step.repeat.most if step.repeat else None
        attempts = step.retry.at_most if step.retry else None
        for count in (rounds, attempts, step.best_of, step.first_of):
            assert count is None or count_of(count, values) >= 1
        assert step.crew is None or step.crew in {*workflow.crews, "lead"}
        if step.within:
            check_steps(step.within, workflow, step.used.parameters if step.used else parameters)


TOKENS_OF_YAML = st.sampled_from(
    [
        ": ", ":", "\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", ", ", "'", '"', "#", " #", "|", ">", "&a ", "*a", "<<: *a",
        "? ", "!!str ", "!x ", "%", "---\n", "...\n", "\t", "\\", "@", "`", "~", "null", "true", "no", "12:30", ".nan", ".inf",
        "-1", "0", "1e400", "5s", "1s to 5s", "9s to 5s", "{p50: 1s, p95: 2s}", "= 9 / agents", "= ", "{values: [", "{by_model: {", "{low: 1, likely: 2, high: 3}", "\r", "\u2028", "\x85", "\x00", "\ufeff", "日",
        "workflow", "steps", "needs", "llm", "tool", "for_each", "models", "crews", "output", "based_on",
        "repeat", "retry", "timeout", "best_of", "first_of", "success", "otherwise", "choose", "chance", "use", "continues",
        "leaves", "calls", "usd", "lockstep", "conflict", "sync", "merge", "stagger", "uncertainty", "by_model", "other", "agents",
        "0s", "1e-300s", "366d", "0%", "50%", "100%", "1 to 3", "0 to 3", "= agents - 1", "= 1 / agents", "= 1 to agents",
        "data/rounds.yaml", "data/four.csv", "plan.yaml",
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=SOON)
@given(text=st.lists(st.one_of(TOKENS_OF_YAML, st.text(max_size=5)), max_size=40).map("".join))
@example(text="---\n#")
def test_any_text_is_read_or_refused(folder: Path, text: str) -> None:
    check(folder, text)


PAIRS = st.sampled_from(
    [
        "repeat: {times: 2}", "repeat: {until: 50%, at_most: 2}", "repeat: {times: = agents}", "retry: {chance: 50%, at_most: 2}",
        "retry: {timeout: 1s, at_most: 2, wait: 1s}", "best_of: 2", "first_of: 2", "success: 50%", "chance: 50%", "hold: false",
        "for_each: 2", "for_each: 1 to 3", "for_each: {count: = agents, size: 0.5x to 2x}", "for_each: {values: [1, 3]}",
        "for_each: {file: data/four.csv, size: points}", "for_each: {file: data/chained.csv, needs: after, id: item}",
        "for_each: {file: data/four.csv, column: points}", "use: {file: data/rounds.yaml, parameters: {rounds: 2}}",
        "use: data/helpers.yaml", "use: plan.yaml", "choose: {x: {chance: 50%, tool: 1s}, y: {chance: 50%, tool: 2s}}",
        "steps: {x: {success: 50%, otherwise: y, tool: 1s}, y: {tool: 2s}}", "needs: x", "otherwise: x", "continues: x",
        "llm: {output: {by_model: {plain: 5, other: 9}}}", "agent: {turns: 2, output: = 10 * agents, tool: 1s}",
        "tool: {time: 1s, calls: 1 to 3, usd: 0.1}", "human: {time: 5s, leaves: {after: 1s, back: 9s}}", "time: = 9s / agents",
        "output: = 24k / agents to 48k / agents", "output: {low: 1, likely: 2, high: 9}", "output: {values: [1, 5]}",
        "lockstep: true", "stagger: 1s", "sync: {output: 5, every: 2}", "merge: 1s", "conflict: {chance: 50%, rework: 50%}",
        "price: {input: 1, output: 5}", "cache_ttl: 5min", "based_on: plain", "model: plain", "crew: engineers",
    ]
)  # fmt: skip
"""Of a mapping: what a step, a body or a crew may have."""


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A valid file with some of its characters, words and lines deleted, doubled, replaced or moved."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        where = draw(st.integers(0, max(0, len(text) - 1)))
        length = draw(st.integers(0, 12))
        lines = text.split("\n")
        line, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match draw(
            st.sampled_from(["delete", "double", "replace", "drop line", "double line", "move line", "indent", "pair"])
        ):
            case "delete":
                text = text[:where] + text[where + length :]
            case "double":
                text = text[: where + length] + text[where:]
            case "replace":
                text = text[:where] + draw(TOKENS_OF_YAML) + text[where + length :]
            case "drop line":
                text = "\n".join(lines[:line] + lines[line + 1 :])
            case "double line":
                text = "\n".join([*lines[: line + 1], *lines[line:]])
            case "move line":
                lines.insert(other, lines.pop(line))
                text = "\n".join(lines)
            case "indent":
                lines[line] = draw(st.sampled_from(["", " ", "  ", "    ", "\t"])) + lines[line].lstrip()
                text = "\n".join(lines)
            case "pair":
                braces = [index for index, character in enumerate(text) if character == "{"] or [where]
                brace = draw(st.sampled_from(braces)) + 1
                text = f"{text[:brace]}{draw(PAIRS)}, {text[brace:]}"
    return text


@settings(max_examples=200, deadline=SOON)
@given(text=mutations())
def test_any_mutation_of_a_valid_file_is_read_or_refused(folder: Path, text: str) -> None:
    check(folder, text)


def keys_of(declaration: type[Declared]) -> set[str]:
    """All keys of the language."""
    return set(declaration.model_fields).union(*map(keys_of, declaration.__subclasses__()))


KEYS = sorted({*ESTIMATE_KEYS, *keys_of(Declared), "a", "b", "engineers", "m", "1", ""})
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 5), st.floats(), st.sampled_from([*KEYS, "5s", "1s to 5s", "12k", "$5", "2x", "= 60s / agents", "= a * 2", "= 24k", "50%", "plan.yaml", "data/rounds.yaml", "data/four.csv"])
)  # fmt: skip
SHAPES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=200, deadline=SOON)
@given(
    data=st.fixed_dictionaries(
        {"workflow": st.one_of(st.just("w"), SHAPES)},
        optional={
            "parameters": st.one_of(st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=3), SHAPES),
            "model": SCALARS,
            "models": st.one_of(st.dictionaries(st.sampled_from(KEYS), SHAPES, max_size=3), SHAPES),
            "crews": st.one_of(st.dictionaries(st.sampled_from(KEYS), SHAPES, max_size=3), SHAPES),
            "steps": st.one_of(st.dictionaries(st.sampled_from(KEYS), SHAPES, max_size=4), SHAPES),
        },
    )
)
def test_any_shape_of_data_is_read_or_refused(folder: Path, data: dict[str, Any]) -> None:
    check(folder, yaml.safe_dump(data, sort_keys=False))
