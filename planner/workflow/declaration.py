"""The shape of a workflow file (docs/reference/workflow.md)."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    PrivateAttr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from planner.errors import Position
from planner.reading.estimates.counts import CountValue, count_of
from planner.reading.profiles import ProfileDeclaration
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Chance,
    Count,
    Declared,
    Flag,
    ItemCount,
    MappingField,
    Name,
    Number,
    Parsed,
    Size,
    Text,
    Widening,
    raised,
)
from planner.reading.yaml.source_map import Document
from planner.workflow.backlog import Backlog
from planner.workflow.bodies import (
    ESTIMATE_KEYS,
    AgentLoop,
    Call,
    Llm,
    Use,
    Wait,
    as_file,
    as_time,
)
from planner.workflow.bodies import Repeat as Repeat
from planner.workflow.bodies import Retry as Retry
from planner.workflow.crews import Crew

BODIES = ("llm", "agent", "tool", "human", "steps", "choose", "use")


class ForEach(Declared):
    """A fan-out: so many items, each of its own size, 1 on average; or the rows of a backlog, each of its own size.

    size : of `count` items, an estimate; of a `file`, the column that holds it, so that the field is None
    needs : the column with the ids of rows that are done before
    id : the column of ids
    """

    example: ClassVar[str] = "{count: 120, size: 0.4x to 2.5x}"

    count: ItemCount = 0
    file: Name | None = None
    size: Size | None = None
    needs: Name | None = None
    id: Name | None = None
    _backlog: Backlog | None = PrivateAttr(None)

    @field_validator("size", mode="wrap")
    @classmethod
    def _size_or_column(cls, value: Any, parse: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """A column is a name; whether the file has it is seen when the file is read."""
        if "file" not in info.data:
            return None  # a mistake of its own
        if info.data["file"] is None:
            return parse(value)
        if not isinstance(value, str) or not value.strip():
            raise raised(BadValueError("expected the name of a column of the file", "as in size: lines"))
        return None

    @model_validator(mode="after")
    def _count_or_file(self) -> Self:
        if self.file is not None and "count" in self.model_fields_set:
            message = "a fan-out takes a count, or the rows of a file, not both"
            raise raised(BadValueError(message, "take 'count' away", at=("count",), on_key=True))
        if self.file is None and "count" not in self.model_fields_set:
            hint = f"as in for_each: {self.example}"
            raise raised(BadValueError("the key 'count' is missing", hint, code="missing-key", on_key=True))
        for key in ("needs", "id"):
            if self.file is None and getattr(self, key) is not None:
                message = f"'{key}' is a column of a file, and none is named"
                raise raised(BadValueError(message, "as in file: backlog.csv", at=(key,), on_key=True))
        return self

    @property
    def backlog(self) -> Backlog | None:
        """The rows of `file`, once they are read."""
        return self._backlog

    def of(self, backlog: Backlog) -> Self:
        """The fan-out over these rows, whose number is its count."""
        fan_out = self.model_copy(update={"count": len(backlog.ids)})
        fan_out._backlog = backlog
        return fan_out


def _as_count(value: Any) -> Any:
    """A bare count, or an estimate of one, stands for a mapping with that count."""
    estimate = isinstance(value, dict) and "count" not in value and value.keys() & (ESTIMATE_KEYS - {"file"})
    return value if isinstance(value, dict) and not estimate else {"count": value}


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
    repeat: Annotated[Repeat, MappingField] | None = None
    best_of: Count | None = None
    first_of: Count | None = None
    retry: Annotated[Retry, MappingField] | None = None
    success: Chance | None = None
    otherwise: Text | None = None
    crew: Text | None = None
    hold: Flag = True
    model: Text | None = None
    llm: Annotated[Llm, MappingField] | None = None
    agent: Annotated[AgentLoop, MappingField] | None = None
    tool: Annotated[Call, BeforeValidator(as_time)] | None = None
    human: Annotated[Wait, BeforeValidator(as_time)] | None = None
    steps: Annotated[dict[str, Annotated["Step", MappingField]], MappingField] | None = None
    choose: Annotated[dict[str, Annotated["Step", MappingField]], MappingField] | None = None
    use: Annotated[Use, MappingField, BeforeValidator(as_file)] | None = None
    _used: "Workflow | None" = PrivateAttr(None)

    @model_validator(mode="after")
    def _leaving_knows_no_timeout(self) -> Self:
        if self.human is not None and self.human.leaves and self.retry is not None and self.retry.timeout is not None:
            message = "a timeout cannot cut the time that somebody who 'leaves' is away"
            raise raised(
                BadValueError(message, "take 'timeout' or 'leaves' away", at=("retry", "timeout"), on_key=True)
            )
        return self

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

    @property
    def within(self) -> "dict[str, Step]":
        """The steps of a group, the branches of a choice, the steps of a used workflow; else none."""
        return self.steps or self.choose or (self._used.steps if self._used else {})

    def using(self, workflow: "Workflow") -> Self:
        """This step with the workflow that its `use` stands for."""
        step = self.model_copy()
        step._used = workflow
        return step


RUNTIMES = ("dataflow", "langgraph")


def _runtime(value: Any) -> str:
    if value not in RUNTIMES:
        raise BadValueError("expected 'dataflow' or 'langgraph'", "as in runtime: langgraph")
    return str(value)


class Workflow(Declared):
    """A validated workflow file. `parameters` hold what `--set` made of them.

    runtime : ``langgraph``: groups are graphs of LangGraph's, in whose supersteps steps wait for each other
    max_concurrency : tasks at a time in each run of a graph
    """

    example: ClassVar[str] = "at least {workflow: its-name, steps: {plan: {human: 5min}}}"

    workflow: Name
    description: Text = ""
    parameters: Annotated[dict[str, Number], MappingField] = {}
    model: Text | None = None
    runtime: Annotated[str, Parsed(_runtime)] = "dataflow"
    max_concurrency: Count | None = None
    uncertainty: Annotated[Uncertainty, MappingField] = Uncertainty()
    models: Annotated[dict[str, Annotated[ProfileDeclaration, MappingField]], MappingField] = {}
    crews: Annotated[dict[str, Annotated[Crew, MappingField]], MappingField] = {}
    steps: Annotated[dict[str, Annotated[Step, MappingField]], MappingField]
    _document: Document | None = PrivateAttr(None)
    _written_for: str | None = PrivateAttr(None)

    def on(self, model: str) -> Self:
        """The same on another model, for the steps that name none."""
        if model == (self.model or ""):
            return self
        other = self.model_copy(update={"model": model})
        other._written_for = self.written_for
        return other

    @property
    def written_for(self) -> str | None:
        """The model in whose tokens bare numbers of tokens are: the one that the file declares."""
        return self._written_for or self.model

    @model_validator(mode="after")
    def _limits_are_langgraph_s(self) -> Self:
        if self.max_concurrency is not None and self.runtime != "langgraph":
            message = "'max_concurrency' is LangGraph's, and the runtime is another"
            raise raised(BadValueError(message, "add runtime: langgraph", at=("max_concurrency",), on_key=True))
        return self

    def read_from(self, document: Document) -> Self:
        """Remember where everything stands."""
        self._document = document
        return self

    def place(self, *path: str | int) -> Position | None:
        """Where the value at a path stands; a path may go on through `use` into the steps of another file."""
        steps = self.steps
        for at in range(1, len(path) if path[:1] == ("steps",) else 0, 2):
            step = steps.get(str(path[at]))
            if step is None:
                break
            if step.used is not None and len(path) > at + 2 and path[at + 2] in step.used.steps:
                return step.used.place("steps", *path[at + 2 :])
            steps = step.within
        return self._document.value(*path) if self._document else None

    def key(self, *path: str | int) -> Position | None:
        """Where the key at a path of this file stands."""
        return self._document.key(*path) if self._document else None

    def count(self, declared: CountValue) -> int:
        """A count that does not depend on agents: a number, the name of a parameter, arithmetic."""
        return count_of(declared, self.parameters)

    def walk(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Every step with its path, a group before its steps, in the order of the file; also those of used files."""

        def inside(steps: dict[str, Step], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
            for name, step in steps.items():
                yield (*path, name), step
                yield from inside(step.within, (*path, name))

        return inside(self.steps, ())
