"""The commands as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from planner import __version__
from planner.cli.app import app
from planner.cli.options import MORE
from tests.conftest import ROOT, Golden

EIGHT = ROOT / "tests" / "cases" / "eight_items.yaml"
PORT = ROOT / "workflows" / "port_codebase.yaml"
BUGFIX = ROOT / "workflows" / "react_bugfix.yaml"


COMMANDS = [
    (), ("forecast",), ("compare",), ("target",), ("tier",), ("sensitivity",), ("rehearse",), ("examples",), ("tokens",),
    ("models",), ("models", "import"),
]  # fmt: skip


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("command", ["forecast", "sensitivity"])
def test_one_scenario_is_the_same_data_however_its_agents_are_set(command: str, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    crews = "{coders: {agents: 3}, testers: {agents: 2}}"
    steps = "{a: {for_each: 9, crew: coders, llm: {output: 50}}, b: {needs: a, crew: testers, tool: 5s}}"
    path.write_text(NOTED.partition("parameters")[0] + f"crews: {crews}\nsteps: {steps}\n", encoding="utf-8")
    asked: list[list[str]] = [[], ["coders=3"], ["testers=2"], ["coders=3,testers=2"], ["testers=2", "coders=3"]]
    found = []
    for numbers in asked:
        options = [part for number in numbers for part in ("--agents", number)]
        found.append(json.loads(printed(command, path, *options, "--samples", 50, "--json")))
    assert (found[0]["agents"], found[0]["others"], found[0]["sizes"]) == (5, {}, {"coders": 3, "testers": 2})
    assert all(data == found[0] for data in found)
    other = json.loads(printed(command, path, "--agents", "testers=4", "--samples", 50, "--json"))
    assert (other["agents"], other["sizes"]) == (7, {"coders": 3, "testers": 4})


@pytest.mark.parametrize("command", ["forecast", "rehearse", "tier", "sensitivity", "compare", "target"])
@pytest.mark.parametrize(("option", "name"), [("--agents", "agents"), ("--speed", "speed"), ("--model", "model")])
def test_help_shows_several_values_where_a_command_takes_them(command: str, option: str, name: str) -> None:
    options = {one.name: one for one in get_command(app).commands[command].params}  # type: ignore[attr-defined]
    if name not in options:
        assert (command, name) == ("tier", "speed")
        return
    several = command in ("compare", "target")
    assert options[name].metavar.endswith(MORE) == several
    assert ("1,2" in options[name].help.replace("1x,2.5x", "1,2")) == (several and name != "model")
    if name == "speed":
        taken = refused(command, EIGHT, option, "1x", option, "2x")
        assert ("commas" in taken) == several
    if name == "agents":
        assert ("1,2,4" in refused(command, EIGHT, option, "x")) == several


SEVERAL_BAD = (
    "--agents x",
    "--seed z",
    "--runtime foo",
    "--set a",
    "--set b=x",
    "--only-below nowhere",
    "--model m,,n",
)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("compare", ("--speed y", "--worth -1", "--samples 0", "--threads 0", "--max-time soon")),
        ("forecast", ("--speed y", "--premium z", "--precision much", "--backend dask")),
        ("target", ("--speed y", "--p90 -1", "--budget x")),
        ("tier", ("--budget x", "--fast ,", "--p50 0")),
        ("sensitivity", ("--speed y", "--off 0")),
        ("rehearse", ("--speed y", "--scale w", "--samples 0")),
    ],
)
def test_all_bad_options_are_told_together(command: str, more: tuple[str, ...]) -> None:
    bad = (*SEVERAL_BAD, *more)
    text = refused(command, EIGHT, *(part for option in bad for part in option.split(" ")))
    assert [option for option in bad if option.split(" ")[0] not in text] == []
    assert text.count("--set ") == 2
    if command != "rehearse":
        text = refused(
            command, EIGHT, *(["--fast", "m"] if command == "tier" else []), "--json", "--csv", "--seed", "z"
        )
        assert {"--csv", "--seed:"} <= set(text.split())


@pytest.mark.parametrize("command", ["forecast", "compare", "target", "tier", "sensitivity", "rehearse", "tokens"])
def test_a_value_of_a_wrong_type_is_refused_by_every_command(command: str, tmp_path: Path) -> None:
    more = {"target": ["--p50", "1h"], "tier": ["--fast", "m", "--budget", "1"]}.get(command, [])
    option = ["--encoding", "q"] if command == "tokens" else ["--seed", "q"]
    assert option[0] in refused(command, tmp_path / "missing.yaml", *more, *option)


def test_unknown_models_and_crews_are_told_together() -> None:
    text = refused("compare", PORT, "--model", "nobody", "--agents", "zz=1", "--agents", "yy=2")
    assert [name for name in ("'nobody'", "'zz'", "'yy'") if name not in text] == []
    assert "3 problems" in text


# JSON and CSV


def test_the_json_of_a_comparison_is_what_is_documented() -> None:
    data = json.loads(
        printed(
            "compare", PORT, "--set", "modules=5", "--speed", "1x,2.5x", "--agents", "1,3", "--samples", 50, "--json"
        )
    )
    assert list(data) == [
        "version", "workflow", "seed", "samples", "precision", "advice", "baseline", "scenarios", "notes",
        "decisions",
    ]  # fmt: skip
    assert data["baseline"] == {
        "model": "claude-opus-4-8", "speed": 1.0, "sizes": {"engineers": 1}, "crews": ["engineers"]
    }  # fmt: skip
    assert [(one["speed"], one["agents"]) for one in data["scenarios"]] == [(1.0, 1), (1.0, 3), (2.5, 1), (2.5, 3)]
    for one in data["scenarios"]:
        assert list(one) == [
            "model",
            "speed",
            "agents",
            "others",
            "seconds",
            "usd",
            "tokens",
            "speedup",
            "efficiency",
            "coordination_share",
            "accepted",
            "price_multiplier",
            "standard_errors",
        ]
        assert list(one["seconds"])[:5] == ["mean", "p50", "p90", "p95", "standard_error"]
        assert list(one["usd"]) == [
            "mean",
            "p50",
            "p90",
            "p95",
            "standard_error",
            "p50_low",
            "p50_high",
            "p90_low",
            "p90_high",
            "p95_low",
            "p95_high",
            "models",
            "people_and_machines",
            "models_standard_error",
            "people_and_machines_standard_error",
        ]
        assert list(one["tokens"]) == ["input", "cache_read", "output"]
        assert one["seconds"]["p50"] < one["seconds"]["p90"] < one["seconds"]["p95"]
    assert data["scenarios"][0]["speedup"] == data["scenarios"][0]["efficiency"] == 1
    assert data["scenarios"][0]["coordination_share"] == 0
    assert 0 < data["scenarios"][1]["coordination_share"] < 1


MEASURED = "glm-5-sglang-h200"


NOTED = """\
workflow: w
model: m
models:
  m: {ttft: 1s, output_speed: 50, price: {input: 1, output: 1}}
  quick: {based_on: m, speed: 2x, available: retired}
  unused: {ttft: 1s, output_speed: 50}
parameters: {left: 3}
steps:
  a: {llm: {input: 10, output: 50 to 90}}
  b: {needs: a, human: 5min to 9min}
"""


@pytest.mark.parametrize(
    "command",
    ["forecast", "compare", "sensitivity", "target --p50 2h", "tier --fast quick --budget 1"],
)
def test_notes_in_json_are_codes_and_values(command: str, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(NOTED, encoding="utf-8")
    name, *options = command.split()
    data = json.loads(printed(name, path, *options, "--samples", 50, "--json"))
    assert {tuple(note) for note in data["notes"]} == {("code", "text", "values")}
    notes = {note["code"]: note["values"] for note in data["notes"]}
    assert notes["unused-parameter"] == {"parameters": ["left"]}
    assert notes["unpaid-people"] == {"places": [{"step": "b", "crew": ""}]}
    assert notes["unused-model"]["models"] == ["unused"]
    assert notes["not-converged"]["samples"] == 50
    if name == "tier":
        assert notes["restricted-model"] == {"model": "quick", "available": "retired"}


def test_cautions_on_profiles_in_json_are_notes() -> None:
    profiles = json.loads(printed("models", "--json"))["models"]
    (profile,) = (each for each in profiles if each["name"] == MEASURED)
    one = json.loads(printed("models", MEASURED, "--json"))
    assert profile["caveats"] == one["caveats"]
    for note in one["caveats"]:
        assert note["code"] == "caveat"
        assert note["values"]["profile"] == MEASURED
    assert {note["values"]["kind"] for note in one["caveats"]} == {"measured"}


def test_the_json_of_a_forecast_is_one_such_scenario_with_its_breakdown() -> None:
    data = json.loads(printed("forecast", EIGHT, "--samples", 5, "--json"))
    assert list(data)[:6] == ["version", "workflow", "seed", "samples", "precision", "baseline"]
    assert data["usd"] is None
    assert list(data["breakdown"]) == ["decode", "prefill", "ttft", "tools", "people", "coordination", "waiting"]
    assert sum(data["breakdown"].values()) == pytest.approx(data["seconds"]["mean"])
    assert [step["step"] for step in data["steps"]] == ["plan", "build.think", "build.act", "merge", "approve"]
    assert data["steps"][1] | {"tokens": None} == {
        "step": "build.think", "kind": "llm", "occurrences": 48, "usd": None, "tokens": None,
        "seconds": pytest.approx(48 * (1.5 + 500 / 60)), "critical": pytest.approx(6 * (1.5 + 500 / 60)),
        "critical_standard_error": 0, "criticality": {"mean": 1, "standard_error": 0},
        "drag": {"seconds": pytest.approx(118), "standard_error": 0, "low": pytest.approx(118), "high": pytest.approx(118)},
        "saved": {"mean": pytest.approx(118), "standard_error": 0},
        "occurrences_standard_error": 0, "seconds_standard_error": 0, "usd_standard_error": None,
        "tokens_standard_error": {"input": 0, "cache_read": 0, "output": 0},
        "usd_people_and_machines": None, "usd_people_and_machines_standard_error": None,
    }  # fmt: skip


def test_the_forecast_is_the_cell_of_the_comparison() -> None:
    options = ("--set", "modules=6", "--samples", 40, "--seed", 3, "--json")
    forecast = json.loads(printed("forecast", PORT, "--speed", "2.5x", "--agents", 3, *options))
    comparison = json.loads(printed("compare", PORT, "--speed", "2.5x", "--agents", 3, *options))
    (cell,) = comparison["scenarios"]
    assert {key: forecast[key] for key in cell} == cell


def test_csv_has_a_row_for_each_scenario() -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(printed("compare", EIGHT, "--speed", "1x", "--agents", "1,4", "--samples", 5, "--csv"))
        )
    )
    assert [row["agents"] for row in rows] == ["1", "4"]
    assert [float(row["seconds_p50"]) for row in rows] == pytest.approx([1305.333, 807.333], abs=0.01)
    assert rows[0]["usd_p50"] == ""
    steps = list(csv.DictReader(io.StringIO(printed("forecast", PORT, "--set", "modules=2", "--samples", 5, "--csv"))))
    assert steps[0]["step"] == "survey"
    assert float(steps[0]["usd"]) > 0


# Text


def test_text_fits_80_columns_and_reads_without_colour() -> None:
    text = printed("compare", PORT, "--set", "modules=20", "--samples", 50) + printed(
        "forecast", PORT, "--set", "modules=20", "--samples", 50
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "█" in text  # shades say what colours would


def test_long_names_are_wrapped_and_long_step_names_cut(tmp_path: Path) -> None:
    name = "-".join(["name"] * 30)
    path = tmp_path / "long.yaml"
    path.write_text(
        f"workflow: {name}\ncrews: {{{name}: {{agents: 3}}}}\nsteps:\n  {name}: {{for_each: 3, crew: {name}, tool: 5s to 9s}}\n",
        encoding="utf-8",
    )
    for command in ("compare", "forecast"):
        text = printed(command, path, "--samples", 1)
        assert max(map(len, text.splitlines())) <= 80
        assert "nan" not in text
    assert "its error is unknown" in printed("forecast", path, "--samples", 1, "--all")


def test_huge_numbers_stay_in_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_text(
        "workflow: huge\nmodels: {m: {ttft: 1s, output_speed: 50, price: {input: 100000, output: 1000000}}}\nmodel: m\n"
        "steps:\n  a: {for_each: 50, llm: {input: 900M, output: 900M}}\n  b: {human: 1s}\n",
        encoding="utf-8",
    )
    compared = printed(
        "compare", path, "--samples", 2, "--speed", "0.5x,1000000x", "--agents", "1,2,3,4,5,100000", "--all"
    )
    assert max(map(len, compared.splitlines())) <= 80
    rows = [line for line in compared.splitlines() if line[:9].strip() in ("0.5x", "1Mx")]
    assert len({len(line) for line in rows[:4]}) == 1  # columns line up
    assert max(map(len, printed("forecast", path, "--samples", 2).splitlines())) <= 80


def test_target_result_of_more_than_a_day_are_told_apart(tmp_path: Path, golden: Golden) -> None:
    """A tool of 25 h, then 8 items of 10 min: 26:20, 25:40 and 25:20 with 1, 2 and 4 agents."""
    path = tmp_path / "day.yaml"
    path.write_text("workflow: day\ncrews: {team: {agents: 4}}\nsteps:\n  a: {tool: 25h}\n  b: {needs: a, for_each: 8, crew: team, tool: 10min}\n",
                    encoding="utf-8")  # fmt: skip
    compared = printed("compare", path, "--samples", 2, "--agents", "1,2,4", "--all")
    assert "26h20      25h40      25h20" in compared
    shown = [
        compared,
        printed("forecast", path, "--agents", 2),
        printed("target", path, "--p90", "30h", "--samples", 9),
    ]
    golden(shown[2])
    assert all(len(line) <= 80 for text in shown for line in text.splitlines())


def test_a_name_cannot_steer_the_terminal(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "red.yaml"
    path.write_text('workflow: "a\\nb\\e[31mred"\nsteps:\n  a: {tool: 5s}\n', encoding="utf-8")
    for command in ("compare", "forecast"):
        text = printed(command, path, "--samples", 2)
        assert "\x1b" not in text
        golden(text.splitlines()[0])


def test_many_columns_are_wrapped() -> None:
    text = printed("compare", EIGHT, "--agents", ",".join(map(str, range(1, 17))), "--samples", 2)
    assert max(map(len, text.splitlines())) <= 80
    assert all(f" {count} " in text or f" {count}\n" in text for count in range(1, 17))


def test_colours_come_on_a_terminal_only() -> None:
    arguments = ["compare", str(EIGHT), "--samples", "2", "--all"]
    coloured = CliRunner().invoke(app, arguments, color=True).stdout
    plain = CliRunner().invoke(app, arguments).stdout
    assert ";48;5;" in coloured
    from planner.report import without_colour

    assert without_colour(coloured) == plain
    assert CliRunner(env={"NO_COLOR": "1"}).invoke(app, arguments, color=True).stdout == plain


# Options


def test_set_changes_a_parameter() -> None:
    few, many = (
        json.loads(printed("forecast", PORT, "--set", f"modules={n}", "--samples", 20, "--json")) for n in (4, 8)
    )
    assert many["tokens"]["output"] > 1.5 * few["tokens"]["output"]
    assert "did you mean 'modules'?" in refused("forecast", PORT, "--set", "module=4")


def test_agents_size_the_only_crew_the_named_one_or_the_default_crew() -> None:
    by_name = printed("compare", EIGHT, "--agents", "workers=1,4", "--samples", 2)
    assert by_name == printed("compare", EIGHT, "--agents", "1,4", "--samples", 2)
    qa = json.loads(
        printed("forecast", ROOT / "workflows" / "parallel_qa.yaml", "--agents", 7, "--samples", 2, "--json")
    )
    assert qa["agents"] == 7


@pytest.mark.parametrize(
    ("option", "value"),
    [("--agents", "0"), ("--agents", "1,x"), ("--agents", "2.5"), ("--agents", "nobody=2"), ("--agents", "999999999"), ("--speed", "0x"), ("--speed", "fast"),
     ("--speed", "-1x"), ("--set", "modules"), ("--set", "modules=many"), ("--samples", "0"), ("--seed", "-1")],
)  # fmt: skip
def test_bad_options_are_refused_with_a_reason(option: str, value: str) -> None:
    message = refused("compare", PORT, option, value)
    assert option in message


@pytest.mark.parametrize(
    "options",
    [
        ("forecast", EIGHT, "--agents", "2", "--agents", "4"),
        ("compare", EIGHT, "--speed", "1x", "--speed=2x"),
        ("compare", EIGHT, "--model", "gpt-5.5", "--model", "gpt-5"),
        ("target", EIGHT, "--p90", "1h", "--p90", "2h"),
        ("tier", EIGHT, "--fast", "a", "--fast", "b", "--budget", "3"),
        ("sensitivity", EIGHT, "--seed", "1", "--seed", "1"),
        ("rehearse", EIGHT, "--samples", "1", "--samples", "2"),
        ("forecast", EIGHT, "-o", "a.txt", "--output", "b.txt"),
        ("tokens", EIGHT, "--encoding", "o200k_base", "--encoding", "cl100k_base"),
        ("models", "--sort", "name", "--sort", "price"),
        ("models", "import", EIGHT, "--name", "a", "--name", "b"),
        ("models", "show", "gpt-5", "--catalogue", "a", "--catalogue", "b"),
    ],
    ids=lambda options: " ".join(map(str, (Path(one).name if isinstance(one, Path) else one for one in options))),
)
def test_an_option_that_is_given_twice_is_refused(options: tuple[object, ...], golden: Golden) -> None:
    message = refused(*options)
    golden(message)


def test_a_flag_may_be_given_twice() -> None:
    assert json.loads(printed("forecast", EIGHT, "--samples", 2, "--json", "--json"))["samples"] == 2


TWO = """\
workflow: two
crews:
  migrators: {agents: 1}
  reviewers: {agents: 1}
steps:
  migrate: {for_each: 12, crew: migrators, tool: 1min}
  review: {for_each: 12, needs: migrate, crew: reviewers, tool: 1min}
"""


def test_a_forecast_sizes_several_crews(tmp_path: Path, golden: Golden) -> None:
    """12 minutes of work by 4, then as many by 6."""
    path = tmp_path / "two.yaml"
    path.write_text(TWO, encoding="utf-8")
    found = json.loads(printed("forecast", path, "--agents", "migrators=4, reviewers=6", "--json"))
    assert found["seconds"]["p50"] == 180 + 120
    assert found["agents"] == 10
    assert {crew["name"]: crew["agents"] for crew in found["crews"]} == {"migrators": 4, "reviewers": 6}
    assert "unknown crew 'rewiewers'" in refused("forecast", path, "--agents", "migrators=4,rewiewers=6")
    apart = json.loads(printed("forecast", path, "--agents", "migrators=4", "--agents", "reviewers=6", "--json"))
    assert apart == found


COMMANDS_WITH_AGENTS = (
    ("forecast",), ("compare",), ("target", "--p90", "1h"), ("sensitivity",), ("rehearse",),
    ("tier", "--fast", "a", "--budget", 1),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS_WITH_AGENTS, ids=lambda command: command[0])
def test_wrong_agents_of_several_crews_are_refused_together(
    command: tuple[str, ...], tmp_path: Path, golden: Golden
) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(TWO, encoding="utf-8")

    def refusal(*agents: str) -> str:
        return refused(command[0], path, *command[1:], *(part for text in agents for part in ("--agents", text)))

    golden(refusal("4", "migrators=0", "migrators=x,2", "6"), command[0])
    if command[0] not in ("compare", "target"):
        golden(refusal("migrators=4,5", "reviewers=6"), f"several {command[0]}")
    if command[0] != "tier":
        unknown = refusal("migratros=4", "rewiewers=6")
        assert "did you mean 'migrators'?" in unknown
        assert "did you mean 'reviewers'?" in unknown


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_h_is_help(command: tuple[str, ...], golden: Golden) -> None:
    text = printed(*command, "--help")
    assert printed(*command, "-h") == text
    golden(text, file=f"help/{'_'.join(('planner', *command))}")


def test_a_forecast_is_of_one_scenario_and_one_format(golden: Golden) -> None:
    assert "planner compare" in refused("forecast", EIGHT, "--agents", "1,2")
    golden(refused("forecast", EIGHT, "--json", "--csv"))


def test_version_says_which_kernel_runs() -> None:
    assert printed("--version").startswith(f"planner {__version__}, kernel ")


def test_examples_are_listed() -> None:
    assert [Path(line).name for line in printed("examples").splitlines()] == sorted(
        path.name for path in (ROOT / "workflows").glob("*.yaml")
    )


@pytest.mark.parametrize("command", [["-m", "planner"], ["cli.py"]])
def test_every_entry_point_is_the_same(command: list[str]) -> None:
    found = subprocess.run(
        [sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "forecast" in found
    assert "compare" in found
    assert "planner [OPTIONS]" in found


# Files


def test_output_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old", encoding="utf-8")
    assert printed("compare", EIGHT, "--samples", 2, "--json", "--output", target) == ""
    assert json.loads(target.read_text(encoding="utf-8"))["workflow"] == "eight-items"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    refused("compare", tmp_path / "missing.yaml", "--output", target)
    assert json.loads(target.read_text(encoding="utf-8"))["workflow"] == "eight-items"
    assert "cannot write" in refused("compare", EIGHT, "--samples", 2, "--output", tmp_path / "nowhere" / "plan.json")


def test_a_file_keeps_its_mode_its_links_and_its_kind(tmp_path: Path) -> None:
    target, link, new = tmp_path / "plan.txt", tmp_path / "link.txt", tmp_path / "new.txt"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    link.symlink_to(target)
    for path in (link, new):
        assert printed("forecast", EIGHT, "--samples", 2, "--output", path) == ""
    assert link.is_symlink()
    assert "Time: " in target.read_text(encoding="utf-8")
    assert target.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert "is a directory" in refused("forecast", EIGHT, "--samples", 2, "--output", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "new.txt", "plan.txt"]


USING = """\
workflow: using
model: house
steps:
  a: {use: used.yaml}
  b: {agent: {turns: {file: turns.csv, column: n}, prompt: {file: prompt.md}, output: 100, tool: 1s}}
"""
FILES = {
    "using.yaml": USING,
    "used.yaml": "workflow: used\nsteps: {a: {tool: 1s}}\n",
    "turns.csv": "n\n3\n",
    "prompt.md": "Be brief.\n",
    "catalogue.yaml": "profiles:\n  house: {ttft: 1s, output_speed: 60}\n",
}


@pytest.fixture
def using(tmp_path: Path) -> Path:
    """A workflow that reads four other files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "using.yaml"


@pytest.mark.parametrize("name", list(FILES))
@pytest.mark.parametrize(
    "command", [("forecast", "-o"), ("target", "--p90", "1h", "-o"), ("tier", "--fast", "house", "--budget", 1, "-o"),
                ("rehearse", "--force", "--export")],
)  # fmt: skip
def test_no_file_that_is_read_is_written(using: Path, name: str, command: tuple[object, ...]) -> None:
    link = using.parent / "link"
    link.symlink_to(using.parent / name)
    for output in (using.parent / name, link):
        message = " ".join(refused(command[0], using, *command[1:], output).split())
        assert "would replace" in message
        assert "name another file" in message
    assert {path.name: path.read_text(encoding="utf-8") for path in using.parent.iterdir() if path != link} == FILES


def test_the_catalogue_is_spared_where_it_is_not_needed(tmp_path: Path) -> None:
    workflow, catalogue = tmp_path / "w.yaml", tmp_path / "catalogue.yaml"
    workflow.write_text(FILES["used.yaml"], encoding="utf-8")
    catalogue.write_text(FILES["catalogue.yaml"], encoding="utf-8")
    assert "would replace" in refused("forecast", workflow, "-o", catalogue)
    assert catalogue.read_text(encoding="utf-8") == FILES["catalogue.yaml"]


def fed(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command with `text` as its standard input, in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "planner", *arguments],
        input=text, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
def test_a_workflow_comes_from_standard_input(tmp_path: Path, file: str) -> None:
    if file != "-" and not Path(file).exists():
        pytest.skip("no such device here")
    text = "workflow: w\nmodel: gpt-5.5\nsteps: {a: {llm: {input: 1k, output: 10}}}\n"
    found = fed(tmp_path, text, "forecast", file, "--samples", "2", "--json")
    assert json.loads(found.stdout)["model"] == "gpt-5.5", found.stderr


@pytest.mark.slow
def test_files_that_standard_input_names_are_looked_for_here(using: Path, golden: Golden) -> None:
    found = fed(using.parent, USING, "compare", "-", "--samples", "2", "--json")
    assert json.loads(found.stdout)["workflow"] == "using", found.stderr
    wrong = fed(using.parent, USING.replace("turns:", "turms:"), "tier", "-", "--fast", "house", "--budget", "1")
    assert wrong.returncode == 2
    golden(wrong.stderr)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_notes_of_json_go_to_standard_error(golden: Golden) -> None:
    result = run("compare", EIGHT, "--samples", 2, "--json")
    assert json.loads(result.stdout)
    golden(result.stderr)


def test_a_stream_that_cannot_show_a_shade_shows_something_else() -> None:
    command = [sys.executable, "-m", "planner", "compare", str(EIGHT), "--samples", "2", "--all"]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert b"12min04s" in found.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_is_told(golden: Golden) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "planner", "compare", str(EIGHT), "--samples", "2"]
        found = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 2
    golden(found.stderr)


def _hear_interrupts() -> None:
    """A test run in the background ignores them, and what it starts does likewise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a process of its own")
def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    command = [
        sys.executable,
        "-m",
        "planner",
        "compare",
        str(PORT),
        "--samples",
        "1000000",
        "--json",
        "--output",
        str(target),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_interrupts
    ) as process:
        time.sleep(3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err == "interrupted; nothing was written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nothing_but_the_answer_goes_to_standard_output_and_no_progress_off_a_terminal() -> None:
    """It takes seconds: on a terminal there would be."""
    found = subprocess.run(
        [sys.executable, "-m", "planner", "compare", str(PORT), "--json", "--samples", "500"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout)["workflow"] == "port-codebase"
    assert "simulating" not in found.stderr


# What a command imports


def loaded(*arguments: str) -> set[str]:
    code = (
        "import sys\nfrom planner.cli.app import app\n"
        "try: app(sys.argv[1:], standalone_mode=False)\nexcept SystemExit: pass\n"
        "print('modules', *{name.partition('.')[0] for name in sys.modules})"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return set(found.splitlines()[-1].split()[1:])


def test_help_loads_neither_numpy_nor_langgraph_nor_pydantic() -> None:
    assert not loaded("--help") & {"numpy", "langgraph", "tiktoken", "pydantic", "yaml", "rich"}


@pytest.mark.parametrize("command", ["compare", "forecast"])
def test_commands_load_no_library_that_they_do_not_need(command: str) -> None:
    modules = loaded(command, str(EIGHT), "--samples", "2")
    assert "numpy" in modules
    assert not modules & {
        "langgraph",
        "langchain_core",
        "scipy",
        "tiktoken",
        "pandas",
        "rich",
        "networkx",
        "hypothesis",
    }


def test_an_uncompiled_kernel_is_noted_and_agrees() -> None:
    command = [sys.executable, "-m", "planner", "compare", str(EIGHT), "--samples", "2", "--json"]
    pure = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, "PLANNER_PURE": "1"}
    )
    assert pure.stderr.count("uncompiled") == 1
    assert pure.stdout == printed("compare", EIGHT, "--samples", 2, "--json")


# Models


def test_models_of_the_catalogue_stand_side_by_side_with_their_prices() -> None:
    options = (
        "--set",
        "modules=3",
        "--agents",
        "1,2",
        "--samples",
        20,
        "--model",
        "claude-opus-5-5,claude-opus-5-5-fast",
    )
    data = json.loads(printed("compare", PORT, *options, "--json"))
    cells = {(one["model"], one["agents"]): one for one in data["scenarios"]}
    assert list(cells) == [(name, count) for name in ("claude-opus-5-5", "claude-opus-5-5-fast") for count in (1, 2)]
    assert {one["speed"] for one in data["scenarios"]} == {1.0}
    assert data["baseline"] == {
        "model": "claude-opus-4-8", "speed": 1.0, "sizes": {"engineers": 1}, "crews": ["engineers"]
    }  # fmt: skip
    slow, fast = cells["claude-opus-5-5", 1], cells["claude-opus-5-5-fast", 1]
    assert fast["seconds"]["p50"] < slow["seconds"]["p50"]
    assert fast["usd"]["mean"] == pytest.approx(2 * slow["usd"]["mean"])
    forecast = json.loads(printed("forecast", PORT, "--set", "modules=3", "--agents", 2, "--samples", 20, "--model", "claude-opus-5-5-fast", "--json"))  # fmt: skip
    assert forecast["seconds"] == cells["claude-opus-5-5-fast", 2]["seconds"]
    assert forecast["usd"] == cells["claude-opus-5-5-fast", 2]["usd"]


def test_claims_are_told_wherever_they_are_used(golden: Golden) -> None:
    told = printed("forecast", PORT, "--set", "modules=2", "--samples", 5, "--model", "groq-llama-4-scout", "--all")
    assert "claim without" in told
    assert "withdrawn" in told
    verdict = printed("compare", PORT, "--set", "modules=2", "--samples", 5, "--agents", "1,2", "--speed", "1x", "--model", "groq-llama-4-scout,claude-opus-5-5")  # fmt: skip
    golden(verdict)


def test_the_conditions_of_a_measured_curve_are_told_where_it_is_used(golden: Golden) -> None:
    golden(printed("forecast", BUGFIX, "--samples", 5, "--model", "h200x2-70b-8k", "--all"))
    options = ("--samples", 5, "--agents", 1, "--model", "glm-5-tilert-b200,glm-5-sglang-h200", "--json")
    notes = [note["text"] for note in json.loads(printed("compare", BUGFIX, *options))["notes"]]
    assert sum("is measured for: " in note for note in notes) == 1
    assert sum("is claimed for: 1 request at a time" in note for note in notes) == 1
    assert any("'up to 500 at 1'" in note for note in notes)


def test_steps_have_no_cost_of_their_own_where_machines_are_paid_by_the_hour(
    golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    options = ("forecast", BUGFIX.relative_to(ROOT), "--samples", 5, "--model", "h200x1-8b-1k")
    data = json.loads(printed(*options, "--json"))
    assert data["usd"]["mean"] == pytest.approx(4 * data["seconds"]["mean"] / 3600)
    cost = {step["step"]: step["usd"] for step in data["steps"]}
    assert cost == {"attempt.fix": None, "attempt.test": 0, "report": None}
    text = printed(*options, "--explain", "--all")
    assert next(line for line in text.splitlines() if line.startswith("report")).endswith(" —")
    golden(text)
    paid = [line for line in text.splitlines() if line.startswith("  tokens: ")]
    assert paid
    assert not any("$" in line for line in paid)


def test_a_misspelt_model_is_met_with_the_nearest_name(golden: Golden) -> None:
    result = CliRunner().invoke(app, ["forecast", str(PORT), "--model", "claude-opus-5-5-fats"])
    assert result.exit_code == 2
    golden(result.stderr)


OFFERED = (
    "claude-opus-4-6-fast", "claude-opus-4-8-fast", "claude-opus-5-fast", "claude-opus-5-5-fast",
    "gpt-5.5", "gpt-5.5-fast-may-2026", "gpt-5.5-fast", "gpt-5.6-sol-fast", "gpt-6-astra-ultrafast",
    "gpt-6.1-sol-ultrafast", "gemini-3.5-flash", "glm-5.1", "glm-5.1-highspeed", "groq-llama-4-scout",
    "groq-gpt-oss-120b", "cerebras-llama-70b", "cerebras-gpt-oss-120b", "h100-llama-4-scout", "gpt-4o",
    "claude-3-5-sonnet", "gemini-1.5-flash", "a100-llama-2-70b",
    "nemotron-nano-30b-vllm-b200", "glm-5-vllm-1k", "glm-5-vllm-8k", "glm-5-sglang-h200",
    "llama-70b-tensorrt-llm-h100", "glm-5-tilert-b200", "deepseek-v4-flash-ds4-spark",
    *(f"h200x{count}-8b-{context}" for count in (1, 2, 4) for context in ("1k", "8k")),
    *(f"h200x{count}-70b-{context}" for count in (2, 4) for context in ("1k", "8k")),
)  # fmt: skip
"""What the catalogue is to offer by name, whatever else it has."""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gpt-5.5-turbo", "did you mean 'gpt-5.5'?"),
        ("gpt-4-trubo", "did you mean 'gpt-4-turbo'?"),
        ("opus", "did you mean 'claude-opus-"),
        ("sonnet", "did you mean 'claude-sonnet-"),
    ],
)
def test_models_that_can_be_bought_are_offered_first(tmp_path: Path, written: str, meant: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"workflow: w\nmodel: {written}\nsteps: {{a: {{llm: {{output: 9}}}}}}\n", encoding="utf-8")
    for said in (refused("forecast", path), refused("forecast", EIGHT, "--model", written), refused("models", written)):
        assert meant in said
        assert "claude-3" not in said


def test_a_profile_of_ones_own_is_meant_too(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "workflow: w\nmodel: hause\nmodels: {house: {ttft: 1s, output_speed: 50}}\nsteps: {a: {llm: {output: 9}}}\n",
        encoding="utf-8",
    )
    assert "did you mean 'house'?" in refused("forecast", path)


def test_prices_per_token_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    for prices, told in (
        ("input: 0.000003, output: 0", True),
        ("input: 0.001, output: 0", False),
        ("per_hour: 3", False),
    ):
        path.write_text(
            f"workflow: w\nmodel: m\nmodels: {{m: {{ttft: 1s, output_speed: 50, price: {{{prices}}}}}}}\n"
            "steps: {a: {llm: {output: 9}}}\n",
            encoding="utf-8",
        )
        for command in ("forecast", "compare"):
            notes = json.loads(printed(command, path, "--samples", 2, "--json"))["notes"]
            assert [note["values"] for note in notes if note["code"] == "tiny-price"] == (
                [{"models": ["m"], "usd": 0.001}] if told else []
            )


def test_an_explanation_says_where_a_profile_stands(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    for model, place in (("gpt-5.5", "the catalogue"), ("house", f"{path}:3:17")):
        path.write_text(
            f"workflow: w\nmodel: {model}\nmodels: {{house: {{ttft: 1s, output_speed: 50}}}}\n"
            "steps: {a: {llm: {output: 9}}}\n",
            encoding="utf-8",
        )
        text = "".join(printed("forecast", path, "--samples", 2, "--explain").split())
        assert f"Profile{model}({place}),at1x".replace(" ", "") in text


def test_tier_names_the_option_that_is_wrong() -> None:
    assert "--fast: unknown model 'nope'" in refused("tier", PORT, "--fast", "nope", "--budget", "3")
    both = refused("tier", PORT, "--fast", "nope", "--model", "none", "--budget", "3")
    assert "--fast: unknown model 'nope'" in both
    assert "--model: unknown model 'none'" in both


@pytest.mark.slow
def test_every_profile_of_the_catalogue_plans() -> None:
    from planner.catalogue import Catalogue
    from planner.planning import forecast
    from planner.workflow import read_workflow

    known = Catalogue.load()
    assert set(OFFERED) <= set(known.names)
    workflow = read_workflow(BUGFIX, known_models=known.names)
    for name in known.names:
        with_all = workflow.model_copy(update={"models": known.declared})
        assert forecast(with_all.on(name), samples=2).result.seconds.p50 > 0


@pytest.mark.parametrize(
    "options",
    [
        ("forecast", "--runtime", "langchain"),
        ("compare", "--samples", "0"),
        ("compare", "--samples", "1000000000000"),
        ("forecast", "--seed", "one"),
        ("models", "--min-speed", "some"),
    ],
    ids=" ".join,
)
def test_options_are_refused_in_words_of_ours(options: tuple[str, ...], golden: Golden) -> None:
    command, *others = options
    file = [] if command == "models" else [str(EIGHT)]
    result = CliRunner().invoke(app, [command, *file, *others])
    assert result.exit_code == 2
    golden(result.stderr)
