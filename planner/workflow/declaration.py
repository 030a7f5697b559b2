"""The shape of a workflow file (docs/reference/workflow.md)."""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PrivateAttr, model_validator

from planner.errors import Position
from planner.reading.estimates import NOTHING
from planner.reading.profiles import ProfileDeclaration
from planner.reading.validation import Count, Declared, Duration, Mapping, Number, Text, Tokens, Turns, problem_in
from planner.reading.yaml_file import Document

BODIES = ("llm", "agent", "tool", "human", "steps")


def _as_time(value: Any) -> Any:
    """A bare time stands for a mapping with that time; a mapping of percentiles is a time too."""
    return value if isinstance(value, dict) and not set(value) & {"p50", "p95"} else {"time": value}


class Llm(Declared):
    """One request. Tokens."""

    input: Tokens = NOTHING
    cached: Tokens = NOTHING
    thinking: Tokens = NOTHING
    output: Tokens


class Tool(Declared):
    """Time without tokens; `result` tokens come back to the agent that called it."""

    time: Duration
    result: Tokens = NOTHING


class AgentLoop(Declared):
    """`turns` requests with a tool call after each but the last; every turn reads all that came before."""

    turns: Turns
    prompt: Tokens = NOTHING
    output: Tokens
    thinking: Tokens = NOTHING
    tool: Annotated[Tool, BeforeValidator(_as_time)] | None = None


class Wait(Declared):
    """A tool or a person at work on a step of their own: seconds."""

    time: Duration


class Repeat(Declared):
    times: Count


class Message(Declared):
    """A request of a coordination mechanism. Tokens."""

    input: Tokens = NOTHING
    output: Tokens


class Merge(Declared):
    """Joining an item's work with the rest, one at a time: a time, a request, or both."""

    time: Duration = NOTHING
    input: Tokens = NOTHING
    output: Tokens = NOTHING

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.asks and self.time.scale == 0:
            raise problem_in("bad-value", "a merge takes a time, a request, or both", "write {time: 20s to 90s}")
        return self

    @property
    def asks(self) -> bool:
        """Whether it makes a request."""
        return self.input.scale > 0 or self.output.scale > 0


class Coordination(Declared):
    brief: Annotated[Message, Mapping] | None = None
    report: Annotated[Message, Mapping] | None = None
    merge: Annotated[Merge, BeforeValidator(_as_time)] | None = None


class Crew(Declared):
    """A pool of identical agents."""

    agents: Count
    coordination: Annotated[Coordination, Mapping] = Coordination()


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _names(value: Any) -> list[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise problem_in("bad-value", "expected the name of a step, or a list of names")


class Step(Declared):
    """One step: exactly one body (`llm`, `agent`, `tool`, `human`, `steps`) and its modifiers."""

    needs: Annotated[list[str], BeforeValidator(_names), BeforeValidator(_as_list)] = []
    for_each: Count | None = None
    repeat: Annotated[Repeat, Mapping] | None = None
    crew: Text | None = None
    hold: bool = True
    model: Text | None = None
    llm: Annotated[Llm, Mapping] | None = None
    agent: Annotated[AgentLoop, Mapping] | None = None
    tool: Annotated[Wait, BeforeValidator(_as_time)] | None = None
    human: Annotated[Wait, BeforeValidator(_as_time)] | None = None
    steps: Annotated[dict[str, Annotated["Step", Mapping]], Mapping] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_body(cls, data: Any) -> Any:
        if isinstance(data, dict):
            bodies = [key for key in BODIES if key in data]
            if len(bodies) > 1:
                raise problem_in(
                    "step-body",
                    f"a step does one thing, and this one has {' and '.join(bodies)}",
                    "put them into 'steps:' of a group",
                )
            if not bodies and set(data) <= set(cls.model_fields):
                raise problem_in("step-body", f"the step has no body: one of {', '.join(BODIES)}")
            if "steps" in data and data["steps"] in ({}, None):
                raise problem_in("step-body", "the group has no steps")
        return data

    @property
    def kind(self) -> str:
        return next(body for body in BODIES if getattr(self, body) is not None)


class Workflow(Declared):
    """A validated workflow file. `parameters` hold what `--set` made of them."""

    workflow: Text
    description: Text = ""
    parameters: Annotated[dict[str, Number], Mapping] = {}
    model: Text | None = None
    models: Annotated[dict[str, Annotated[ProfileDeclaration, Mapping]], Mapping] = {}
    crews: Annotated[dict[str, Annotated[Crew, Mapping]], Mapping] = {}
    steps: Annotated[dict[str, Annotated[Step, Mapping]], Mapping]
    _document: Document | None = PrivateAttr(None)

    def read_from(self, document: Document) -> Self:
        """Remember where everything stands."""
        self._document = document
        return self

    def place(self, *path: str | int) -> Position | None:
        """Where the value at a path of the file stands."""
        return self._document.value(*path) if self._document else None

    def count(self, declared: int | str) -> int:
        """A count that is a number or the name of a parameter."""
        return declared if isinstance(declared, int) else int(self.parameters[declared])

    def walk(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Every step with its path, a group before its steps, in the order of the file."""

        def inside(steps: dict[str, Step], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
            for name, step in steps.items():
                yield (*path, name), step
                yield from inside(step.steps or {}, (*path, name))

        return inside(self.steps, ())
