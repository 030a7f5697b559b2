"""What a step is estimated to take, in the words of its file, for the comments of an application."""

from __future__ import annotations

from collections.abc import Iterator

from planner.reading.estimates.estimate import ByModel, Estimate
from planner.reading.validation import Declared
from planner.workflow.bodies import (
    AgentLoop,
    Call,
    Llm,
    Wait,
)
from planner.workflow.declaration import Step


def estimates(step: Step, model: str | None) -> Iterator[str]:
    """A line for each: ``output: 2k to 6k tokens``."""
    body = step.llm or step.agent or step.tool or step.human
    if isinstance(body, Llm | AgentLoop) and model is not None:
        yield f"model: {model}"
    if body is not None:
        yield from _fields(body, "")
    if step.chance is not None:
        yield f"chance that it is done: {step.chance:.3g}"
    if step.success is not None:
        yield f"chance that it succeeds: {step.success:.3g}"
    if step.retry is not None:
        yield f"chance that an attempt fails: {step.retry.chance:.3g}, at most {step.retry.at_most} attempts"
        yield from _fields(step.retry, "retry ", ("wait",))


def _fields(body: Declared, prefix: str, only: tuple[str, ...] = ()) -> Iterator[str]:
    for name in only or type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, Declared):
            yield from _fields(value, f"{prefix}{name} ")
        elif isinstance(value, Estimate | ByModel) or (only and value is not None):
            text = str(value)
            if text != "0" and not (name == "calls" and text == "1"):
                yield f"{prefix}{name}: {text}{_unit(body, name)}"
        elif value is not None:
            yield f"{prefix}{name}: {value}"


def _unit(body: Declared, name: str) -> str:
    """Tokens have none in the file; times have theirs."""
    counted = name in ("turns", "calls") or isinstance(body, Call | Wait)
    return "" if counted or name in ("time", "after", "back", "wait") else " tokens"
