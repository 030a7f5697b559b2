"""The catalogue: every number has a source, a date and a kind; the user's file; prices; the command."""

import csv
import json
import math
import re
import statistics
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from planner.catalogue import Catalogue, builtin_files
from planner.catalogue.builtin_files import listed_price
from planner.catalogue.catalogue import STALE
from planner.catalogue.declaration import KINDS, NUMBERS
from planner.catalogue.listing import effective_speed
from planner.catalogue.profile import SpeedFactor
from planner.catalogue.user_file import find_user_file
from planner.cli.app import app
from planner.errors import InputError
from planner.reading import Curve, Estimate
from planner.reading.estimates.estimate import Z95, empirical
from planner.reading.units import RATE
from planner.workflow import read_workflow
from tests.conftest import Golden

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / "workflows"
DATA = Path(builtin_files.__file__).parent / "data"

REQUIRED = {
    "claude-opus-4-6-fast": (6.0, 1.17, 2.5),
    "claude-opus-4-8-fast": (2.0, 1.17, 2.5),
    "claude-opus-5-fast": (2.0, 1.17, 2.5),
    "claude-opus-5-5-fast": (2.0, 1.17, 2.5),
    "claude-fable-5-2-fast": (2.0, 1.17, 2.5),
    "gpt-5.5-fast-may-2026": (2.5, 1.5, 1.5),
    "gpt-5.5-fast": (2.5, 1.5, 1.5),
    "gpt-5.6-sol-fast": (2.0, 1.17, 2.5),
    "gpt-6.1-sol-fast": (2.0, 1.17, 2.5),
    "gpt-6-astra-fast": (2.0, 1.17, 2.5),
    "gpt-6-astra-ultrafast": (6.0, 3.7, 8.0),
    "gpt-6.1-sol-ultrafast": (6.0, 3.7, 8.0),
}
"""Tiers: how many times the price of the standard tier, and from how many to how many times its speed."""

CHEAPER = {
    "claude-fable-5-2-batch": 0.5,
    "claude-opus-5-5-batch": 0.5,
    "claude-sonnet-5-5-batch": 0.5,
    "claude-haiku-5-5-batch": 0.5,
    "gpt-6.1-sol-flex": 0.5,
    "gpt-6.1-sol-batch": 0.5,
    "gpt-6-astra-flex": 0.5,
    "gpt-6-astra-batch": 0.5,
    "gpt-5.6-sol-flex": 0.5,
    "gpt-5.6-sol-batch": 0.5,
    "gemini-3.8-flash-flex": 0.5,
    "gemini-3.8-flash-batch": 0.5,
    "gemini-3.8-flash-priority": 2.0,
}
"""Tiers of the same speed, with their price relative to the standard tier."""

SPEEDS = {
    "gemini-3.5-flash": (73, 289),
    "glm-5.1-highspeed": (400, 400),
    "groq-llama-4-scout": (460, 460),
    "groq-gpt-oss-120b": (476, 500),
    "cerebras-llama-70b": (1800, 1800),
    "cerebras-gpt-oss-120b": (3000, 3000),
    "gpt-4o": (150, 150),
    "claude-3-5-sonnet": (120, 120),
    "gemini-1.5-flash": (180, 180),
    "a100-llama-2-70b": (80, 80),
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(today=TODAY)


def median(catalogue: Catalogue, name: str) -> float:
    return effective_speed(catalogue.profile(name).at(1))(0.5)


def first_token(catalogue: Catalogue, name: str, at: int = 1) -> float:
    ttft = catalogue.profile(name).at(at).ttft
    assert isinstance(ttft, Estimate)
    return ttft.quantile(0.5)


def curve(catalogue: Catalogue, name: str) -> tuple[tuple[int, float], ...]:
    speed = catalogue.profile(name).output_speed
    assert isinstance(speed, Curve)
    return speed.points


@pytest.mark.parametrize("name", builtin_files.names())
def test_every_number_has_a_source_a_date_and_a_kind(name: str, catalogue: Catalogue) -> None:
    profile = catalogue.profile(name)
    declared = catalogue.declared[name]
    facts = catalogue.facts(name)
    assert declared.provider
    assert declared.note
    assert declared.available in ("general", "limited", "retired")
    assert "available" in facts
    assert {key for key in NUMBERS if getattr(declared, key) is not None} <= facts.keys()
    for key, fact in facts.items():
        assert fact.source, key
        assert fact.as_of is not None, key
        assert date(2023, 1, 1) <= fact.as_of <= TODAY, key
        if key != "available":
            assert fact.kind in KINDS, key
        if fact.kind == "estimate":
            assert fact.conditions, f"{key} does not say what it is estimated from"
    assert 0.001 <= first_token(catalogue, name) < 30
    assert 10 <= median(catalogue, name) <= 5000
    if profile.price is not None and profile.price.per_hour is None:
        assert 0 < profile.price.input <= profile.price.output <= 1000


def test_every_source_is_there_and_used() -> None:
    files = [yaml.load(builtin_files.text(name), yaml.BaseLoader) for name in builtin_files.FILES]
    named = {
        value["source"]
        for file in files
        for entry in file["profiles"].values()
        for value in entry.values()
        if isinstance(value, dict) and "source" in value
    }
    sources = yaml.load(builtin_files.text("sources"), yaml.BaseLoader)["sources"]
    assert named | {"prices"} == set(sources)


def test_reading_profiles_one_by_one_reads_all_of_each_file() -> None:
    whole: dict[str, dict[str, object]] = {}
    for name in builtin_files.FILES:
        whole |= yaml.load(builtin_files.text(name), yaml.BaseLoader)["profiles"]
    assert list(whole) == list(builtin_files.names())
    for name in builtin_files.names():
        entry = builtin_files.entry(name)
        assert entry is not None
        assert entry.keys() == whole[name].keys()
    assert {path.stem for path in DATA.glob("*.yaml")} == {*builtin_files.FILES, "sources", "prices"}


@pytest.mark.parametrize(("name", "times"), REQUIRED.items())
def test_a_tier_costs_and_speeds_as_it_is_sold(
    name: str, times: tuple[float, float, float], catalogue: Catalogue
) -> None:
    tier, base = catalogue.profile(name), catalogue.profile(catalogue.declared[name].based_on or "")
    speed = catalogue.declared[name].speed
    assert tier.price is not None
    assert base.price is not None
    assert speed is not None
    assert float(tier.price.output / base.price.output) == times[0]
    assert float(tier.price.input / base.price.input) == times[0]
    assert (speed.quantile(0.05), speed.quantile(0.95)) == pytest.approx(times[1:])
    assert median(catalogue, name) / median(catalogue, base.name) == pytest.approx(math.sqrt(times[1] * times[2]))
    assert tier.ttft == base.ttft
    assert tier.root == base.root


@pytest.mark.parametrize(("name", "times"), CHEAPER.items())
def test_a_tier_that_waits_costs_less_and_says_that_it_waits(name: str, times: float, catalogue: Catalogue) -> None:
    tier, base = catalogue.profile(name), catalogue.profile(catalogue.declared[name].based_on or "")
    assert tier.price is not None
    assert base.price is not None
    for key in ("input", "output", "cache_read", "cache_write"):
        price = getattr(base.price, key)
        assert getattr(tier.price, key) == (None if price is None else price * Decimal(times)), key
    assert (tier.ttft, tier.output_speed, tier.factors) == (base.ttft, base.output_speed, ())
    (said,) = (one for one in catalogue.caveats(name) if "under this condition" in one)
    assert "in the plan" in said


def test_a_prompt_can_be_cached_for_an_hour(catalogue: Catalogue) -> None:
    for base in ("claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-2"):
        short, long = catalogue.profile(base), catalogue.profile(f"{base}-cache-1h")
        assert (short.cache_ttl, long.cache_ttl) == (300, 3600)
        assert short.price is not None
        assert long.price is not None
        assert long.price.cache_write == 2 * short.price.input
        assert short.price.cache_write == Decimal("1.25") * short.price.input
        assert (long.price.input, long.price.output, long.price.cache_read) == (
            short.price.input, short.price.output, short.price.cache_read,
        )  # fmt: skip


def test_a_subscription_is_slower_than_the_api_and_has_no_price_per_token(catalogue: Catalogue) -> None:
    for tier in ("", "-fast"):
        api, subscription = f"gpt-5.6-sol{tier}", f"gpt-5.6-sol-subscription{tier}"
        assert median(catalogue, subscription) < 0.5 * median(catalogue, api)
        assert catalogue.profile(subscription).price is None
        assert catalogue.profile(subscription).root == "gpt-5.6-sol-subscription"
    speed = catalogue.declared["gpt-5.6-sol-subscription-fast"].speed
    assert speed is not None
    assert (speed.quantile(0.05), speed.quantile(0.95)) == pytest.approx((1.17, 1.75))


def test_a_speed_in_the_list_includes_random_factors(catalogue: Catalogue) -> None:
    """A product of lognormals is one; otherwise its quantiles are those of a grid, within a percent of the exact ones."""
    base, fast = catalogue.profile("claude-opus-5-5"), catalogue.profile("claude-opus-5-5-fast")
    speed, own, factor = (effective_speed(base), base.output_speed, fast.factors[0].estimate)
    assert isinstance(own, Estimate)
    sigma = math.hypot(own.sigma, factor.sigma)
    assert effective_speed(fast)(0.95) == pytest.approx(own.scale * factor.scale * math.exp(Z95 * sigma))
    assert speed(0.95) == pytest.approx(138)
    uniform = empirical([(index + 0.5) / 1000 for index in range(1000)], RATE, "")  # U(0, 1), and the product of two
    product = effective_speed(replace(base, output_speed=uniform, factors=(SpeedFactor("f", uniform),)))
    for x in (0.1, 0.3, 0.6):
        assert product(x * (1 - math.log(x))) == pytest.approx(x, abs=0.01)


@pytest.mark.parametrize(("name", "bounds"), SPEEDS.items())
def test_a_claimed_speed_is_as_claimed(name: str, bounds: tuple[float, float], catalogue: Catalogue) -> None:
    speed = catalogue.profile(name).output_speed
    assert isinstance(speed, Estimate)
    assert (speed.quantile(0.05), speed.quantile(0.95)) == pytest.approx(bounds)


def test_groq_is_three_to_four_times_an_h100(catalogue: Catalogue) -> None:
    speed = catalogue.profile("h100-llama-4-scout").output_speed
    assert isinstance(speed, Estimate)
    assert 460 / speed.quantile(0.05) == pytest.approx(4, rel=0.01)
    assert 460 / speed.quantile(0.95) == pytest.approx(3, rel=0.01)


def test_groq_in_2024_is_as_its_requests_were(catalogue: Catalogue) -> None:
    """Time per token without the first one's wait, which `ttft` has already. 24 of its 150 requests."""
    path = Path(__file__).resolve().parents[1] / "data" / "benchmarks" / "llmperf_groq_70b_individual.json"
    requests = json.loads(path.read_text(encoding="utf-8"))
    each = [(one["end_to_end_latency_s"] - one["ttft_s"]) / (one["number_output_tokens"] - 1) for one in requests]
    assert median(catalogue, "groq-llama-2-70b") == pytest.approx(1 / statistics.median(each), rel=0.05)
    assert first_token(catalogue, "groq-llama-2-70b") == pytest.approx(
        statistics.median(one["ttft_s"] for one in requests), rel=0.05
    )


def test_opus_is_as_the_example_declares_it(catalogue: Catalogue) -> None:
    declared = read_workflow(WORKFLOWS / "port_codebase.yaml").models["claude-opus-4-8"]
    known = catalogue.declared["claude-opus-4-8"]
    for key in ("ttft", "prefill_speed", "output_speed", "price", "cache_ttl", "context"):
        assert getattr(known, key) == getattr(declared, key), key


def test_the_measured_servers_slow_down_with_concurrency_and_gain_by_gpus(catalogue: Catalogue) -> None:
    assert median(catalogue, "h200x1-8b-1k") == 239.07
    many = catalogue.profile("h200x2-70b-1k").at(32).output_speed
    assert isinstance(many, Estimate)
    assert many.scale == pytest.approx(46.48)
    measured = {
        f"h200x{gpus}-{shape}-{context}" for gpus in (1, 2, 4) for shape in ("8b", "70b") for context in ("1k", "8k")
    }
    assert measured == {name for name in builtin_files.names() if name.startswith("h200")}
    for name in measured:
        profile = catalogue.profile(name)
        speeds = [profile.at(n).output_speed for n in (1, 4, 16, 32)]
        numbers = [speed.quantile(0.5) for speed in speeds if isinstance(speed, Estimate)]
        assert numbers == sorted(numbers, reverse=True)
        assert profile.price is not None
        assert profile.price.per_hour == 4 * int(name[5])
    assert median(catalogue, "h200x4-70b-8k") / median(catalogue, "h200x2-70b-8k") == pytest.approx(1.74, rel=0.01)


def test_engines_have_the_speeds_that_their_sources_give(catalogue: Catalogue) -> None:
    measured = csv.DictReader((ROOT / "benchmarks" / "data" / "serving.csv").read_text().splitlines())
    rows = [row for row in measured if row["model"] == "zai-org/GLM-5-FP8"]
    for name, length in (("glm-5-vllm-1k", "1024"), ("glm-5-vllm-8k", "8192")):
        points = {
            int(row["concurrency"]): float(row["tokens_per_second"]) for row in rows if row["input_tokens"] == length
        }
        assert dict(curve(catalogue, name)) == pytest.approx(points, rel=1e-3)
        profile = catalogue.profile(name)
        assert profile.measured_output == {float(row["output_tokens"]) for row in rows}.pop()
        assert profile.prefill_speed is not None
        reading = float(length) / profile.prefill_speed.quantile(0.5)
        waits = {int(row["concurrency"]): float(row["ttft_seconds"]) for row in rows if row["input_tokens"] == length}
        assert {at: first_token(catalogue, name, at) + reading for at in waits} == pytest.approx(waits, rel=1e-3)
    milliseconds = {  # per output token, as published
        "glm-5-sglang-h200": {1: 6.97, 100: 36.52},
        "llama-70b-tensorrt-llm-h100": {1: 18.58, 5: 21.83, 25: 38.75, 50: 59.73, 100: 92.91},
        "nemotron-nano-30b-vllm-b200": {
            1: 2.91, 8: 3.96, 16: 4.32, 32: 7.86, 64: 6.74, 128: 8.91, 256: 11.77, 512: 15.46, 1024: 15.46,
        },
    }  # fmt: skip
    for name, points in milliseconds.items():
        assert dict(curve(catalogue, name)) == pytest.approx({n: 1000 / ms for n, ms in points.items()}, rel=1e-3)


def test_an_engine_that_serves_one_request_at_a_time_shares_its_speed(catalogue: Catalogue) -> None:
    for name, alone in (("glm-5-tilert-b200", 500), ("deepseek-v4-flash-ds4-spark", 16.8)):
        shared = catalogue.profile(name).at(4).output_speed
        assert isinstance(shared, Estimate)
        assert shared.scale == pytest.approx(alone / 4)
    facts = catalogue.facts("glm-5-tilert-b200")["output_speed"]
    assert (facts.kind, facts.up_to) == ("vendor claim", True)


def test_self_hosted_engines_have_a_price_per_hour_and_say_under_which_conditions_they_are_fast(
    catalogue: Catalogue,
) -> None:
    for name in builtin_files.names():
        profile, facts = catalogue.profile(name), catalogue.facts(name)
        if isinstance(profile.output_speed, Curve):
            assert profile.price is not None
            assert profile.price.per_hour
            assert facts["price"].conditions
            assert facts["output_speed"].conditions
            assert sum(" for: " in one and "output speed" in one for one in catalogue.caveats(name)) == 1


def test_a_claim_without_conditions_says_so(catalogue: Catalogue, golden: Golden) -> None:
    for name in ("glm-5.1-highspeed", "groq-llama-4-scout", "gpt-4o", "a100-llama-2-70b", "cerebras-gpt-oss-120b"):
        assert any("claim without conditions" in one for one in catalogue.caveats(name)), name
    for name in sorted(REQUIRED.keys() - {"gpt-5.5-fast", "gpt-5.5-fast-may-2026"}):
        (said,) = (one for one in catalogue.caveats(name) if "up to " in one)
        golden(said, name)
    assert not any("claim" in one for one in catalogue.caveats("gpt-5.5"))


def test_a_tier_is_retired_on_its_last_day(golden: Golden) -> None:
    before, after = Catalogue.load(today=date(2026, 11, 29)), Catalogue.load(today=date(2026, 11, 30))
    name = "claude-opus-4-8-fast"
    assert before.available(name) == "general"
    assert any("until 2026-11-30" in one for one in before.caveats(name))
    assert after.available(name) == after.profile(name).available == "retired"
    golden(after.caveats(name))


def test_a_number_grows_old() -> None:
    assert not Catalogue.load(today=TODAY).stale("gpt-6-astra-ultrafast")
    later = Catalogue.load(today=date(2027, 6, 1))
    assert all((fact.age(later.today) or 0) > STALE for fact in later.stale("gpt-6-astra-ultrafast"))
    assert {fact.key for fact in later.stale("gpt-6-astra-ultrafast")} >= {"ttft", "price", "speed"}


OWN = """
sources:
  mine: {title: Our own test, as_of: 2026-11-01}
profiles:
  claude-opus-4-8:
    price: {input: 4, output: 20}
    output_speed: {value: 90, source: mine, kind: measured, conditions: 8 requests at a time}
  claude-opus-5-fast:
    output_speed: 200
  house-llama:
    available: limited
    ttft: {value: 300ms, source: a stopwatch, as_of: 2026-10-01, kind: measured}
    output_speed: {1: 100, 16: 50}
    price: {table: groq/openai/gpt-oss-120b}
"""


def own(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "catalogue.yaml"
    path.write_text(text, encoding="utf-8")
    return Catalogue.load(path, today=TODAY)


def test_a_users_file_overrides_and_extends(tmp_path: Path) -> None:
    found = own(tmp_path, OWN)
    opus = found.profile("claude-opus-4-8")
    assert opus.price is not None
    assert opus.price.input == 4
    assert float(opus.price.cache_read or 0) == 0.5  # as in the catalogue: the file does not say otherwise
    assert first_token(found, "claude-opus-4-8") == 0.87
    assert median(found, "claude-opus-4-8") == 90
    fact = found.facts("claude-opus-4-8")["output_speed"]
    assert (fact.source, fact.as_of, fact.kind) == ("Our own test", date(2026, 11, 1), "measured")
    assert found.facts("claude-opus-4-8")["price"].source.endswith("catalogue.yaml")
    assert median(found, "claude-opus-4-8-fast") == pytest.approx(90 * math.sqrt(1.17 * 2.5))
    assert median(found, "claude-opus-5-fast") == 200
    assert "speed" not in found.facts("claude-opus-5-fast")
    llama = found.facts("house-llama")
    assert (llama["ttft"].source, llama["ttft"].as_of) == ("a stopwatch", date(2026, 10, 1))
    assert llama["price"].text == "input 0.15, output 0.6, cache_read 0.075"
    assert found.available("house-llama") == "limited"
    assert "house-llama" in found.names


def test_all_problems_of_a_users_file_are_told_with_their_places(tmp_path: Path, golden: Golden) -> None:
    text = """
sources: {mine: {title: Our own}}
profile: {}
profiles:
  one: {ttft: {value: 3, source: mine}, output_speed: 60, price: {table: anthropic/claude-opus-4-9}}
  two: {ttft: {source: mine, kind: guess}, output_sped: 60, based_on: claude-opus-4.8}
  claude-opus-4-8: {based_on: claude-opus-4-8-fast}
  three: {ttft: 1s}
"""
    with pytest.raises(InputError) as error:
        own(tmp_path, text)
    places = [(problem.position.line if problem.position else 0, problem.code) for problem in error.value.problems]
    assert places == [
        (2, "missing-key"),
        (3, "unknown-key"),
        (5, "bad-value"),
        (5, "bad-value"),
        (6, "missing-key"),
        (6, "bad-value"),
        (6, "unknown-key"),
        (6, "unknown-model"),
        (7, "bad-profile"),
        (8, "bad-profile"),
    ]
    golden(error.value)


@pytest.mark.parametrize("text", ["", "[]", "profiles: 3", "profiles: {a: 3}", "models: {}"])
def test_what_is_no_catalogue_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        own(tmp_path, text)


def test_where_a_users_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLANNER_CATALOGUE", raising=False)
    assert find_user_file(None, tmp_path) is None
    (tmp_path / "catalogue.yaml").touch()
    assert find_user_file(None, tmp_path) == tmp_path / "catalogue.yaml"
    monkeypatch.setenv("PLANNER_CATALOGUE", "other.yaml")
    assert find_user_file(None, tmp_path) == Path("other.yaml")
    assert find_user_file(Path("named.yaml"), tmp_path) == Path("named.yaml")


def test_the_table_of_prices_is_what_the_library_says() -> None:
    pytest.importorskip("genai_prices")
    from planner.catalogue import _prices

    assert _prices.TABLE.read_text(encoding="utf-8") == _prices.table(), "run python -m planner.catalogue._prices"


def test_the_table_has_the_prices_of_later_days() -> None:
    """Google doubles the price of Gemini 3.8 Flash, and of its batches, on 1 January 2027."""
    for tier, price in (("standard", 0.75), ("batch", 0.375)):
        listed = listed_price({"table": "google/gemini-3.8-flash", "tier": tier})
        assert float(listed.price["input"]) == price
        ((day, later),) = listed.later
        assert day == date(2027, 1, 1)
        assert float(later["input"]) == 2 * price
    assert listed_price({"table": "openai/gpt-5.5"}).later == ()


def input_price(catalogue: Catalogue, name: str) -> float:
    price = catalogue.profile(name).price
    assert price is not None
    return float(price.input)


def test_a_price_holds_from_its_day() -> None:
    name, tier = "gemini-3.8-flash", "gemini-3.8-flash-flex"
    before, after = (Catalogue.load(today=date(*day)) for day in ((2026, 12, 31), (2027, 1, 1)))
    assert (input_price(before, name), input_price(after, name)) == (0.75, 1.5)
    assert (input_price(before, tier), input_price(after, tier)) == (0.375, 0.75)
    assert [one for one in before.caveats(tier) if "changes on 2027-01-01" in one]
    assert not [one for one in after.caveats(tier) if "changes on" in one]
    now, then = before.facts(name)["price"], after.facts(name)["price"]
    assert (now.holds_from, now.holds_until) == (None, date(2027, 1, 1))
    assert (then.holds_from, then.holds_until) == (date(2027, 1, 1), None)
    assert [other.text for other in now.others] == [then.text]
    assert [other.text for other in then.others] == [now.text]


def test_a_profile_is_sold_from_its_day() -> None:
    early, later = (Catalogue.load(today=date(2026, 11, day)) for day in (8, 9))
    for name in ("claude-fable-5-2", "claude-fable-5-2-fast"):
        assert (early.available(name), later.available(name)) == ("limited", "general")
        assert [one for one in early.caveats(name) if one == f"{name} is sold from 2026-11-09 on"]
        assert [one for one in early.caveats(name) if f"the price of {name} holds from 2026-11-09 on" in one]
        assert not [one for one in later.caveats(name) if "2026-11-09" in one]
    assert input_price(early, "claude-fable-5-2") == input_price(later, "claude-fable-5-2") == 8


DATED = """
profiles:
  claude-opus-4-8:
    price:
      - {input: 4, output: 20}
      - {value: {input: 3, output: 15}, holds_from: 2026-11-15, source: our contract, kind: vendor claim}
      - {value: {table: anthropic/claude-opus-4-8, tier: fast}, holds_from: 2027-01-01}
  gemini-3.8-flash:
    price: {value: {input: 1, output: 4}, holds_until: 2026-12-01}
"""


def test_a_users_prices_hold_from_their_days(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(DATED, encoding="utf-8")
    days = [date(2026, 11, 14), date(2026, 11, 15), date(2026, 12, 31), date(2027, 1, 1)]
    catalogues = [Catalogue.load(path, today=day) for day in days]
    assert [input_price(each, "claude-opus-4-8") for each in catalogues] == [4, 3, 3, 10]
    facts = [each.facts("claude-opus-4-8")["price"] for each in catalogues]
    assert [fact.source == "our contract" for fact in facts] == [False, True, True, False]
    assert [len(fact.others) for fact in facts] == [2, 2, 2, 2]
    assert [input_price(each, "gemini-3.8-flash") for each in catalogues] == [1, 1, 1, 1]
    ended = [any("held until 2026-12-01" in one for one in each.caveats("gemini-3.8-flash")) for each in catalogues]
    assert ended == [False, False, True, True]


def test_mistakes_in_a_list_of_prices_have_their_places(tmp_path: Path, golden: Golden) -> None:
    text = """
profiles:
  claude-opus-4-8:
    price:
      - {input: -4, output: 20}
      - {value: {input: 3, outptu: 15}, holds_from: 2026-11-15}
      - {value: {table: anthropic/claude-opus-4-8, tier: fats}, holds_from: 2026-10-01}
      - {value: {input: 3, output: 15}, holds_from: tomorrow}
      - {holds_from: 2027-01-01}
  claude-opus-5: {price: [], ttft: {value: 1s, holds_from: 2026-11-15}}
"""
    with pytest.raises(InputError) as error:
        own(tmp_path, text)
    places = {(problem.position.line if problem.position else 0, problem.code) for problem in error.value.problems}
    assert places == {
        (5, "bad-value"), (6, "unknown-key"), (7, "bad-value"), (8, "bad-value"),
        (9, "missing-key"), (9, "bad-value"), (10, "bad-value"), (10, "unknown-key"),
    }  # fmt: skip
    golden(error.value)


def test_only_standard_prices_rise_with_the_prompt() -> None:
    """The table has the length for the standard tier: providers do not raise the price of a fast tier once more."""
    assert listed_price({"table": "openai/gpt-5.5"}).above == 272_000
    assert listed_price({"table": "openai/gpt-5.5", "tier": "fast"}).above is None


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *arguments])
    return result.exit_code, result.output


def test_models_are_listed_sorted_and_chosen() -> None:
    code, text = run()
    assert code == 0
    assert all(len(line) <= 80 for line in text.splitlines())
    assert all(name in text for name in (*REQUIRED, *SPEEDS))
    _, text = run("--sort", "speed", "--available", "general", "--min-speed", "400")
    names = [line.split()[0] for line in text.split("\n\n")[0].splitlines()[1:]]
    assert names[0] == "cerebras-gpt-oss-120b"
    assert "glm-5.1-highspeed" not in names
    data = json.loads(run("--json", "--sort", "price", "--max-price", "0.7")[1])["models"]
    assert all(row["output"] <= 0.7 for row in data if row["per_hour"] is None)
    assert run("--sort", "colour")[0] == 2
    assert run("--available", "soon")[0] == 2
    assert "No profile" in run("--min-speed", "100000")[1]
    shown = {line.split()[0]: line for line in run()[1].splitlines() if line}
    assert " 46.8 at 4 " in shown["glm-5-vllm-1k"]
    assert " 239 at 1 " in shown["h200x1-8b-1k"]
    listed = {row["name"] for row in json.loads(run("--json", "--min-speed", "118")[1])["models"]}
    assert "h100-llama-4-scout" not in listed  # 115 to 153
    assert "claude-3-5-sonnet" in listed  # 120


def test_a_model_is_shown_with_every_source() -> None:
    code, text = run("claude-opus-4-8-fast")
    assert code == 0
    assert all(len(line) <= 80 for line in text.splitlines())
    for part in (
        "speed: 1.17x to 2.5x",
        "(of claude-opus-4-8)",
        "vendor claim",
        "as of 2026-10-30",
        "until 2026-11-30",
    ):
        assert part in text
    data = json.loads(run("claude-opus-4-8-fast", "--json")[1])
    assert data["facts"]["price"]["as_of"] == "2026-11-03"


@pytest.mark.parametrize("name", builtin_files.names())
def test_each_model_fits_80_columns(name: str, catalogue: Catalogue) -> None:
    from planner.report import model_text

    for line in model_text(catalogue, name).splitlines():
        assert len(line) <= 80 or "https://" in line


def test_a_misspelt_name_is_met_with_the_nearest(golden: Golden) -> None:
    code, text = run("claude-opus-4-8-fats")
    assert code == 2
    golden(text)
    plan = ["forecast", str(WORKFLOWS / "react_bugfix.yaml"), "--model", "nope"]
    golden(CliRunner().invoke(app, plan).output)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("gpt4o", ["gpt-4o"]),
        ("GPT-4O", ["gpt-4o"]),
        ("gpt-oss", ["groq-gpt-oss-120b", "cerebras-gpt-oss-120b"]),
        ("vllm", ["glm-5-vllm-1k", "glm-5-vllm-8k", "nemotron-nano-30b-vllm-b200"]),
        ("xyzzy", ["planner models"]),
    ],
)
def test_a_part_of_a_name_is_met_with_the_names_that_have_it(asked: str, meant: list[str]) -> None:
    help_ = run(asked)[1].partition("help: ")[2]
    assert re.findall(r"'(.*?)'", " ".join(help_.split())) == meant


def test_the_command_takes_a_users_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(OWN, encoding="utf-8")
    assert "house-llama" in run("--catalogue", str(path))[1]
    assert "a stopwatch" in run("house-llama", "--catalogue", str(path))[1]
    assert "a stopwatch" in run("--catalogue", str(path), "house-llama")[1]
    monkeypatch.chdir(tmp_path)
    assert "house-llama" in run()[1]
    path.write_text("profiles: {x: {ttft: 3}}", encoding="utf-8")
    code, text = run()
    assert code == 2
    golden(text)
