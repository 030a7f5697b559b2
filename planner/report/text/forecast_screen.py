"""The first screen of a forecast: time, cost, what holds the workflow up, how busy agents are, and notes."""

from __future__ import annotations

from planner.errors import columns_of, printable
from planner.measures.moments import Distribution
from planner.planning.forecast_result import Forecast
from planner.report.text.layout import WIDTH, note_lines, width, wrap, wrap_all
from planner.report.wording import quantities
from planner.report.wording.forecasts import forecast_sentences, planned_phrase, time_sentence
from planner.report.wording.screen_notes import additions, screen_notes

MOST_LINES = 25
"""Most lines of the first screen."""


def forecast_screen(forecast: Forecast, more: str = "--all") -> str:
    """Return the answer of a forecast as text, with at most two notes.

    more : option or call that shows the rest
    """
    said = ("unpaid-people", "no-price")
    notes = screen_notes(forecast.notes, said)
    added = additions(["steps", "tokens"], forecast.notes, notes, said)
    pointer = f"{more} adds {added}. If estimates are off: planner sensitivity."
    return "\n".join([*answer_lines(forecast), "", *note_lines(notes), *wrap(pointer)]) + "\n"


def answer_lines(forecast: Forecast) -> list[str]:
    """Return the lines of the forecast as shown without the option `--all`, except for notes."""
    title = f"{printable(forecast.workflow)}: how long, and for how much?"
    planned = planned_phrase(forecast.sizes, forecast.result.scenario)
    if any(note.code == "langgraph-runtime" for note in forecast.notes):
        planned += ", on LangGraph"
    room = width() - columns_of(title) - columns_of(planned)
    head = [f"{title}{' ' * room}{planned}"] if room >= 2 else wrap_all([title, f"Planned: {planned}"])
    return [
        *head,
        *wrap(time_sentence(forecast)),
        *(f"  {line}" for line in histogram(forecast.distribution)),
        *wrap_all(forecast_sentences(forecast)),
    ]


_GLYPHS = "▁▂▃▄▅▆▇█"


def histogram(distribution: Distribution) -> list[str]:
    """Return two lines of text: a histogram of the completion time, and marks at the p50 and the p90.

    Return an empty list if the shortest and the longest time have the same text, because the axis would be empty.
    """
    bins = distribution.histogram
    if not bins.counts or quantities.seconds(bins.low) == quantities.seconds(bins.high):
        return []
    low, high = f"{quantities.seconds(bins.low)} ", f" {quantities.seconds(bins.high)}"
    later = (
        f" ({quantities.relative_error(bins.beyond / (sum(bins.counts) + bins.beyond))} later)" if bins.beyond else ""
    )
    room = max(1, width() - 12 - len(low) - len(high) - len(later)) if width() < WIDTH else len(bins.counts)
    together = -(-len(bins.counts) // room)
    counts = [sum(bins.counts[first : first + together]) for first in range(0, len(bins.counts), together)]
    most = max(counts)
    strip = "".join(_GLYPHS[-(-8 * count // most) - 1] if count else " " for count in counts)
    values = {value.percentile: value.seconds for value in distribution.percentiles}
    each = (bins.high - bins.low) / len(bins.counts) * together
    marks = ""
    for percentile in (50, 90):
        column = len(low) + min(len(strip) - 1, int((values[percentile] - bins.low) / each))
        if not marks or column > len(marks):
            marks += " " * (column - len(marks)) + f"^p{percentile}"
    return [f"{low}{strip}{high}{later}", marks]
