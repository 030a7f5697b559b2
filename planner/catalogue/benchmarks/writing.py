"""Series in, profiles in YAML out: a catalogue, which has the origin of each number, or a section of a workflow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from planner.catalogue.benchmarks.run import Run
from planner.catalogue.benchmarks.series import Reading, Series
from planner.errors import printable
from planner.reading import units

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_NO_SLUG = re.compile(r"[^a-z0-9._]+")
_MOST_SHOWN = 20
_CATALOGUE = "# Give it as --catalogue FILE, or call it catalogue.yaml and put it beside a workflow.\nprofiles:"
_SECTION, _MEASURED = "models:", "# kind: measured"
"""How the two forms begin."""


def written(
    series: Sequence[Series],
    readings: Sequence[Reading | None],
    names: Sequence[str],
    per_hour: Decimal | None,
    workflow: bool = False,
) -> str:
    """The text of a catalogue with one profile for each series; or of `models:` of a workflow."""
    lines = [_SECTION] if workflow else [_CATALOGUE]
    form = _profile if workflow else _catalogued
    for one, reading, name in zip(series, readings, names, strict=True):
        lines += [f"  {line}" for line in form(one, reading, name, per_hour)]
    return "\n".join(lines) + "\n"


def imported(content: bytes) -> bool:
    """Whether a file is empty or holds what `written` wrote, as far as its first lines tell."""
    text = content.decode(errors="replace")
    return not text.strip() or text.startswith((_CATALOGUE, f"{_SECTION}\n  {_MEASURED}"))


def names_of(series: Sequence[Series], name: str | None) -> list[str]:
    """A name for each series: the given one or the model's, and what tells it from the others."""
    bases = [name or slug((one.first.model or Path(one.first.file).stem).split("/")[-1]) for one in series]
    names = list(bases)
    for parts in (_model, _server, _load):
        names = [
            f"{current}-{added}"
            if names.count(current) > 1 and (added := _differing(one, series, bases, parts))
            else current
            for one, current in zip(series, names, strict=True)
        ]
    return [f"{one}-{names[: at + 1].count(one)}" if one in names[:at] else one for at, one in enumerate(names)]


def slug(text: str) -> str:
    """A text as a name."""
    return _NO_SLUG.sub("-", text.lower()).strip("-.") or "measured"


def _model(run: Run) -> dict[str, str]:
    return {"model": (run.model or Path(run.file).stem).split("/")[-1]}


def _server(run: Run) -> dict[str, str]:
    return {"format": run.format, **dict(run.server)}


def _load(run: Run) -> dict[str, str]:
    load = {key: text for key, text in run.load if key == "data set"}
    lengths = [f"{tokens:.0f}-{word}" for tokens, word in ((run.inputs, "in"), (run.outputs, "out")) if tokens]
    return {**load, "lengths": "-".join(lengths)}


def _differing(
    one: Series, series: Sequence[Series], bases: Sequence[str], parts: Callable[[Run], dict[str, str]]
) -> str:
    """What of a run's parts is not the same in all series of its base name."""
    base = bases[list(series).index(one)]
    others = [parts(other.first) for other, name in zip(series, bases, strict=True) if name == base]
    mine = parts(one.first)
    differing = [text for key, text in mine.items() if any(other.get(key) != text for other in others)]
    return slug("-".join(differing)) if differing else ""


def _profile(series: Series, reading: Reading | None, name: str, per_hour: Decimal | None) -> list[str]:
    """A profile as a workflow declares it: what is known of a number stands beside it as a comment."""
    dates = _days(series)
    told = [
        "kind: measured",
        f"source: {_source(series)}",
        f"date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else "date: not in the file",
        *_provenance(series),
        *(f"caution: {note}" for note in series.notes(reading)),
    ]
    lines = [*map(_comment, told), f"{quoted(name)}:"]
    for number in _numbers(series, reading):
        lines.append(f"  {number.key}: {number.value}  {_comment(number.told)}".replace(":   #", ":  #"))
        lines += [f"    {at}: {value}  {_comment(told)}" for at, value, told in number.points]
    if per_hour is not None:
        lines.append(f"  price: {{per_hour: {per_hour:f}}}")
    lines.append(f"  note: {quoted(_note(series), always=True)}")
    return lines


def _catalogued(series: Series, reading: Reading | None, name: str, per_hour: Decimal | None) -> list[str]:
    """A profile as a catalogue has it: every number with its source, day, kind and conditions."""
    cautions = [f"Caution: {note}" for note in series.notes(reading)]
    lines = [*map(_comment, _provenance(series)), f"{quoted(name)}:"]
    lines.append(f"  note: {quoted('. '.join([_note(series), *cautions]), always=True)}")
    for number in _numbers(series, reading):
        if number.points:
            conditions = f"{_requests(series)}, measured with {series.first.format}{number.conditions}"
            lines += [f"  {number.key}:", f"    value:  {_comment(number.told)}"]
            lines += [f"      {at}: {value}  {_comment(told)}" for at, value, told in number.points]
        else:
            conditions = number.told
            lines += [f"  {number.key}:", f"    value: {number.value}"]
        lines.append(f"    source: {quoted(_source(series), always=True)}")
        lines += [f"    as_of: {day}" for day in _days(series)[:1]]
        lines += [f"    kind: {number.kind}", f"    conditions: {quoted(conditions, always=True)}"]
    if per_hour is not None:
        lines.append(f"  price: {{value: {{per_hour: {per_hour:f}}}, source: given when it was imported}}")
    return lines


@dataclass(frozen=True)
class _Number:
    """A number of a profile.

    told : how it is known
    points : of a curve: concurrency, value, how that is known
    conditions : of a curve: what is to be said beyond the requests that were measured
    """

    key: str
    value: str
    kind: str
    told: str
    points: tuple[tuple[int, str, str], ...] = ()
    conditions: str = ""


def _numbers(series: Series, reading: Reading | None) -> Iterator[_Number]:
    yield _ttft(series, reading)
    if reading is not None:
        yield _Number("prefill_speed", speed(float(f"{reading.speed:.4g}")), "estimate", reading.how)
    points = []
    for at in series.points:
        told = f"{len(at.runs)} runs" if len(at.runs) > 1 else at.runs[0].counted
        others = {run.timed for run in at.runs} - {series.first.timed}
        told += f"; {', '.join(sorted(others))}" if others else ""
        points.append((at.concurrency, speed(1 / at.tpot), told))
    told = f"tokens/s of each request, by concurrency: {series.first.timed}"
    yield _Number("output_speed", "", "measured", told, tuple(points))
    outputs = series.outputs if series.ttft(reading) is not None else None
    if outputs is not None and units.OUTPUT.least <= outputs <= units.OUTPUT.most:
        yield _Number("measured_output", _digits(outputs), "measured", "mean output tokens of a request")
    if series.first.jitter is not None:
        value = f"{min(series.first.jitter, 3.0):.3f}"
        where = f"at concurrency {series.points[0].concurrency}"
        yield _Number("jitter", value, "measured", f"log-sd over requests {where}")


def _ttft(series: Series, reading: Reading | None) -> _Number:
    """By concurrency where there are several, else a range of the medians of the runs."""
    first, curve = series.points[0], series.ttft(reading)
    if curve is not None:
        points = []
        for point, value in zip(series.points, curve, strict=True):
            told = f"{len(point.runs)} runs" if len(point.runs) > 1 else point.runs[0].tail or "median"
            told = told if reading is None else f"{seconds(point.ttft)} with it"
            points.append((point.concurrency, seconds(value), told))
        if reading is None:
            about = "; reading the prompt included"
            return _Number("ttft", "", "measured", f"median, by concurrency{about}", tuple(points), about)
        told = "of an empty prompt: median less that of reading the prompt, by prefill_speed"
        return _Number("ttft", "", "estimate", told, tuple(points), f"; {told}")
    if reading is not None:
        return _Number("ttft", seconds(reading.ttft), "estimate", f"of an empty prompt: {reading.how}")
    low, high = first.ttfts
    spread = f"{seconds(low)} to {seconds(high)}" if seconds(low) != seconds(high) else seconds(low)
    told = f"median at concurrency {first.concurrency}"
    if len(first.runs) > 1 and spread != seconds(low):
        told += f", of {len(first.runs)} runs"
    if first.runs[0].tail:
        told += f"; {first.runs[0].tail}"
    if series.inputs is not None:
        told += f"; reading {series.inputs:,.0f} tokens of prompt included"
    return _Number("ttft", spread, "measured", told)


def _provenance(series: Series) -> list[str]:
    """Model, hardware and lengths."""
    load = "; ".join(f"{key} {text}" for key, text in series.first.load)
    server = ", ".join(f"{key} {text}" for key, text in series.first.server)
    told = [
        f"model: {series.first.model or 'not in the file'}",
        f"server: {server or 'not in the file'}",
        _requests(series),
        f"load: {load}" if load else "",
    ]
    return [line for line in told if line]


def _source(series: Series) -> str:
    """Files, format, runs and requests."""
    runs = series.runs
    files = list(dict.fromkeys(Path(run.file).name for run in runs))
    more = f" and {len(files) - _MOST_SHOWN} more" if len(files) > _MOST_SHOWN else ""
    requests = sum(run.requests for run in runs)
    told = f"{len(runs)} run{'s' if len(runs) > 1 else ''}, {requests:,} request{'s' if requests > 1 else ''}"
    return f"{', '.join(files[:_MOST_SHOWN])}{more} ({series.first.format}; {told})"


def _days(series: Series) -> list[str]:
    """The days of its runs, in order."""
    return sorted({run.date for run in series.runs if run.date})


def _requests(series: Series) -> str:
    """Their mean lengths, where the file tells."""
    kinds = (("input", [run.inputs for run in series.runs]), ("output", [run.outputs for run in series.runs]))
    lengths = ", ".join(f"{_range(tokens)} {word}" for word, tokens in kinds if any(tokens))
    return f"requests of {lengths} tokens" if lengths else "requests of unknown lengths"


def _note(series: Series) -> str:
    first = series.first
    where = dict(first.server)
    place = next((where[key] for key in ("gpu", "hw", "hardware", "framework", "backend") if key in where), None)
    parts = [f"measured with {first.format}", f"on {place}" if place else "", first.date or ""]
    return ", ".join(part for part in parts if part)


def _range(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    low, high = f"{min(known):,.0f}", f"{max(known):,.0f}"
    return low if low == high else f"{low} to {high}"


def seconds(value: float) -> str:
    """A time with its unit, to 4 digits."""
    return f"{_digits(value * 1000)}ms" if value < 1 else f"{_digits(value)}s"


def speed(value: float) -> str:
    """Tokens/s, to 5 digits."""
    return f"{float(f'{value:.5g}'):.10f}".rstrip("0").rstrip(".")


def _digits(value: float) -> str:
    return f"{float(f'{value:.4g}'):.12f}".rstrip("0").rstrip(".") or "0"


def quoted(text: str, always: bool = False) -> str:
    """A text as YAML reads it back."""
    if not always and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(printable(text), ensure_ascii=False)


def _comment(text: str) -> str:
    """A comment of one line, whatever stands in the text."""
    return f"# {printable(text)}"
