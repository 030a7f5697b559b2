"""Quantities as text, in the units of workflow files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from planner.errors import printable
from planner.reading.pay import Pay

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def seconds(value: float) -> str:
    """Return a time as text: `4ms`, `0.42s`, `31.2s`, `6min07s`, `12min`, `2h00`, `13h23`, `5d03h`, `365d`.

    All times in text and HTML have this format. It has two units at most. From 1 h to 100 h, the second unit is
    minutes, and its name is omitted. A time above 10,000 days has three digits: `38,600d`, `3.86e7d`.

    Rounding changes times of at least 0.1 s by less than 1%, or by at most 5 ms if this is more.
    """
    if 0 < value < 0.0995:
        return f"{1000 * value:.2g}ms" if value >= 9.95e-7 else "<0.001ms"
    days = value / 86400
    if days < 9999.5:
        text = _two_units(value)
        return text.removesuffix("min") if "h" in text else text.removesuffix("00s") if "min" in text else text
    digits, power = f"{days:.2e}".split("e+")
    return f"{float(f'{digits}e{power}'):,.0f}d" if days < 999_500 else f"{digits}e{int(power)}d"


_UNITS = (0.1, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 6 * 3600, 86400)
"""Units to which times with a large error are rounded, in seconds."""


def noisy(value: float, standard_error: float, most: float = math.inf) -> str:
    """Return a time as text, without digits that are noise.

    The time is rounded to a multiple of the largest unit that is at most twice its standard error. If that is
    over `most` seconds, the text is that of `most`.
    """
    unit = max((unit for unit in _UNITS if unit <= 2 * standard_error), default=0)
    rounded = max(round(value / unit), 1) * unit if unit else value
    if not unit or rounded > most:
        return seconds(min(value, most))
    return f"{rounded:.{1 if unit < 1 else 0}f}s" if rounded < 60 else seconds(rounded)


def _two_units(value: float) -> str:
    """Return a time as text with one or two units, such as `9.50s` or `2h00min`."""
    if value < 9.995:
        return f"{value:.2f}s"
    if value < 59.95:
        return f"{value:.1f}s"
    for limit, unit, ratio, big, small in (
        (3600, 1, 60, "min", "s"),
        (360000, 60, 60, "h", "min"),
        (8.64e6, 3600, 24, "d", "h"),
    ):
        whole = round(value / unit)
        if whole * unit < limit:
            return f"{whole // ratio}{big}{whole % ratio:02d}{small}"
    days = value / 86400
    return f"{days:,.0f}d" if days < 9999.5 else f"{_with_prefix(days)}d"


def usd(value: float) -> str:
    """Return an amount of US dollars as text: `$0.0042`, `$3.10`, `$1,234`, `$1.98M`."""
    if 0 < value < 0.0995:
        return f"${value:.2g}" if value >= 1e-4 else "<$0.0001"
    if value < 99.995:
        return f"${value:,.2f}"
    return f"${value:,.0f}" if value < 999_999.5 else f"${_with_prefix(value)}"


def pay(value: Pay) -> str:
    """Return pay as text: `$80.00/h` for a rate per hour, or `$0.50` for a fixed amount."""
    return f"{usd(float(value.usd))}{'/h' if value.hourly else ''}"


def token_count(value: float) -> str:
    """Return a number of tokens as text: `900`, `12.3k`, `4.56M`."""
    return _with_prefix(value)


def factor(value: float) -> str:
    """Return a factor as text, such as `2.5x`. A factor below 1,000 has at most three digits."""
    if value < 999.5:
        return f"{value:.3g}x"
    return f"{value:,.0f}x" if value < 999_999.5 else f"{_with_prefix(value)}x"


def _with_prefix(value: float) -> str:
    """Return a number as text with three digits and a metric prefix, such as `12.3k`."""
    power = 0
    while value >= 999.5 and power < len(_PREFIXES) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.3g}{_PREFIXES[power]}" if value < 999.5 else f"{value:.0e}{_PREFIXES[power]}"


def percent(value: float) -> str:
    """Return a share as a whole percentage, such as `74%`."""
    return f"{value:.0%}"


def relative_error(value: float | None) -> str:
    """Return a relative error as text with two digits: `0.84%`, `12%`."""
    if value is None:
        return "an unknown share"
    return f"{100 * value:.2g}%" if value < 0.995 else f"{100 * value:.0f}%"


def between(low: float | None, high: float | None, form: Callable[[float], str] = seconds) -> str:
    """Return an interval as text, such as `1h57min to 2h01min`. `form` formats each end of the interval."""
    return "unknown, too few samples" if low is None or high is None else f"{form(low)} to {form(high)}"


def share(value: float) -> str:
    """Return a share as text with three digits, such as `97.3%`.

    A share just above 0 becomes `<0.1%`. A share just below 1 becomes `>99.9%`.
    """
    if 0.9995 <= value < 1:
        return ">99.9%"
    return "<0.1%" if 0 < value < 0.0005 else f"{100 * value:.3g}%"


def agents(count: int) -> str:
    """Return a number of agents as text: `1 agent`, `16 agents`."""
    return "1 agent" if count == 1 else f"{count:,} agents"


def crew(name: str, count: int) -> str:
    """Return a number of agents of a crew as text: `4 fixers`, `1 fixer`, `3 people`, `1 agent of 'desk'`.

    The agents of a workflow without crews have no name in the text: `4 agents`.
    """
    name = printable(name)
    if name == "agents":
        return agents(count)
    if name == "people":
        return "1 person" if count == 1 else f"{count:,} people"
    if not name.endswith("s") or name.endswith("ss"):
        return f"{agents(count)} of '{name}'"
    if count != 1:
        return f"{count:,} {name}"
    regular = not name.endswith(("ies", "ses", "xes", "ches", "shes"))
    return f"1 {name[:-1]}" if regular else f"1 agent of '{name}'"


def crews(sizes: Mapping[str, int], most: int) -> str:
    """Return the sizes of all crews as text, such as `6 in 'migrators', 3 in 'reviewers'`.

    For a workflow without crews, the text is `4 agents`. If `sizes` is empty, it is
    `at most 4 at a time (no crew limits them)`.

    most : largest number of agents that can be busy if nothing limits them
    """
    if not sizes:
        return "1 at a time" if most == 1 else f"at most {most:,} at a time (no crew limits them)"
    return ", ".join(f"{size:,} in '{name}'" if name != "agents" else agents(size) for name, size in sizes.items())


def times(count: float) -> str:
    """Return a mean number of occurrences as text: `48`, `1.4`, `167`. A number between 0 and 0.05 becomes `<0.1`."""
    if 0 < count < 0.05:
        return "<0.1"
    if count < 10 and count != round(count):
        return f"{count:,.1f}"
    return f"{count:,.0f}" if count < 99_999.5 else _with_prefix(count)


def samples(count: int) -> str:
    """Return a number of samples as text: `1 sample`, `1,000 samples`."""
    return "1 sample" if count == 1 else f"{count:,} samples"
