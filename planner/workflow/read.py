"""Reads a workflow file and the files that it names: path in, `Workflow` out, or every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from planner.reading.files.text_file import read_text
from planner.reading.yaml.parse import parse_yaml
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
    return parse_workflow(read_text(path), parameters, known_models, str(path))


def parse_workflow(
    text: str,
    parameters: Mapping[str, float] | None = None,
    known_models: Collection[str] = (),
    file: str = "<text>",
) -> Workflow:
    """The same of the text of `file`; files that it names are looked for in its folder."""
    return Reader().outermost(parse_yaml(text, file), parameters or {}, frozenset(known_models))
