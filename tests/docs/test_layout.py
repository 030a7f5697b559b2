"""The layout that docs/design.md describes: folders that fit on a screen, no slivers, nothing written twice."""

from __future__ import annotations

import ast
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest

from tests.conftest import ROOT

PLANNER = ROOT / "planner"
MODULES = sorted(path for path in PLANNER.rglob("*.py") if path.name != "__init__.py")
FOLDERS = sorted({path.parent for path in MODULES})

SHORT = {
    "__main__.py": "the console script, which imports nothing before it catches Ctrl-C",
    "_lazy.py": "shared by every package, below all of them",
    "cli/problems.py": "the parser of options and the commands share it, and it imports nothing",
    "engine/arrays.py": "types for every package, free of other imports",
    "engine/nocython.py": "stands in for Cython's own module",
    "planning/comparison_result.py": "a result alone, so that its readers do not import the machine",
    "report/data/models.py": "the JSON of the catalogue, apart from its text",
    "report/progress.py": "the only output that depends on time",
}
"""Modules of under 40 lines, and why they stay apart."""


def test_no_folder_has_more_than_15_modules() -> None:
    large = {str(folder): len(list(folder.glob("[!_]*.py"))) for folder in FOLDERS}
    assert {name: count for name, count in large.items() if count > 15} == {}


def test_a_short_module_has_a_reason() -> None:
    short = {str(path.relative_to(PLANNER)) for path in MODULES if len(path.read_text("utf-8").splitlines()) < 40}
    assert short <= SHORT.keys(), "merge it into a module that uses it, or tell the reason"
    assert {name for name in SHORT if not (PLANNER / name).exists()} == set()


def statements(path: Path) -> list[str]:
    """Lines of code but for signatures: the parameters of a command are its options, which it has to list."""
    text = path.read_text("utf-8")
    signatures: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            signatures |= set(range(node.lineno, node.body[0].lineno))
    return [
        line.strip() for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in signatures
    ]


def test_command_line_and_python_interface_repeat_no_ten_lines() -> None:
    places = defaultdict(list)
    for path in (*(PLANNER / "cli").glob("*.py"), *(PLANNER / "api").glob("*.py")):
        lines = statements(path)
        for start in range(len(lines) - 9):
            places[tuple(lines[start : start + 10])].append(str(path.relative_to(PLANNER)))
    assert [(files, lines[0]) for lines, files in places.items() if len(files) > 1] == []


@pytest.mark.parametrize("package", sorted(path.parent.name for path in PLANNER.glob("*/__init__.py")))
def test_each_public_name_of_a_package_can_be_imported(package: str) -> None:
    module = import_module(f"planner.{package}")
    for name, home in getattr(module, "__homes__", {}).items():
        assert getattr(module, name) is getattr(import_module(home), name)
