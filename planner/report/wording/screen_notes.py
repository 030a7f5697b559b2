"""The notes of a first screen: at most two, what changes a decision first, cautions of the catalogue in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from planner.errors import Note
from planner.report.wording import quantities
from planner.report.wording.notes import Sentence

MOST_NOTES = 2
"""Most notes on a first screen."""

MOST_MODELS = 2
"""Most models whose sale one line about all profiles describes."""

LEAST_ERROR = 0.02
"""Simulation errors above this share of a percentile are reported on a first screen."""

UNSAID = ("hypothetical-speeds", "constant-concurrency", "langgraph-runtime", "paid-by-the-hour")
"""Codes of notes that no first screen shows: they explain a number, but change no decision."""

CAUTIONS = ("caveat", "restricted-model", "other-tokenizer")
"""Codes of notes about profiles. A first screen has one line about all of them."""

CAUTION = "catalogue-cautions"
"""Code of the note that one line about all profiles has."""

_RESTRICTED: Mapping[str, str] = {"limited": "not sold to everybody", "retired": "no longer sold"}
"""Availability of a model → phrase."""

_SPEEDS: Mapping[str, str] = {
    "estimate": "{} of {} {be} estimated",
    "claim": "{} of {} {be} claimed by a vendor",
    "measured": "{} of {} {be} measured under conditions",
}
"""Kind of a caveat about speeds → phrase."""

_LAST = ("not-converged", "unpaid-people")
"""Codes of notes that follow all other notes except cautions."""


def screen_notes(notes: Sequence[Note], said: Collection[str] = ()) -> list[Note]:
    """Return the notes to show without the option `--all`: at most one of each code, and at most `MOST_NOTES` in total.

    said : codes of notes to leave out, because the screen says the same in other words
    """
    notes = [note for note in notes if note.code not in UNSAID and note.code not in said]
    first: dict[str, Note] = {}
    for note in sorted(notes, key=lambda note: note.code in _LAST):
        if note.code not in CAUTIONS:
            first.setdefault(note.code, note)
    shown = [_imprecise(note) if note.code == "not-converged" else note for note in first.values()]
    return [*filter(None, shown), *_cautions(notes)][:MOST_NOTES]


def additions(parts: Sequence[str], notes: Sequence[Note], shown: Sequence[Note], said: Collection[str] = ()) -> str:
    """Return a text on what the option `--all` adds to the output, such as `steps, tokens and 3 more notes`.

    Without the option, one line may stand for all cautions about profiles. If no other note is hidden, the text ends
    with `the cautions in full`. If nothing is hidden, the text has only `parts`.

    parts : names of the parts of the output that only `--all` shows; may be empty
    notes : all notes
    shown : the notes that are shown without the option: the result of `screen_notes`
    said : codes of notes that the screen leaves out, because it says the same in other words
    """
    cautioned = any(note.code == CAUTION for note in shown)
    hidden = [note for note in notes if note.code not in said and not (cautioned and note.code in CAUTIONS)]
    left = len(hidden) - sum(note.code != CAUTION for note in shown)
    more = [f"{left} more note{'s' * (left > 1)}"] if left else ["the cautions in full"] if cautioned else []
    everything = [*parts, *more]
    if len(everything) < 2:
        return "".join(everything)
    *first, last = everything
    comma = "," if any(" and " in part for part in first) else ""
    return f"{', '.join(first)}{comma} and {last}"


def _imprecise(note: Note) -> Note | None:
    """Return a short note on the error of the simulation; None if the error is at most `LEAST_ERROR`."""
    samples, p50, p90 = (note.values[key] for key in ("samples", "p50", "p90"))
    count = quantities.samples(samples)
    if p50 is None or p90 is None:
        return Sentence(
            f"The error of the simulation is unknown: {count} {'is' if samples == 1 else 'are'} too few.", note
        )
    if max(p50, p90) <= LEAST_ERROR:
        return None
    errors = f"± {100 * p50:.2g}% (p50) and ± {100 * p90:.2g}% (p90)"
    return Sentence(f"Simulated times are accurate to {errors}, by {count}; --precision changes that.", note)


def _cautions(notes: Sequence[Note]) -> Iterator[Sentence]:
    """Yield one sentence about all notes on profiles. If there are none, yield nothing."""
    caveats = [note.values for note in notes if note.code == "caveat"]
    restricted = {
        note.values["model"]: _RESTRICTED[note.values["available"]] for note in notes if note.code == "restricted-model"
    }
    sold = {each["profile"]: each["text"] for each in caveats if each["kind"] == "sale"}
    of_models = {**sold, **{model: f"{model} is {phrase}" for model, phrase in restricted.items()}}
    parts = [*of_models.values()][:MOST_MODELS]
    if len(of_models) > MOST_MODELS:
        parts.append(f"{len(of_models) - MOST_MODELS} more are not sold to everybody")
    for kind, phrase in _SPEEDS.items():
        of_kind = [each["profile"] for each in caveats if each["kind"] == kind]
        if of_kind:
            speeds = "1 speed" if len(of_kind) == 1 else f"{len(of_kind)} speeds"
            parts.append(phrase.format(speeds, _names(of_kind), be="is" if len(of_kind) == 1 else "are"))
    priced = [each["profile"] for each in caveats if each["kind"] == "price"]
    parts += [f"conditions on the price of {_names(priced)}"] if priced else []
    parts[-1:] = [f"{part} (planner models NAME)" for part in parts[-1:]]
    others = [note.values for note in notes if note.code == "other-tokenizer"]
    parts += [f"as many tokens for {_names(each['models'])} as for {each['written_for']}" for each in others]
    if parts:
        text = "; ".join(parts)
        capital = text[0].upper() if text.startswith(("conditions on", "as many tokens")) else text[0]
        yield Sentence(f"{capital}{text[1:]}.", Note(CAUTION, {}))


def _names(profiles: Sequence[str]) -> str:
    """Return one or two names of profiles, or the number of profiles."""
    names = list(dict.fromkeys(profiles))
    return " and ".join(names) if len(names) < 3 else f"{len(names)} models"
