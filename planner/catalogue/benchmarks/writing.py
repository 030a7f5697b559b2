"""Series in, profiles in YAML out, with comments that say where every number comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from planner.catalogue.benchmarks.run import Run
from planner.catalogue.benchmarks.series import Reading, Series
from planner.errors import printable

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_NO_SLUG = re.compile(r"[^a-z0-9._]+")
_MOST_SHOWN = 20


def written(
    series: Sequence[Series], readings: Sequence[Reading | None], names: Sequence[str], per_hour: Decimal | None
) -> str:
    """The text of `models:` with one profile for each series."""
    lines = ["models:"]
    for one, reading, name in zip(series, readings, names, strict=True):
        lines += [f"  {line}" if line else "" for line in _profile(one, reading, name, per_hour)]
    return "\n".join(lines) + "\n"


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
    lines = [*map(_comment, _provenance(series)), f"{quoted(name)}:"]
    point = series.points[0]
    if reading is None:
        low, high = point.ttft
        spread = f"{seconds(low)} to {seconds(high)}" if seconds(low) != seconds(high) else seconds(low)
        told = f"median at concurrency {point.concurrency}"
        if len(point.runs) > 1 and spread != seconds(low):
            told += f", of {len(point.runs)} runs"
        if point.runs[0].tail:
            told += f"; {point.runs[0].tail}"
        if series.inputs is not None:
            told += f"; reading {series.inputs:,.0f} tokens of prompt included"
        lines.append(f"  ttft: {spread}  {_comment(told)}")
    else:
        lines.append(f"  ttft: {seconds(reading.ttft)}  # of an empty prompt")
        lines.append(f"  prefill_speed: {speed(float(f'{reading.speed:.4g}'))}  {_comment(reading.how)}")
    lines.append("  output_speed:  " + _comment(f"tokens/s of each request, by concurrency: {series.first.timed}"))
    for at in series.points:
        told = f"{len(at.runs)} runs" if len(at.runs) > 1 else at.runs[0].counted
        others = {run.timed for run in at.runs} - {series.first.timed}
        told += f"; {', '.join(sorted(others))}" if others else ""
        lines.append(f"    {at.concurrency}: {speed(1 / at.tpot)}  {_comment(told)}")
    if series.first.jitter is not None:
        lines.append(
            f"  jitter: {min(series.first.jitter, 3.0):.3f}  # log-sd over requests at concurrency {point.concurrency}"
        )
    if per_hour is not None:
        lines.append(f"  price: {{per_hour: {per_hour:f}}}")
    lines.append(f"  note: {quoted(_note(series), always=True)}")
    return lines


def _provenance(series: Series) -> list[str]:
    """Kind, sources, dates, model, hardware and lengths."""
    runs = series.runs
    files = list(dict.fromkeys(Path(run.file).name for run in runs))
    shown = ", ".join(files[:_MOST_SHOWN]) + (
        f" and {len(files) - _MOST_SHOWN} more" if len(files) > _MOST_SHOWN else ""
    )
    dates = sorted({run.date for run in runs if run.date})
    server = ", ".join(f"{key} {text}" for key, text in series.first.server)
    lengths = [
        f"{_range(tokens)} {word}"
        for word, tokens in (("input", [run.inputs for run in runs]), ("output", [run.outputs for run in runs]))
        if any(tokens)
    ]
    load = "; ".join(f"{key} {text}" for key, text in series.first.load)
    told = [
        "kind: measured",
        f"source: {shown} ({series.first.format}; {len(runs)} run{'s' if len(runs) > 1 else ''}, "
        f"{sum(run.requests for run in runs):,} request{'s' if sum(run.requests for run in runs) > 1 else ''})",
        f"date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else "date: not in the file",
        f"model: {series.first.model or 'not in the file'}",
        f"server: {server}" if server else "server: not in the file",
        f"tokens of a request, mean: {', '.join(lengths)}" if lengths else "tokens of a request: not in the file",
        f"load: {load}" if load else "",
    ]
    return [line for line in (*told, *(f"caution: {note}" for note in series.notes())) if line]


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
