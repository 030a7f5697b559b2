"""The catalogue: every number has a source, a date and a kind; the user's file; prices; the command."""

import csv
import json
import re
import statistics
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from planner.catalogue import Catalogue, builtin_files
from planner.catalogue.builtin_files import listed_price
from planner.catalogue.catalogue import STALE
from planner.catalogue.declaration import KINDS, NUMBERS
from planner.catalogue.user_file import find_user_file
from planner.cli.app import app
from planner.errors import InputError
from planner.reading import Curve, Estimate
from planner.workflow import read_workflow
from tests.conftest import Golden

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / "workflows"
DATA = Path(builtin_files.__file__).parent / "data"

REQUIRED = {
    "claude-opus-4-6-fast": (6.0, 2.5),
    "claude-opus-4-8-fast": (2.0, 2.5),
    "claude-opus-5-fast": (2.0, 2.5),
    "claude-opus-5-5-fast": (2.0, 2.5),
    "gpt-5.5-fast-may-2026": (2.5, 1.5),
    "gpt-5.5-fast": (2.5, 1.5),
    "gpt-5.6-sol-fast": (2.0, 2.5),
    "gpt-6-astra-ultrafast": (6.0, 6.0),
    "gpt-6.1-sol-ultrafast": (6.0, 6.0),
}
"""Tiers: how many times the price and the speed of the standard tier."""

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
    speed = catalogue.profile(name).at(1).output_speed
    assert isinstance(speed, Estimate)
    return speed.quantile(0.5)


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
def test_a_tier_costs_and_speeds_as_it_is_sold(name: str, times: tuple[float, float], catalogue: Catalogue) -> None:
    tier, base = catalogue.profile(name), catalogue.profile(catalogue.declared[name].based_on or "")
    assert tier.price is not None
    assert base.price is not None
    assert float(tier.price.output / base.price.output) == times[0]
    assert float(tier.price.input / base.price.input) == times[0]
    assert median(catalogue, name) / median(catalogue, base.name) == pytest.approx(times[1])
    assert tier.ttft == base.ttft
    assert tier.root == base.root


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
    for name in sorted(REQUIRED.keys() - {"gpt-5.5-fast", "gpt-5.5-fast-may-2026", "gpt-5.6-sol-fast"}):
        (said,) = (one for one in catalogue.caveats(name) if "'up to " in one)
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
    assert median(found, "claude-opus-4-8-fast") == 225
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
    data = json.loads(run("--json", "--sort", "price", "--max-price", "0.7")[1])
    assert all(row["output"] <= 0.7 for row in data if row["per_hour"] is None)
    assert run("--sort", "colour")[0] == 2
    assert run("--available", "soon")[0] == 2
    assert "No profile" in run("--min-speed", "100000")[1]
    shown = {line.split()[0]: line for line in run()[1].splitlines() if line}
    assert " 46.8 at 4 " in shown["glm-5-vllm-1k"]
    assert " 239 at 1 " in shown["h200x1-8b-1k"]
    listed = {row["name"] for row in json.loads(run("--json", "--min-speed", "118")[1])}
    assert "h100-llama-4-scout" not in listed  # 115 to 153
    assert "claude-3-5-sonnet" in listed  # 120


def test_a_model_is_shown_with_every_source() -> None:
    code, text = run("claude-opus-4-8-fast")
    assert code == 0
    assert all(len(line) <= 80 for line in text.splitlines())
    for part in ("speed: up to 2.5x", "(of claude-opus-4-8)", "vendor claim", "as of 2026-10-30", "until 2026-11-30"):
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
