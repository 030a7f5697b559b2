"""Paths of result files in, profiles in YAML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.llmperf import (
    is_of_requests,
    is_request,
    is_summary,
    joined,
    read_summary,
    stem,
)
from planner.catalogue.benchmarks.per_request import read_aiperf, read_llmperf_requests
from planner.catalogue.benchmarks.records import KNOWN, Complaints, read_records
from planner.catalogue.benchmarks.run import Run
from planner.catalogue.benchmarks.series import arranged, readings
from planner.catalogue.benchmarks.totals import is_served, no_concurrency, read_served
from planner.catalogue.benchmarks.writing import names_of, written
from planner.errors import MOST_PROBLEMS, InputError, printable
from planner.reading import units
from planner.reading.estimates.curves import MOST_REQUESTS
from planner.reading.units import BadValueError

MOST_RUNS = 500
"""Most runs of a file."""

_LONGEST_NAME = 200


def import_results(
    paths: Sequence[Path | str],
    name: str | None = None,
    per_hour: str | float | Decimal | None = None,
    concurrency: int | None = None,
    workflow: bool = False,
) -> tuple[str, list[str]]:
    """The text of a catalogue file with what result files tell, and notes for the user.

    Runs of one model on one server with requests alike make one profile, its TTFT and output speed by concurrency;
    others make profiles of their own.

    name : of the profile; several get endings that tell them apart. Default: the model's
    per_hour : US dollars per hour of the machines
    concurrency : requests at a time, of runs whose file does not tell it
    workflow : write a `models:` section for a workflow instead; its comments say what a catalogue says as data

    Raises InputError with everything that is wrong with the files, or the first hundred such things.
    """
    complaints = Complaints()
    price = _checked(name, per_hour, concurrency, complaints)
    if not paths:
        complaints.add("bad-value", "no result file is given", None, f"give results of {KNOWN}")
    runs: list[Run] = []
    for path in dict.fromkeys(map(Path, paths)):
        if complaints.full:
            complaints.more = True
            break
        runs += _runs(path, complaints)
    runs = [
        run.given(concurrency) if concurrency is not None and run.concurrency is None else run for run in joined(runs)
    ]
    for run in runs:
        if run.concurrency is None:
            _without_concurrency(run)
    if complaints.problems:
        raise InputError(complaints.problems, complaints.more)
    series = arranged(runs)
    names = names_of(series, name)
    read = readings(series)
    notes = [
        f"{one_name}: {note}"
        for one, reading, one_name in zip(series, read, names, strict=True)
        for note in one.notes(reading)
    ]
    if len(series) > 1:
        many = f"{len(series)} profiles, for the runs differ in model, server or lengths of requests"
        notes.insert(0, f"{many}: {', '.join(names)}")
    return written(series, read, names, price, workflow), [printable(note) for note in notes]


def _checked(
    name: str | None, per_hour: str | float | Decimal | None, concurrency: int | None, complaints: Complaints
) -> Decimal | None:
    """The price; and complaints about what the user gave beside files."""
    if name is not None and (not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable()):
        message = f"--name must be a name of one line and at most {_LONGEST_NAME} characters"
        complaints.add("bad-value", message, None, "as in --name llama-on-h200")
    if concurrency is not None and not 1 <= concurrency <= MOST_REQUESTS:
        complaints.add("bad-value", f"--concurrency must be from 1 to {MOST_REQUESTS:,}", None)
    if per_hour is None:
        return None
    try:
        return units.money(float(per_hour) if isinstance(per_hour, Decimal) else per_hour)
    except BadValueError as mistake:
        complaints.add("bad-value", f"--price-per-hour: {mistake}", None, mistake.hint)
        return None


def _runs(path: Path, complaints: Complaints) -> Iterable[Run]:
    """The runs of a file, each of one record or, where records are requests, of all."""
    aiperf, llmperf, runs = list[Fields](), list[Fields](), list[Run]()
    unknown: list[Fields] = []
    before = len(complaints.problems)
    for record in read_records(path, complaints):
        if complaints.full or len(unknown) == MOST_PROBLEMS:
            complaints.more = True
            break
        if len(runs) > MOST_RUNS:
            message = f"the file has over {MOST_RUNS:,} runs"
            complaints.add("too-large", message, record.place(), "give a part of it")
            break
        fields = Fields(record, complaints)
        style = is_served(fields)
        if isinstance(fields.data.get("metrics"), dict) and isinstance(fields.data.get("metadata"), dict):
            aiperf.append(fields)
        elif is_summary(fields):
            runs += _some(read_summary(fields))
        elif is_request(fields):
            llmperf.append(fields)
        elif style is not None:
            runs += _some(read_served(fields, style))
        else:
            unknown.append(fields)
    _foreign(unknown, complaints)
    if len(complaints.problems) == before:  # half of a run's requests would be another run
        runs += _some(read_aiperf(aiperf)) if aiperf else []
        runs += _some(read_llmperf_requests(llmperf)) if llmperf else []
    else:
        for requests, read in ((aiperf, read_aiperf), (llmperf, read_llmperf_requests)):
            if requests:
                read(requests)  # for its complaints
    return runs


def _some(run: Run | None) -> list[Run]:
    return [] if run is None else [run]


def _foreign(unknown: Sequence[Fields], complaints: Complaints) -> None:
    """Complain about records of no known format: the first of a file, and how many there are."""
    if not unknown:
        return
    keys = [printable(key)[:40] for key in unknown[0].data]
    if {"input_config", "request_latency"} <= unknown[0].data.keys():
        hint = "this is AIPerf's summary: give profile_export.jsonl, which stands beside it"
    else:
        hint = f"expected a result of {KNOWN}"
    shown = ", ".join(f"'{key}'" for key in keys[:6]) + (", …" if len(keys) > 6 else "") if keys else "none"
    others = f"{len(unknown) - 1} more records" if len(unknown) < MOST_PROBLEMS else "many more"
    more = f"; and {others}" if len(unknown) > 1 else ""
    unknown[0].refuse(f"no known benchmark writes records with these keys: {shown}{more}", hint=hint)


def _without_concurrency(run: Run) -> None:
    if not is_of_requests(run):
        no_concurrency(run)
        return
    hint = f"give the summary of the run too, {Path(stem(run.file)).name}_summary.json, or --concurrency N"
    message = "these requests do not tell how many of them there were at a time"
    run.fields.refuse(message, hint=hint, code="missing-key")
