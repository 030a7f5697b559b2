"""The folder of golden texts holds nothing that no test compares."""

from __future__ import annotations

import pytest

from tests.conftest import COLLECTED, GOLDEN, ROOT, golden_place, sections_of

NAMED = (GOLDEN / "errors", GOLDEN / "help")
"""Folders whose files are named after broken files and commands instead of tests."""


def test_every_golden_text_belongs_to_a_test(request: pytest.FixtureRequest) -> None:
    """`pytest --update` on all tests removes the others."""
    collected = request.config.stash[COLLECTED]
    files = set((ROOT / "tests").rglob("test_*.py"))
    if {item.path for item in collected} != files:
        pytest.skip("needs all tests to be collected")
    parameters: dict[object, set[str]] = {}
    for item in collected:
        path, section = golden_place(item)
        parameters.setdefault(path, set()).add(section)
    stale = []
    for path in GOLDEN.rglob("*.txt"):
        if path.parent in NAMED:
            continue
        known = parameters.get(path, set())
        sections = sections_of(path)
        if not known or any(not any(section.startswith(start) for start in known) for section in sections):
            stale.append(str(path.relative_to(ROOT)))
            if request.config.getoption("update"):
                path.unlink()
    assert stale == []


def test_every_broken_file_has_its_text() -> None:
    broken = {path.stem for path in (ROOT / "tests" / "errors").glob("*.yaml")}
    assert {path.stem for path in (GOLDEN / "errors").glob("*.txt")} == broken
