"""A user's catalogue file: path in, what it says about each profile out, or every problem at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.catalogue.builtin_files import listed
from planner.catalogue.declaration import (
    FactsDeclaration,
    ProfilesDeclaration,
    is_fact,
    is_listed,
)
from planner.errors import (
    InputError,
    Position,
    Problem,
    did_you_mean,
)
from planner.reading.profiles import profile_problems
from planner.reading.units import BadValueError
from planner.reading.validation import validate
from planner.reading.yaml.parse import read_yaml
from planner.reading.yaml.source_map import Document, KeyPath

VARIABLE = "PLANNER_CATALOGUE"
NAME = "catalogue.yaml"

_KEYS = ("sources", "profiles")
_FACTORS = {"output_speed": "speed", "speed": "output_speed", "price": "price_multiplier", "price_multiplier": "price"}
"""What a profile gives either itself or as a factor."""
_MEASURED = ("ttft", "output_speed", "speed")
"""What a profile cannot have of its own and keep another's `measured_output`, which is of both curves."""


@dataclass(frozen=True)
class Own:
    """A user's catalogue.

    entries : by profile, as in the file
    facts : what it says about its numbers, and its sources
    """

    file: str
    entries: Mapping[str, dict[str, Any]]
    facts: FactsDeclaration


def find(option: Path | None, folder: Path) -> Path | None:
    """The user's file: the one that is named, else that of the environment, else the one in the project's folder."""
    if option is not None:
        return option
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    beside = folder / NAME
    return beside if beside.is_file() else None


def merged(shipped: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the keys of the user's in place of the shipped ones, also within prices per token."""
    replaced = own.keys() | {_FACTORS[key] for key in own.keys() & _FACTORS.keys()}
    if not own.keys().isdisjoint(_MEASURED):
        replaced |= {"measured_output"}
    found = {key: value for key, value in (shipped or {}).items() if key not in replaced} | dict(own)
    before, price = _price((shipped or {}).get("price")), own.get("price")
    if before is not None and isinstance(price, dict) and _price(price) is not None and not is_listed("price", price):
        given = price["value"] if is_fact(price) else price
        kept = {key: value for key, value in before.items() if value is not None}
        found["price"] = {**price, "value": {**kept, **given}} if is_fact(price) else {**kept, **given}
    return found


def _price(value: Any) -> dict[str, Any] | None:
    """A price per token as it is written, without what is said about it; None if it is none."""
    if is_fact(value):
        value = value["value"]
    if is_listed("price", value):
        value = listed(value).price
    return dict(value) if isinstance(value, dict) and "per_hour" not in value else None


def read_own(path: Path, shipped: Mapping[str, Callable[[], dict[str, Any]]]) -> Own:
    """Read a user's file. `shipped` reads the entries that come with the planner. Raises InputError."""
    document = read_yaml(path)
    data = document.data if isinstance(document.data, dict) else {}
    problems = list(document.problems)
    if not isinstance(document.data, dict):
        hint = f"as in {ProfilesDeclaration.example}"
        problems.append(Problem("bad-value", "expected a mapping with the key 'profiles'", document.value(), hint))
    for key in data.keys() - set(_KEYS):
        near = "write 'profiles'" if key == "models" else did_you_mean(key, _KEYS)
        problems.append(Problem("unknown-key", f"unknown key '{key}'", document.key(key), near))
    profiles, facts = _taken_apart(document, data, problems)
    _, mistakes = validate(ProfilesDeclaration, profiles, None)
    found, others = validate(FactsDeclaration, facts, None)
    entries = data.get("profiles") if isinstance(data.get("profiles"), dict) else {}
    assert isinstance(entries, dict)
    declared = {name: entry for name, entry in entries.items() if isinstance(entry, dict)}
    full = {name: merged(shipped[name]() if name in shipped else None, one) for name, one in declared.items()}
    bases = {name: read() for name, read in shipped.items() if name not in declared}
    problems += [*mistakes, *others]
    problems += profile_problems(profiles, {**full, **bases}, {*shipped, *declared}, set())
    if problems or found is None:
        raise InputError(dict.fromkeys(problems))
    return Own(str(path), declared, found)


def _taken_apart(document: Document, data: dict[str, Any], problems: list[Problem]) -> tuple[Document, Document]:
    """The document as one of profiles and one of facts, each with its places."""
    profiles, facts = Document(document.file), Document(document.file)
    entries = data.get("profiles", {})
    plain: dict[str, Any] = {}
    about: dict[str, Any] = {}
    wrapped: set[KeyPath] = set()
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if not isinstance(entry, dict):
            plain[name] = entry
            continue
        plain[name], about[name] = {}, {}
        for key, value in entry.items():
            place = document.value("profiles", name, key)
            if is_fact(value):
                wrapped.add((name, key))
                about[name][key] = {one: other for one, other in value.items() if one != "value"}
                if "value" not in value:
                    hint = "as in {value: 1.5s, source: my-benchmark, kind: measured}"
                    problems.append(Problem("missing-key", "the key 'value' is missing", place, hint))
                    profiles.unreadable.add(("models", name, key))
                value = value.get("value")
            if is_listed(key, value):
                try:
                    value = listed(value).price
                except BadValueError as mistake:
                    value = {"input": 0, "output": 0}
                    inner = ("value",) if (name, key) in wrapped else ()
                    at = document.value("profiles", name, key, *inner, *mistake.at) or place
                    problems.append(Problem(mistake.code, str(mistake), at, mistake.hint))
            plain[name][key] = value
    profiles.data = {"models": plain if isinstance(entries, dict) else entries}
    facts.data = {"sources": data.get("sources", {}), "facts": about}
    for path, at in document.values.items():
        _place(path, wrapped, at, profiles.values, facts.values)
    for path, at in document.keys.items():
        _place(path, wrapped, at, profiles.keys, facts.keys)
    for path, at in document.nothing.items():
        _place(path, wrapped, at, profiles.nothing, facts.nothing, exactly=True)
    for path in document.unreadable:
        profiles.unreadable.add(("models", *path[1:]) if path[:1] == ("profiles",) else path)
        facts.unreadable.add(("facts", *path[1:]) if path[:1] == ("profiles",) else path)
    return profiles, facts


def _place(
    path: KeyPath,
    wrapped: set[KeyPath],
    at: Position,
    profiles: dict[KeyPath, Position],
    facts: dict[KeyPath, Position],
    exactly: bool = False,
) -> None:
    """Note where something stands, in the document that it belongs to."""
    if path[:1] != ("profiles",):
        (facts if path[:1] == ("sources",) else profiles)[path] = at
        if not exactly and not path:
            facts[path] = at
        return
    _, *rest = path
    inside = tuple(rest[:2]) in wrapped
    if inside and len(rest) == 2:
        profiles.setdefault(("models", *rest), at)
        facts["facts", *rest] = at
    elif inside and rest[2] == "value":
        profiles["models", *rest[:2], *rest[3:]] = at
    elif inside:
        facts["facts", *rest] = at
    else:
        profiles["models", *rest] = at
        if not exactly:
            facts["facts", *rest] = at
