"""Write the tables of keys outside of steps: the outcome of each key of a file, of a crew and of a profile.

The outcomes are those of `keys_and_kinds`. For each pair of a key and a column there are two workflow files, one
without the key and one with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keys_and_kinds import Outcome, outcome

from planner.errors import InputError

Data = Mapping[str, Any]

READ = "for the reader"
"""Outcome of the keys that are texts for the reader, by definition without an effect."""

TEXTS = ("workflow", "description", "models.NAME.provider", "models.NAME.note")
"""Texts for the reader."""


@dataclass(frozen=True)
class FileKey:
    """A key outside of steps, and declarations that differ in it.

    name : full name, such as `uncertainty.per_step`; in names of a crew or a profile, `NAME` is its name
    present : the file, the crew or the profile with the key
    absent : the same without the key; if the key is required, it has another value here
    """

    name: str
    present: Data
    absent: Data


_PROFILE = {"ttft": "1s", "prefill_speed": 1000, "output_speed": 50, "jitter": 0}
_PRICE = {"input": 1, "output": 5}
_REQUEST = {"llm": {"input": "2k", "output": 100}}
_TOOL = {"tool": "30s"}
_FILE: Data = {"model": "plain", "models": {"plain": {**_PROFILE, "price": _PRICE}}}
_PAIR = {"a": {"llm": {"output": 500}}, "b": {"llm": {"output": 50}}, "c": {"needs": "b", "tool": "1min"}}

_USED, _UNUSED = "something uses it", "nothing uses it"


def _file_keys() -> Iterator[tuple[FileKey, FileKey]]:
    """Keys at the top of a file, each with a file in which it can have an effect and one in which it has none."""

    def pair(name: str, used: tuple[Data, Data], unused: tuple[Data, Data]) -> tuple[FileKey, FileKey]:
        return FileKey(name, *used), FileKey(name, *unused)

    request, tool = {"steps": {"step": _REQUEST}}, {"steps": {"step": _TOOL}}
    counted = {"steps": {"step": {"for_each": "n", **_REQUEST}}}
    yield pair(
        "parameters",
        ({"parameters": {"n": 3}, **counted}, {"parameters": {"n": 2}, **counted}),
        ({"parameters": {"n": 3}, **request}, request),
    )
    other = {"other": {**_PROFILE, "output_speed": 25, "price": _PRICE}}
    both = {**_FILE["models"], **other}
    yield pair(
        "model",
        ({"models": both, "model": "other", **request}, {"models": both, **request}),
        ({"model": "plain", **tool}, {"model": None, **tool}),
    )
    graph = {"runtime": "langgraph"}
    yield pair(
        "runtime",
        ({**graph, "steps": _PAIR}, {"steps": _PAIR}),
        ({**graph, **request}, request),
    )
    yield pair(
        "max_concurrency",
        ({**graph, "max_concurrency": 1, "steps": _PAIR}, {**graph, "steps": _PAIR}),
        ({"max_concurrency": 1, "steps": _PAIR}, {"steps": _PAIR}),
    )
    ranges = {"steps": {"step": {"llm": {"output": "100 to 400"}}}}
    for keys in (("per_step", "overall"), ("per_step",), ("overall",)):
        layers = {"uncertainty": dict.fromkeys(keys, "1.5x")}
        name = "uncertainty" if len(keys) > 1 else f"uncertainty.{keys[0]}"
        yield pair(name, ({**layers, **ranges}, ranges), ({**layers, **request}, request))
    named = {"steps": {"step": {**_REQUEST, "model": "other"}}}
    slower = {"other": {**_PROFILE, "output_speed": 20, "price": _PRICE}}
    yield pair(
        "models",
        ({"models": both, **named}, {"models": {**both, **slower}, **named}),
        ({"models": both, **request}, request),
    )
    crew = {"steps": {"step": {"for_each": 3, "crew": "crew", **_REQUEST}}}
    yield pair(
        "crews",
        ({"crews": {"crew": {"agents": 2}}, **crew}, {"crews": {"crew": {"agents": 1}}, **crew}),
        ({"crews": {"crew": {"agents": 2}}, **request}, request),
    )


FILE_KEYS = tuple(_file_keys())

_AFTER = {"after": {"needs": "step", "tool": "1min"}}
"""A step in which the crew is idle."""

_ITEMS = {"for_each": 5, "crew": "crew", **_REQUEST}
_UNMANNED = {"review": {"human": {"time": "3s", "usd": 1}}, "run": {"needs": "review", "hold": False, "tool": "1s"}}
"""Steps of an item that take no agent. They are shorter than the arrivals of agents, which the fan-out waits for."""

_CREW_FILES: Mapping[str, tuple[int, Data]] = {
    "several agents hold items": (2, {"step": _ITEMS, **_AFTER}),
    "one agent": (1, {"step": _ITEMS, **_AFTER}),
    "no items": (2, {**{name: {"crew": "crew", **_REQUEST} for name in ("step", "b", "c", "d")}, **_AFTER}),
    "no step takes an agent": (2, {"step": {"for_each": 5, "crew": "crew", "steps": _UNMANNED}, **_AFTER}),
    "no step": (2, {"step": _REQUEST, **_AFTER}),
}
"""Columns of the table of crews: number of agents, and steps."""


def _crew_keys() -> Iterator[FileKey]:
    """Keys of a crew."""
    yield FileKey("crews.NAME.agents", {"agents": 3}, {})
    yield FileKey("crews.NAME.lockstep", {"lockstep": True}, {})
    message = {"input": 900, "output": 50}
    shorter = {"input": 900, "output": 20}
    merge = {"time": "5s", "input": 900, "output": 50}
    sync, conflict = {"output": 50, "every": 2}, {"chance": "20%", "rework": "50%"}
    yield FileKey("crews.NAME.coordination", {"coordination": {"brief": message}}, {})
    for name, present, absent in (
        ("preset", "centralized", None),
        *((key, message, None) for key in ("ramp_up", "brief", "report")),
        *((f"{key}.output", message, shorter) for key in ("ramp_up", "brief", "report")),
        *((f"{key}.input", message, {"output": 50}) for key in ("ramp_up", "brief", "report")),
        ("stagger", "6s", None),
        ("sync", sync, None),
        ("sync.output", sync, {**sync, "output": 20}),
        ("sync.every", sync, {**sync, "every": 3}),
        ("merge", merge, None),
        *((f"merge.{key}", merge, {other: merge[other] for other in merge if other != key}) for key in merge),
        ("conflict", conflict, None),
        ("conflict.chance", conflict, {**conflict, "chance": "60%"}),
        ("conflict.rework", conflict, {**conflict, "rework": "90%"}),
        ("redundancy", "50%", None),
    ):
        key = name.partition(".")[0]
        least = {"merge": "1s"} if key == "conflict" else {}
        without = least if absent is None else {**least, key: absent}
        yield FileKey(
            f"crews.NAME.coordination.{name}", {"coordination": {**least, key: present}}, {"coordination": without}
        )
    yield FileKey("crews.NAME.usd", {"usd": 0.50}, {})
    yield FileKey("crews.NAME.paid", {"usd": "$80/h", "paid": "always"}, {"usd": "$80/h"})


CREW_KEYS = tuple(_crew_keys())

_LOOP = {"turns": 4, "prompt": "2k", "output": 100, "tool": {"time": "2min", "result": 500}}
_PROFILE_FILES = {
    "a request uses it": {"for_each": 6, "crew": "crew", "model": "profile", "agent": _LOOP},
    "no request uses it": _REQUEST,
}
"""Columns of the table of profiles: the step."""


def _profile_keys() -> Iterator[FileKey]:
    """Keys of a profile."""
    caches = {**_PRICE, "cache_read": 0.1, "cache_write": 2}
    caching = {"cache_ttl": "1h", "price": caches}
    curves = {"ttft": {1: "1s", 4: "6s"}, "output_speed": {1: 60, 4: 30}}
    for name, present, absent in (
        ("ttft", {"ttft": "2s"}, {}),
        ("prefill_speed", {"prefill_speed": 500}, {}),
        ("output_speed", {"output_speed": 25}, {}),
        ("measured_output", {**curves, "measured_output": 200}, curves),
        ("jitter", {"jitter": 0.5}, {}),
        ("price", {}, {"price": None}),
        *((f"price.{key}", {"price": {**_PRICE, key: 9}}, {}) for key in ("input", "output")),
        *(
            (
                f"price.{key}",
                caching,
                {**caching, "price": {other: usd for other, usd in caches.items() if other != key}},
            )
            for key in ("cache_read", "cache_write")
        ),
        ("price.per_hour", {"price": {"per_hour": 3}}, {"price": {"per_hour": 4}}),
        ("context", {"context": "2k"}, {}),
        ("cache_ttl", {**caching, "cache_ttl": "1min"}, caching),
        ("tokens", {"tokens": 1.5}, {"tokens": 1}),
        ("available", {"available": "retired"}, {}),
        ("provider", {"provider": "ACME"}, {}),
        ("note", {"note": "ours"}, {}),
    ):
        yield FileKey(f"models.NAME.{name}", {**_PROFILE, "price": _PRICE, **present}, {
            **_PROFILE, "price": _PRICE, **absent})  # fmt: skip
    based = {"based_on": "base"}
    yield FileKey("models.NAME.based_on", based, {**_PROFILE, "price": _PRICE})
    yield FileKey("models.NAME.speed", {**based, "speed": "2x"}, based)
    yield FileKey("models.NAME.price_multiplier", {**based, "price_multiplier": "2x"}, based)


PROFILE_KEYS = tuple(_profile_keys())


def _text(keys: Data) -> str:
    """Return a workflow file. Keys with the value None are left out."""
    data = {"workflow": "pair", **_FILE, **keys}
    return json.dumps({key: value for key, value in data.items() if value is not None})


def _crew_file(crew: Data, column: str) -> str:
    agents, steps = _CREW_FILES[column]
    return _text({"crews": {"crew": {"agents": agents, **crew}}, "steps": steps})


def _profile_file(profile: Data, column: str) -> str:
    declared = {key: value for key, value in profile.items() if value is not None}
    models = {"plain": {**_PROFILE, "price": _PRICE, "tokens": 1}, "profile": declared}
    if "based_on" in declared:
        models["base"] = {**_PROFILE, "output_speed": 30, "price": {"input": 2, "output": 10}}
    return _text({"models": models, "crews": {"crew": {"agents": 2}}, "steps": {"step": _PROFILE_FILES[column]}})


def outcomes(name: str, folder: Path) -> dict[str, str]:
    """Return for each column the outcome of a key: `effect`, `refused`, `noted` or `READ`. Others are defects.

    silent : the key has no effect, and no note says so
    """
    for pair in FILE_KEYS:
        if pair[0].name == name:
            columns = dict(zip((_USED, _UNUSED), pair, strict=True))
            return {
                column: _effect(name, _text(key.absent), _text(key.present), folder) for column, key in columns.items()
            }
    keys = {key.name: key for key in (*CREW_KEYS, *PROFILE_KEYS)}
    key = keys[name]
    written, columns = (_crew_file, _CREW_FILES) if name.startswith("crews") else (_profile_file, _PROFILE_FILES)
    return {
        column: _effect(name, written(key.absent, column), written(key.present, column), folder) for column in columns
    }


def _effect(name: str, without: str, with_key: str, folder: Path) -> str:
    before, after = outcome(without, folder), outcome(with_key, folder)
    names = [part for part in name.split(".") if part != "NAME"]
    if isinstance(after, InputError):
        texts = [f"{problem.message} {problem.hint}" for problem in after.problems]
        return "refused" if any(f"'{names[-1]}'" in text for text in texts) else "unclear"
    if isinstance(before, InputError):
        return "unclear"
    if after.measures != before.measures:
        denied = any(f"'{names[-1]}' has no effect" in note for note in after.notes - before.notes)
        return "wrongly noted" if denied else "effect"
    if _noted(name, before, after):
        return "noted"
    return READ if name in TEXTS else "silent"


def _noted(name: str, before: Outcome, after: Outcome) -> bool:
    """Whether a note names a key without effect, or says that nothing uses the crew or the profile of the key.

    A note on the whole `coordination` of a crew covers all of its keys. A note on a profile may name the profile only.
    """
    section, *names = [part for part in name.split(".") if part != "NAME"]
    new = after.notes - before.notes
    if section == "crews" and names:
        starts = (
            "No step names the crew 'crew'",
            "No step takes an agent of the crew",
            "'crew' has no effect on 'step'",
        )
        idle = any(note.startswith(starts) for note in after.notes)
        return idle or any(f"'{names[0]}' of the crew 'crew'" in note for note in after.notes)
    if section == "models" and names:
        idle = any(note.startswith("No request uses") and "'profile'" in note for note in after.notes)
        return idle or any("profile" in note for note in new)
    return any(section.rstrip("s").replace("_", " ") in note.casefold().replace("_", " ") for note in new)


HEADING = "### Keys outside of steps"

_INTRODUCTION = """
The same for the keys of a file, of a crew and of a profile. The columns are uses of the file, the crew or the profile.
There **noted** means that a note names the key, or says that nothing uses the crew or the profile. In *no step takes
an agent* the crew has items of people and of tools with `hold: false`: its coordination still has agents. Keys of
`coordination` are covered by a note on `coordination`. Texts are for the reader.

A switch that says its default, such as `sized: false`, is noted. A number that does, such as `best_of: 1`, is not.
"""


def section(folder: Path) -> str:
    """Return the section, with its heading.

    folder : folder that contains the files of `keys_and_kinds.write_files`
    """
    tables = [
        "\n".join([f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns))]
                  + [row(name, folder) for name in names])
        for columns, names in (
            (["Key of the file", _USED, _UNUSED], [used.name for used, _ in FILE_KEYS]),
            (["Key of a crew", *_CREW_FILES], [key.name for key in CREW_KEYS]),
            (["Key of a profile", *_PROFILE_FILES], [key.name for key in PROFILE_KEYS]),
        )
    ]  # fmt: skip
    return "\n\n".join((f"{HEADING}\n{_INTRODUCTION.rstrip()}", *tables)) + "\n"


def rows() -> tuple[str, ...]:
    """Return the full names of all keys, in the order of the tables."""
    return (*(used.name for used, _ in FILE_KEYS), *(key.name for key in (*CREW_KEYS, *PROFILE_KEYS)))


def row(name: str, folder: Path) -> str:
    """Return the line of a key in its table: one column for each way to use the file, the crew or the profile."""
    shown = name.partition("NAME.")[2] or name
    return f"| `{shown}` | {' | '.join(outcomes(name, folder).values())} |"
