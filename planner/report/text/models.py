"""The catalogue as text of 80 columns and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from planner.catalogue.catalogue import STALE, Catalogue, Fact
from planner.catalogue.profile import Profile
from planner.errors import printable
from planner.reading.estimates.curves import Curve
from planner.reading.estimates.estimate import Estimate
from planner.report.wording import quantities

_UNITS = {
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

_READ_WITHIN = "time to the first token; reading the prompt adds nothing, as there is no prefill_speed"
"""What `ttft` is where it holds all that the profile knows of reading."""


def wrapped(text: str, width: int = 80) -> list[str]:
    """Lines of at most so many columns."""
    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)


@dataclass(frozen=True)
class Row:
    """A profile as it is listed.

    speed : median tokens/s of one request; by concurrency: at the lowest that is known
    slowest : 5th percentile of it
    ttft : median seconds; by concurrency as the speed
    input, output, per_hour : US dollars per million tokens, or per hour; None: unknown
    oldest : days since the day that its oldest number holds for; None: it does not say
    """

    name: str
    provider: str | None
    available: str | None
    speed: float
    slowest: float
    speed_text: str
    ttft: float
    input: float | None
    output: float | None
    per_hour: float | None
    oldest: int | None

    @property
    def usd(self) -> float | None:
        return self.output if self.per_hour is None else self.per_hour


def rows(catalogue: Catalogue) -> list[Row]:
    """All profiles."""
    return [_row(catalogue, name) for name in catalogue.names]


def _row(catalogue: Catalogue, name: str) -> Row:
    profile, declared = catalogue.profile(name), catalogue.declared[name]
    alone = profile.at(1)
    assert isinstance(alone.output_speed, Estimate)
    assert isinstance(alone.ttft, Estimate)
    price = profile.price
    tokens = price is not None and price.per_hour is None
    ages = [age for fact in catalogue.facts(name).values() if (age := fact.age(catalogue.today)) is not None]
    return Row(
        name,
        declared.provider,
        declared.available,
        alone.output_speed.quantile(0.5),
        alone.output_speed.quantile(0.05),
        _speed(profile),
        alone.ttft.quantile(0.5),
        float(price.input) if price and tokens else None,
        float(price.output) if price and tokens else None,
        float(price.per_hour) if price and price.per_hour is not None else None,
        max(ages, default=None),
    )


def _speed(profile: Profile) -> str:
    """Tokens/s: one, a range, or by concurrency that at the lowest that is known."""
    speed = profile.output_speed
    if isinstance(speed, Curve):
        requests, fastest = speed.points[0]
        return f"{_digits(fastest)} at {requests}"
    low, high = speed.quantile(0.05), speed.quantile(0.95)
    return f"{_digits(low)} to {_digits(high)}" if high > low else _digits(low)


def _digits(speed: float) -> str:
    return f"{speed:.3g}" if speed < 999.5 else f"{speed:.0f}"


def chosen(
    found: Sequence[Row],
    sort: str = "name",
    min_speed: float | None = None,
    max_price: float | None = None,
    available: str | None = None,
) -> list[Row]:
    """Rows that are fast, cheap and available enough.

    Of a range of speeds the low end counts. Prices are of output tokens, or per hour; an unknown one is too high.
    """
    kept = [
        row
        for row in found
        if (min_speed is None or row.slowest >= min_speed)
        and (max_price is None or (row.usd is not None and row.usd <= max_price))
        and (available is None or row.available == available)
    ]
    keys: dict[str, Any] = {
        "name": lambda row: row.name,
        "speed": lambda row: (-row.speed, row.name),
        "price": lambda row: (row.usd is None, row.per_hour is not None, row.usd, row.name),
    }
    return sorted(kept, key=keys[sort])


def models_text(found: Sequence[Row]) -> str:
    """The table, with a mark where a number is old."""
    if not found:
        return "No profile is like that.\n"
    wide = min(max(len(row.name) for row in found), 29)
    lines = [f"{'Profile':<{wide}} {'tok/s':>12} {'TTFT':>7} {'in $':>6} {'out $':>6} available"]
    for row in found:
        name = row.name if len(row.name) <= wide else row.name[: wide - 1] + "…"
        old = "!" if row.oldest is not None and row.oldest > STALE else ""
        line = (
            f"{printable(name):<{wide}} {row.speed_text:>12} {_soon(row.ttft):>7} {_price(row):>13} "
            f"{row.available or '?':<8} {old}"
        )
        lines.append(line.rstrip())
    lines += ["", "tok/s: of one request, 5th to 95th percentile; at 4: of each of 4 at a time."]
    lines += ["$: per million tokens, or per hour of the machines; ?: unknown."]
    if any(row.oldest is not None and row.oldest > STALE for row in found):
        lines += [f"!: a number is older than {STALE} days; 'planner models NAME' shows which."]
    return "\n".join(lines) + "\n"


def _soon(seconds: float) -> str:
    return quantities.seconds(seconds) if seconds >= 0.005 else "<0.01s"


def _price(row: Row) -> str:
    if row.per_hour is not None:
        return f"{row.per_hour:.2f}/h"
    if row.input is None or row.output is None:
        return f"{'?':>6} {'?':>6}"
    return f"{row.input:>6.4g} {row.output:>6.4g}"


def models_data(catalogue: Catalogue, found: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as plain data: seconds, tokens/s, US dollars per million tokens or per hour."""
    return [
        {**asdict(row), "stale": row.oldest is not None and row.oldest > STALE, "caveats": catalogue.caveats(row.name)}
        for row in found
    ]


def models_json(catalogue: Catalogue, found: Sequence[Row]) -> str:
    """`models_data` as JSON."""
    return json.dumps(models_data(catalogue, found), indent=2, ensure_ascii=False) + "\n"


def model_text(catalogue: Catalogue, name: str) -> str:
    """One profile: every number with its source, kind and age. Raises InputError for an unknown name."""
    profile, declared, row = catalogue.profile(name), catalogue.declared[name], _row(catalogue, name)
    lines = wrapped(f"{printable(name)}: {printable(declared.note or 'no note')}")
    lines += [f"Provider   {printable(declared.provider)}"] if declared.provider else []
    lines += [f"Based on   {printable(declared.based_on)}"] if declared.based_on else []
    lines += [f"Available  {declared.available or 'unknown'}"]
    speed, _, requests = row.speed_text.partition(" at ")
    at = f" at concurrency {requests}" if requests else ""
    then = f" at concurrency {profile.ttft.points[0][0]}" if isinstance(profile.ttft, Curve) and not at else ""
    lines += [f"In effect  {speed} tokens/s{at}, first token after {_soon(row.ttft)}{then}"]
    for key, fact in catalogue.facts(name).items():
        meaning = _READ_WITHIN if key == "ttft" and profile.prefill_speed is None else _UNITS[key]
        lines += ["", *_fact(key, fact, meaning, name, catalogue)]
    caveats = catalogue.caveats(name)
    lines += ["", "To keep in mind"] if caveats else []
    for caveat in caveats:
        first, *more = wrapped(printable(caveat), 76)
        lines += [f"- {first}", *(f"  {line}" for line in more)]
    return "\n".join(lines) + "\n"


def _fact(key: str, fact: Fact, meaning: str, name: str, catalogue: Catalogue) -> list[str]:
    of = f" (of {fact.profile})" if fact.profile != name else ""
    until = f", until {fact.retired_on}" if fact.retired_on else ""
    lines = wrapped(f"{key}: {'up to ' if fact.up_to else ''}{printable(fact.text)}{until}{of}")
    age = fact.age(catalogue.today)
    old = " !" if age is not None and age > STALE else ""
    dated = f"as of {fact.as_of} ({age:,} {'day' if age == 1 else 'days'}{old})" if age is not None else "undated"
    about = [
        meaning,
        ", ".join(one for one in (fact.kind, dated) if one),
        f"source: {fact.source}",
        f"checked: {fact.verified}" if fact.verified else "",
        f"conditions: {fact.conditions}" if fact.conditions else "",
        fact.url or "",
    ]
    for one in about:
        lines += [f"    {line}" for line in (wrapped(printable(one), 74) if one != fact.url else [one])] if one else []
    return lines


def model_json(catalogue: Catalogue, name: str) -> str:
    """One profile as JSON, with every number's source. Raises InputError for an unknown name."""
    row = _row(catalogue, name)
    facts = {
        key: {
            one: str(value) if one in ("as_of", "retired_on") and value else value
            for one, value in asdict(fact).items()
        }
        for key, fact in catalogue.facts(name).items()
    }
    data = {**asdict(row), "facts": facts, "caveats": catalogue.caveats(name)}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
