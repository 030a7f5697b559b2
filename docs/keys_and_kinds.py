"""Write the section "Keys and kinds" of `reference/workflow.md`: the outcome of each key on each kind of step.

For each pair of a key and a kind there are two workflow files at each place: one without the key and one with it. The
files are made so that the key can have an effect. The key is refused if the second file has a problem. It has an effect
if both files differ in time, cost, tokens, accepted results or busy agents. It is noted if a note on the second file
names it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from planner.catalogue.premium import FITTED
from planner.errors import InputError
from planner.expansion.supersteps.runtime import runtime_notes
from planner.planning.notes.assumptions import declaration_notes, notes, restricted_notes
from planner.planning.sizing import Sizing
from planner.report.wording.notes import OPTIONS, words
from planner.sampling import Batch, GridPoint, Stopping, ThreadBackend, sample
from planner.workflow import read_workflow

SAMPLES = 16
"""Samples of each file: enough for conditions of 50% to have both outcomes."""

Keys = Mapping[str, Any]

_REQUEST = {"llm": {"input": "2k", "output": 100}}
_GROUP = {"first": _REQUEST, "second": {"needs": "first", "tool": "30s"}}
_BODIES: Mapping[str, Keys] = {
    "llm": _REQUEST,
    "agent": {"agent": {"turns": 3, "prompt": "2k", "output": 100, "tool": "5s"}},
    "tool": {"tool": "30s"},
    "human": {"human": "60s"},
    "steps": {"steps": _GROUP},
    "steps of tools": {"steps": {"first": {"tool": "10s"}, "second": {"human": "30s"}}},
    "steps of people": {"steps": {"first": {"human": "10s"}, "second": {"needs": "first", "human": "30s"}}},
    "choose": {"choose": {"first": {"chance": "50%", **_REQUEST}, "second": {"chance": "50%", "tool": "30s"}}},
    "use": {"use": "used.yaml"},
}
_VARIED: Mapping[str, Keys] = {
    "agent": {"agent": {"turns": 3, "output": "100 to 400"}},
    "tool": {"tool": "10s to 2min"},
    "human": {"human": "10s to 2min"},
    "steps of tools": {"steps": {"first": {"tool": "10s to 2min"}, "second": {"human": "30s"}}},
    "steps of people": {"steps": {"first": {"human": "10s to 2min"}, "second": {"needs": "first", "human": "30s"}}},
}
KINDS = tuple(_BODIES)
"""Kinds of steps."""

PLACES = ("top level", "held item", "free item", "fan-out")
"""Places of a step: outside of items, in an item that an agent holds, in an item that nobody holds, on a fan-out."""

_FILES = {
    "used.yaml": json.dumps({"workflow": "used", "parameters": {"rounds": 1}, "steps": _GROUP}),
    "rounds.yaml": json.dumps(
        {
            "workflow": "rounds",
            "parameters": {"rounds": 1},
            "steps": {"first": {"repeat": {"times": "rounds"}, **_REQUEST}},
        }
    ),
    "rows.csv": "id,other,lines,after\na,a,10,\nb,c,20,a\nc,d,40,b\nd,b,80,\n",
}
"""Files that the workflow files name."""


@dataclass(frozen=True)
class Key:
    """A key of a step, and two declarations of a step that differ in it.

    name : full name, such as `for_each.size`
    present : keys of the step with the key
    absent : keys of the step without the key; if the key is required, it has another value here
    body : whether the declarations include the body of the step
    """

    name: str
    present: Keys
    absent: Keys = field(default_factory=dict)
    body: bool = False

    @property
    def fan_out(self) -> bool:
        """Whether the declarations include a fan-out."""
        return "for_each" in self.present

    @property
    def varied(self) -> bool:
        """Whether the key has an effect only on times that vary, such as the slowest of several copies."""
        return self.name in ("best_of", "first_of", "for_each", "for_each.count", "for_each.file")


def _modifiers() -> Iterator[Key]:
    """Keys that every kind of step may have."""
    yield Key("needs", {"needs": "sibling"})
    yield Key("chance", {"chance": "20%"})
    yield Key("for_each", {"for_each": 3})
    rows = {"file": "rows.csv"}
    for name, present, absent in (
        ("count", {"count": 3}, {"count": 2}),
        ("size", {"count": 3, "size": "0.2x to 4x"}, {"count": 3}),
        ("size (column)", {**rows, "size": "lines"}, rows),
        ("file", rows, {"count": 2}),
        ("needs", {**rows, "needs": "after"}, rows),
        ("id", {**rows, "needs": "after", "id": "other"}, {**rows, "needs": "after"}),
    ):
        yield Key(f"for_each.{name}", {"for_each": present}, {"for_each": absent})
    yield Key("repeat", {"repeat": {"times": 2}})
    yield Key("repeat.times", {"repeat": {"times": 3}}, {"repeat": {"times": 2}})
    until = {"until": "30%", "at_most": 4}
    yield Key("repeat.until", {"repeat": until}, {"repeat": {"times": 4}})
    yield Key("repeat.at_most", {"repeat": until}, {"repeat": {**until, "at_most": 2}})
    yield Key("best_of", {"best_of": 3})
    yield Key("first_of", {"first_of": 3})
    retry = {"chance": "50%", "at_most": 3}
    yield Key("retry", {"retry": retry})
    yield Key("retry.chance", {"retry": retry}, {"retry": {**retry, "chance": "10%"}})
    yield Key("retry.at_most", {"retry": retry}, {"retry": {**retry, "at_most": 2}})
    yield Key("retry.wait", {"retry": {**retry, "wait": "10s"}}, {"retry": retry})
    yield Key("retry.timeout", {"retry": {**retry, "timeout": "1s"}}, {"retry": retry})
    yield Key("success", {"success": "50%"})
    yield Key("otherwise", {"success": "50%", "otherwise": "fallback"}, {"success": "50%"})
    yield Key("crew", {"crew": "others"})
    yield Key("hold", {"hold": False})
    yield Key("model", {"model": "other"})


MODIFIERS = tuple(_modifiers())


def _body_keys() -> Iterator[Key]:
    """Keys of bodies."""

    def keys(body: str, least: Keys, **values: tuple[Any, Any] | Any) -> Iterator[Key]:
        for name, value in values.items():
            present, absent = value if isinstance(value, tuple) else (value, None)
            without = {key: other for key, other in {**least, name: absent}.items() if other is not None}
            yield Key(f"{body}.{name}", {body: {**least, name: present}}, {body: without}, body=True)

    request, loop = {"output": 100}, {"turns": 4, "prompt": "2k", "output": 100}
    yield from keys("llm", request, input="4k", thinking=200, output=(200, 100))
    yield from keys("llm", {**request, "input": "4k"}, cached="3k")
    before = {"needs": "previous"}
    yield Key(
        "llm.continues", {**before, "llm": {**request, "continues": "previous"}}, {**before, "llm": request}, True
    )
    yield from keys("agent", loop, turns=(5, 4), prompt=("4k", "2k"), output=(200, 100), thinking=200, tool="5s")
    call: Keys = {"time": "5s", "usd": 0.01}
    for name, value, other in (
        ("time", "9s", "5s"), ("result", "1k", None), ("calls", 3, None), ("usd", 0.02, 0.01)
    ):  # fmt: skip
        without = {key: value for key, value in {**call, name: other}.items() if value is not None}
        with_key: Keys = {**loop, "tool": {**call, name: value}}
        yield Key(f"agent.tool.{name}", {"agent": with_key}, {"agent": {**loop, "tool": without}}, True)
    compacting = {**loop, "context_limit": 2150, "compaction": {"output": 50}}
    yield Key("agent.context_limit", {"agent": compacting}, {"agent": {**compacting, "context_limit": "100k"}}, True)
    yield Key("agent.compaction", {"agent": compacting}, {"agent": loop}, True)
    longer = {**compacting, "compaction": {"output": 90}}
    yield Key("agent.compaction.output", {"agent": longer}, {"agent": compacting}, True)
    yield from keys("tool", call, time=("9s", "5s"), calls=3, usd=(0.02, None), sized=True)
    yield from keys("human", {"time": "60s"}, usd="$80/h", time=("90s", "60s"))
    leaves = {"after": "1s", "back": "1min"}
    for name, present, absent in (
        ("", leaves, None), (".after", leaves, {**leaves, "after": "1h"}), (".back", leaves, {**leaves, "back": "1h"})
    ):  # fmt: skip
        person = {"time": "60s"}
        leaving, other_person = ({**person, "leaves": value} if value else person for value in (present, absent))
        yield Key(f"human.leaves{name}", {**before, "human": leaving}, {**before, "human": other_person}, True)
    yield from keys("use", {"file": "rounds.yaml"}, file=("used.yaml", "rounds.yaml"), parameters={"rounds": 3})


BODY_KEYS = tuple(_body_keys())


def workflow_file(key: Key, kind: str, place: str, keys: Keys, late: str, branch: bool = False) -> str:
    """Return a workflow with a step of a kind at a place.

    branch : whether the step is a branch of a choice
    keys : keys of the step; its body is among them if the key belongs to a body
    late : time after the end of the rival of a held item
    """
    step: dict[str, Any] = dict(keys if key.body else {**_body(key, kind), **keys})
    if place == "fan-out" and not key.fan_out:
        step = {"for_each": _ITEMS, **step}
    if branch:
        chance = step.pop("chance", "50%")
        other = {"50%": "50%", "20%": "80%"}[chance]
        needs = {"needs": step.pop("needs")} if key.body and "needs" in step else {}
        branches = {"step": {"chance": chance, **step}, "else": {"chance": other, "tool": "5s"}}
        step = {**needs, "choose": branches}
    takes_agent = not (kind in ("tool", "human") or kind.startswith("steps of")) or (kind, place) == (
        "tool",
        "held item",
    )
    sibling = {"human": "70s"} if takes_agent else {"llm": {"output": 2000}}
    steps: dict[str, Any] = {"step": step, "sibling": sibling, "fallback": {"tool": "20s"}}
    steps["previous"] = {"llm": {"input": "1k", "output": 50}}
    if place == "held item":
        # A rival for the agents of the crew makes the completion time depend on when they are busy.
        return _file(
            {
                "items": {"for_each": _ITEMS, "crew": "crew", "steps": steps},
                "early": {"tool": "50s"},
                "rival": {"needs": "early", "crew": "crew", "llm": {"output": 500}},
                "late": {"needs": "rival", "human": late},
            }
        )
    steps["after"] = {"needs": "step", "human": "10min"}  # puts the step on the critical path
    return _file(steps if place != "free item" else {"items": {"for_each": _ITEMS, "steps": steps}})


def _file(steps: Keys) -> str:
    return json.dumps({"workflow": "pair", **_SERVICE, "steps": steps})


_ITEMS = {"count": 3, "size": "0.5x to 2x"}
_PROFILE = {"ttft": "1s", "prefill_speed": 1000, "jitter": 0, "cache_ttl": "5min"}
_SERVICE = {
    "model": "plain",
    "models": {
        "plain": {**_PROFILE, "output_speed": 50, "price": {"input": 1, "output": 5, "cache_read": 0.1}},
        "other": {**_PROFILE, "output_speed": 25, "price": {"input": 2, "output": 10, "cache_read": 0.2}},
    },
    "crews": {"crew": {"agents": 2}, "others": {"agents": 1}},
}


def _body(key: Key, kind: str) -> Keys:
    """Body of a step. Copies have times that vary, so that the slowest of them is not the quickest."""
    if key.varied and kind in _VARIED:
        return _VARIED[kind]
    return _BODIES[kind]


@dataclass(frozen=True)
class Outcome:
    """Result of a workflow file: the measures of the forecast, and the words of its notes."""

    measures: Any
    notes: frozenset[str]


@cache
def outcome(text: str, folder: Path) -> Outcome | InputError:
    """Forecast a workflow, and return the outcome, or the problems of the workflow."""
    try:
        workflow = read_workflow(text, file=str(folder / "pair.yaml"))
        _, sizes = Sizing.at(workflow, None, None)
        batch = Batch.of(workflow, [GridPoint(1.0, sizes, 1.0)], 1, SAMPLES, detailed=True)
    except InputError as error:
        return error
    (accumulator,) = sample([batch], Stopping(SAMPLES), ThreadBackend(1))
    usd, collector = accumulator.usd(0), accumulator.collector
    assert collector is not None
    usage = collector.usage
    measures = (
        accumulator.seconds[0].first.tolist(),
        None if usd is None else usd.first.tolist(),
        [float(tokens) for tokens in astuple(accumulator.billed(0))],
        accumulator.accepted(0).first.tolist(),
        [moments.mean() for moments in (*usage.held, *usage.waiting) if moments.mean().mean],
    )
    remarks = (
        *declaration_notes(workflow, sizes, batch.models),
        *runtime_notes(workflow),
        *restricted_notes(batch.models),
        *notes(batch.models, accumulator.over_context, [1.0], FITTED),
    )
    return Outcome(measures, frozenset(words(note, OPTIONS) for note in remarks))


_LATE = ("200s", "0s")
"""Times after the rival: with the first the completion time is that of the rival, with the other that of the items."""


def effect(key: Key, kind: str, place: str, folder: Path, branch: bool = False) -> str:
    """Return `effect`, `refused` or `noted` for a key of a step of a kind at a place. Anything else is a defect.

    silent : the key has no effect, and no note says so
    wrongly noted : the key has an effect that a note denies
    unclear : the files have problems that do not name the key

    folder : folder that contains the files of `write_files`
    branch : whether the step is a branch of a choice
    """
    found: list[str] = []
    for late in _LATE if place == "held item" else _LATE[:1]:
        without, with_key = (
            outcome(workflow_file(key, kind, place, keys, late, branch), folder) for keys in (key.absent, key.present)
        )
        found.append(_effect(key, without, with_key))
        if found[-1] not in ("silent", "noted"):
            return found[-1]
    return found[0]


def _effect(key: Key, without: Outcome | InputError, with_key: Outcome | InputError) -> str:
    names = [f"'{part}'" for part in key.name.partition(" ")[0].split(".")]
    if isinstance(with_key, InputError):
        texts = [f"{problem.message} {problem.hint}" for problem in with_key.problems]
        return "refused" if any(name in text for name in names for text in texts) else "unclear"
    if isinstance(without, InputError):
        return "unclear"
    noted = any(names[-1] in note for note in with_key.notes - without.notes)
    denied = any(f"{names[-1]} has no effect" in note for note in with_key.notes - without.notes)
    if with_key.measures != without.measures:
        return "wrongly noted" if denied else "effect"
    return "noted" if noted else "silent"


def row(key: Key, folder: Path) -> str:
    """Return the line of a key in its table: one column for each kind, or for a key of a body one for each place."""
    name, _, note = key.name.partition(" ")
    places = PLACES[:-1] if key.fan_out else PLACES
    kinds = (key.name.partition(".")[0],) if key.body else KINDS
    found = {kind: {place: effect(key, kind, place, folder) for place in places} for kind in kinds}
    cells = list(found[kinds[0]].values()) if key.body else [_cell(outcomes) for outcomes in found.values()]
    cells.append(_in_a_branch(key, found, folder))
    return f"| {' '.join((f'`{name}`', *filter(None, [note])))} | {' | '.join(cells)} |"


def _in_a_branch(key: Key, found: Mapping[str, Mapping[str, str]], folder: Path) -> str:
    """Return the cell for branches: `as its kind`, unless a branch of some kind has another outcome than a step.

    found : kind of a step -> place -> outcome
    """
    others = {
        f"{place} {kind}": outcome
        for kind, outcomes in found.items()
        for place in outcomes
        if (outcome := effect(key, kind, place, folder, branch=True)) != outcomes[place]
    }
    if len(set(others.values())) == 1 and len(others) == sum(map(len, found.values())):
        return next(iter(others.values()))
    return "; ".join(("as its kind", *(f"{outcome}: {where}" for where, outcome in others.items())))


def _cell(outcomes: Mapping[str, str]) -> str:
    """Text for the outcomes at all places: a single word if they are the same."""
    by_outcome: dict[str, list[str]] = {}
    for place, found in outcomes.items():
        by_outcome.setdefault(found, []).append(place)
    if len(by_outcome) == 1:
        return next(iter(by_outcome))
    return "; ".join(f"{found}: {', '.join(places)}" for found, places in sorted(by_outcome.items()))


HEADING = "## Keys and kinds"

_INTRODUCTION = """
Every key has an effect, is refused, or is noted in the output. This table is measured: for each key, each kind of step
and each place, two files differ in this key alone. They are made so that the key can have an effect.

- **effect**: time, cost, tokens, accepted results or busy agents differ.
- **refused**: the key is an error.
- **noted**: the result is the same, and a note says so.

The places are the top level, an item that an agent holds, an item that nobody holds, and the fan-out itself. A cell
names them only if they differ. *Steps of tools* are a group of a tool and a person, *steps of people* one of two
people. *In a branch* of a choice, each kind is tried at each place: `as its kind` means the
same outcome as in the other columns. Tests compare the table with the planner. Written by `python docs/generate.py`; do
not edit it here.
"""

_ABOUT_BODIES = """
Keys of bodies are refused in all other bodies:
"""


def section() -> str:
    """Return the section, with its heading."""
    import keys_of_files  # imports this module

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        tables = [
            "\n".join(
                [_line(["Key", *columns]), _line(["---"] * (len(columns) + 1)), *(row(key, folder) for key in keys)]
            )
            for keys, columns in (
                (MODIFIERS, [*(f"`{kind}`" if kind.isalpha() else kind for kind in KINDS), "in a branch"]),
                (BODY_KEYS, [*PLACES, "in a branch"]),
            )
        ]
        others = keys_of_files.section(folder)
    return f"{HEADING}\n{_INTRODUCTION}\n{tables[0]}\n{_ABOUT_BODIES}\n{tables[1]}\n\n{others}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def refreshed(page: str) -> str:
    """Return a page with the section as it is now."""
    start = page.index(f"{HEADING}\n")
    end = page.index("\n## ", start) + 1
    return f"{page[:start]}{section()}\n{page[end:]}"


def write_files(folder: Path) -> None:
    """Write the files that the workflow files name."""
    for name, text in _FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
