"""The parts of a file that a value may refer to: folder, parameters, models, CSV files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.files.referenced_file import Table, read_table
from planner.reading.units import BadValueError, count
from planner.reading.yaml.source_map import Document


@dataclass(frozen=True)
class FileContext:
    """The file around a value.

    folder : folder of the workflow file, to which the paths in the file are relative
    parameters : each parameter of the file → its value, or None if that is unreadable; if `parameters` itself is None,
        the parameters are unknown, and any name is accepted
    models : names of all profiles; None means that they are unknown, and any name is accepted
    tables : cache of CSV files by name; None means that there is no cache
    """

    folder: Path = Path()
    parameters: Mapping[str, float | None] | None = None
    models: Collection[str] | None = None
    tables: dict[str, Table] | None = None

    def table(self, name: Any) -> Table:
        """Return the CSV file `name`, from the cache if possible. Raises `BadValueError`."""
        if not isinstance(name, str) or self.tables is None:
            return read_table(name, self.folder)
        if name not in self.tables:
            self.tables[name] = read_table(name, self.folder)
        return self.tables[name]

    def trials(self, names: Iterable[str]) -> Iterator[dict[str, float]]:
        """Yield values with which to try an expression: those of the parameters, with 1 agent and then with 2.

        names : names in the expression; if the value of any of them is unreadable, nothing is yielded
        """
        if self.parameters is None or any(self.parameters.get(name, 0.0) is None for name in names):
            return
        values = {name: value for name, value in self.parameters.items() if value is not None}
        for agents in (1.0, 2.0):
            yield {**values, AGENTS: agents}


NO_FILE = FileContext()
"""Context of a value outside of any file."""


def context_of(document: Document, known_models: Collection[str] | None) -> dict[str, Any]:
    """Return the fields of `FileContext` as a dict, which pydantic passes to every parser.

    known_models : profiles that the file need not declare; None if they are not known
    """
    data = document.data if isinstance(document.data, dict) else {}
    models = data.get("models", {})
    names = None if known_models is None or not isinstance(models, dict) else {*known_models, *models}
    declared = data.get("parameters", {})
    parameters = {name: _number(value) for name, value in declared.items()} if isinstance(declared, dict) else None
    return {"folder": Path(document.file).parent, "parameters": parameters, "models": names, "tables": {}}


def _number(value: Any) -> float | None:
    try:
        return count(value)
    except BadValueError:
        return None  # reported elsewhere
