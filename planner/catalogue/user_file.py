"""The path of a user's catalogue file in, its entries with their provenance out, or every problem of the file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.catalogue.builtin_files import listed_price
from planner.catalogue.declaration import (
    FactsDeclaration,
    ProfilesDeclaration,
    is_fact,
    refers_to_table,
)
from planner.errors import (
    InputError,
    Position,
    Problem,
    did_you_mean,
)
from planner.reading.files.text_file import read_text
from planner.reading.profiles import profile_problems
from planner.reading.units import BadValueError
from planner.reading.validation import validate
from planner.reading.yaml.parse import parse_yaml
from planner.reading.yaml.source_map import Document, KeyPath

VARIABLE = "PLANNER_CATALOGUE"
NAME = "catalogue.yaml"

_KEYS = ("sources", "profiles")
_TELLING = (*_KEYS, "models")
"""Keys that tell a catalogue with mistakes from another file."""
_FACTORS = {"output_speed": "speed", "speed": "output_speed", "price": "price_multiplier", "price_multiplier": "price"}
"""Key of each value or factor → key that the same profile cannot have as well."""
_MEASURED = ("ttft", "output_speed", "speed")
"""Keys that the built-in `measured_output` depends on. A user's entry with one of them discards it."""


@dataclass(frozen=True)
class UserCatalogue:
    """The content of a user's catalogue file.

    file : path of the file
    entries : entry of each profile as in the file, by name of the profile
    facts : provenance of the numbers, and the declared sources
    """

    file: str
    entries: Mapping[str, dict[str, Any]]
    facts: FactsDeclaration


def find_user_file(option: Path | None, folder: Path) -> Path | None:
    """Return the path of the user's catalogue file. Return None if there is no such file.

    The path is the first of these: `option`, the environment variable `VARIABLE`, and the file `NAME` in `folder`.
    """
    default = folder / NAME
    return named_file(option) or (default if default.is_file() else None)


def named_file(option: Path | None) -> Path | None:
    """Return `option`, or the path in the environment variable `VARIABLE` if `option` is None.

    Return None if neither is given.
    """
    named = os.environ.get(VARIABLE)
    return option or (Path(named) if named else None)


def merge_entries(builtin: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the built-in entry of a profile, in which the user's values replace the built-in values.

    If both entries have prices per token, built-in prices are kept for kinds of tokens without a user's price.

    own : the user's entry
    """
    replaced = own.keys() | {_FACTORS[key] for key in own.keys() & _FACTORS.keys()}
    if not own.keys().isdisjoint(_MEASURED):
        replaced |= {"measured_output"}
    merged = {key: value for key, value in (builtin or {}).items() if key not in replaced} | dict(own)
    before, price = _price((builtin or {}).get("price")), own.get("price")
    if (
        before is not None
        and isinstance(price, dict)
        and _price(price) is not None
        and not refers_to_table("price", price)
    ):
        given = price["value"] if is_fact(price) else price
        inherited = {key: value for key, value in before.items() if value is not None}
        merged["price"] = {**price, "value": {**inherited, **given}} if is_fact(price) else {**inherited, **given}
    return merged


def _price(value: Any) -> dict[str, Any] | None:
    """Return prices per token without their provenance. Return None if `value` has no prices per token."""
    if is_fact(value):
        value = value["value"]
    if refers_to_table("price", value):
        value = listed_price(value).price
    return dict(value) if isinstance(value, dict) and "per_hour" not in value else None


def read_user_file(path: Path, builtin: Mapping[str, Callable[[], dict[str, Any]]]) -> UserCatalogue:
    """Read a user's catalogue file.

    builtin : functions that read the entries of built-in profiles, by name of the profile

    Raises InputError with every problem of the file.
    """
    document = _read(path)
    data = document.data if isinstance(document.data, dict) else {}
    problems = list(document.problems)
    for key in data.keys() - set(_KEYS):
        suggestion = "write 'profiles'" if key == "models" else did_you_mean(key, _KEYS)
        problems.append(Problem("unknown-key", f"unknown key '{key}'", document.key(key), suggestion))
    profiles, facts = _split(document, data, problems)
    _, profile_mistakes = validate(ProfilesDeclaration, profiles, None)
    valid_facts, fact_mistakes = validate(FactsDeclaration, facts, None)
    entries = data.get("profiles") if isinstance(data.get("profiles"), dict) else {}
    assert isinstance(entries, dict)
    declared = {name: entry for name, entry in entries.items() if isinstance(entry, dict)}
    full = {
        name: merge_entries(builtin[name]() if name in builtin else None, entry) for name, entry in declared.items()
    }
    bases = {name: read() for name, read in builtin.items() if name not in declared}
    problems += [*profile_mistakes, *fact_mistakes]
    problems += profile_problems(profiles, {**full, **bases}, {*builtin, *declared}, set())
    if problems or valid_facts is None:
        raise InputError(dict.fromkeys(problems))
    return UserCatalogue(str(path), declared, valid_facts)


def _read(path: Path) -> Document:
    """Read a catalogue file as a YAML document.

    The error for another kind of file quotes no lines, because these lines may contain secrets.
    """
    text = read_text(path)
    try:
        document = parse_yaml(text, str(path))
    except InputError:
        if re.search(rf"^({'|'.join(_TELLING)})\s*:", text, re.MULTILINE):
            raise
    else:
        if isinstance(document.data, dict) and not document.data.keys().isdisjoint(_TELLING):
            return document
    hint = f"write for example {ProfilesDeclaration.example}"
    problem = Problem("bad-value", "expected a mapping with the key 'profiles'", Position(str(path)), hint)
    raise InputError([problem]) from None


def _split(document: Document, data: dict[str, Any], problems: list[Problem]) -> tuple[Document, Document]:
    """Split a catalogue file into two documents: the plain profiles, and the provenance of their values.

    data : content of the file
    problems : list to which new problems are added
    """
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
                about[name][key] = {field: text for field, text in value.items() if field != "value"}
                if "value" not in value:
                    hint = "add it, for example {value: 1.5s, source: my-benchmark, kind: measured}"
                    problems.append(Problem("missing-key", "the key 'value' is missing", place, hint))
                    profiles.unreadable.add(("models", name, key))
                value = value.get("value")
            if refers_to_table(key, value):
                try:
                    value = listed_price(value).price
                except BadValueError as mistake:
                    value = {"input": 0, "output": 0}
                    inner = ("value",) if (name, key) in wrapped else ()
                    exact = document.value("profiles", name, key, *inner, *mistake.at) or place
                    problems.append(Problem(mistake.code, str(mistake), exact, mistake.hint))
            plain[name][key] = value
    profiles.data = {"models": plain if isinstance(entries, dict) else entries}
    facts.data = {"sources": data.get("sources", {}), "facts": about}
    for path, position in document.values.items():
        _add_position(path, wrapped, position, profiles.values, facts.values)
    for path, position in document.keys.items():
        _add_position(path, wrapped, position, profiles.keys, facts.keys)
    for path, position in document.nothing.items():
        _add_position(path, wrapped, position, profiles.nothing, facts.nothing, exactly=True)
    for path in document.unreadable:
        profiles.unreadable.add(("models", *path[1:]) if path[:1] == ("profiles",) else path)
        facts.unreadable.add(("facts", *path[1:]) if path[:1] == ("profiles",) else path)
    return profiles, facts


def _add_position(
    path: KeyPath,
    wrapped: set[KeyPath],
    position: Position,
    profiles: dict[KeyPath, Position],
    facts: dict[KeyPath, Position],
    exactly: bool = False,
) -> None:
    """Add the position of a path to `profiles`, to `facts`, or to both.

    path : path of keys in the catalogue file
    wrapped : profile and key of each value that is written with its provenance
    exactly : whether to add the position to one dictionary only
    """
    if path[:1] != ("profiles",):
        (facts if path[:1] == ("sources",) else profiles)[path] = position
        if not exactly and not path:
            facts[path] = position
        return
    _, *rest = path
    inside = tuple(rest[:2]) in wrapped
    if inside and len(rest) == 2:
        profiles.setdefault(("models", *rest), position)
        facts["facts", *rest] = position
    elif inside and rest[2] == "value":
        profiles["models", *rest[:2], *rest[3:]] = position
    elif inside:
        facts["facts", *rest] = position
    else:
        profiles["models", *rest] = position
        if not exactly:
            facts["facts", *rest] = position
