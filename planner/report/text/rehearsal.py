"""Terminal text of `planner rehearse`."""

from __future__ import annotations

from planner.errors import printable
from planner.measures.playback import Difference, RealTime, Rehearsal
from planner.report.text.layout import wrap
from planner.report.wording import quantities


def rehearsal_text(rehearsal: Rehearsal) -> str:
    """Return the result of a rehearsal on LangGraph as text.

    For a run on a virtual clock, the text shows the first difference from the prediction, if there is any. For a run on
    the real clock, the text shows the overhead.
    """
    clock = "a virtual clock" if rehearsal.real is None else _real_clock(rehearsal.real.scale)
    lines = wrap(
        f"{printable(rehearsal.workflow)}: runtime {rehearsal.runtime}, on LangGraph {rehearsal.langgraph} and "
        f"{clock}, seed {rehearsal.seed}"
    )
    if rehearsal.real is not None:
        lines += wrap(_real_time(rehearsal.real))
    elif rehearsal.difference is None:
        lines += wrap(
            f"Equal on {quantities.samples(rehearsal.samples)}: "
            "completion, and the start and end of everything that takes time "
            f"({rehearsal.compared:,} in all), to a microsecond."
        )
    else:
        lines += wrap(_difference(rehearsal.difference))
    if rehearsal.beside:
        lines += wrap(
            f"Note: LangGraph has no means for these, plain asyncio does them: {', '.join(rehearsal.beside)}."
        )
    return "\n".join(lines) + "\n"


def ahead_text(seconds: float, scale: float) -> str:
    """Return the line of text that announces a run on the real clock.

    seconds : predicted duration of the run, already divided by `scale`
    scale : number by which all durations are divided
    """
    return f"on {_real_clock(scale)}: about {quantities.seconds(seconds)}"


def _real_clock(scale: float) -> str:
    return "the real clock" if scale == 1 else f"the real clock, {scale:g} times as fast"


def _difference(difference: Difference) -> str:
    if difference.what is None:
        subject = "the whole"
    else:
        step, kind, index = difference.what
        occurrence = f", occurrence {', '.join(str(number + 1) for number in index)}" if index else ""
        subject = f"'{printable(step)}' ({kind}{occurrence})"
    return (
        f"Different in sample {difference.sample + 1}: {subject} is predicted {_span(difference.predicted)}, "
        f"and on LangGraph is {_span(difference.rehearsed)}."
    )


def _span(span: tuple[float, float] | None) -> str:
    return "not done" if span is None else f"from {span[0]:.6f} s to {span[1]:.6f} s"


def _real_time(real: RealTime) -> str:
    share = real.overhead * real.scale / real.predicted if real.predicted else 0.0
    each = f", {1000 * real.overhead / real.steps:.1f} ms for each thing done ({real.steps:,})" if real.steps else ""
    return (
        f"Sample {real.sample + 1} is predicted to take {quantities.seconds(real.predicted)}, "
        f"{quantities.seconds(real.predicted / real.scale)} at this pace. "
        f"It took {quantities.seconds(real.seconds)}: "
        f"{quantities.seconds(max(0.0, real.overhead))} of overhead{each}. A real run has about as much: "
        f"{quantities.share(min(1.0, max(0.0, share / real.scale)))} of {quantities.seconds(real.predicted)}."
    )
