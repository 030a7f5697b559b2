"""Benchmark results into profiles: every format, what profiles then say, and what is refused."""

from __future__ import annotations

import copy
import json
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from planner.catalogue import Catalogue, Profile, builtin_files, import_results, resolve
from planner.catalogue.benchmarks import series
from planner.catalogue.benchmarks.records import MOST_RESULT_BYTES
from planner.cli.app import app
from planner.errors import InputError, Problem
from planner.reading import Curve, Estimate
from planner.workflow import read_workflow
from tests.conftest import Golden, amounts

DATA = Path(__file__).resolve().parents[1] / "data" / "benchmarks"
WORKFLOW = DATA.parents[2] / "workflows" / "react_bugfix.yaml"
VLLM = DATA / "vllm_nerdalert.json"
ONLINE = DATA / "sglang_llama_70b_online.jsonl"
OFFLINE = DATA / "sglang_llama_70b_offline.jsonl"
GLM = DATA / "inferencex_glm5_fp8_vllm_tp8_isl10240_osl128_conc16.json"
MINIMAX = DATA / "inferencex_minimax_m25_vllm_tep8_isl8192_osl128_conc8.json"
AIPERF = DATA / "aiperf_doc_sample.jsonl"
SUMMARY = DATA / "llmperf_groq_70b_summary.json"
REQUESTS = DATA / "llmperf_groq_70b_individual.json"
BEDROCK = DATA / "llmperf_bedrock_70b_individual.json"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A file of records, one a line."""

    def make(*records: Any, name: str = "result.json") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    return make


def records_of(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]
    return whole if isinstance(whole, list) else [whole]


def read_back(text: str, folder: Path) -> dict[str, Profile]:
    """The profiles of a `models:` section as a workflow has them."""
    path = folder / "imported.yaml"
    name = json.dumps(next(line for line in text.splitlines()[1:] if not line.strip().startswith("#")).strip()[:-1])
    name = name if '\\"' not in name else json.loads(name)
    path.write_text(f"workflow: w\nmodel: {name}\n{text}steps:\n  a: {{llm: {{output: 1}}}}\n", encoding="utf-8")
    workflow = read_workflow(path)
    return {name: resolve(name, workflow.models) for name in workflow.models}


def imported(folder: Path, *paths: Path, **options: Any) -> dict[str, Profile]:
    return read_back(import_results(paths, **options, workflow=True)[0], folder)


def catalogued(text: str, folder: Path) -> dict[str, Profile]:
    """The profiles of a text as a user's catalogue has them."""
    path = folder / "imported.yaml"
    path.write_text(text, encoding="utf-8")
    known = Catalogue.load(path)
    return {name: known.profile(name) for name in known.names if name not in builtin_files.names()}


def points(profile: Profile) -> dict[int, float]:
    assert isinstance(profile.output_speed, Curve)
    return dict(profile.output_speed.points)


def first_token(profile: Profile, p: float = 0.5, at: int = 1) -> float:
    ttft = profile.at(at).ttft
    assert isinstance(ttft, Estimate)
    return ttft.quantile(p)


def waits(profile: Profile) -> dict[int, float]:
    assert isinstance(profile.ttft, Curve)
    return dict(profile.ttft.points)


def problems(*paths: Path, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        import_results(paths, **options)
    return caught.value.problems


def the_problem(*paths: Path, **options: Any) -> Problem:
    (problem,) = problems(*paths, **options)
    return problem


# What is written.


@pytest.mark.parametrize(
    "paths", [(VLLM,), (ONLINE,), (OFFLINE,), (GLM,), (MINIMAX,), (AIPERF,), (SUMMARY,), (REQUESTS, SUMMARY)], ids=str
)
def test_a_catalogue_and_a_workflow_are_written_the_same_profiles(paths: tuple[Path, ...], tmp_path: Path) -> None:
    options = {"name": "house", "per_hour": "12.50"}
    text, notes = import_results(paths, **options)  # type: ignore[arg-type]
    assert catalogued(text, tmp_path) == imported(tmp_path, *paths, **options)
    assert all(note.partition(": ")[2] in text for note in notes if "profiles, for" not in note)


def test_what_is_written_tells_source_day_kind_and_cautions(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "house.yaml"
    run = CliRunner().invoke(app, ["models", "import", str(VLLM), "--name", "house", "-o", str(path)])
    assert run.exit_code == 0
    golden(path.read_text(encoding="utf-8"))
    name = "house-no-features"
    shown = CliRunner().invoke(app, ["models", "--catalogue", str(path), name])
    assert shown.exit_code == 0
    told = " ".join(shown.stdout.split())
    golden(re.sub(r"\([\d,]+ days?( !)?\)", "(AGE)", shown.stdout))
    assert "TTFT rose" not in told  # the profile has it at each concurrency
    facts = json.loads(CliRunner().invoke(app, ["models", "--catalogue", str(path), name, "--json"]).stdout)["facts"]
    for key in ("ttft", "output_speed", "measured_output", "jitter"):
        assert facts[key]["source"] == "vllm_nerdalert.json (vLLM bench; 3 runs, 2,100 requests)"
        assert facts[key]["as_of"] == "2025-05-30"
        assert facts[key]["kind"] == "measured"
    assert facts["output_speed"]["text"] == "73.066 at 31, 39.268 at 146, 18.82 at 536"
    assert facts["ttft"]["text"] == "52.87ms at 31, 76.65ms at 146, 4.066s at 536"
    assert facts["ttft"]["conditions"].endswith("; reading the prompt included")
    assert facts["measured_output"]["text"] == "266.2"
    listed = CliRunner().invoke(app, ["models", "--catalogue", str(path)]).stdout
    assert " 73.1 at 31 " in next(line for line in listed.splitlines() if line.startswith(name))
    plan = ["forecast", str(WORKFLOW), "--catalogue", str(path), "--model", name, "--samples", "2"]
    told = " ".join(CliRunner().invoke(app, plan).stdout.split())
    golden(told)


@pytest.mark.parametrize("form", ["catalogue", "workflow"])
def test_an_import_replaces_only_imports(tmp_path: Path, form: str) -> None:
    path = tmp_path / "own.yaml"
    command = ["models", "import", str(VLLM), "-o", str(path), "--as", form]
    for name in ("house", "home"):
        assert CliRunner().invoke(app, [*command, "--name", name]).exit_code == 0
        assert f"  {name}-" in path.read_text(encoding="utf-8")
    mine = "profiles:\n  mine: {ttft: 1s, output_speed: 60}\n"
    path.write_text(mine, encoding="utf-8")
    run = CliRunner().invoke(app, command)
    assert run.exit_code == 2
    assert "would replace" in run.stderr
    assert path.read_text(encoding="utf-8") == mine


def test_a_number_from_a_line_through_measurements_is_an_estimate(write: Write) -> None:
    short, long = run(4, 10) | {"median_ttft_ms": 150.0}, run(4, 10) | {"median_ttft_ms": 450.0}
    paths = write(short | {"total_input_tokens": 10_000}, long | {"total_input_tokens": 40_000})
    entries = yaml.safe_load(import_results([paths], "m")[0])["profiles"]
    for entry in entries.values():
        assert {key: entry[key]["kind"] for key in ("ttft", "prefill_speed", "output_speed")} == {
            "ttft": "estimate", "prefill_speed": "estimate", "output_speed": "measured",
        }  # fmt: skip


def test_a_day_that_does_not_exist_is_none(write: Write) -> None:
    assert "as_of" not in import_results([write(run(1, 10, date="20250231-101010"))])[0]
    assert "as_of: 2025-02-28" in import_results([write(run(1, 10, date="20250228-101010"))])[0]


# What each format tells.


def test_vllm(tmp_path: Path) -> None:
    """Three runs of `no-features` make a curve, the one of `base` a profile of its own.

    Run 1: 300 requests in 35.84472 s, 80945 / 300 = 269.817 tokens each. A request takes on average
    54.59561 ms + 13.73187 ms · 268.817 = 3.74602 s, so 300 / 35.84472 · 3.74602 = 31.35 are in flight.
    Run 2: 900 / 40.72223 · (0.0801928 + 0.0248141 · (237873/900 − 1)) = 900 / 40.72223 · 6.61389 = 146.17.
    Run 3: 900 / 28.86172 · (4.3867394 + 0.0481679 · (240165/900 − 1)) = 900 / 28.86172 · 17.19219 = 536.11.
    Speeds are 1 / median_tpot_ms: 1000 / 13.686303 = 73.066, 1000 / 25.466092 = 39.268, 1000 / 53.135925 = 18.820.
    jitter = ln(15.793261 / 13.686303) / 2.326348 = 0.0615.
    """
    profiles = imported(tmp_path, VLLM)
    assert list(profiles) == ["llama-3.2-3b-instruct-no-features", "llama-3.2-3b-instruct-base"]
    profile = profiles["llama-3.2-3b-instruct-no-features"]
    assert points(profile) == pytest.approx({31: 73.066, 146: 39.268, 536: 18.820}, rel=1e-4)
    assert waits(profile) == pytest.approx({31: 0.0528689, 146: 0.0766460, 536: 4.0657}, rel=1e-3)
    assert profile.measured_output == pytest.approx((80_945 + 237_873 + 240_165) / 2100, rel=1e-3)
    assert profile.jitter == pytest.approx(0.0615, abs=6e-4)
    assert profile.prefill_speed is None
    assert profile.price is None
    assert points(profiles["llama-3.2-3b-instruct-base"]) == pytest.approx({32: 1000 / 13.619587584448205}, rel=1e-4)


def test_sglang(tmp_path: Path) -> None:
    """The file has neither TPOT nor mean TTFT; the time per token is made up from the mean latency.

    Run 1: 160347 / 300 = 534.490 tokens; (7.8406162 − 0.0857451) / 533.490 = 14.53612 ms → 68.794 tokens/s.
    In flight: 300 / 298.36758 · 7.8406162 = 7.88.
    Run 2: 514.520 tokens; (8.5405518 − 0.0875563) / 513.520 = 16.46089 ms → 60.750; 600 / 312.67911 · 8.54055 = 16.39.
    Run 3: 506.613 tokens; (12.8963308 − 0.1060631) / 505.613 = 25.29655 ms → 39.531; 1200 / 296.85668 · 12.8963 = 52.13.
    ShareGPT: 189.084 tokens; (3.2014826 − 0.0682788) / 188.084 = 16.65853 ms → 60.029; 1200 / 304.12622 · 3.20148 = 12.63.
    """
    random, sharegpt = imported(tmp_path, ONLINE, name="llama").values()
    assert (random.name, sharegpt.name) == ("llama-random-509-in-534-out", "llama-sharegpt-224-in-189-out")
    assert points(random) == pytest.approx({8: 68.794, 16: 60.750, 52: 39.531}, rel=1e-4)
    assert points(sharegpt) == pytest.approx({13: 60.029}, rel=1e-4)
    assert waits(random) == pytest.approx({8: 0.0857451, 16: 0.0875563, 52: 0.1060631}, rel=1e-3)
    assert random.jitter == 0.2  # not in the file: the planner's default


def test_sglang_requests_take_the_time_that_the_file_says(tmp_path: Path) -> None:
    """By the median inter-token latency, which leaves out pauses, the third would take 23% less than it took."""
    profile = next(iter(imported(tmp_path, ONLINE).values()))
    for record, concurrency in zip(records_of(ONLINE)[:3], (8, 16, 52), strict=True):
        tokens = record["total_output_tokens"] / record["completed"]
        at = profile.at(concurrency).output_speed
        assert not isinstance(at, Curve)
        taken = first_token(profile, at=concurrency) + tokens / at.quantile(0.5)
        assert taken == pytest.approx(record["mean_e2e_latency_ms"] / 1000, rel=0.005)
    third = records_of(ONLINE)[2]
    assert third["median_itl_ms"] * 506.6 < 0.77 * third["mean_e2e_latency_ms"]


def test_a_saturated_server_is_told(golden: Golden) -> None:
    """All 3,000 requests at once: in flight 3000 / 341.72107 · 224.9188 = 1974.6; TTFT 91.3 s, 41% of 224.9 s."""
    text, notes = import_results([OFFLINE], workflow=True)
    assert "    1975: " in text
    assert amounts(golden(notes)) >= {"91.3", "41%", "1975"}


def test_inferencex(tmp_path: Path) -> None:
    """Seconds. 1 / 0.14105192 = 7.0896 and 1 / 0.02514683 = 39.766; ln(0.196229197 / 0.141051924) / 2.326348 = 0.1419."""
    glm, minimax = imported(tmp_path, GLM, MINIMAX, per_hour="$24.5/h").values()
    assert (glm.name, minimax.name) == ("glm-5-fp8", "minimax-m2.5")
    assert points(glm) == pytest.approx({16: 7.0896}, rel=1e-4)
    assert points(minimax) == pytest.approx({8: 39.766}, rel=1e-4)
    assert first_token(glm) == pytest.approx(3.1382447, rel=1e-3)
    assert glm.jitter == pytest.approx(0.1419, abs=6e-4)
    assert glm.price is not None
    assert float(glm.price.per_hour or 0) == 24.5


def test_aiperf(tmp_path: Path, golden: Golden) -> None:
    """One of two requests was cancelled. 1000 / 5.2048325 = 192.129 tokens/s; TTFT 4.8984 ms; one at a time."""
    text, notes = import_results([AIPERF], workflow=True)
    (profile,) = read_back(text, tmp_path).values()
    assert points(profile) == pytest.approx({1: 192.129}, rel=1e-4)
    assert first_token(profile) == pytest.approx(0.0048984, rel=1e-3)
    golden(notes)


def test_aiperf_concurrency_and_units(tmp_path: Path, write: Write, golden: Golden) -> None:
    """Two requests of 4 s each, one begins 2 s after the other: 8 s in 6 s, 1.33 at a time. TPOT 20 ms and 40 ms."""
    first, _ = records_of(AIPERF)
    second = copy.deepcopy(first)
    for record, start, gap in ((first, 10, 0.02), (second, 12, 0.04)):
        record["metadata"] |= {"request_start_ns": start * 10**9, "request_end_ns": (start + 4) * 10**9}
        record["metrics"] |= {
            "inter_token_latency": {"value": gap, "unit": "sec"},
            "time_to_first_token": {"value": 200_000, "unit": "us"},
            "request_latency": {"value": 4e9, "unit": "ns"},
            "output_sequence_length": {"value": 150, "unit": "tokens"},
        }
    (profile,) = imported(tmp_path, write(first, second)).values()
    assert points(profile) == pytest.approx({1: 1 / 0.03}, rel=1e-4)
    assert first_token(profile) == pytest.approx(0.2)
    first["metrics"]["inter_token_latency"]["unit"] = "parsecs"
    problem = the_problem(write(first, second))
    golden([problem.message, problem.hint])


def test_llmperf_summary(tmp_path: Path) -> None:
    """(150 − 1) / (0.8151081097 − 0.2278603458) = 253.73 tokens/s at 5 requests.

    Its "inter-token latency", 5.32 ms or 188 tokens/s, is end-to-end latency over tokens: TTFT would count twice.
    """
    (profile,) = imported(tmp_path, SUMMARY).values()
    assert points(profile) == pytest.approx({5: 253.73}, rel=1e-4)
    assert first_token(profile) == pytest.approx(0.22188838, rel=1e-3)
    assert profile.jitter == pytest.approx(math.log(0.0062214585 / 0.0053208087) / 1.644854, abs=6e-4)
    at = profile.at(5).output_speed
    assert not isinstance(at, Curve)
    assert first_token(profile) + 150 / at.quantile(0.5) == pytest.approx(0.8151, rel=0.01)


def test_llmperf_requests_with_their_summary(tmp_path: Path) -> None:
    """Of 24 requests: median TTFT 0.22163 s; median (latency − TTFT) / 149 = 3.856974 ms → 259.27 tokens/s."""
    for paths in ((REQUESTS, SUMMARY), (SUMMARY, REQUESTS)):
        (profile,) = imported(tmp_path, *paths).values()
        assert profile.name == "llama2-70b-4096"
        assert points(profile) == pytest.approx({5: 259.27}, rel=1e-4)
        assert first_token(profile) == pytest.approx(0.22163, rel=1e-3)


def test_llmperf_requests_alone_need_a_concurrency(tmp_path: Path, golden: Golden) -> None:
    """Of 5 requests of Bedrock one failed. Of the others (latency − TTFT) / (tokens − 1) is 44.2165, 43.3779,
    43.3800 and 50.1038 ms: median 43.79824 ms → 22.832 tokens/s."""
    problem = the_problem(BEDROCK)
    assert (problem.code, problem.position and problem.position.line) == ("missing-key", 2)
    golden(problem.hint)
    (profile,) = imported(tmp_path, BEDROCK, concurrency=5).values()
    assert points(profile) == pytest.approx({5: 22.832}, rel=1e-4)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json*")), ids=lambda path: str(path.name)[:20])
def test_every_example_makes_profiles_that_a_workflow_reads(path: Path, tmp_path: Path) -> None:
    text, _ = import_results([path], concurrency=5, per_hour=3.5, workflow=True)
    profiles = read_back(text, tmp_path)
    assert profiles
    for profile in profiles.values():
        for concurrency, speed in points(profile).items():
            at = profile.at(concurrency).output_speed
            assert not isinstance(at, Curve)
            assert at.quantile(0.5) == pytest.approx(speed)
    assert path.name in text
    assert "kind: measured" in text


# Curves.


def run(concurrency: int | None, tpot: float, **more: Any) -> dict[str, Any]:
    """A run of vLLM bench with 100 requests of 1,000 tokens in and 101 out, TTFT 100 ms; `tpot` in ms."""
    latency = (100 + 100 * tpot) / 1000
    return {
        "model_id": "org/M", "request_rate": "inf", "max_concurrency": concurrency, "completed": 100,
        "duration": 100 / (concurrency or 1) * latency, "total_input_tokens": 100_000, "total_output_tokens": 10_100,
        "median_ttft_ms": 100.0, "mean_ttft_ms": 100.0, "median_tpot_ms": tpot, "mean_tpot_ms": tpot, **more,
    }  # fmt: skip


def test_runs_and_files_make_one_curve(tmp_path: Path, write: Write) -> None:
    """Between points the time per token is linear: at 5, halfway from 1 to 9, (10 + 20) / 2 = 15 ms."""
    files = write(run(9, 20), name="a.json"), write(run(1, 10), run(33, 40), name="b.json")
    (profile,) = imported(tmp_path, *files).values()
    assert points(profile) == pytest.approx({1: 100, 9: 50, 33: 25})
    assert isinstance(profile.output_speed, Curve)
    assert profile.output_speed.at(5).quantile(0.5) == pytest.approx(1000 / 15)


def test_repeated_runs_are_averaged_by_time_per_token(tmp_path: Path, write: Write) -> None:
    """(10 · 100 + 16 · 200) / 300 = 14 ms → 71.429 tokens/s; TTFT from 100 to 120 ms."""
    one, other = run(1, 10), run(1, 16)
    other |= {"completed": 200, "median_ttft_ms": 120.0, "total_input_tokens": 200_000, "total_output_tokens": 20_200}
    other["duration"] = 340.0
    (profile,) = imported(tmp_path, write(one, other)).values()
    assert points(profile) == pytest.approx({1: 1000 / 14}, rel=1e-4)
    assert [first_token(profile, p) for p in (0.05, 0.95)] == pytest.approx([0.1, 0.12], rel=1e-3)


def test_prefill_speed_from_two_lengths_of_prompts(tmp_path: Path, write: Write) -> None:
    """TTFT 100 ms at 1,000 tokens and 460 ms at 4,000: 3,000 tokens in 360 ms are 8,333 tokens/s, but then 1,000 take
    120 ms, and an empty prompt less than nothing: none is told.
    With 250 ms: 3,000 tokens in 150 ms are 20,000 tokens/s, and 100 − 50 = 50 ms for an empty prompt."""
    for ttft, speed in ((460.0, None), (250.0, 20_000.0)):
        long = run(1, 10, median_ttft_ms=ttft, mean_ttft_ms=ttft, total_input_tokens=400_000)
        profiles = imported(tmp_path, write(run(1, 10), long), name="m")
        assert list(profiles) == ["m-1000-in-101-out", "m-4000-in-101-out"]
        for profile in profiles.values():
            found = None if profile.prefill_speed is None else profile.prefill_speed.quantile(0.5)
            assert found == (speed if speed is None else pytest.approx(speed, rel=1e-3))
        if speed:
            assert first_token(profiles["m-4000-in-101-out"]) == pytest.approx(0.05, rel=1e-3)


def test_ttft_by_concurrency_is_the_mean_of_the_medians_of_the_runs(tmp_path: Path, write: Write) -> None:
    """At 8, 100 requests with 200 ms and 300 with 600 ms: 500 ms. Outputs (101 · 200 + 3 · 101 · 100) / 500 = 101."""
    long = {"completed": 300, "total_input_tokens": 300_000, "total_output_tokens": 30_300, "duration": 75.0}
    runs = (run(1, 10), run(8, 20, median_ttft_ms=200.0), run(8, 20, median_ttft_ms=600.0, **long))
    (profile,) = imported(tmp_path, write(*runs)).values()
    assert waits(profile) == pytest.approx({1: 0.1, 8: 0.5})
    assert profile.measured_output == 101
    text, notes = import_results([write(*runs)], workflow=True)
    assert "      8: 500ms  # 2 runs\n" in text
    assert not any("TTFT rose" in note for note in notes)


def test_without_the_lengths_of_outputs_ttft_and_speed_are_read_alone(tmp_path: Path, write: Write) -> None:
    runs = [run(at, 10, mean_e2el_ms=1100.0) for at in (1, 8)]
    del runs[0]["total_output_tokens"]
    del runs[1]["total_output_tokens"]
    (profile,) = imported(tmp_path, write(*runs)).values()
    assert list(waits(profile)) == [1, 8]
    assert profile.measured_output is None


def test_ttft_by_concurrency_leaves_the_reading_of_prompts_to_prefill_speed(
    tmp_path: Path, write: Write, golden: Golden
) -> None:
    """Prompts of 1,000 and 4,000 tokens: 100 and 250 ms for one request, 20,000 tokens/s. At 8 at a time they wait 300 and
    900 ms: less 50 and 200 ms for reading, 250 and 700. Of 160 ms nothing would be left of the second: it has the line's."""
    for wait, kept in ((300.0, True), (160.0, False)):
        records = [
            run(at, 10, median_ttft_ms=ttft, mean_ttft_ms=ttft, total_input_tokens=tokens)
            for tokens, at, ttft in (
                (100_000, 1, 100.0), (100_000, 8, wait), (400_000, 1, 250.0), (400_000, 8, wait if not kept else 900.0),
            )
        ]  # fmt: skip
        path = write(*records)
        short, long = imported(tmp_path, path, name="m").values()
        assert short.prefill_speed is not None
        assert short.prefill_speed.quantile(0.5) == pytest.approx(20_000, rel=1e-3)
        assert waits(short) == pytest.approx({1: 0.05, 8: wait / 1000 - 0.05})
        entry = yaml.safe_load(import_results([path], "m")[0])["profiles"][short.name]
        assert entry["ttft"]["kind"] == "estimate"
        assert f"        8: {wait - 50:g}ms  # {wait:g}ms with it\n" in golden(import_results([path], "m")[0])
        if kept:
            assert waits(long) == pytest.approx({1: 0.05, 8: 0.7})
        else:
            assert first_token(long, at=8) == pytest.approx(0.05)
            assert long.measured_output is None


def test_part_of_a_request_counts_as_one(tmp_path: Path, write: Write) -> None:
    """Means over requests need at least one."""
    (profile,) = imported(tmp_path, write(run(None, 10, completed=0.5)), concurrency=1).values()
    assert points(profile) == pytest.approx({1: 100})


def test_a_first_token_that_took_no_time_tells_no_reading_speed() -> None:
    """Prompts of 1,000 and 4,000 tokens: a line through 0 and 0.3 s is no measurement of reading."""

    def lowest(inputs: float, ttft: float) -> Any:
        point = SimpleNamespace(concurrency=1, ttft=ttft)
        return SimpleNamespace(inputs=inputs, first=point, points=[point])

    assert series._prefill_fit([lowest(1000, 0.1), lowest(4000, 0.3)]) is not None
    assert series._prefill_fit([lowest(1000, 0.0), lowest(4000, 0.3)]) is None


def test_a_wait_that_a_profile_cannot_hold_is_told(write: Write, golden: Golden) -> None:
    """A line through 200, 190 and 500 ms of 1,000, 2,000 and 4,000 tokens makes 216 ms of reading 2,000, over 190."""
    records = [
        run(at, 10, median_ttft_ms=ttft, mean_ttft_ms=ttft, total_input_tokens=tokens)
        for tokens, at, ttft in ((100_000, 1, 200.0), (200_000, 1, 190.0), (200_000, 8, 900.0), (400_000, 1, 500.0))
    ]
    text, notes = import_results([write(*records)], "m")
    (said,) = (note for note in notes if "TTFT rose from 0.19 s at 1 to 0.9 s at 8" in note)
    assert "m-2000-in-101-out" in said
    golden(text)


def test_a_rate_below_the_limit_does_not_reach_it(tmp_path: Path, write: Write) -> None:
    """100 requests of 1.1 s in 55 s: 2 at a time, though 64 would be let in."""
    (profile,) = imported(tmp_path, write(run(64, 10, request_rate=2.0, duration=55.0))).values()
    assert list(points(profile)) == [2]


def test_concurrency_that_sglang_measured(tmp_path: Path, write: Write) -> None:
    (profile,) = imported(
        tmp_path, write(run(None, 10, backend="sglang", duration=16.0) | {"concurrency": 6.8})
    ).values()
    assert list(points(profile)) == [7]


def test_no_concurrency_is_refused_or_given(tmp_path: Path, write: Write, golden: Golden) -> None:
    record = run(None, 10)
    del record["duration"]
    path = write(record)
    problem = the_problem(path)
    assert (problem.code, problem.position and problem.position.text[problem.position.column :][:15]) == (
        "missing-key", "max_concurrency",
    )  # fmt: skip
    golden(problem.message)
    assert "--concurrency" in str(problem.hint)
    assert list(points(next(iter(imported(tmp_path, path, concurrency=12).values())))) == [12]


def test_names_that_yaml_would_misread(tmp_path: Path, write: Write) -> None:
    path = write(run(1, 10, model_id="a: b # c\n- d\u2028\U0001f600\x07", gpu='"\n'))
    for name in ("null", "a: b # c", "- x", "7", "ü “q” \\", None):
        text, _ = import_results([path], name, workflow=True)
        assert len(read_back(text, tmp_path)) == 1
        assert len(catalogued(import_results([path], name)[0], tmp_path)) == 1


# What is refused.


def test_all_problems_at_once(write: Write, tmp_path: Path, golden: Golden) -> None:
    missing = run(1, 10)
    del missing["median_ttft_ms"], missing["mean_ttft_ms"], missing["median_tpot_ms"], missing["mean_tpot_ms"]
    missing["p99_ttft_ms"] = 5.0
    path = write(
        run(1, 10),
        missing,
        run(2, 10) | {"median_tpot_ms": -10.0, "p99_tpot_ms": 12.0},
        run(4, 10) | {"median_tpot_ms": math.nan},
        run(8, 10) | {"median_tpot_ms": math.inf, "total_input_tokens": []},
        run(16, 10) | {"duration": "long"},
    )
    absent = tmp_path / "absent.json"
    found = problems(path, absent, name="", per_hour=-1, concurrency=0)
    assert [
        (problem.position and (Path(problem.position.file).name, problem.position.line), problem.code)
        for problem in found
    ] == [
        (("absent.json", 0), "unreadable"),
        (("result.json", 2), "missing-key"),
        (("result.json", 2), "missing-key"),
        (("result.json", 3), "bad-value"),
        (("result.json", 4), "bad-value"),
        (("result.json", 5), "bad-value"),
        (("result.json", 5), "bad-value"),
        (("result.json", 6), "bad-value"),
        (None, "bad-value"),
        (None, "bad-value"),
        (None, "bad-value"),
    ]
    golden(InputError(found))


@pytest.mark.parametrize(
    "changes",
    [
        {"median_tpot_ms": 0.01},  # seconds where milliseconds belong
        {"median_tpot_ms": 9_000.0},
        {"median_tpot_ms": 9_000.0, "mean_tpot_ms": 9_000.0},
        {"median_tpot_ms": 20_000.0},
        {"median_ttft_ms": 100_000.0, "mean_ttft_ms": 100_000.0},
        {"duration": 27_500.0},  # milliseconds where seconds belong
        {"duration": 0.0275},
        {"mean_e2el_ms": 1.1},
        {"mean_e2el_ms": 27_400.0},
        {"max_concurrency": 10_000_000, "completed": 10**9},
    ],
    ids=str,
)
def test_units_that_are_mixed_up(changes: dict[str, Any], write: Write, golden: Golden) -> None:
    problem = the_problem(write(run(4, 10) | changes))
    assert problem.code == "bad-value"
    golden([problem.message, problem.hint])


def test_seconds_of_inferencex_written_in_milliseconds(write: Write) -> None:
    (record,) = records_of(GLM)
    for key in ("median_ttft", "median_tpot", "median_e2el"):
        assert the_problem(write(record | {key: record[key] * 1000})).code == "bad-value"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad-value"),
        (b" \n\t", "bad-value"),
        (b"t,running\n1,2\n", "bad-value"),
        (b"\x7fELF\x02\x01\x01\x00", "bad-value"),
        (b"\x89PNG\r\n", "not-utf-8"),
        (b'{"a": 1}', "bad-value"),
        (b"{}", "bad-value"),
        (b"[]", "bad-value"),
        (b"[1]", "bad-value"),
        (b'{"input_config": {}, "request_latency": {}}', "bad-value"),
        (b'{"median_ttft_ms": 1, "med', "bad-value"),
        (b"[{}", "bad-value"),
        (b"[{} {}]", "bad-value"),
        (b"[{}] {}", "bad-value"),
        (b'{"a": ' * 100_000, "bad-value"),
        (b"[" * 100_000, "bad-value"),
        (b"[" * 500_001, "too-large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "bad-value"),
        (b'{"median_ttft_ms": ' + b"9" * 400 + b', "median_tpot_ms": 1}', "bad-value"),
        (b'{"metrics": {}, "metadata": {}}', "missing-key"),
        (b'{"ttft_s": 1, "error_code": null}', "missing-key"),
        (b'{"num_concurrent_requests": null}', "missing-key"),
        (b'{"median_ttft_ms": 5, "completed": 0}', "bad-value"),
        (b'{"median_ttft_ms": 9, "median_tpot_ms": 9}' * 600, "too-large"),
        (b'{"median_ttft_ms": true, "median_tpot_ms": 5}', "bad-value"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_files_that_are_none_of_these(content: bytes, code: str, tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    found = problems(path)
    assert code in {problem.code for problem in found}
    golden(InputError(found[:2]))
    assert all(problem.position and problem.position.file == str(path) for problem in found)


def test_a_broken_line_hides_no_other(write: Write) -> None:
    path = write(run(1, 10), run(2, 10) | {"median_ttft_ms": -1})
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0][:50], lines[1], lines[0][:80]]), encoding="utf-8")
    assert [problem.position and problem.position.line for problem in problems(path)] == [1, 2, 3]


def test_reading_a_large_file_takes_no_longer_than_it_must(tmp_path: Path) -> None:
    """Places of problems in a line of megabytes, and in very many lines."""
    record = json.dumps(run(2, 10) | {"median_ttft_ms": -1})
    long = tmp_path / "long.json"
    long.write_text("[" + ",".join([record] * 20_000) + "]", encoding="utf-8")
    many = tmp_path / "many.json"
    many.write_text("\n".join(['{"median_ttft_ms": 1,'] * 100_000), encoding="utf-8")
    for path in (long, many):
        start = time.monotonic()
        assert len(problems(path)) == 100
        assert time.monotonic() - start < 5


def test_a_file_over_the_limit(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(2 * MOST_RESULT_BYTES)
    golden(the_problem(path).message)


def test_what_cannot_be_opened(tmp_path: Path, golden: Golden) -> None:
    for path in (tmp_path, tmp_path / "absent", Path("a\0b")):
        assert the_problem(path).code == "unreadable"
    golden(the_problem().message)


def test_many_problems_are_told_a_bearable_number_of_times(write: Write, golden: Golden) -> None:
    with pytest.raises(InputError) as caught:
        import_results([write(*[run(2, 10) | {"median_ttft_ms": -1}] * 300)])
    assert len(caught.value.problems) == 100
    golden(str(caught.value).splitlines()[-1])


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just([]), st.just({}),
    st.sampled_from([0, -1, 1e-320, 1e308, 10**400, "1e400", "nan", "12", "\ud800", {"value": 1}, {"value": "x", "unit": "ms"}]),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_file_only_an_input_error_escapes(data: st.DataObject, tmp_path: Path) -> None:
    """And what is imported can be read back."""
    source = data.draw(st.sampled_from([VLLM, ONLINE, GLM, AIPERF, SUMMARY, REQUESTS]))
    records = copy.deepcopy(records_of(source)[:4])
    for _ in range(data.draw(st.integers(1, 4))):
        target: Any = data.draw(st.sampled_from(records))
        for _ in range(data.draw(st.integers(0, 2))):
            inner = [value for value in target.values() if isinstance(value, dict) and value]
            target = data.draw(st.sampled_from(inner)) if inner else target
        if not target:
            continue
        key = data.draw(st.sampled_from(sorted(target)))
        change = data.draw(st.sampled_from(["drop", "odd", "scale"]))
        if change == "drop":
            del target[key]
        elif change == "scale" and isinstance(target[key], int | float):
            target[key] = target[key] * data.draw(st.sampled_from([1e-6, 1e-3, 0.5, 2, 1e3, 1e6]))
        else:
            target[key] = copy.deepcopy(data.draw(ODD))
    path = tmp_path / "fuzzed.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    _only_input_errors(path, tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_that_are_lost_or_changed(data: st.DataObject, tmp_path: Path) -> None:
    content = data.draw(st.sampled_from([VLLM, ONLINE, AIPERF, SUMMARY, REQUESTS])).read_bytes()
    at = data.draw(st.integers(0, len(content)))
    path = tmp_path / "fuzzed.json"
    path.write_bytes(content[:at] + data.draw(st.binary(max_size=3)) + content[at + data.draw(st.integers(0, 9)) :])
    _only_input_errors(path, tmp_path)


def _only_input_errors(path: Path, folder: Path) -> None:
    try:
        text, notes = import_results([path], concurrency=4, workflow=True)
    except InputError:
        return
    assert all(note.isprintable() for note in notes)
    assert read_back(text, folder)
    assert catalogued(import_results([path], concurrency=4)[0], folder)
