"""Requests, and the words of notes and problems for both front ends."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from planner.api.checks import Checks
from planner.api.request import CompareRequest, ForecastRequest, Simulation
from planner.errors import InputError, Note, Problem
from planner.loading import load
from planner.report.wording.notes import ARGUMENTS, OPTIONS, Names, Sentence, worded, worded_error, words
from tests.conftest import ROOT

EXAMPLE = ROOT / "workflows" / "fix_bugs.yaml"
TWO = "workflow: two\ncrews: {a: {agents: 1}, b: {agents: 1}}\nsteps:\n  x: {for_each: 2, crew: a, tool: 1s}\n"


def refusal(**fields: Any) -> InputError:
    with pytest.raises(InputError) as error:
        CompareRequest(workflow=load(TWO), agents=[1], simulation=Simulation(samples=1), **fields).run()
    return error.value


def test_a_request_fills_in_the_default_grid() -> None:
    found = CompareRequest(workflow=load(EXAMPLE), simulation=Simulation(samples=2)).run()
    assert {one.scenario.speed for one in found.results} == {1, 2.5}
    assert {1, 4} <= {one.scenario.agents for one in found.results} <= {1, 2, 3, 4, 8}
    several = CompareRequest(
        workflow=load(EXAMPLE), models=["sonnet", "claude-opus-4-8"], agents=[1], simulation=Simulation(samples=2)
    )
    assert {one.scenario.speed for one in several.run().results} == {1}


def test_a_result_has_the_notes_on_its_runtime_and_its_profiles() -> None:
    request = ForecastRequest(
        workflow=load(EXAMPLE), runtime="langgraph", model="claude-opus-4-8", simulation=Simulation(samples=2)
    )
    codes = [note.code for note in request.run().notes]
    assert codes.count("langgraph-runtime") == 1
    assert codes[-1] == "caveat"


@pytest.mark.parametrize(("names", "name", "hint"), [
    (OPTIONS, "--agents", "--agents a=1,2,4 or --agents b=1,2,4"), (ARGUMENTS, "crew", "crew='a' or crew='b'"),
])  # fmt: skip
def test_each_front_end_names_an_argument_its_way(names: Names, name: str, hint: str) -> None:
    (problem,) = worded_error(refusal(), names).problems
    assert (problem.code, problem.message.partition(":")[0], problem.hint) == ("unknown-crew", name, hint)


def test_a_problem_in_words_stays_as_it_is() -> None:
    once = worded_error(refusal(), OPTIONS)
    assert worded_error(once, ARGUMENTS).problems == once.problems
    assert worded_error(InputError([Problem("x", "y", hint="z")], True), OPTIONS).more


def test_every_code_has_words() -> None:
    made = {
        code
        for path in (ROOT / "planner").rglob("*.py")
        for pattern in (r'Note\(\s*"([a-z-]+)"', r'_about\("([a-z-]+)"', r'RefusedError\("([a-z-]+)"')
        for code in re.findall(pattern, path.read_text(encoding="utf-8"))
    }
    wording = (ROOT / "planner" / "report" / "wording" / "notes.py").read_text(encoding="utf-8")
    assert len(made) > 20
    assert [code for code in made if f'"{code}":' not in wording] == []
    assert set(OPTIONS.refusals) == set(ARGUMENTS.refusals)


def test_every_code_of_a_note_is_described() -> None:
    wording = (ROOT / "planner" / "report" / "wording" / "notes.py").read_text(encoding="utf-8")
    notes = wording.partition("# Notes on a result")[2].partition("# Remedies of a problem")[0]
    codes = re.findall(r'^    "([a-z-]+)":', notes, re.MULTILINE)
    page = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    assert len(codes) > 40
    assert [code for code in codes if f"`{code}`" not in page] == []


def test_a_sentence_is_a_text_and_keeps_its_code() -> None:
    (sentence,) = worded([Note("unused-crew", {"crew": "team", "paid": None})])
    for copy in (sentence, pickle.loads(pickle.dumps(sentence))):
        assert isinstance(copy, Sentence)
        assert (copy.code, copy.values) == ("unused-crew", {"crew": "team", "paid": None})
        assert str(copy) == copy == "No step names the crew 'team': its agents do nothing."
    assert worded([sentence], ARGUMENTS) == (sentence,)


def test_a_note_that_names_an_argument_has_two_wordings() -> None:
    note = Note("hypothetical-speeds", {"exponent": 1.0, "fitted": False})
    assert words(note, OPTIONS).replace("--premium", "premium") == words(note, ARGUMENTS) != words(note, OPTIONS)


def test_checks_report_every_problem() -> None:
    check = Checks(OPTIONS)
    assert check.optional("samples", None, int) is None
    assert check.each("speeds", ["1", "x"], float) == [1.0, None]
    check.add("together")
    with pytest.raises(InputError) as error:
        check.done()
    assert [problem.argument for problem in error.value.problems] == ["speeds", None]


def test_no_layer_below_the_reports_names_an_option() -> None:
    """Imports of benchmark results belong to the command line alone, and prices are a program of their own."""
    folders = ("planning", "sampling", "measures", "timing", "expansion", "workflow", "reading")
    paths: list[Path] = [path for name in folders for path in (ROOT / "planner" / name).rglob("*.py")]
    named = [path.name for path in paths if re.search(r'(?<!")"(?!")[^"\n]*--[a-z]', path.read_text(encoding="utf-8"))]
    assert named == []
