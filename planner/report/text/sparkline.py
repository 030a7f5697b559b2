"""The distribution of completion times as a strip of blocks: one line, and one that says where percentiles lie."""

from __future__ import annotations

from planner.measures.distribution import Distribution
from planner.report.wording import quantities

_BLOCKS = "▁▂▃▄▅▆▇█"


def spread(distribution: Distribution) -> list[str]:
    """Two lines of at most 68 columns; none where every sample takes the same time, as it reads."""
    histogram = distribution.histogram
    if not histogram.counts or quantities.seconds(histogram.low) == quantities.seconds(histogram.high):
        return []
    most = max(histogram.counts)
    strip = "".join(_BLOCKS[-(-8 * count // most) - 1] if count else " " for count in histogram.counts)
    low = f"{quantities.seconds(histogram.low)} "
    later = f" ({quantities.share(histogram.beyond / (sum(histogram.counts) + histogram.beyond))} later)"
    values = {one.percentile: one.seconds for one in distribution.percentiles}
    width = (histogram.high - histogram.low) / len(strip)
    marks = ""
    for percentile in (50, 90):
        at = len(low) + min(len(strip) - 1, int((values[percentile] - histogram.low) / width))
        if not marks or at > len(marks):
            marks += " " * (at - len(marks)) + f"^p{percentile}"
    return [f"{low}{strip} {quantities.seconds(histogram.high)}{later if histogram.beyond else ''}", marks]
