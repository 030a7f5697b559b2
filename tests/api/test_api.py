"""The Python interface: the same answers as the commands, shown, checked and kept."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.planning import comparison_result, forecast_result
from planner.report import without_colour
from planner.report.html import elements
from planner.report.wording import quantities as words
from planner.report.wording import sensitivities as sensitivity_words
from planner.report.wording.forecasts import drag_phrase
from planner.report.wording.heat_maps import SHADES, heat_maps
from tests.conftest import PLAIN, ROOT, Golden

EXAMPLE = ROOT / "workflows" / "fix_bugs.yaml"
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
Searches = tuple[planner.TargetResult, planner.TierResult, planner.Sensitivity]
Commands = list[tuple[int, tuple[object, ...]]]
UNPRICED = f"workflow: test\n{PLAIN}steps: {{a: {{for_each: 4, llm: {{input: 1k, output: 100}}}}}}\n"


@pytest.fixture(scope="module")
def workflow() -> planner.Workflow:
    return planner.load_workflow(EXAMPLE)


@pytest.fixture(scope="module")
def forecast(workflow: planner.Workflow) -> planner.Forecast:
    return planner.forecast(workflow, agents=3, samples=120)


@pytest.fixture(scope="module")
def comparison(workflow: planner.Workflow) -> planner.Comparison:
    return planner.compare(workflow, speeds=[1, 2.5], agents=[1, 3], samples=120)


@pytest.fixture(scope="module")
def searches(workflow: planner.Workflow) -> Searches:
    return (
        planner.target(workflow, p90="1h", budget=20, speeds=[1, 2.5], agents=[1, 3], samples=120),
        planner.tier(planner.load_workflow(TIERS), fast="fast", budget=0.2, samples=120),
        planner.sensitivity(workflow, agents=3, samples=120),
    )


def printed(*arguments: object, code: int = 0) -> str:
    found = CliRunner().invoke(app, [*map(str, arguments), "--samples", "120"])
    assert found.exit_code == code, found.output
    return found.stdout


FORECAST = ("forecast", EXAMPLE, "--agents", 3)
COMPARE = ("compare", EXAMPLE, "--speed", "1x,2.5x", "--agents", "1,3")


TIERS = """\
workflow: two-steps
model: slow
models:
  slow: {ttft: 1s, prefill_speed: 1000, output_speed: 50, price: {input: 0, output: 10}}
  fast: {based_on: slow, speed: 2x, price_multiplier: 3}
steps:
  a: {llm: {output: 1000 to 3000}}
  b: {needs: a, llm: {output: 4000}}
"""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """Exit codes, and what `searches` are on the command line."""
    file = tmp_path_factory.mktemp("tiers") / "two.yaml"
    file.write_text(TIERS, encoding="utf-8")
    grid = ("--speed", "1x,2.5x", "--agents", "1,3")
    return [
        (1, ("target", EXAMPLE, "--p90", "1h", "--budget", 20, *grid)),
        (0, ("tier", file, "--fast", "fast", "--budget", 0.2)),
        (0, ("sensitivity", EXAMPLE, "--agents", 3)),
    ]


# The package


def test_importing_the_package_loads_nothing_of_weight() -> None:
    heavy = "{'numpy', 'pydantic', 'yaml', 'typer', 'pandas'}"
    code = f"import planner, sys; dir(planner); assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_name_is_there_and_described() -> None:
    for name in planner.__all__:
        assert getattr(planner, name) is not None
        assert name in dir(planner)
        assert name == "__version__" or f"`{name}" in PAGE


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        planner.forcast  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("call", ["load_workflow", "forecast", "compare", "target", "tier", "sensitivity"])
def test_the_page_shows_every_argument(call: str) -> None:
    import inspect

    signature = inspect.signature(getattr(planner, call)).parameters.values()
    shown = [str(one.replace(annotation=one.empty)) for one in signature]
    assert f"`{call}({shown[0]}, *, {', '.join(shown[1:])})`".replace(" = ", "=") in PAGE


# The same answers


def test_data_is_that_of_json(forecast: planner.Forecast, comparison: planner.Comparison) -> None:
    for found, command in ((forecast.to_dict(), FORECAST), (comparison.to_dict(), COMPARE)):
        shown = json.loads(printed(*command, "--json"))
        shown["notes"] = [_in_python(note) for note in shown["notes"]]
        assert found == shown


def _in_python(note: dict[str, Any]) -> dict[str, Any]:
    """A note in JSON, with the name of the argument instead of the option."""
    return {**note, "text": note["text"].replace("(--premium)", "(premium)")}


def test_text_is_that_of_the_terminal(forecast: planner.Forecast, comparison: planner.Comparison) -> None:
    for found, command in ((forecast, FORECAST), (comparison, COMPARE)):
        assert _on_the_terminal(str(found)) == printed(*command).split()
        everything = printed(*command, "--all").replace("(--premium)", "(premium)")
        assert f"{found.text(everything=True)}\n" == without_colour(everything)


def _on_the_terminal(text: str) -> list[str]:
    """The words of a text, with the options of the command line. They are wrapped elsewhere."""
    return text.replace("text(everything=True)", "--all").split()


def test_a_table_has_the_columns_of_csv(forecast: planner.Forecast, comparison: planner.Comparison) -> None:
    for found, command in ((forecast, FORECAST), (comparison, COMPARE)):
        header, *rows = csv.reader(io.StringIO(printed(*command, "--csv")))
        frame = found.to_frame()
        assert list(frame.columns) == header
        assert len(frame) == len(rows)
        assert not frame.isna().any().any()


def test_searches_are_those_of_the_commands(searches: Searches, commands: Commands) -> None:
    for found, (code, command) in zip(searches, commands, strict=True):
        data = json.loads(printed(*command, "--json", code=code))
        data["notes"] = [_in_python(note) for note in data["notes"]]
        assert found.to_dict() == data
        terminal = printed(*command, code=code).replace("(--premium)", "(premium)")
        assert _on_the_terminal(str(found)) == terminal.split()
        header, *rows = csv.reader(io.StringIO(printed(*command, "--csv", code=code)))
        assert (list(found.to_frame().columns), len(found.to_frame())) == (header, len(rows))


def test_searches_show_themselves_in_a_notebook(searches: Searches, golden: Golden) -> None:
    plans, tiering, sensitivity = searches
    chances, speeds, agents = parsed(plans._repr_html_()).findall(".//table")
    assert [words.share(one.chance.chance) in content(cell) for one, cell in zip(
        plans.candidates, chances.findall(".//td"), strict=True
    )] == [True] * 4  # fmt: skip
    assert [len(table.findall("tbody/tr")) for table in (speeds, agents)] == [2, 2]
    golden(plans._repr_html_())
    choices, alone = (content(table) for table in parsed(tiering._repr_html_()).findall(".//table"))
    assert words.seconds(tiering.fast.seconds.p50) in choices
    assert all(one.steps[0] in alone for one in tiering.alone)
    effects, drivers = parsed(sensitivity._repr_html_()).findall(".//table")
    assert (
        len(effects.findall("tbody/tr"))
        == sum(sensitivity_words.shown(sensitivity, one) for one in sensitivity.estimates)
        > 0
    )
    assert len(drivers.findall("tbody/tr")) == sum(one.told for one in sensitivity.drivers) > 0


def test_searches_can_be_sent_and_are_short_in_a_list(searches: Searches, golden: Golden) -> None:
    for found in searches:
        assert pickle.loads(pickle.dumps(found)) == found
    assert list(map(repr, searches)) == [
        golden(repr(searches[0])),
        f"<TierResult of two-steps: {len(searches[1].best.steps) if searches[1].best else 0} of 2 fast, 120 samples>",
        f"<Sensitivity of fix-bugs: {len(searches[2].estimates)} numbers, 120 samples>",
    ]


def test_wrong_arguments_of_searches_are_told_at_once(workflow: planner.Workflow) -> None:
    nan: Any = float("nan")
    for call, told in (
        (
            lambda: planner.target(workflow, p90=-1, p50="4", budget=nan),
            {"p90", "p50", "budget", "give one deadline"},
        ),
        (lambda: planner.target(workflow), {"give one deadline"}),
        (lambda: planner.tier(workflow, fast="", budget="x", max_time=0), {"fast", "budget", "max_time"}),
        (lambda: planner.sensitivity(workflow, off=1, speed=0, threads=0), {"off", "speed", "threads"}),
        (lambda: planner.sensitivity(workflow, samples=49), {"samples: at least 50"}),
        (lambda: planner.tier(workflow, fast="sonnet", budget=1), {"fast: 'sonnet' is the model"}),
    ):
        with pytest.raises(planner.InputError) as found:
            call()
        assert len(found.value.problems) == len(told)
        assert "--" not in str(found.value)
        for start in told:
            assert any(problem.message.startswith(start) for problem in found.value.problems), start


def test_an_unknown_cost_is_none_in_data_and_nan_in_a_table() -> None:
    found = planner.compare(planner.load_workflow(UNPRICED), speeds=[1], agents=[1, 2], samples=2)
    assert found.to_dict()["scenarios"][0]["usd"] is None
    frame = found.to_frame()
    assert frame["usd_p50"].isna().all()
    assert frame["usd_p50"].dtype == float
    assert "unknown" in planner.forecast(planner.load_workflow(UNPRICED), samples=2)._repr_html_()


@pytest.mark.parametrize("models", ["free,paid", "paid,free"])
def test_csv_has_the_same_columns_whether_costs_are_known_or_not(models: str, tmp_path: Path) -> None:
    file = tmp_path / "mixed.yaml"
    speeds = "ttft: 1s, prefill_speed: 5k, output_speed: 60"
    file.write_text(
        f"workflow: mixed\nmodel: free\nmodels: {{free: {{{speeds}}}, paid: {{{speeds}, price: {{input: 3, output: 15}}}}}}\n"
        "steps: {a: {llm: {input: 1k, output: 100}}}\n",
        encoding="utf-8",
    )
    header, *rows = csv.reader(io.StringIO(printed("compare", file, "--model", models, "--agents", "1", "--csv")))
    assert header == next(csv.reader(io.StringIO(printed(*COMPARE, "--csv"))))
    costs = {row[0]: {row[at] for at, name in enumerate(header) if "usd" in name} for row in rows}
    assert costs["free"] == {""}
    assert "" not in costs["paid"]


def test_without_pandas_there_is_a_remedy(comparison: planner.Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        comparison.to_frame()


def test_a_text_is_read_like_its_file() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    one, other = planner.load_workflow(text), planner.load_workflow(str(EXAMPLE))
    assert planner.compare(one, samples=3).to_dict() == planner.compare(other, samples=3).to_dict()


def test_a_workflow_says_what_it_is(workflow: planner.Workflow, golden: Golden) -> None:
    assert (workflow.name, workflow.model, workflow.crews) == ("fix-bugs", "sonnet", {"fixers": 4})
    golden(repr(workflow))
    port = planner.load_workflow(ROOT / "workflows" / "port_codebase.yaml", parameters={"modules": 5})
    assert port.parameters == {"modules": 5}


def test_models_come_from_the_catalogue_with_what_is_to_be_known_of_them(workflow: planner.Workflow) -> None:
    found = planner.compare(workflow, models=["claude-opus-4-8", "sonnet"], agents=[1], samples=3)
    assert [one.scenario.model for one in found.results] == ["claude-opus-4-8", "sonnet"]
    assert [one.scenario.speed for one in found.results] == [1, 1]
    assert any("claude-opus-4-8" in note for note in found.notes)
    one = planner.forecast(workflow, model="claude-opus-4-8", samples=3)
    assert one.result.scenario.model == "claude-opus-4-8"
    assert set(planner.Catalogue.load().caveats("claude-opus-4-8")) <= {note.rstrip(".") for note in one.notes}


def test_models_are_named_in_a_list_or_as_on_the_command_line(workflow: planner.Workflow) -> None:
    for models in ("claude-opus-4-8, sonnet", ["claude-opus-4-8", "sonnet"], ("claude-opus-4-8", "sonnet")):
        found = planner.compare(workflow, models=models, agents=[1], samples=2)
        assert [one.scenario.model for one in found.results] == ["claude-opus-4-8", "sonnet"]
    assert planner.compare(workflow, models="gpt-4o", agents=[1], samples=2).results[0].scenario.model == "gpt-4o"


@pytest.mark.parametrize("ask", ["profile", "facts", "caveats", "available", "stale"])
def test_a_catalogue_meets_a_misspelt_name_with_the_nearest(ask: str) -> None:
    known = planner.Catalogue.load()
    with pytest.raises(planner.InputError) as error:
        getattr(known, ask)("gpt4o")
    (problem,) = error.value.problems
    assert (problem.code, problem.message) == ("unknown-model", "unknown model 'gpt4o'")
    assert "'gpt-4o'" in (problem.hint or "")
    with pytest.raises(planner.InputError, match="planner models' lists all"):
        getattr(known, ask)("xyzzy-0-0")


def test_a_catalogue_is_given_as_an_object_or_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("profiles: {mine: {ttft: 1s, output_speed: 50}}\n", encoding="utf-8")
    text = "workflow: test\nmodel: mine\nsteps: {a: {llm: {input: 1k, output: 100}}}\n"
    for catalogue in (mine, str(mine), planner.Catalogue.load(mine)):
        found = planner.forecast(planner.load_workflow(text, catalogue=catalogue), samples=2)
        assert found.result.scenario.model == "mine"
    with pytest.raises(planner.InputError, match="mine"):
        planner.load_workflow(text)


def test_a_step_on_machines_paid_by_the_hour_has_a_dash_for_its_cost(workflow: planner.Workflow) -> None:
    found = planner.forecast(workflow, model="h200x1-8b-1k", samples=2)
    assert {step.step: step.usd for step in found.steps if step.kind in ("llm", "agent")} == {
        "triage": None,
        "fix": None,
    }
    assert ">—</td>" in found._repr_html_()
    assert "paid by the hour" in found._repr_html_()


def test_progress_is_told(workflow: planner.Workflow) -> None:
    told: list[float] = []
    planner.compare(workflow, samples=3, progress=told.append)
    assert told
    assert told[-1] == pytest.approx(1)
    assert told == sorted(told)


# Mistakes


def test_all_wrong_arguments_are_told_at_once(workflow: planner.Workflow) -> None:
    wrong: dict[str, Any] = {"speeds": [0, 1], "agents": [1.5], "seed": -1, "samples": 0, "premium": 100, "crew": 5}
    with pytest.raises(planner.InputError) as found:
        planner.compare(workflow, **wrong)
    told = {problem.message.partition(":")[0] for problem in found.value.problems}
    assert told == set(wrong)
    assert {problem.code for problem in found.value.problems} == {"bad-value"}


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        (lambda flow: planner.compare(flow, crew="fixer"), "crew: unknown crew 'fixer'", "did you mean 'fixers'?"),
        (lambda flow: planner.forecast(flow, model="sonet"), "model: unknown model 'sonet'", "did you mean 'sonnet'?"),
        (lambda flow: planner.load_workflow(EXAMPLE, parameters={"x": 1}), "parameters: unknown parameter 'x'", None),
        (lambda flow: planner.load_workflow(EXAMPLE, parameters=[1]), "expected a mapping", None),  # type: ignore
        (lambda flow: planner.forecast("fix.yaml"), "load_workflow()", None),  # type: ignore
        (lambda flow: planner.compare(flow, agents="1,2"), "expected a list", None),  # type: ignore
        (lambda flow: planner.compare(flow, speeds=[]), "expected a list", None),
        (lambda flow: planner.compare(flow, models=3), "such as ['sonnet', 'opus']", None),  # type: ignore
        (lambda flow: planner.forecast(flow, progress=3), "progress: 3: expected a function", None),  # type: ignore
        (lambda flow: planner.forecast(flow, threads=2, scheduler="tcp://h:1"), "omit threads", None),
    ],
)
def test_problems_name_the_argument(
    workflow: planner.Workflow, call: Callable[[planner.Workflow], Any], message: str, hint: str | None
) -> None:
    with pytest.raises(planner.InputError) as found:
        call(workflow)
    (problem,) = found.value.problems
    assert message in problem.message
    assert hint is None or problem.hint == hint
    assert "--" not in str(found.value)


def test_several_crews_ask_for_one_by_its_argument() -> None:
    text = "workflow: two\ncrews: {a: {agents: 1}, b: {agents: 1}}\nsteps:\n  x: {for_each: 2, crew: a, tool: 1s}\n"
    with pytest.raises(planner.InputError, match="crew='a' or crew='b'"):
        planner.compare(planner.load_workflow(text), agents=[1], samples=1)


def test_problems_of_a_file_have_their_places() -> None:
    with pytest.raises(planner.InputError) as found:
        planner.load_workflow("workflow: x\nsteps:\n  a: {human: 5}\n  b: {needs: c, human: 5s}\n")
    for error in (found.value, pickle.loads(pickle.dumps(found.value))):
        assert [problem.position.line for problem in error.problems if problem.position] == [3, 4]
        assert str(error) == str(found.value)


# Results


def test_results_are_those_of_planning_and_can_be_sent(
    forecast: planner.Forecast, comparison: planner.Comparison
) -> None:
    assert isinstance(forecast, forecast_result.Forecast)
    assert isinstance(comparison, comparison_result.Comparison)
    for found in (forecast, comparison):
        assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found
        assert type(replace(found, notes=())) is type(found)


def test_a_result_in_a_list_is_short(
    forecast: planner.Forecast, comparison: planner.Comparison, golden: Golden
) -> None:
    assert re.fullmatch(r"<Forecast of fix-bugs: 3 agents at 1x, p50 \w+, 120 samples>", repr(forecast))
    golden(repr(comparison))


def test_a_catalogue_is_data_a_table_and_html() -> None:
    known = planner.Catalogue.load()
    assert list(known.to_dict()) == sorted(known.names) == list(known.to_frame()["name"])
    assert str(known) == CliRunner().invoke(app, ["models"]).stdout.rstrip("\n")
    assert len(parsed(known._repr_html_()).findall(".//tbody/tr")) == len(known.names)


# HTML


def parsed(html: str) -> ElementTree.Element:
    """The elements of HTML that is well-formed."""
    return ElementTree.fromstring(html)


def content(element: ElementTree.Element) -> str:
    return " ".join(element.itertext())


def test_cells_have_the_shades_and_marks_of_the_terminal(comparison: planner.Comparison) -> None:
    shown = parsed(comparison._repr_html_()).findall(".//table")
    expected = list(heat_maps(comparison))
    assert len(shown) == len(expected) == 6
    for table, one in zip(shown, expected, strict=True):
        cells = [cell for row in one.rows for cell in row.cells]
        for found, cell in zip(table.findall(".//td"), cells, strict=True):
            text = content(found)
            assert text.strip().endswith(cell.text)
            assert ("* " in text) == cell.marked
            assert (SHADES[cell.level] in text) or not cell.level
            assert ("rgba" in found.attrib["style"]) == bool(cell.level)


def test_html_has_the_numbers_of_a_forecast(forecast: planner.Forecast) -> None:
    tables = parsed(forecast._repr_html_()).findall(".//table")
    quantities, parts, busy, steps = (content(table) for table in tables)
    time, cost = forecast.result.seconds, forecast.result.usd
    assert cost is not None
    for value in (time.p50, time.p90, time.p95, time.mean, time.standard_error):
        assert words.seconds(value) in quantities
    for value in (cost.p50, cost.p90, cost.mean, cost.standard_error):
        assert words.usd(value) in quantities
    for shown, low, high in ((words.seconds, time.p50_low, time.p50_high), (words.usd, cost.p90_low, cost.p90_high)):
        assert words.between(low, high, shown) in quantities
    for part, value in forecast.breakdown.items():
        assert f"{part} {words.seconds(value)}" in parts
    for crew in forecast.crews:
        assert f"{crew.agents} {words.percent(crew.utilisation.mean)} ± " in busy
    assert len(tables[3].findall("tbody/tr")) == len(forecast.steps)
    for step in forecast.steps:
        assert f"{step.step} {step.kind} {words.times(step.occurrences)} {words.seconds(step.seconds)}" in steps
        assert f"{words.share(step.criticality.mean)} {drag_phrase(step.drag)}" in steps


def test_whatever_a_file_holds_is_escaped() -> None:
    evil = "<script>alert(1)</script>&\"'"
    declared = PLAIN.replace("plain:", "'<b>plain</b>':").replace("model: plain", "model: '<b>plain</b>'")
    text = f"workflow: {json.dumps(evil)}\n{declared}steps: {{a: {{llm: {{input: 1k, output: 10}}}}}}\n"
    flow = planner.load_workflow(text)
    for found in (planner.forecast(flow, samples=2), planner.compare(flow, samples=2)):
        html = found._repr_html_()
        assert evil in content(parsed(html))
        assert "<b>plain</b>" in content(parsed(html))
        assert "<script" not in html
        assert "<b>plain" not in html


def test_text_is_legible_on_every_shade_in_light_and_dark() -> None:
    """WCAG 2: a contrast of 4.5 of inherited text on a tint over its page, for black on white and white on black."""
    red, green, blue = map(int, re.findall(r"\d+", elements._TINT)[:3])

    def luminance(colour: tuple[float, ...]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (x / 255 for x in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for page, text in ((255, 0), (0, 255)):
        for opacity in elements._TINTS:
            tinted = tuple(opacity * tint + (1 - opacity) * page for tint in (red, green, blue))
            dark, light = sorted((luminance(tinted), luminance((text, text, text))))
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_a_forecast_sizes_several_crews(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "workflow: two\ncrews: {a: {agents: 1}, b: {agents: 1}}\nsteps:\n"
        "  one: {for_each: 12, crew: a, tool: 1min}\n  two: {for_each: 12, needs: one, crew: b, tool: 1min}\n",
        encoding="utf-8",
    )
    two = planner.load_workflow(path)
    found = planner.forecast(two, agents={"a": 4, "b": 6}, samples=1)
    assert found.result.seconds.p50 == 180 + 120
    assert (
        planner.forecast(two, agents={"a": 4}, samples=1).result
        == planner.forecast(two, agents=4, crew="a", samples=1).result
    )
    for wrong, said in (({"a": 4, "c": 6}, "unknown crew 'c'"), ({}, "at least one crew"), ({"a": 0}, "at least 1")):
        with pytest.raises(planner.InputError, match=said):
            planner.forecast(two, agents=wrong)
    with pytest.raises(planner.InputError, match="omit crew"):
        planner.forecast(two, agents={"a": 4}, crew="a")
    assert planner.sensitivity(two, agents={"a": 4, "b": 6}, samples=50).seconds.p50 == 180 + 120
    with pytest.raises(planner.InputError) as unknown:
        planner.compare(two, agents={"c": [4], "d": [1]})
    assert [problem.code for problem in unknown.value.problems] == ["unknown-crew"] * 2
    for call in (planner.compare, planner.target):
        with pytest.raises(planner.InputError, match="expected a list"):
            call(two, agents={"a": 4})  # type: ignore[dict-item]
        with pytest.raises(planner.InputError, match="omit crew"):
            call(two, agents={"a": [4]}, crew="a")
