"""What a quantity that cannot be read was meant to be: its text in, a hint at how to write it out, or None."""

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
    """A hint where a number is written with commas."""
    found = _COMMAS.fullmatch(text.strip())
    if not found:
        return None
    before, number, after = found.groups()
    whole, *groups = number.split(",")
    if whole.strip("0") and all(len(group) == 3 for group in groups):
        plain, parted = ("".join([whole, *groups]), "_".join([whole, *groups]))
        return f"write {before}{plain}{after} or {before}{parted}{after}"
    return f"write {before}{whole}.{groups[0]}{after}" if len(groups) == 1 else None


def time_meant(text: str) -> str | None:
    """How to write a time that is written by the clock or with a unit in full."""
    clock = _CLOCK.fullmatch(text)
    if clock:
        return f"write {clock[1]}min{clock[2]}s or {clock[1]}h{clock[2]}min"
    full = _SPELT_OUT.fullmatch(text)
    if full:
        unit = full[2].lower()
        return f"write {full[1]}{_SHORT.get(unit[:3], 'h')}"
    return None


def dollars_meant(text: str) -> str | None:
    """How to write money that has another unit."""
    found = _PRICED.fullmatch(text.strip())
    if not found:
        return None
    number, unit = found[1], found[2].strip().casefold()
    if unit in ("cents", "cent", "ct", "¢"):
        return f"write {float(number.replace('_', '')) / 100:.15g}"
    if unit in ("usd", "dollars", "dollar", "us$", "$") or unit.startswith(("/", "per ")):
        return f"write {number}"
    if text.strip()[0] in "€£¥" or unit in ("€", "eur", "euro", "euros", "£", "gbp", "¥"):
        return "convert it to US dollars, and write the number alone"
    return None


def per_second(text: str) -> str | None:
    """How to write tokens per second that have another unit."""
    found = _PER_SECOND.fullmatch(text)
    return f"write {found[1].strip()}" if found else None
