"""Mistakes in a workflow file are part of the product: each is told where it stands, in words, with a remedy.

Every file of tests/errors is wrong, and begins with its problems, in the order of the file:

    # expect: LINE:COLUMN CODE      for each problem, and for no other

Their text is in tests/golden/errors, which `pytest --update` rewrites.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from typer.testing import CliRunner, Result

from planner.cli.app import app
from planner.errors import (
    MOST_PROBLEMS,
    InputError,
    Position,
    Problem,
    did_you_mean,
    nearest,
)
from planner.expansion import TaskGraph, crew_sizes, expand
from planner.reading.files.text_file import MOST_BYTES
from planner.reading.yaml import parse
from planner.report.wording.notes import OPTIONS, worded_error
from planner.workflow import read_workflow
from tests.conftest import Golden, read_example

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted((ROOT / "tests" / "errors").glob("*.yaml"))
VALID = sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "tests" / "cases").glob("*.yaml")])
REFERENCE = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")

FINE = "workflow: w\nsteps:\n  a: {tool: 5s}\n"
GENERATED = {
    "not-utf-8": FINE.encode() + b"# caf\xe9\n",
    "too-large": FINE.encode() + b"#" * MOST_BYTES,
}
"""Broken files that no editor would keep as they are."""


class Expected(NamedTuple):
    """A problem as the first lines of a file declare it."""

    line: int
    column: int
    code: str


def declared(text: str) -> list[Expected]:
    expected: list[Expected] = []
    for line in text.splitlines():
        problem = re.fullmatch(r"# expect: (\d+):(\d+) (\S+)", line)
        if problem is None:
            break
        expected.append(Expected(int(problem[1]), int(problem[2]), problem[3]))
    return expected


def problems_of(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as error:
        expanded(path)
    return worded_error(error.value, OPTIONS).problems


def expanded(path: Path) -> TaskGraph:
    """Its task graph, since sizes are checked before it is built."""
    workflow = read_workflow(path)
    return expand(workflow, crew_sizes(workflow))


def run(path: Path | str) -> Result:
    return CliRunner().invoke(app, ["forecast", str(path)])


def assert_refused(result: Result) -> None:
    """Exit code 2, all on standard error, and no traceback."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    assert re.search(r"\b\d+ problems?(, and there may be more)?\n$", result.stderr)


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_broken_file_shows_exactly_its_problems(path: Path) -> None:
    expected = declared(path.read_text(encoding="utf-8"))
    assert expected, "the file declares nothing"
    problems = problems_of(path)
    assert [
        (one.position and one.position.line, one.position and one.position.column, one.code) for one in problems
    ] == (expected)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_problem_shows_its_line_with_a_caret_under_the_place(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for problem in problems_of(path):
        assert problem.position is not None
        source = lines[problem.position.line - 1]
        head, shown, carets = str(problem).splitlines()[:3]
        assert head == f"{path}:{problem.position.line}:{problem.position.column}: {problem.message} [{problem.code}]"
        assert shown.startswith(f"  {problem.position.line} | ")
        bar = shown.index("|")
        assert carets.index("|") == bar
        assert re.fullmatch(r"[ \t]*\^+", carets[bar + 2 :])
        before = carets[bar + 2 :].rstrip("^")
        at = next(at for at in range(len(shown)) if columns(shown[bar + 2 : bar + 2 + at]) >= columns(before))
        pointed = shown[bar + 2 + at :].removesuffix("…")
        assert source[problem.position.column - 1 :].replace("\x07", "␇").startswith(pointed)
        assert pointed or problem.position.column == len(source) + 1
        assert [c for c in before if c == "\t"] == [c for c in shown[bar + 2 : bar + 2 + at] if c == "\t"]
        assert len(shown) <= 80
        assert all(len(line) <= 80 for line in str(problem).splitlines()[3:])


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_command_line_refuses_a_broken_file(path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    result = run(path.name)
    assert_refused(result)
    golden(result.stderr, file=f"errors/{path.stem}")


@pytest.mark.parametrize(
    "path",
    [path for path in CORPUS if path.stem != "syntax_no_space"],  # libyaml alone asks for that space
    ids=lambda path: path.stem,
)
def test_the_parser_without_libyaml_says_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = problems_of(path)
    monkeypatch.setattr(parse, "_LOADER", yaml.SafeLoader)
    assert problems_of(path) == fast


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_has_no_problems(path: Path) -> None:
    assert read_example(path).steps


# Files that cannot be kept in a repository.


def test_bytes_that_are_not_utf_8(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(GENERATED["not-utf-8"])
    (problem,) = problems_of(path)
    assert (problem.code, problem.position) == ("not-utf-8", Position(str(path), 4, 6, 1, "# caf\ufffd"))
    result = run(path)
    assert_refused(result)
    golden(result.stderr)


def test_a_byte_order_mark_is_no_mistake_and_moves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FINE.encode())
    assert read_workflow(path).workflow == "w"
    path.write_bytes(b"\xef\xbb\xbf" + b"workflow: \xff\n")
    (problem,) = problems_of(path)
    assert (problem.code, str(problem.position)) == ("not-utf-8", f"{path}:1:11")


def test_a_file_that_is_too_large(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(GENERATED["too-large"])
    (problem,) = problems_of(path)
    assert (problem.code, str(problem.position)) == ("too-large", str(path))
    result = run(path)
    assert_refused(result)
    golden(result.stderr)


def test_a_file_as_large_as_allowed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(FINE + "#" * (MOST_BYTES - len(FINE)), encoding="utf-8")
    assert read_workflow(path).workflow == "w"


def test_a_missing_file_with_the_one_that_was_meant(
    tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "port_codebase.yaml").write_text(FINE, encoding="utf-8")
    path = tmp_path / "port_codebse.yaml"
    (problem,) = problems_of(path)
    assert (problem.code, problem.position) == ("unreadable", Position(str(path)))
    monkeypatch.chdir(tmp_path)
    result = run(path.name)
    assert_refused(result)
    golden(result.stderr)


@pytest.mark.parametrize("name", [".", "no/such/folder/plan.yaml", "x" * 5000, "nul\0byte"])
def test_what_cannot_be_opened(name: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / name)
    assert problem.code == "unreadable"
    assert problem.hint is None


def test_a_directory(tmp_path: Path, golden: Golden) -> None:
    result = run(tmp_path)
    assert_refused(result)
    golden(result.stderr)


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x0b", "\x7f", "\u0080", "\ufeff", "\ufffe"])
def test_characters_that_a_terminal_would_obey_or_nobody_sees(character: str, tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(f"workflow: é日{character}\n", encoding="utf-8")
    (problem,) = problems_of(path)
    golden(problem.message)
    assert str(problem.position) == f"{path}:1:13"
    assert character not in str(problem)


def test_escapes_are_not_passed_on_to_the_terminal(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text('workflow: w\nsteps:\n  "a\\e[31m\\n\\u202e": {tool: 5s}\n', encoding="utf-8")
    text = str(InputError(problems_of(path)))
    golden(text)
    assert all(character == "\n" or character.isprintable() for character in text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", ["", "\x85", "\u2028", "\u2029"])
def test_lines_are_counted_as_editors_count_them(end: str, odd: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(end.join(["workflow: w", f"description: one{odd}line", "steps:", "  a: {tool: 5}", ""]).encode())
    (problem,) = problems_of(path)
    assert problem.position is not None
    assert str(problem.position) == f"{path}:4:13"
    assert problem.position.text == "  a: {tool: 5}"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"s{index}:\n" for index in range(5_000)),
        "steps:\n" + "".join(f"  s{index}: {{tol: 5s}}\n" for index in range(2_000)),
        "steps:\n" + "".join(f"  step{index}: {{needs: stp{index}, tool: 5s}}\n" for index in range(2_000)),
        "steps:\n" + "  s: {tool: 5s}\n" * 5_000,
        "steps:\n" + "".join(f"  s{index}: *alias\n" for index in range(3_000)),
        "models:\n" + "".join(f"  m{index}: {{based_on: m{index + 1}}}\n" for index in range(2_000)),
    ],
    ids=["empty keys", "unknown keys", "unknown steps", "same keys", "unknown aliases", "a chain of profiles"],
)
def test_a_fault_that_stands_everywhere_is_told_a_bearable_number_of_times(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_workflow(path)
    assert len(error.value.problems) <= 3 * MOST_PROBLEMS
    more = str(error.value).endswith("problems, and there may be more")
    assert more == (len(error.value.problems) >= MOST_PROBLEMS)


def test_a_long_hint_is_wrapped_and_a_long_line_shown_around_its_caret() -> None:
    text = "".join(f"{number:04} " for number in range(40))
    for column, low, high in ((1, 0, 70), (101, 65, 135), (191, 130, 200)):
        shown = str(Problem("bad-value", "wrong", Position("f.yaml", 7, column, 4, text), "word " * 30)).splitlines()
        line = "…" * (low > 0) + text[low:high] + "…" * (high < 200)
        assert shown[1] == f"  7 | {line}"
        assert shown[2].index("^") == 6 + line.index(text[column - 1 :][:4])
        assert shown[3].startswith("  help: word word")
        assert shown[4].startswith("    word")
        assert max(map(len, shown)) <= 80
        assert " ".join(shown[3:]).split() == ["help:", *["word"] * 30]


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(FINE + f"{'k' * 900}{'z' * 90}: 5\n" + f"tag: !{'!' * 100_000} 5\n", encoding="utf-8")
    assert max(map(len, str(InputError(problems_of(path))).splitlines())) < 1_100


# Hints.


def test_the_nearest_name_is_meant_whatever_its_case() -> None:
    assert did_you_mean("Outptu", ["input", "output"]) == "did you mean 'output'?"
    assert did_you_mean("TTFT", ["ttft", "output_speed"]) == "did you mean 'ttft'?"
    assert did_you_mean("x", ["b", "a"]) == "the known names are 'a' and 'b'"
    assert did_you_mean("x", []) is None
    assert did_you_mean("x", ["a"], "key") == "the only known key is 'a'"
    many = did_you_mean("x", map(str, range(30)))
    assert many is not None
    assert many.startswith("the known names include '0', '1'")
    assert many.count(",") == 18
    assert nearest("abc", ["xyz"]) is None
    assert nearest("STEP-3", [f"step-{index}" for index in range(5_000)]) == "step-3"


# Codes.


@cache
def codes_in_source() -> set[str]:
    """The code of every problem that the source can raise: the first argument of Problem, or `code=`."""
    codes: set[str] = set()
    for path in (ROOT / "planner").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[:1] if name == "Problem" else []
            if name == "add_problem":
                first = node.args[3:]
            named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            codes |= {str(code.value) for code in [*first, *named] if isinstance(code, ast.Constant)}
    return codes | {"bad-value", "yaml-syntax"}  # defaults of parameters named `code`


def test_every_code_has_a_broken_file_and_a_section_of_the_reference() -> None:
    in_corpus = {expected.code for path in CORPUS for expected in declared(path.read_text(encoding="utf-8"))}
    sections = re.findall(r"^## (.+)$", REFERENCE, re.MULTILINE)
    assert sections == sorted(set(sections))
    assert in_corpus | GENERATED.keys() | {"unreadable", "outside-folder"} == codes_in_source()
    assert set(sections) == codes_in_source()


def examples_of_reference() -> list[tuple[str, str, str]]:
    """Of each section: its code, the file, and what is printed."""
    found = []
    for section in re.split(r"^## ", REFERENCE, flags=re.MULTILINE)[1:]:
        code = section.split("\n", 1)[0]
        files = re.findall(r"```yaml\n(.*?)```\n+```text\n(.*?)```", section, re.DOTALL)
        found += [(code, file, printed) for file, printed in files]
    return found


@pytest.mark.parametrize(("code", "file", "printed"), examples_of_reference(), ids=lambda value: str(value)[:20])
def test_the_reference_shows_what_is_printed(
    code: str, file: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(file, encoding="utf-8")
    result = run("plan.yaml")
    assert_refused(result)
    assert "\n\n".join(result.stderr.split("\n\n")[:-1]) + "\n" == printed  # all but the number of problems
    assert f"[{code}]" in printed


def test_every_section_of_the_reference_has_an_example() -> None:
    with_example = {code for code, _, _ in examples_of_reference()}
    assert with_example >= codes_in_source() - {"not-utf-8", "outside-folder", "unreadable"}
    assert "plan.yaml:4:6: " in REFERENCE
    assert all(f"[{code}]\n" in REFERENCE for code in ("not-utf-8", "outside-folder", "unreadable"))
