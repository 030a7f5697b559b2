"""The documentation agrees with the tool: commands run, files are valid, every key is described, every link works."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.engine import active_kernel
from planner.reading import Declared, profiles
from planner.report.data.formats import VERSION
from planner.workflow import declaration, read_workflow
from tests.conftest import PLAIN, ROOT

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WORKFLOW = REFERENCE / "workflow.md"
PAGES = sorted(DOCS.rglob("*.md"))
DECLARE = ["tutorial.md", "how-to.md", "python.md"]
"""Pages with their own workflow files."""

RUN = [*DECLARE, "faster-or-more.md"]
"""Pages whose commands run."""

runs_pages = [
    pytest.mark.skipif(os.name == "nt", reason="commands in pages are for sh"),
    pytest.mark.skipif(not active_kernel().compiled, reason="uncompiled, all commands take half a minute"),
]


@cache
def generate() -> Any:
    """The module docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def locked_typer() -> bool:
    import typer

    locked = re.search(r"^typer==(\S+)", text(ROOT / "requirements.lock"), re.MULTILINE)
    return bool(locked and typer.__version__ == locked[1])


# What is generated


@pytest.mark.skipif(not locked_typer(), reason="each Typer has a layout of its own")
def test_the_page_on_the_command_line_has_not_drifted() -> None:
    assert text(REFERENCE / "cli.md") == generate().command_line(), "run: python docs/generate.py"


def test_the_page_on_the_command_line_names_each_option_once() -> None:
    named = re.findall(r"^\| `(--[a-z-]+)`", generate()._TAIL, re.MULTILINE)
    assert "--scale" in named
    assert len(named) == len(set(named))


def test_help_fits_80_columns() -> None:
    longest = max(len(line) for line in text(REFERENCE / "cli.md").split("```")[1::2] for line in line.splitlines())
    assert longest <= 80


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n", "a\nb\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("…\nd\n", "a\nd\n", True),
        ("a\n…\n", "a\nb\n", True),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("a.c\n", "abc\n", False),
        ("", "", True),
        ("", "a\n", False),
    ],
)
def test_an_ellipsis_stands_for_lines_left_out(shown: str, output: str, same: bool) -> None:
    assert generate().alike(shown, output) is same


# Commands in pages


@pytest.mark.slow
@pytest.mark.parametrize("page", [pytest.param(page, marks=runs_pages) for page in RUN])
def test_commands_print_what_the_page_shows(page: str) -> None:
    executed = list(generate().runs(text(DOCS / page)))
    assert len(executed) >= 6
    for run in executed:
        assert run.exit_code == 0, run.commands + run.errors
        assert run.shown, f"no output is shown for {run.commands}"
        assert not run.drifted, f"run: python docs/generate.py\n{run.commands}\n{run.output}"


@pytest.mark.parametrize("page", DECLARE)
def test_every_file_of_a_page_has_a_name_of_its_own(page: str) -> None:
    names = re.findall(r"^# file: (\S+)$", text(DOCS / page), re.MULTILINE)
    assert names
    assert len(set(names)) == len(names) == len(re.findall(r"^```(?:yaml|csv)$", text(DOCS / page), re.MULTILINE))


def test_workflows_in_the_reference_are_valid(tmp_path: Path) -> None:
    blocks = [block.text for block in generate().blocks(text(WORKFLOW)) if block.language == "yaml"]
    assert blocks
    for index, block in enumerate(blocks):
        whole = block if block.startswith("workflow:") else f"workflow: part\n{PLAIN}steps:\n{indented(block)}"
        path = tmp_path / f"{index}.yaml"
        path.write_text(whole, encoding="utf-8")
        read_workflow(path)


def indented(block: str) -> str:
    return "".join(f"  {line}" for line in block.splitlines(keepends=True))


# Keys


def declared() -> Iterator[tuple[type[Declared], str]]:
    for module in (declaration, profiles):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Declared) and kind is not Declared:
                yield from ((kind, key) for key in kind.model_fields)


@pytest.mark.parametrize(("kind", "key"), sorted({(kind.__name__, key) for kind, key in declared()}))
def test_every_key_of_a_workflow_file_is_described(kind: str, key: str) -> None:
    assert f"`{key}`" in text(WORKFLOW)


def test_every_limit_is_the_one_that_is_described() -> None:
    from planner.engine import LONGEST
    from planner.expansion.build.size_limits import MOST_TASKS
    from planner.reading import units
    from planner.reading.fields import MOST_AGENTS
    from planner.reading.files import text_file
    from planner.reading.yaml import parse
    from planner.sampling.batch import MEMORY

    described = text(WORKFLOW).split("## Limits")[1].split("##")[0]
    for limit in (
        MOST_TASKS,
        MOST_AGENTS,
        text_file.MOST_BYTES,
        parse.MOST_NODES,
        parse.MOST_DEPTH,
        units.LONGEST_TEXT,
    ):
        assert f"| {limit:,}" in described
    assert LONGEST == 2**32
    assert MEMORY == 10**9
    assert units.DURATION.most == 366 * 86400
    assert units.TOKENS.most == units.RATE.most == 10**9
    assert (units.TURNS.least, units.TURNS.most) == (1, 1000)
    assert units.RATE.least == 0.001


# Fields


def printed(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments), "--samples", "2"])
    assert result.exit_code == 0, result.output
    return result.stdout


def keys(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*map(keys, data.values()))
    return set().union(*map(keys, data)) if isinstance(data, list) else set()


@pytest.mark.parametrize("command", ["forecast", "compare"])
def test_every_field_of_json_and_csv_is_described(command: str) -> None:
    page = text(REFERENCE / "json.md")
    example = ROOT / "workflows" / "port_codebase.yaml"
    options = (command, example, "--set", "modules=3")
    fields = keys(json.loads(printed(*options, "--json"))) - {"engineers"}  # a crew, in `sizes` of `baseline`
    assert {"workflow", "seconds", "standard_error"} <= fields
    assert [key for key in sorted(fields) if f"`{key}`" not in page] == []
    assert f"\n{printed(*options, '--csv').splitlines()[0]}\n" in page


def test_every_field_of_the_json_of_profiles_is_described() -> None:
    page = text(REFERENCE / "json.md")
    every, one = (json.loads(CliRunner().invoke(app, ["models", *name, "--json"]).stdout) for name in (
        [], ["claude-opus-5-5"]))  # fmt: skip
    assert every["version"] == one["version"] == VERSION
    (row,) = (row for row in every["models"] if row["name"] == one["name"])
    assert row.keys() - {"stale"} == one.keys() - {"version", "facts"}
    fields = {*every, *row, *one, *(key for fact in one["facts"].values() for key in fact)}
    assert [key for key in sorted(fields) if f"`{key}`" not in page] == []


def test_every_kind_of_step_is_described() -> None:
    data = json.loads(printed("forecast", ROOT / "workflows" / "port_codebase.yaml", "--set", "modules=3", "--json"))
    for step in data["steps"]:
        assert f"`{step['kind']}`" in text(REFERENCE / "json.md")
        assert f"`{step['kind']}`" in text(WORKFLOW)


# Links


def headings(page: str) -> set[str]:
    """Anchors as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", text(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in headings(text(other)), target


# Glossary


def test_the_glossary_is_linked_from_the_pages_that_use_its_terms() -> None:
    assert "](docs/glossary.md)" in text(ROOT / "README.md")
    for page in ("tutorial.md", "how-to.md", "model.md", "design.md", "python.md", "langgraph.md"):
        assert "](glossary.md)" in text(DOCS / page), page
    for page in ("workflow.md", "json.md"):
        assert "](../glossary.md)" in text(REFERENCE / page), page


def test_terms_of_the_glossary_are_unique_and_in_alphabetical_order() -> None:
    terms = re.findall(r"^\*\*(.+?)\.\*\*", text(DOCS / "glossary.md"), re.MULTILINE)
    assert len(terms) > 80
    assert terms == sorted(set(terms), key=str.lower)
