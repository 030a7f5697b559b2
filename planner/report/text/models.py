"""Text of the catalogue, and of one profile."""

from __future__ import annotations

from collections.abc import Sequence

from planner.catalogue.catalogue import STALE, Catalogue, Fact
from planner.catalogue.listing import ModelRow, model_row
from planner.errors import printable
from planner.reading.estimates.curves import Curve
from planner.report.text.layout import wrap
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
    """Return the table of profiles. If any number of a profile is old, its row has a mark."""
    if not rows:
        return "No profile is like that.\n"
    width = min(max(len(row.name) for row in rows), 29)
    lines = [f"{'Profile':<{width}} {'tok/s':>12} {'TTFT':>7} {'in $':>6} {'out $':>6} available"]
    for row in rows:
        name = row.name if len(row.name) <= width else row.name[: width - 1] + "…"
        old = "!" if row.oldest is not None and row.oldest > STALE else ""
        line = (
            f"{printable(name):<{width}} {row.speed_text:>12} {_ttft(row.ttft):>7} {_price(row):>13} "
            f"{row.available or '?':<8} {old}"
        )
        lines.append(line.rstrip())
    lines += ["", "tok/s: of one request, 5th to 95th percentile; at 4: of each of 4 at a time."]
    lines += ["$: per million tokens, or per hour of the machines; ?: unknown."]
    if any(row.oldest is not None and row.oldest > STALE for row in rows):
        lines += [f"!: a number is older than {STALE} days; 'planner models NAME' shows which."]
    return "\n".join(lines) + "\n"


def _ttft(seconds: float) -> str:
    return quantities.seconds(seconds) if seconds >= 0.005 else "<0.01s"


def _price(row: ModelRow) -> str:
    if row.per_hour is not None:
        return f"{row.per_hour:.2f}/h"
    if row.input is None or row.output is None:
        return f"{'?':>6} {'?':>6}"
    return f"{row.input:>6.4g} {row.output:>6.4g}"


def model_text(catalogue: Catalogue, name: str) -> str:
    """Return a profile as text: each number with its source, kind and age. Raises InputError for an unknown name."""
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
    lines += [f"In effect  {speed} tokens/s{concurrency}, first token after {_ttft(row.ttft)}{ttft_concurrency}"]
    for key, fact in catalogue.facts(name).items():
        meaning = _TTFT_ALONE if key == "ttft" and profile.prefill_speed is None else _MEANINGS[key]
        lines += ["", *_fact(key, fact, meaning, name, catalogue)]
    caveats = catalogue.caveats(name)
    lines += ["", "To keep in mind"] if caveats else []
    for caveat in caveats:
        first, *more = wrap(printable(caveat), 76)
        lines += [f"- {first}", *(f"  {line}" for line in more)]
    return "\n".join(lines) + "\n"


def _fact(key: str, fact: Fact, meaning: str, name: str, catalogue: Catalogue) -> list[str]:
    of = f" (of {fact.profile})" if fact.profile != name else ""
    until = f", until {fact.retired_on}" if fact.retired_on else ""
    lines = wrap(f"{key}: {'up to ' if fact.up_to else ''}{printable(fact.text)}{until}{of}")
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
        wrapped = wrap(printable(text), 74) if text != fact.url else [text]  # a URL over two lines cannot be clicked
        lines += [f"    {line}" for line in wrapped]
    return lines
