"""Text of the catalogue, and of one profile."""

from __future__ import annotations

from collections.abc import Sequence

from planner.catalogue.catalogue import STALE, Catalogue
from planner.catalogue.facts import Fact
from planner.catalogue.listing import ModelRow, model_row
from planner.errors import columns_of, printable
from planner.reading.estimates.curves import Curve
from planner.report.text.columns import left, shorten
from planner.report.text.layout import table, wrap
from planner.report.wording import quantities

_MEANINGS = {
    "ttft": "time to the first token; reading the prompt is added to it",
    "prefill_speed": "tokens/s at which a prompt is read",
    "output_speed": "tokens/s of one request, or of each of so many",
    "measured_output": "mean output tokens of the requests that were measured",
    "jitter": "log-sd of each request's time",
    "price": "US dollars per million tokens, or per hour",
    "context": "tokens of prompt and output together",
    "cache_ttl": "for which a prompt stays cached",
    "speed": "factor on the output speed of its base",
    "price_multiplier": "factor on the price of its base",
    "tokens": "its own for each of o200k_base",
    "available": "",
}

_TTFT_ALONE = "time to the first token; reading the prompt adds nothing, as there is no prefill_speed"
"""Meaning of `ttft` in a profile without `prefill_speed`."""


def models_text(rows: Sequence[ModelRow]) -> str:
    """Return the table of profiles as text. If a number of a profile is old, the profile's row has the mark `!`."""
    if not rows:
        return "No profile is like that.\n"
    room = min(max(columns_of(row.name) for row in rows), 29)
    head = [f" {'tok/s':>12}", f" {'TTFT':>7}", f" {'in $':>6} {'out $':>6}", " available"]
    cells = [(f"{'Profile':<{room}}", head)]
    for row in rows:
        old = "!" if row.oldest is not None and row.oldest > STALE else ""
        numbers = [f" {row.speed_text:>12}", f" {quantities.seconds(row.ttft):>7}", f" {_price(row):>13}"]
        cells.append((left(shorten(row.name, room), room), [*numbers, f" {row.available or '?':<8} {old}"]))
    lines = table(cells, 26)
    lines += ["", "tok/s: of one request, 5th to 95th percentile; at 4: of each of 4 at a time."]
    lines += ["$: per million tokens, or per hour of the machines; ?: unknown."]
    if any(row.oldest is not None and row.oldest > STALE for row in rows):
        lines += [f"!: a number is older than {STALE} days; 'planner models NAME' shows which."]
    return "\n".join(lines) + "\n"


def _price(row: ModelRow) -> str:
    if row.per_hour is not None:
        return f"{row.per_hour:.2f}/h"
    if row.input is None or row.output is None:
        return f"{'?':>6} {'?':>6}"
    return f"{row.input:>6.4g} {row.output:>6.4g}"


def model_text(catalogue: Catalogue, name: str) -> str:
    """Return a profile as text: each number with its source, kind and age.

    Raises InputError if the catalogue has no profile with this name.
    """
    profile, declared, row = catalogue.profile(name), catalogue.declared[name], model_row(catalogue, name)
    lines = wrap(f"{printable(name)}: {printable(declared.note or 'no note')}")
    lines += [f"Provider   {printable(declared.provider)}"] if declared.provider else []
    lines += [f"Based on   {printable(declared.based_on)}"] if declared.based_on else []
    lines += [f"Available  {declared.available or 'unknown'}"]
    speed, _, requests = row.speed_text.partition(" at ")
    concurrency = f" at concurrency {requests}" if requests else ""
    ttft_concurrency = ""
    if isinstance(profile.ttft, Curve) and not concurrency:
        ttft_concurrency = f" at concurrency {profile.ttft.points[0][0]}"
    ttft = f"{quantities.seconds(row.ttft)}{ttft_concurrency}"
    lines += [f"In effect  {speed} tokens/s{concurrency}, first token after {ttft}"]
    for key, fact in catalogue.facts(name).items():
        meaning = _TTFT_ALONE if key == "ttft" and profile.prefill_speed is None else _MEANINGS[key]
        lines += ["", *_fact(key, fact, meaning, name, catalogue)]
    caveats = catalogue.caveats(name)
    lines += ["", "To keep in mind"] if caveats else []
    for caveat in caveats:
        first, *more = wrap(printable(caveat), 4)
        lines += [f"- {first}", *(f"  {line}" for line in more)]
    return "\n".join(lines) + "\n"


def _fact(key: str, fact: Fact, meaning: str, name: str, catalogue: Catalogue) -> list[str]:
    of = f" (of {fact.profile})" if fact.profile != name else ""
    lines = wrap(f"{key}: {'up to ' if fact.up_to else ''}{printable(fact.text)}{_days(fact)}{of}")
    age = fact.age(catalogue.today)
    old = " !" if age is not None and age > STALE else ""
    dated = f"as of {fact.as_of} ({age:,} {'day' if age == 1 else 'days'}{old})" if age is not None else "undated"
    about = [
        meaning,
        ", ".join(part for part in (fact.kind, dated) if part),
        f"source: {fact.source}",
        f"checked: {fact.verified}" if fact.verified else "",
        f"conditions: {fact.conditions}" if fact.conditions else "",
        fact.url or "",
    ]
    for text in filter(None, about):
        wrapped = wrap(printable(text), 6) if text != fact.url else [text]  # a broken URL cannot be clicked
        lines += [f"    {line}" for line in wrapped]
    for other in fact.others:
        lines += [f"    {line}" for line in wrap(f"other days: {printable(other.text)}{_days(other)}", 6)]
    return lines


def _days(fact: Fact) -> str:
    """Return the days on which a number holds, such as `, from 2026-11-09, until 2027-01-01`."""
    start = f", from {fact.holds_from}" if fact.holds_from else ""
    end = fact.retired_on or fact.holds_until
    return f"{start}, until {end}" if end else start
