"""The shape of a workflow file (docs/reference/workflow.md)."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, PrivateAttr, model_validator

from planner.errors import Position
from planner.reading.document import Document
from planner.reading.estimates import NOTHING
from planner.reading.profiles import ProfileDeclaration
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Chance,
    Count,
    Declared,
    Duration,
    Flag,
    Mapping,
    Name,
    Number,
    Parsed,
    Seconds,
    Size,
    Text,
    Widening,
    raised,
)
from planner.workflow.bodies import AgentLoop, Call, Llm, Use, Wait, as_file, as_time
from planner.workflow.crews import Crew

BODIES = ("llm", "agent", "tool", "human", "steps", "choose", "use")


class Repeat(Declared):
    """Rounds of a step, one after another: `times` of them, or `until` one is accepted, `at_most` so many."""

    example: ClassVar[str] = "{times: 3} or {until: 70%, at_most: 3}"

    times: Count | None = None
    until: Chance | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.times is None and (self.until is None or self.at_most is None):
            raise raised(BadValueError("a repeat takes times, or until and at_most", f"as in repeat: {self.example}"))
        if self.times is not None and (self.until is not None or self.at_most is not None):
            raise raised(BadValueError("a repeat takes times, or until and at_most, not both", "take 'times' away"))
        if self.until == 0:
            message = "a round that is accepted in 0% of cases never ends it"
            raise raised(BadValueError(message, "raise 'until', or write times", at=("until",)))
        return self

    @property
    def most(self) -> int | str:
        """The largest number of rounds."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class Retry(Declared):
    """Attempts of a step, until one does not fail: by `chance`, or because it takes longer than `timeout`.

    at_most : attempts, the first included
    wait : seconds before each attempt but the first
    timeout : seconds after which an attempt is given up
    """

    example: ClassVar[str] = "{chance: 5%, at_most: 3, wait: 2s}"

    chance: Chance = 0.0
    at_most: Count
    wait: Duration = NOTHING
    timeout: Seconds | None = None

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.chance == 0 and self.timeout is None:
            message = "a retry takes the chance that an attempt fails, or a timeout, or both"
            raise raised(BadValueError(message, f"as in retry: {self.example}"))
        if self.timeout == 0:
            raise raised(BadValueError("a timeout must be above 0", "as in timeout: 2min", at=("timeout",)))
        return self


class ForEach(Declared):
    """A fan-out: so many items, each of its own size, 1 on average."""

    example: ClassVar[str] = "{count: 120, size: 0.4x to 2.5x}"

    count: Count
    size: Size | None = None


def _as_count(value: Any) -> Any:
    """A bare count stands for a mapping with that count."""
    return value if isinstance(value, dict) else {"count": value}


class Uncertainty(Declared):
    """How far estimates may be off: factors whose logarithms are normal, 1 in the median, larger in 5 cases of 100.

    per_step : drawn once per sample and step
    overall : drawn once per sample, for all steps
    """

    example: ClassVar[str] = "{per_step: 1.3x, overall: 1.2x}"

    per_step: Widening = 1.0
    overall: Widening = 1.0


def _names(value: Any) -> list[str]:
    """Names of steps, or a single one."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise BadValueError("expected the name of a step, or a list of names", "as in needs: [plan, survey]")
    for index, name in enumerate(value):
        if not isinstance(name, str):
            raise BadValueError("expected the name of a step", at=(index,))
    return value


class Step(Declared):
    """One step: exactly one body (`llm`, `agent`, `tool`, `human`, `steps`, `choose`, `use`) and its modifiers.

    success : chance that what it does comes out well
    otherwise : the step that is done if this one fails
    best_of, first_of : copies, of which all, or the first, are waited for
    """

    example: ClassVar[str] = "{llm: {output: 500 to 2k}}"

    needs: Annotated[list[str], Parsed(_names)] = []
    chance: Chance | None = None
    for_each: Annotated[ForEach, BeforeValidator(_as_count)] | None = None
    repeat: Annotated[Repeat, Mapping] | None = None
    best_of: Count | None = None
    first_of: Count | None = None
    retry: Annotated[Retry, Mapping] | None = None
    success: Chance | None = None
    otherwise: Text | None = None
    crew: Text | None = None
    hold: Flag = True
    model: Text | None = None
    llm: Annotated[Llm, Mapping] | None = None
    agent: Annotated[AgentLoop, Mapping] | None = None
    tool: Annotated[Call, BeforeValidator(as_time)] | None = None
    human: Annotated[Wait, BeforeValidator(as_time)] | None = None
    steps: Annotated[dict[str, Annotated["Step", Mapping]], Mapping] | None = None
    choose: Annotated[dict[str, Annotated["Step", Mapping]], Mapping] | None = None
    use: Annotated[Use, BeforeValidator(as_file), Mapping] | None = None
    _used: "Workflow | None" = PrivateAttr(None)

    @model_validator(mode="after")
    def _branches_are_all(self) -> Self:
        if not self.choose:
            return self
        for name, branch in self.choose.items():
            if branch.chance is None:
                raise raised(
                    BadValueError(
                        "a branch of a choice needs a chance", "as in chance: 30%", at=("choose", name), on_key=True
                    )
                )
        total = sum(branch.chance or 0.0 for branch in self.choose.values())
        if abs(total - 1) > 1e-9:
            message = f"the chances of a choice must add up to 100%, and these make {100 * total:.6g}%"
            raise raised(
                BadValueError(message, "a branch that does nothing may be a tool of 0s", at=("choose",), on_key=True)
            )
        return self

    @property
    def kind(self) -> str:
        return next(body for body in BODIES if getattr(self, body) is not None)

    @property
    def used(self) -> "Workflow | None":
        """The workflow of `use`, once it is read."""
        return self._used


class Workflow(Declared):
    """A validated workflow file. `parameters` hold what `--set` made of them."""

    example: ClassVar[str] = "at least {workflow: its-name, steps: {plan: {human: 5min}}}"

    workflow: Name
    description: Text = ""
    parameters: Annotated[dict[str, Number], Mapping] = {}
    model: Text | None = None
    uncertainty: Annotated[Uncertainty, Mapping] = Uncertainty()
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
                yield from inside(step.steps or step.choose or {}, (*path, name))

        return inside(self.steps, ())
