"""Unknown keys that other tools use: the table fits the declarations, and reaches the right key of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.errors import InputError
from planner.loading import load
from planner.reading.fields import Declared
from planner.reading.key_hints import _MEANT, _REMARKS, NearbyKeys, key_hint, likely_key, misspelt_key
from planner.report.wording.notes import ARGUMENTS, OPTIONS, worded_error
from planner.workflow.bodies import AgentLoop, Llm
from planner.workflow.crews import Crew
from planner.workflow.declaration import ForEach, Step, Workflow


def declarations(base: type[Declared] = Declared) -> Iterator[type[Declared]]:
    for declaration in base.__subclasses__():
        if declaration.__module__.startswith("planner."):
            yield declaration
            yield from declarations(declaration)


DECLARED = [set(declaration.model_fields) for declaration in declarations()]


@pytest.mark.parametrize("key", _MEANT)
def test_every_entry_of_the_table_is_of_use(key: str) -> None:
    """In some declaration, each key that other tools use leads to this key."""
    for other in _MEANT[key].split():
        assert any(likely_key(other, keys) == key for keys in DECLARED if other not in keys), other


def test_every_remark_applies_to_some_declaration_that_lacks_the_key() -> None:
    for remark in _REMARKS:
        for key in remark.written.split():
            places = [keys for keys in DECLARED if remark.marker in keys or not remark.marker]
            places = [keys for keys in places if key not in keys and likely_key(key, keys) is None]
            hints = {key_hint(key, None, NearbyKeys(keys, {}, (), "", ())) for keys in places}
            assert remark.hint in hints, key


@pytest.mark.parametrize(
    ("declaration", "key", "meant"),
    [
        (Step, "depends_on", "needs"), (Step, "dependsOn", "needs"), (Step, "Depends-On", "needs"), (Step, "neeeds", "needs"),
        (Step, "agents", None), (Step, "priority", None), (Llm, "max_tokens", "output"), (AgentLoop, "input", "prompt"),
        (AgentLoop, "steps", "turns"), (Crew, "size", "agents"), (Crew, "workers", "agents"), (ForEach, "csv", "file"),
        (Workflow, "tasks", "steps"), (Workflow, "agents", None), (Workflow, "name", "workflow"),
    ],
)  # fmt: skip
def test_the_meant_key_depends_on_the_place(declaration: type[Declared], key: str, meant: str | None) -> None:
    assert misspelt_key(key, declaration.model_fields) == meant


def test_hints_name_arguments_as_the_front_end_does() -> None:
    with pytest.raises(InputError) as error:
        load("workflow: w\ndeadline: 4h\nrpm: 50\nseed: 7\nsteps: {a: {tool: 5s}}\n")
    for names, expected in ((OPTIONS, ("--p90", "--agents", "--seed")), (ARGUMENTS, ("p90", "agents", "seed"))):
        hints = [problem.hint or "" for problem in worded_error(error.value, names).problems]
        assert all(f"'{name}'" in hint for name, hint in zip(expected, hints, strict=True))
