"""Context in which a value of a file is parsed: folder, parameters, models, CSV files."""

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
    """Data that are needed to parse the values in a file.

    folder : folder of the file; paths in the file are relative to this folder
    parameters : name of each parameter → its value, or None if the value is unreadable. If `parameters` itself is None,
        any name is accepted as a parameter
    models : names of all profiles. If `models` is None, any name is accepted as a profile
    tables : cache of CSV files by name; None means that there is no cache
    """

    folder: Path = Path()
    parameters: Mapping[str, float | None] | None = None
    models: Collection[str] | None = None
    tables: dict[str, Table] | None = None

    def table(self, name: Any) -> Table:
        """Return the table in the CSV file `name`. The cache avoids reading a file twice.

        Raises `BadValueError` if the file is unreadable.
        """
        if not isinstance(name, str) or self.tables is None:
            return read_table(name, self.folder)
        if name not in self.tables:
            self.tables[name] = read_table(name, self.folder)
        return self.tables[name]

    def trials(self, names: Iterable[str]) -> Iterator[dict[str, float]]:
        """Yield two dicts with values for trying an expression.

        Both dicts have the values of all parameters. The number of `agents` is 1 in the first dict and 2 in the second
        dict. Nothing is yielded if `parameters` is None, or if it has None for a parameter in `names`.

        names : names in the expression
        """
        if self.parameters is None or any(self.parameters.get(name, 0.0) is None for name in names):
            return
        values = {name: value for name, value in self.parameters.items() if value is not None}
        for agents in (1.0, 2.0):
            yield {**values, AGENTS: agents}


NO_FILE = FileContext()
"""Context of a value outside of any file."""


def context_of(document: Document, known_models: Collection[str] | None) -> dict[str, Any]:
    """Return the fields of `FileContext` for a document, as a dict.

    pydantic passes this dict to the parser of each field.

    known_models : names of profiles that are declared elsewhere, for example in the catalogue; None allows any name
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
