"""What a rehearsal on LangGraph tells, as data. Seconds."""

from __future__ import annotations

from dataclasses import dataclass

from planner.measures.playback import OccurrenceKey


@dataclass(frozen=True)
class Difference:
    """The first that is not as predicted.

    what : which occurrence of which work; None: the completion
    predicted, rehearsed : its start and end; None: it does not happen
    """

    sample: int
    what: OccurrenceKey | None
    predicted: tuple[float, float] | None
    rehearsed: tuple[float, float] | None


@dataclass(frozen=True)
class RealTime:
    """One sample on the real clock, `scale` times as fast.

    seconds : that it took
    predicted : of the plan
    steps : works that were done
    """

    sample: int
    scale: float
    seconds: float
    predicted: float
    steps: int

    @property
    def overhead(self) -> float:
        """Real seconds more than predicted."""
        return self.seconds - self.predicted / self.scale


@dataclass(frozen=True)
class Rehearsal:
    """Samples of a workflow, performed on LangGraph.

    compared : starts and ends of works that were compared, without completions
    beside : what LangGraph has no means for, and was done beside it
    """

    workflow: str
    runtime: str
    langgraph: str
    seed: int
    samples: int
    compared: int
    difference: Difference | None
    beside: tuple[str, ...]
    real: RealTime | None = None
