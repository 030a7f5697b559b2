"""A rehearsal in words."""

from __future__ import annotations

from planner.errors import printable
from planner.measures.playback import Difference, RealTime, Rehearsal
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities


def rehearsal_text(found: Rehearsal) -> str:
    """Whether LangGraph took as long as predicted, and where it first did not."""
    clock = "a virtual clock" if found.real is None else _real_clock(found.real.scale)
    lines = wrapped(
        f"{printable(found.workflow)}: runtime {found.runtime}, on LangGraph {found.langgraph} and {clock}, "
        f"seed {found.seed}"
    )
    if found.real is not None:
        lines += wrapped(_real(found.real))
    elif found.difference is None:
        lines += wrapped(
            f"Equal on {quantities.samples(found.samples)}: "
            "completion, and the start and end of everything that takes time "
            f"({found.compared:,} in all), to a microsecond."
        )
    else:
        lines += wrapped(_difference(found.difference))
    if found.beside:
        lines += wrapped(f"Note: LangGraph has no means for these, plain asyncio does them: {', '.join(found.beside)}.")
    return "\n".join(lines) + "\n"


def ahead_text(seconds: float, scale: float) -> str:
    """What is said before a sample is performed on the real clock."""
    return f"on {_real_clock(scale)}: about {quantities.seconds(seconds)}"


def _real_clock(scale: float) -> str:
    return "the real clock" if scale == 1 else f"the real clock, {scale:g} times as fast"


def _difference(found: Difference) -> str:
    if found.what is None:
        what = "the whole"
    else:
        step, kind, index = found.what
        which = f", occurrence {', '.join(str(number + 1) for number in index)}" if index else ""
        what = f"'{printable(step)}' ({kind}{which})"
    return (
        f"Different in sample {found.sample + 1}: {what} is predicted {_span(found.predicted)}, "
        f"and on LangGraph is {_span(found.rehearsed)}."
    )


def _span(span: tuple[float, float] | None) -> str:
    return "not done" if span is None else f"from {span[0]:.6f} s to {span[1]:.6f} s"


def _real(found: RealTime) -> str:
    share = found.overhead * found.scale / found.predicted if found.predicted else 0.0
    done = f"each thing done ({found.steps:,})"
    each = f", {1000 * found.overhead / found.steps:.1f} ms for {done}" if found.steps else ""
    return (
        f"Sample {found.sample + 1} is predicted to take {quantities.seconds(found.predicted)}, "
        f"{quantities.seconds(found.predicted / found.scale)} at this pace. "
        f"It took {quantities.seconds(found.seconds)}: "
        f"{quantities.seconds(max(0.0, found.overhead))} of overhead{each}. A real run has about as much: "
        f"{quantities.share(min(1.0, max(0.0, share / found.scale)))} of {quantities.seconds(found.predicted)}."
    )
