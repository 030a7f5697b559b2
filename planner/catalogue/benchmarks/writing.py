"""Series in, profiles in YAML out: a catalogue with the provenance of each number, or a section of a workflow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from planner.catalogue.benchmarks.run import Run
from planner.catalogue.benchmarks.series import PrefillFit, Series
from planner.errors import printable
from planner.reading import units

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_NO_SLUG = re.compile(r"[^a-z0-9._]+")
_MOST_SHOWN = 20
_CATALOGUE = "# Give it as --catalogue FILE, or call it catalogue.yaml and put it beside a workflow.\nprofiles:"
_SECTION, _MEASURED = "models:", "# kind: measured"
"""First lines of the section of a workflow. `_CATALOGUE` has the first lines of a catalogue."""


def write_profiles(
    series: Sequence[Series],
    fits: Sequence[PrefillFit | None],
    names: Sequence[str],
    per_hour: Decimal | None,
    workflow: bool = False,
) -> str:
    """Return the text of a catalogue file with one profile for each series.

    fits : fit of TTFT by prompt length for each series
    per_hour : US dollars per hour of the machines
    workflow : whether to return a section `models:` of a workflow file instead of a catalogue file
    """
    lines = [_SECTION] if workflow else [_CATALOGUE]
    write = _workflow_profile if workflow else _catalogue_profile
    for curve, fit, name in zip(series, fits, names, strict=True):
        lines += [f"  {line}" for line in write(curve, fit, name, per_hour)]
    return "\n".join(lines) + "\n"


def is_import_output(content: bytes) -> bool:
    """Return whether a file is empty, or begins with the first lines that `write_profiles` writes."""
    text = content.decode(errors="replace")
    return not text.strip() or text.startswith((_CATALOGUE, f"{_SECTION}\n  {_MEASURED}"))


def names_of(series: Sequence[Series], name: str | None) -> list[str]:
    """Return a distinct name for each series.

    The name begins with `name`, or with the model's name if `name` is None. Suffixes make equal names distinct.
    """
    bases = [name or slug((curve.first.model or Path(curve.first.file).stem).split("/")[-1]) for curve in series]
    names = list(bases)
    for describe in (_model, _server, _load):
        names = [
            f"{current}-{suffix}"
            if names.count(current) > 1 and (suffix := _distinction(curve, series, bases, describe))
            else current
            for curve, current in zip(series, names, strict=True)
        ]
    return [
        f"{current}-{names[: index + 1].count(current)}" if current in names[:index] else current
        for index, current in enumerate(names)
    ]


def slug(text: str) -> str:
    """Convert a text to a name of lower-case letters, digits, dots, dashes and underscores."""
    return _NO_SLUG.sub("-", text.lower()).strip("-.") or "measured"


def _model(run: Run) -> dict[str, str]:
    return {"model": (run.model or Path(run.file).stem).split("/")[-1]}


def _server(run: Run) -> dict[str, str]:
    return {"format": run.format, **dict(run.server)}


def _load(run: Run) -> dict[str, str]:
    load = {key: text for key, text in run.load if key == "data set"}
    lengths = [f"{tokens:.0f}-{word}" for tokens, word in ((run.inputs, "in"), (run.outputs, "out")) if tokens]
    return {**load, "lengths": "-".join(lengths)}


def _distinction(
    curve: Series, series: Sequence[Series], names: Sequence[str], describe: Callable[[Run], dict[str, str]]
) -> str:
    """Return a suffix that distinguishes `curve` from other series of the same name, such as ``h100`` for its GPU.

    The suffix contains each text of the description of `curve` that is different for another series of the same name.
    It is empty if there is no such text.

    names : name of each series, before suffixes are added
    describe : function that returns the description of a run, such as {"gpu": "H100"}
    """
    own_name = names[list(series).index(curve)]
    others = [describe(other.first) for other, name in zip(series, names, strict=True) if name == own_name]
    own = describe(curve.first)
    differing = [text for key, text in own.items() if any(other.get(key) != text for other in others)]
    return slug("-".join(differing)) if differing else ""


def _workflow_profile(series: Series, fit: PrefillFit | None, name: str, per_hour: Decimal | None) -> list[str]:
    """Return the lines of a profile for a workflow file. Provenance is written as comments."""
    dates = _days(series)
    comments = [
        "kind: measured",
        f"source: {_source(series)}",
        f"date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else "date: not in the file",
        *_provenance(series),
        *(f"caution: {note}" for note in series.notes(fit)),
    ]
    lines = [*map(_comment, comments), f"{quoted(name)}:"]
    for number in _numbers(series, fit):
        lines.append(f"  {number.key}: {number.value}  {_comment(number.origin)}".replace(":   #", ":  #"))
        lines += [f"    {requests}: {value}  {_comment(origin)}" for requests, value, origin in number.points]
    if per_hour is not None:
        lines.append(f"  price: {{per_hour: {per_hour:f}}}")
    lines.append(f"  note: {quoted(_note(series), always=True)}")
    return lines


def _catalogue_profile(series: Series, fit: PrefillFit | None, name: str, per_hour: Decimal | None) -> list[str]:
    """Return the lines of a profile for a catalogue file. Every number has source, day, kind and conditions."""
    cautions = [f"Caution: {note}" for note in series.notes(fit)]
    lines = [*map(_comment, _provenance(series)), f"{quoted(name)}:"]
    lines.append(f"  note: {quoted('. '.join([_note(series), *cautions]), always=True)}")
    for number in _numbers(series, fit):
        if number.points:
            conditions = f"{_requests(series)}, measured with {series.first.format}{number.conditions}"
            lines += [f"  {number.key}:", f"    value:  {_comment(number.origin)}"]
            lines += [f"      {requests}: {value}  {_comment(origin)}" for requests, value, origin in number.points]
        else:
            conditions = number.origin
            lines += [f"  {number.key}:", f"    value: {number.value}"]
        lines.append(f"    source: {quoted(_source(series), always=True)}")
        lines += [f"    as_of: {day}" for day in _days(series)[:1]]
        lines += [f"    kind: {number.kind}", f"    conditions: {quoted(conditions, always=True)}"]
    if per_hour is not None:
        lines.append(f"  price: {{value: {{per_hour: {per_hour:f}}}, source: given when it was imported}}")
    return lines


@dataclass(frozen=True)
class _Number:
    """A number or a curve of a profile, as text.

    origin : how the number was measured or computed, in words
    points : if this is a curve, the concurrency, value and origin of each point
    conditions : if this is a curve, text to add to the conditions of the measurement
    """

    key: str
    value: str
    kind: str
    origin: str
    points: tuple[tuple[int, str, str], ...] = ()
    conditions: str = ""


def _numbers(series: Series, fit: PrefillFit | None) -> Iterator[_Number]:
    yield _ttft(series, fit)
    if fit is not None:
        yield _Number("prefill_speed", speed(float(f"{fit.speed:.4g}")), "estimate", fit.how)
    points = []
    for point in series.points:
        origin = f"{len(point.runs)} runs" if len(point.runs) > 1 else point.runs[0].counted
        others = {run.timed for run in point.runs} - {series.first.timed}
        origin += f"; {', '.join(sorted(others))}" if others else ""
        points.append((point.concurrency, speed(1 / point.tpot), origin))
    origin = f"tokens/s of each request, by concurrency: {series.first.timed}"
    yield _Number("output_speed", "", "measured", origin, tuple(points))
    outputs = series.outputs if series.ttft(fit) is not None else None
    if outputs is not None and units.OUTPUT.least <= outputs <= units.OUTPUT.most:
        yield _Number("measured_output", _digits(outputs), "measured", "mean output tokens of a request")
    if series.first.jitter is not None:
        value = f"{min(series.first.jitter, 3.0):.3f}"
        origin = f"log-sd over requests at concurrency {series.points[0].concurrency}"
        yield _Number("jitter", value, "measured", origin)


def _ttft(series: Series, fit: PrefillFit | None) -> _Number:
    """Return the TTFT of a profile.

    The TTFT is the first of these that exists:

    - the curve `Series.ttft`
    - the TTFT of `fit`
    - the range of the median TTFTs of the runs
    """
    first, curve = series.points[0], series.ttft(fit)
    if curve is not None:
        points = []
        for point, value in zip(series.points, curve, strict=True):
            origin = f"{len(point.runs)} runs" if len(point.runs) > 1 else point.runs[0].tail or "median"
            origin = origin if fit is None else f"{seconds(point.ttft)} with it"
            points.append((point.concurrency, seconds(value), origin))
        if fit is None:
            about = "; reading the prompt included"
            return _Number("ttft", "", "measured", f"median, by concurrency{about}", tuple(points), about)
        origin = "of an empty prompt: median less that of reading the prompt, by prefill_speed"
        return _Number("ttft", "", "estimate", origin, tuple(points), f"; {origin}")
    if fit is not None:
        return _Number("ttft", seconds(fit.ttft), "estimate", f"of an empty prompt: {fit.how}")
    low, high = first.ttfts
    spread = f"{seconds(low)} to {seconds(high)}" if seconds(low) != seconds(high) else seconds(low)
    origin = f"median at concurrency {first.concurrency}"
    if len(first.runs) > 1 and spread != seconds(low):
        origin += f", of {len(first.runs)} runs"
    if first.runs[0].tail:
        origin += f"; {first.runs[0].tail}"
    if series.inputs is not None:
        origin += f"; reading {series.inputs:,.0f} tokens of prompt included"
    return _Number("ttft", spread, "measured", origin)


def _provenance(series: Series) -> list[str]:
    """Return lines of text that describe the model, the server and the requests of a series."""
    load = "; ".join(f"{key} {text}" for key, text in series.first.load)
    server = ", ".join(f"{key} {text}" for key, text in series.first.server)
    lines = [
        f"model: {series.first.model or 'not in the file'}",
        f"server: {server or 'not in the file'}",
        _requests(series),
        f"load: {load}" if load else "",
    ]
    return [line for line in lines if line]


def _source(series: Series) -> str:
    """Describe the source of a profile in one line: files, format, and numbers of runs and requests."""
    runs = series.runs
    files = list(dict.fromkeys(Path(run.file).name for run in runs))
    more = f" and {len(files) - _MOST_SHOWN} more" if len(files) > _MOST_SHOWN else ""
    requests = sum(run.requests for run in runs)
    counts = f"{len(runs)} run{'s' if len(runs) > 1 else ''}, {requests:,} request{'s' if requests > 1 else ''}"
    return f"{', '.join(files[:_MOST_SHOWN])}{more} ({series.first.format}; {counts})"


def _days(series: Series) -> list[str]:
    """Return the days of all runs in a series, in rising order."""
    return sorted({run.date for run in series.runs if run.date})


def _requests(series: Series) -> str:
    """Describe the mean lengths of the requests in a series."""
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
    present = [value for value in values if value is not None]
    low, high = f"{min(present):,.0f}", f"{max(present):,.0f}"
    return low if low == high else f"{low} to {high}"


def seconds(value: float) -> str:
    """Format a time with its unit, to 4 significant digits, such as `250ms` or `1.5s`."""
    return f"{_digits(value * 1000)}ms" if value < 1 else f"{_digits(value)}s"


def speed(value: float) -> str:
    """Format a speed in tokens/s, to 5 significant digits."""
    return f"{float(f'{value:.5g}'):.10f}".rstrip("0").rstrip(".")


def _digits(value: float) -> str:
    return f"{float(f'{value:.4g}'):.12f}".rstrip("0").rstrip(".") or "0"


def quoted(text: str, always: bool = False) -> str:
    """Return a text as it is written in YAML. Quotes are added if they are necessary or `always` is true."""
    if not always and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(printable(text), ensure_ascii=False)


def _comment(text: str) -> str:
    """Format a text as a YAML comment of one line."""
    return f"# {printable(text)}"
