"""The README shows an existing file, commands that run, and their outputs."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys

import pytest

from planner.catalogue.catalogue import Catalogue
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.S)


def commands_with_output() -> list[tuple[str, str]]:
    """Each planner command of the README with the output that follows it."""
    pairs = [
        (command, text)
        for (kind, command), (next_kind, text) in itertools.pairwise(BLOCKS)
        if (kind, next_kind) == ("sh", "text")
    ]
    return [(command.rpartition("&& ")[2].strip(), text) for command, text in pairs]


def test_the_workflow_shown_is_the_workflow_that_runs() -> None:
    assert ("yaml", (ROOT / "workflows" / "fix_bugs.yaml").read_text(encoding="utf-8")) in BLOCKS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "output"), commands_with_output(), ids=[command for command, _ in commands_with_output()]
)
def test_a_command_prints_what_the_readme_shows(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/planner"
    process = subprocess.run(
        [sys.executable, "-m", "planner", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout == output


def test_the_python_shown_prints_what_the_readme_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    programs = [
        (code, output)
        for (kind, code), (next_kind, output) in itertools.pairwise(BLOCKS)
        if (kind, next_kind) == ("python", "text")
    ]
    assert len(programs) == sum(kind == "python" for kind, _ in BLOCKS) == 1
    for code, output in programs:
        exec(code, {})
        assert capsys.readouterr().out == output


def test_the_readme_shows_two_commands_with_output_and_two_that_set_up() -> None:
    assert len(commands_with_output()) == 2
    set_up = [command for kind, command in BLOCKS if kind == "sh" and "python3 -m venv" in command]
    assert len(set_up) == 2
    assert all(command.count("\n") == 1 for command in set_up)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_catalogue_has_as_many_profiles_as_the_readme_says() -> None:
    assert f"a dated catalogue of {len(Catalogue.load().names)} profiles" in README
