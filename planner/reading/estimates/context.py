"""What stands around a value in its file, as far as the value may refer to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.files.csv_table import Table, read_table
from planner.reading.units import BadValueError, count
from planner.reading.yaml.source_map import Document


@dataclass(frozen=True)
class FileContext:
    """The surroundings of a value.

    folder : of the workflow file; files that it names are looked for there
    parameters : of the file, with None for one whose value cannot be read; None if they are not known
    models : names of all profiles, or None if they are not known
    tables : data files that have been read, by name; None where none are kept
    """

    folder: Path = Path()
    parameters: Mapping[str, float | None] | None = None
    models: Collection[str] | None = None
    tables: dict[str, Table] | None = None

    def table(self, name: Any) -> Table:
        """The data file `name`, which is read once. Raises `BadValueError`."""
        if not isinstance(name, str) or self.tables is None:
            return read_table(name, self.folder)
        if name not in self.tables:
            self.tables[name] = read_table(name, self.folder)
        return self.tables[name]

    def trials(self, names: Iterable[str]) -> Iterator[dict[str, float]]:
        """Values of the parameters with which arithmetic that takes these names is tried: for 1 agent and for 2."""
        if self.parameters is None or any(self.parameters.get(name, 0.0) is None for name in names):
            return  # what they are is not known
        known = {name: value for name, value in self.parameters.items() if value is not None}
        for agents in (1.0, 2.0):
            yield {**known, AGENTS: agents}


NOWHERE = FileContext()
"""Of a value without a file."""


def context_of(document: Document, known_models: Collection[str] | None) -> dict[str, Any]:
    """The context that pydantic hands to every parser: the fields of `FileContext`.

    known_models : profiles that the file need not declare; None if they are not known
    """
    data = document.data if isinstance(document.data, dict) else {}
    models = data.get("models", {})
    known = None if known_models is None or not isinstance(models, dict) else {*known_models, *models}
    declared = data.get("parameters", {})
    parameters = {name: _number(value) for name, value in declared.items()} if isinstance(declared, dict) else None
    return {"folder": Path(document.file).parent, "parameters": parameters, "models": known, "tables": {}}


def _number(value: Any) -> float | None:
    try:
        return count(value)
    except BadValueError:
        return None  # a problem of its own
