"""Paths of result files in, profiles in YAML out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from planner.catalogue.benchmarks.fields import Fields
from planner.catalogue.benchmarks.llmperf import (
    is_from_requests,
    is_request,
    is_summary,
    join_requests,
    read_summary,
    stem,
)
from planner.catalogue.benchmarks.per_request import read_aiperf, read_llmperf_requests
from planner.catalogue.benchmarks.records import FORMATS, Problems, read_records
from planner.catalogue.benchmarks.run import Run
from planner.catalogue.benchmarks.series import group_runs, prefill_fits
from planner.catalogue.benchmarks.totals import read_totals, report_no_concurrency, totals_style
from planner.catalogue.benchmarks.writing import names_of, write_profiles
from planner.errors import MOST_PROBLEMS, InputError, printable
from planner.reading import units
from planner.reading.estimates.curves import MOST_REQUESTS
from planner.reading.units import BadValueError

MOST_RUNS = 500
"""Most runs in a file."""

_LONGEST_NAME = 200


def import_results(
    paths: Sequence[Path | str],
    name: str | None = None,
    per_hour: str | float | Decimal | None = None,
    concurrency: int | None = None,
    workflow: bool = False,
) -> tuple[str, list[str]]:
    """Convert benchmark results to profiles. Return the text of a catalogue file, and notes for the user.

    Runs of one model on one server with similar requests make one profile. Its TTFT and its output speed depend on
    concurrency.

    name : name of the profile; None: the model's name. If there are several profiles, suffixes are added
    per_hour : US dollars per hour of the machines
    concurrency : number of concurrent requests, for runs whose file does not give this number
    workflow : whether to return a section `models:` of a workflow file instead of a catalogue file

    Raises InputError if the files have problems. The error lists at most 100 problems.
    """
    problems = Problems()
    price = _check_options(name, per_hour, concurrency, problems)
    if not paths:
        problems.add("bad-value", "no result file is given", None, f"give results of {FORMATS}")
    runs: list[Run] = []
    for path in dict.fromkeys(map(Path, paths)):
        if problems.full:
            problems.more = True
            break
        runs += _runs(path, problems)
    runs = [
        run.with_concurrency(concurrency) if concurrency is not None and run.concurrency is None else run
        for run in join_requests(runs)
    ]
    for run in runs:
        if run.concurrency is None:
            _report_no_concurrency(run)
    if problems.problems:
        raise InputError(problems.problems, problems.more)
    series = group_runs(runs)
    names = names_of(series, name)
    fits = prefill_fits(series)
    notes = [
        f"{profile_name}: {note}"
        for curve, fit, profile_name in zip(series, fits, names, strict=True)
        for note in curve.notes(fit)
    ]
    if len(series) > 1:
        summary = f"{len(series)} profiles, for the runs differ in model, server or lengths of requests"
        notes.insert(0, f"{summary}: {', '.join(names)}")
    return write_profiles(series, fits, names, price, workflow), [printable(note) for note in notes]


def _check_options(
    name: str | None, per_hour: str | float | Decimal | None, concurrency: int | None, problems: Problems
) -> Decimal | None:
    """Check the options of an import, and return the price in US dollars per hour.

    Report invalid options. Return None if the price is missing or invalid.
    """
    if name is not None and (not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable()):
        message = f"--name must be a name of one line and at most {_LONGEST_NAME} characters"
        problems.add("bad-value", message, None, "write for example --name llama-on-h200")
    if concurrency is not None and not 1 <= concurrency <= MOST_REQUESTS:
        problems.add("bad-value", f"--concurrency must be from 1 to {MOST_REQUESTS:,}", None)
    if per_hour is None:
        return None
    try:
        return units.money_per_hour(float(per_hour) if isinstance(per_hour, Decimal) else per_hour)
    except BadValueError as mistake:
        problems.add("bad-value", f"--price-per-hour: {mistake}", None, mistake.hint)
        return None


def _runs(path: Path, problems: Problems) -> Iterable[Run]:
    """Return the benchmark runs in a result file.

    A record of the file describes a run or a single request. All records of single requests make one run.
    """
    aiperf, llmperf, runs = list[Fields](), list[Fields](), list[Run]()
    unknown: list[Fields] = []
    before = len(problems.problems)
    for record in read_records(path, problems):
        if problems.full or len(unknown) == MOST_PROBLEMS:
            problems.more = True
            break
        if len(runs) > MOST_RUNS:
            message = f"the file has over {MOST_RUNS:,} runs"
            problems.add("too-large", message, record.place(), "split the file, and give one part")
            break
        fields = Fields(record, problems)
        style = totals_style(fields)
        if isinstance(fields.data.get("metrics"), dict) and isinstance(fields.data.get("metadata"), dict):
            aiperf.append(fields)
        elif is_summary(fields):
            runs += _as_list(read_summary(fields))
        elif is_request(fields):
            llmperf.append(fields)
        elif style is not None:
            runs += _as_list(read_totals(fields, style))
        else:
            unknown.append(fields)
    _report_unknown(unknown)
    if len(problems.problems) == before:  # a run without its faulty requests would be a different run
        runs += _as_list(read_aiperf(aiperf)) if aiperf else []
        runs += _as_list(read_llmperf_requests(llmperf)) if llmperf else []
    else:
        for requests, read in ((aiperf, read_aiperf), (llmperf, read_llmperf_requests)):
            if requests:
                read(requests)  # to report its problems
    return runs


def _as_list(run: Run | None) -> list[Run]:
    return [] if run is None else [run]


def _report_unknown(unknown: Sequence[Fields]) -> None:
    """Report records of unknown format.

    The message gives the keys of the first record, and the number of other records.
    """
    if not unknown:
        return
    keys = [printable(key)[:40] for key in unknown[0].data]
    if {"input_config", "request_latency"} <= unknown[0].data.keys():
        hint = "this is AIPerf's summary: give the file profile_export.jsonl from the same folder instead"
    else:
        hint = f"expected a result of {FORMATS}"
    shown = ", ".join(f"'{key}'" for key in keys[:6]) + (", …" if len(keys) > 6 else "") if keys else "none"
    others = f"{len(unknown) - 1} more records" if len(unknown) < MOST_PROBLEMS else "many more"
    more = f"; and {others}" if len(unknown) > 1 else ""
    unknown[0].refuse(f"no known benchmark writes records with these keys: {shown}{more}", hint=hint)


def _report_no_concurrency(run: Run) -> None:
    if not is_from_requests(run):
        report_no_concurrency(run)
        return
    hint = f"also give the run's summary, {Path(stem(run.file)).name}_summary.json; or give --concurrency N"
    message = "the number of concurrent requests is not in this file"
    run.fields.refuse(message, hint=hint, code="missing-key")
