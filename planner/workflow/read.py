"""Reads a workflow file and the files that it names: path in, `Workflow` out, or every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from planner.reading.yaml_file import parse_yaml, read_yaml
from planner.workflow.declaration import Workflow
from planner.workflow.use import Reader


def read_workflow(
    path: Path, parameters: Mapping[str, float] | None = None, known_models: Collection[str] = ()
) -> Workflow:
    """The workflow that a file declares, with the crews and profiles of the files that it uses.

    parameters : values that replace those of the file
    known_models : profiles that the file need not declare

    The `uncertainty` of this file holds for all; that of used files is not used.

    Raises InputError with every problem of the file, and of those that it uses.
    """
    return Reader().outermost(read_yaml(path), parameters or {}, frozenset(known_models))


def parse_workflow(
    text: str, parameters: Mapping[str, float] | None = None, known_models: Collection[str] = ()
) -> Workflow:
    """The same of the text of a file; files that it names are looked for in the current folder."""
    return Reader().outermost(parse_yaml(text), parameters or {}, frozenset(known_models))
