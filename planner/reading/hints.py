"""Hints for quantities that cannot be parsed.

Each function takes the text of a quantity, and returns a hint. It returns None if it has no hint for the text.
"""

from __future__ import annotations

import re

NUMBER = r"(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_CLOCK = re.compile(r"(\d+):(\d+)(?::\d+)?")
_SPELT_OUT = re.compile(rf"({NUMBER})\s*(milliseconds?|seconds?|secs|minutes?|mins|hours?|hrs?|days?)", re.IGNORECASE)
_PREFIX = re.compile(rf"({NUMBER})\s*([kKM])")
_MILLION = re.compile(rf"({NUMBER})\s*(?:m|mil|mio|million)", re.IGNORECASE)
_THOUSAND = re.compile(rf"({NUMBER})\s*(?:tsd|thousand)", re.IGNORECASE)
_OF_TIME = re.compile(r"\$?\s*(?:/|per)\s*(?:s(?:ec\w*)?|min(?:ute)?|h(?:r|our)?|d(?:ay)?|week|month|year)")
_WORDS = re.compile(r"[^\W\d][^{}\[\]:,#'\"]*(?:\s[^{}\[\]:,#'\"\d]+){2,}")
"""Matches a text of three words or more that YAML needs no quotes for."""
_UNITS_OF_TIME = re.compile(rf"(?:{NUMBER}\s*(?:ms|sec|min|s|m|h|d)\s*)+", re.IGNORECASE)
_SHORT = {"mil": "ms", "sec": "s", "min": "min", "day": "d"}
_COMMAS = re.compile(r"(\D*)(\d+(?:,\d+)+)(\D*)")
_PRICED = re.compile(rf"[$€£¥]?\s*({NUMBER})\s*(\D*)")
_PER_UNIT = re.compile(rf"\$?\s*({NUMBER})\s*\$?\s*(?:/|\bper\b|\ban?\b|\beach\b)\s*(\w+)", re.IGNORECASE)
_PER_SECOND = re.compile(
    rf"({NUMBER}\s*[kK]?)\s*(?:tps|t(?:ok(?:en)?s?)?/s\w*|tok(?:en)?s?\s*(?:/|per)\s*s\w*)", re.IGNORECASE
)


def without_commas(text: str) -> str | None:
    """Return a hint for a number with commas, such as `2,000` or `0,5`. Return None for any other text."""
    match = _COMMAS.fullmatch(text.strip())
    if not match:
        return None
    before, number, after = match.groups()
    whole, *groups = number.split(",")
    if whole.strip("0") and all(len(group) == 3 for group in groups):
        plain, grouped = ("".join([whole, *groups]), "_".join([whole, *groups]))
        return f"write {before}{plain}{after} or {before}{grouped}{after} instead of {text.strip()}"
    return f"write {before}{whole}.{groups[0]}{after} instead of {text.strip()}" if len(groups) == 1 else None


def time_meant(text: str) -> str | None:
    """Return a hint for a time such as `1:30`, `5 minutes` or `5MIN`. Return None for any other text."""
    clock = _CLOCK.fullmatch(text)
    if clock:
        return f"write {clock[1]}min{clock[2]}s or {clock[1]}h{clock[2]}min"
    full = _SPELT_OUT.fullmatch(text)
    if full:
        unit = full[2].lower()
        return f"write {full[1]}{_SHORT.get(unit[:3], 'h')}"
    if text.endswith("M") and _PREFIX.fullmatch(text):
        return f"write {text[:-1].strip()}min; M is a million"
    if _UNITS_OF_TIME.fullmatch(text):
        return f"write {text.lower()}" + ("; units of time have small letters" if text != text.lower() else "")
    return None


def tokens_meant(text: str) -> str | None:
    """Return a hint for a number of tokens such as `5m` or `5 million`. Return None for any other text."""
    million, thousand = _MILLION.fullmatch(text), _THOUSAND.fullmatch(text)
    if million:
        return f"write {million[1]}M" + ("; m is the unit of minutes" if text.endswith("m") else "")
    if thousand:
        return f"write {thousand[1]}k"
    return f"to count a text, write '{{text: {text}}}'" if _WORDS.fullmatch(text) else None


def count_meant(text: str) -> str | None:
    """Return a hint for a count such as `12k`. Return None for any other text."""
    match = _PREFIX.fullmatch(text)
    if not match:
        return None
    return f"write {float(match[1].replace('_', '')) * (1e6 if match[2] == 'M' else 1e3):.15g}"


def dollars_meant(text: str) -> str | None:
    """Return a hint for money such as `50 cents`, `5 USD` or `5 EUR`. Return None for any other text."""
    match = _PRICED.fullmatch(text.strip())
    if not match:
        return None
    number, unit = match[1], match[2].strip().casefold()
    if unit in ("cents", "cent", "ct", "¢"):
        return f"write {float(number.replace('_', '')) / 100:.15g}"
    if _OF_TIME.fullmatch(unit):
        return None
    if unit in ("usd", "dollars", "dollar", "us$", "$") or unit.startswith(("/", "per ")):
        return f"write {number}"
    if text.strip()[0] in "€£¥" or unit in ("€", "eur", "euro", "euros", "£", "gbp", "¥"):
        return "convert the amount to US dollars, and write only the number"
    return None


_PER_HOUR = {"s": 3600, "sec": 3600, "second": 3600, "m": 60, "min": 60, "minute": 60, "hr": 1, "hour": 1}
_EACH_GO = ("call", "go", "item", "piece", "request", "review", "run", "step", "task", "use")


def rate_meant(text: str) -> str | None:
    """Return a hint for an amount per unit, such as `80 per hour` or `2/min`. Return None for any other text."""
    match = _PER_UNIT.fullmatch(text.strip())
    if not match:
        return None
    number, unit = match[1], match[2].strip().casefold()
    if unit.removesuffix("s") in _EACH_GO:
        return f"write {number}"
    if unit.removesuffix("s") == "day":
        usd = float(number.replace("_", ""))
        return f"write ${usd / 8:.6g}/h for a day of 8 hours, or ${usd / 24:.6g}/h for one of 24 hours"
    if unit.removesuffix("s") not in _PER_HOUR and unit not in _PER_HOUR:
        return "write a rate per hour, for example $80/h"
    factor = _PER_HOUR.get(unit) or _PER_HOUR[unit.removesuffix("s")]
    return f"write ${float(number.replace('_', '')) * factor:.15g}/h"


def per_second(text: str) -> str | None:
    """Return a hint for a speed such as `60 tps`. Return None for any other text."""
    match = _PER_SECOND.fullmatch(text)
    return f"write {match[1].strip()}" if match else None
