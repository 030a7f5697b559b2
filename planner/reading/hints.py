"""Hints for unreadable quantities. Each function takes the text, and returns None if its meaning is unclear."""

from __future__ import annotations

import re

NUMBER = r"(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_CLOCK = re.compile(r"(\d+):(\d+)(?::\d+)?")
_SPELT_OUT = re.compile(rf"({NUMBER})\s*(milliseconds?|seconds?|secs|minutes?|mins|hours?|hrs?|days?)", re.IGNORECASE)
_SHORT = {"mil": "ms", "sec": "s", "min": "min", "day": "d"}
_COMMAS = re.compile(r"(\D*)(\d+(?:,\d+)+)(\D*)")
_PRICED = re.compile(rf"[$€£¥]?\s*({NUMBER})\s*(\D*)")
_PER_SECOND = re.compile(
    rf"({NUMBER}\s*[kK]?)\s*(?:tps|t(?:ok(?:en)?s?)?/s\w*|tok(?:en)?s?\s*(?:/|per)\s*s\w*)", re.IGNORECASE
)


def without_commas(text: str) -> str | None:
    """Hint for a number written with commas: `2,000` or `0,5`."""
    match = _COMMAS.fullmatch(text.strip())
    if not match:
        return None
    before, number, after = match.groups()
    whole, *groups = number.split(",")
    if whole.strip("0") and all(len(group) == 3 for group in groups):
        plain, grouped = ("".join([whole, *groups]), "_".join([whole, *groups]))
        return f"write {before}{plain}{after} or {before}{grouped}{after}"
    return f"write {before}{whole}.{groups[0]}{after}" if len(groups) == 1 else None


def time_meant(text: str) -> str | None:
    """Hint for a time like `1:30`, or with a unit spelt out like `5 minutes`."""
    clock = _CLOCK.fullmatch(text)
    if clock:
        return f"write {clock[1]}min{clock[2]}s or {clock[1]}h{clock[2]}min"
    full = _SPELT_OUT.fullmatch(text)
    if full:
        unit = full[2].lower()
        return f"write {full[1]}{_SHORT.get(unit[:3], 'h')}"
    return None


def dollars_meant(text: str) -> str | None:
    """Hint for money in another unit than US dollars."""
    match = _PRICED.fullmatch(text.strip())
    if not match:
        return None
    number, unit = match[1], match[2].strip().casefold()
    if unit in ("cents", "cent", "ct", "¢"):
        return f"write {float(number.replace('_', '')) / 100:.15g}"
    if unit in ("usd", "dollars", "dollar", "us$", "$") or unit.startswith(("/", "per ")):
        return f"write {number}"
    if text.strip()[0] in "€£¥" or unit in ("€", "eur", "euro", "euros", "£", "gbp", "¥"):
        return "convert the amount to US dollars, and write only the number"
    return None


def per_second(text: str) -> str | None:
    """Hint for a speed whose unit is written differently, like `60 tps`."""
    match = _PER_SECOND.fullmatch(text)
    return f"write {match[1].strip()}" if match else None
