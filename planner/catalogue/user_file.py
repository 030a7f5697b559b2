"""The path of a user's catalogue file in, its entries with their provenance out, or every problem of the file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
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
    listed,
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
"""A file is a catalogue if it has one of these keys. Messages do not quote other files."""
_DAYS = {"retired_on": ("available",), "holds_from": ("available", "price"), "holds_until": ("price",)}
"""Key of provenance → keys of the values on which it has an effect. Other keys of provenance affect all values."""
_FACTORS = {"output_speed": "speed", "speed": "output_speed", "price": "price_multiplier", "price_multiplier": "price"}
"""Key of each value or factor → key that the same profile cannot have as well."""
_MEASURED = ("ttft", "output_speed", "speed")
"""If a user's entry has one of these keys, the built-in `measured_output` is discarded, because it depends on them."""


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

    If both entries have prices per token, kinds of tokens without a user's price keep their built-in price.

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

    If the file is not a catalogue, the error quotes none of its lines, because they may contain secrets.
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
    prices: dict[str, Any] = {}
    wrapped: set[KeyPath] = set()

    def split_fact(
        value: Any, path: KeyPath, numbers: dict[str, Any], provenances: dict[str, Any], keys: tuple[str, str]
    ) -> None:
        """Store a value in `numbers`. If the value is written with its provenance, store that in `provenances`.

        value : a plain value, or a mapping such as {value: 1.5s, source: my-benchmark, kind: measured}
        keys : key under which the value is stored, and key under which its provenance is stored
        """
        place = document.value(*path)
        if is_fact(value):
            wrapped.add(path)
            provenances[keys[1]] = {field: text for field, text in value.items() if field != "value"}
            for field in _DAYS:
                if field in value and path[2] not in _DAYS[field]:
                    message = f"'{field}' has no effect on '{path[2]}'"
                    hint = f"remove it; it belongs to {listed(_DAYS[field])}"
                    problems.append(Problem("unknown-key", message, document.key(*path, field), hint))
            if "value" not in value:
                hint = "add it, for example {value: 1.5s, source: my-benchmark, kind: measured}"
                problems.append(Problem("missing-key", "the key 'value' is missing", place, hint))
                profiles.unreadable.add(_profile_path(path))
            value = value.get("value")
        if refers_to_table(str(path[2]), value):
            try:
                value = listed_price(value).price
            except BadValueError as mistake:
                value = {"input": 0, "output": 0}
                inner = ("value",) if path in wrapped else ()
                exact = document.value(*path, *inner, *mistake.at) or place
                problems.append(Problem(mistake.code, str(mistake), exact, mistake.hint))
        numbers[keys[0]] = value

    for name, entry in entries.items() if isinstance(entries, dict) else ():
        if not isinstance(entry, dict):
            plain[name] = entry
            continue
        plain[name], about[name] = {}, {}
        for key, value in entry.items():
            if key == "price" and isinstance(value, list):
                plain[name][key] = {"input": 0, "output": 0}
                prices[name] = {}
                for index, element in enumerate(value):
                    keys = str(index), f"price {index}"
                    split_fact(element, ("profiles", name, key, index), prices[name], about[name], keys)
                problems += _order_problems(document, name, value)
            else:
                split_fact(value, ("profiles", name, key), plain[name], about[name], (key, key))
    profiles.data = {"models": plain if isinstance(entries, dict) else entries, "prices": prices}
    facts.data = {"sources": data.get("sources", {}), "facts": about}
    for name in prices:
        place = document.values["profiles", name, "price"]
        profiles.values["prices",] = profiles.values["prices", name] = place
    for path, position in document.values.items():
        _add_position(path, wrapped, position, profiles.values, facts.values)
    for path, position in document.keys.items():
        _add_position(path, wrapped, position, profiles.keys, facts.keys)
    for path, position in document.nothing.items():
        _add_position(path, wrapped, position, profiles.nothing, facts.nothing, only_wrapped=True)
    for path in document.unreadable:
        profiles.unreadable.add(_profile_path(path) if path[:1] == ("profiles",) else path)
        facts.unreadable.add(_fact_path(path) if path[:1] == ("profiles",) else path)
    return profiles, facts


def _order_problems(document: Document, name: str, prices: list[Any]) -> Iterator[Problem]:
    """Yield the problems of a list of prices.

    The list must not be empty. Each price must have a later `holds_from` than the price before it.
    """
    place = document.value("profiles", name, "price")
    hint = "write for example [{input: 4, output: 20}, {value: {input: 3, output: 15}, holds_from: 2027-01-01}]"
    if not prices:
        yield Problem("bad-value", "expected a price, or a list of prices", place, hint)
    days = [str(price.get("holds_from") or "") if is_fact(price) else "" for price in prices]
    for position in range(1, len(prices)):
        if days[position] <= days[position - 1]:
            where = document.value("profiles", name, "price", position) or place
            message = "each price in a list needs a later 'holds_from' than the price before it"
            yield Problem("bad-value", message, where, hint)


def _is_listed(path: KeyPath) -> bool:
    """Whether a path leads to an element of a list of prices, or to a key inside such an element."""
    return len(path) > 3 and path[2] == "price" and isinstance(path[3], int)


def _profile_path(path: KeyPath) -> KeyPath:
    """Convert a path of keys in the catalogue file to the path of the same value in the document of plain profiles.

    For example, ("profiles", "sonnet", "ttft") becomes ("models", "sonnet", "ttft").
    """
    return ("prices", path[1], str(path[3]), *path[4:]) if _is_listed(path) else ("models", *path[1:])


def _fact_path(path: KeyPath) -> KeyPath:
    """Convert a path of keys in the catalogue file to the path of its provenance in the document of provenance.

    For example, ("profiles", "sonnet", "ttft") becomes ("facts", "sonnet", "ttft").
    """
    return ("facts", path[1], f"price {path[3]}", *path[4:]) if _is_listed(path) else ("facts", *path[1:])


def _add_position(
    path: KeyPath,
    wrapped: set[KeyPath],
    position: Position,
    profiles: dict[KeyPath, Position],
    facts: dict[KeyPath, Position],
    only_wrapped: bool = False,
) -> None:
    """Copy a position from the catalogue file to the two documents into which the file is split.

    The position of a value goes to `profiles`, and the position of its provenance goes to `facts`. The position of a
    value that is written without provenance goes to both.

    path : path of keys in the catalogue file
    wrapped : path of each value that is written with its provenance
    position : position of the path in the catalogue file
    profiles : positions in the document of plain profiles
    facts : positions in the document of provenance
    only_wrapped : if true, the position of a value without provenance goes only to `profiles`
    """
    if path[:1] != ("profiles",):
        (facts if path[:1] == ("sources",) else profiles)[path] = position
        if not only_wrapped and not path:
            facts[path] = position
        return
    length = 4 if _is_listed(path) else 3
    inside = path[:length] in wrapped
    if inside and len(path) == length:
        profiles.setdefault(_profile_path(path), position)
        facts[_fact_path(path)] = position
    elif inside and path[length] == "value":
        profiles[(*_profile_path(path[:length]), *path[length + 1 :])] = position
    elif inside:
        facts[_fact_path(path)] = position
    else:
        profiles[_profile_path(path)] = position
        if not only_wrapped:
            facts[_fact_path(path)] = position
