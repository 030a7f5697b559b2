"""Every key on every kind of step has an effect, is refused or is noted, as the reference says."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from planner.reading import Declared
from planner.reading.profiles import ProfileDeclaration
from planner.workflow.crews import Crew
from planner.workflow.declaration import BODIES, Step, Workflow
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def module(name: str) -> Any:
    """A module of the folder docs."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@cache
def table() -> Any:
    return module("keys_and_kinds")


@cache
def files() -> Any:
    table()
    return module("keys_of_files")


KEYS = {key.name: key for key in (*table().MODIFIERS, *table().BODY_KEYS)}


@cache
def described() -> list[str]:
    page = (DOCS / "reference" / "workflow.md").read_text(encoding="utf-8")
    section = page.split(f"{table().HEADING}\n")[1].split("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests, so that a file that several keys share is simulated once."""
    folder = tmp_path_factory.mktemp("pairs")
    table().write_files(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_silent_on_no_kind_of_step(name: str, folder: Path) -> None:
    row = table().row(KEYS[name], folder)
    assert "wrongly" not in row, "a note denies an effect"
    assert "silent" not in row, "add an error in planner/workflow/checks, or a note in planner/planning/notes"
    assert "unclear" not in row, "the files of docs/keys_and_kinds.py have a problem of their own"
    assert row in described(), "run: python docs/generate.py"


@pytest.mark.slow
@pytest.mark.parametrize("name", files().rows())
def test_a_key_outside_of_steps_is_silent_nowhere(name: str, folder: Path) -> None:
    row = files().row(name, folder)
    assert not {"wrongly", "silent", "unclear"} & set(row.split())
    assert row in described(), "run: python docs/generate.py"
    used = next(iter(files().outcomes(name, folder).values()))
    assert used in ("effect", "noted") or name in files().TEXTS, "the files are not made so that it has an effect"


def test_the_tables_have_every_key_outside_of_steps() -> None:
    names = {
        *(set(declared_keys(Workflow, outside=True)) - {"steps", *files().TEXTS}),
        *declared_keys(Crew, "crews.NAME."),
        *declared_keys(ProfileDeclaration, "models.NAME."),
    }
    assert set(files().rows()) == names


def test_an_outcome_is_found_that_is_silent_outside_of_steps(folder: Path) -> None:
    """A comment, and the speed that is declared anyway, change nothing."""
    for with_key in ({"description": "text"}, {"model": "plain"}):
        before, after = (files()._text({**keys, "steps": {"a": {"llm": {"output": 5}}}}) for keys in ({}, with_key))
        assert files()._effect("max_concurrency", before, after, folder) == "silent"


def declared_keys(declared: type[Declared], prefix: str = "", outside: bool = False) -> Iterator[str]:
    """Full names of all keys of a declaration, with those of declarations inside it.

    outside : whether to leave out the content of steps, crews and profiles
    """
    for name, field in declared.model_fields.items():
        if outside and name in ("steps", "crews", "models"):
            yield name
            continue
        if not prefix and name in ("steps", "choose"):
            continue
        if prefix or name not in BODIES:
            yield prefix + name
        for inner in parts(field.annotation):
            yield from declared_keys(inner, f"{prefix}{name}.")


def parts(annotation: Any) -> Iterator[type[Declared]]:
    """Declarations in the type of a field, such as `Retry` in `Retry | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        yield annotation
    for inner in get_args(annotation):
        yield from parts(inner)


def test_the_table_has_every_key_of_a_step() -> None:
    assert {name.partition(" ")[0] for name in KEYS} == set(declared_keys(Step))
    assert len(described()) == len(KEYS) + len(files().rows())


def test_the_table_has_every_kind_of_step() -> None:
    assert set(BODIES) <= set(table().KINDS)


@pytest.mark.parametrize(
    ("key", "value", "kind", "place"),
    [("best_of", 1, "llm", "top level"), ("success", "100%", "agent", "fan-out")],
)
def test_a_key_that_changes_nothing_is_found(key: str, value: object, kind: str, place: str, folder: Path) -> None:
    """Declaring a default has no effect, and no note says so."""
    assert table().effect(table().Key(key, {key: value}), kind, place, folder) == "silent"


def test_a_mistake_elsewhere_is_no_refusal_of_the_key(folder: Path) -> None:
    key = table().Key("chance", {"chance": "20%", "crew": "nobody"})
    assert table().effect(key, "llm", "top level", folder) == "unclear"


def foreign() -> Iterator[tuple[str, str]]:
    """Each key of a body with each other body that has no such key."""
    bodies = [body for body in BODIES if body not in ("steps", "choose")]  # their keys are names of steps
    own = {body: {name.split(".")[1] for name in KEYS if name.startswith(f"{body}.")} for body in bodies}
    for name in table().BODY_KEYS:
        body, key, *inner = name.name.split(".")
        if not inner:
            yield from ((name.name, other) for other in bodies if other != body and key not in own[other])


@pytest.mark.parametrize(("name", "body"), list(foreign()))
def test_a_key_of_another_body_is_refused(name: str, body: str, folder: Path) -> None:
    own, key = name.split(".")
    least: dict[str, dict[str, object]] = {
        "llm": {"output": 100}, "agent": {"turns": 3, "output": 100}, "tool": {"time": "5s"}, "human": {"time": "5s"},
        "use": {"file": "used.yaml"},
    }  # fmt: skip
    value = KEYS[name].present[own][key]
    foreign_key = table().Key(key, {body: {**least[body], key: value}}, {body: least[body]}, body=True)
    assert table().effect(foreign_key, body, "top level", folder) == "refused"
