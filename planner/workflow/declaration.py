"""Declarations of workflows, steps and fan-outs (docs/reference/workflow.md)."""

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

from planner.errors import Position, for_example
from planner.reading.estimates.counts import CountValue, count_of
from planner.reading.fields import (
    Chance,
    Count,
    Declared,
    Flag,
    ItemCount,
    MappingField,
    Name,
    Number,
    ParsedBy,
    Size,
    Text,
    Widening,
    as_text,
    validation_error,
)
from planner.reading.profiles import ProfileDeclaration
from planner.reading.units import BadValueError
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
    """A fan-out over `count` items, or over the rows of a CSV file.

    file : name of the CSV file, which has one row per item
    size : estimate of an item's relative size, scaled to a mean of 1. With a `file`, this value is None, and `backlog`
        has the sizes
    needs : name of the column with the ids of the items that must be finished first
    id : name of the column with the id of each item
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
        """Parse the key `size` of a fan-out.

        Without a file, the value is an estimate. With a file, the value is the name of a column, and the result is
        None. The column is read later.
        """
        if "file" not in info.data:
            return None  # reported elsewhere
        if info.data["file"] is None:
            return parse(value)
        if not isinstance(value, str) or not value.strip():
            raise validation_error(
                BadValueError("expected the name of a column of the file", "write for example 'size: lines'")
            )
        return None

    @model_validator(mode="after")
    def _count_or_file(self) -> Self:
        if self.file is not None and "count" in self.model_fields_set:
            message = "'for_each' has either 'count' or 'file', not both"
            raise validation_error(BadValueError(message, "remove 'count'", at=("count",), on_key=True))
        if self.file is None and "count" not in self.model_fields_set:
            hint = for_example("for_each", self.example)
            raise validation_error(BadValueError("the key 'count' is missing", hint, code="missing-key", on_key=True))
        for key in ("needs", "id"):
            if self.file is None and getattr(self, key) is not None:
                message = f"'{key}' names a column of a file, but 'file' is missing"
                raise validation_error(
                    BadValueError(
                        message, "replace 'count', for example by 'file: backlog.csv'", at=(key,), on_key=True
                    )
                )
        if self.id is not None and self.needs is None:
            message = "'id' has no effect without 'needs', the column with the ids of other rows"
            raise validation_error(
                BadValueError(message, "remove 'id', or add for example 'needs: after'", at=("id",), on_key=True)
            )
        return self

    @property
    def backlog(self) -> Backlog | None:
        """Rows of the fan-out's file. The value is None before the file is read, or if the fan-out has no file."""
        return self._backlog

    def over(self, backlog: Backlog) -> Self:
        """Return a copy of the fan-out with the rows of `backlog`. The `count` of the copy is the number of rows."""
        fan_out = self.model_copy(update={"count": len(backlog.ids)})
        fan_out._backlog = backlog
        return fan_out


def _as_count(value: Any) -> Any:
    """Return `{"count": value}` for a bare count, such as `120` or `{p50: 80, p95: 150}`.

    Return any other mapping unchanged.
    """
    estimate = isinstance(value, dict) and "count" not in value and value.keys() & (ESTIMATE_KEYS - {"file"})
    return value if isinstance(value, dict) and not estimate else {"count": value}


class Uncertainty(Declared):
    """Sizes of the errors of estimates. An error is a lognormal factor with median 1.

    per_step : 95th percentile of an error that is drawn separately for each step in each simulated run
    overall : 95th percentile of an error that is drawn once per simulated run and affects all steps
    """

    example: ClassVar[str] = "{per_step: 1.3x, overall: 1.2x}"

    per_step: Widening = 1.0
    overall: Widening = 1.0


def _names(value: Any) -> list[str]:
    """Return a list of step names. A single name becomes a list of one name.

    Raises `BadValueError` if `value` is neither a name nor a list of names.
    """
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise BadValueError(
            "expected the name of a step, or a list of names", "write for example 'needs: [plan, survey]'"
        )
    for index, name in enumerate(value):
        if not isinstance(name, str):
            raise BadValueError("expected the name of a step", at=(index,))
    return value


def _crew(value: Any) -> str:
    if isinstance(value, dict):
        declared = (
            f"crews: {{team: {{agents: {value['agents']}}}}}" if value.keys() == {"agents"} else "crews: {team: …}"
        )
        hint = f"declare it at the top of the file, '{declared}', and write 'crew: team' here"
        raise BadValueError("expected the name of a crew, not a mapping", hint)
    if isinstance(value, list):
        raise BadValueError(
            "expected the name of one crew", "put all agents into one crew, or write a step for each crew"
        )
    return as_text(value)


class Step(Declared):
    """A step of a workflow. A step has exactly one body and any number of modifiers.

    The bodies are `llm`, `agent`, `tool`, `human`, `steps`, `choose` and `use`.

    success : probability that the step succeeds
    otherwise : name of the step that runs if this step fails
    best_of : number of concurrent copies, if the step ends when all copies have ended
    first_of : number of concurrent copies, if the step ends when the first copy ends
    """

    example: ClassVar[str] = "{llm: {output: 500 to 2k}}"

    needs: Annotated[list[str], ParsedBy(_names)] = []
    chance: Chance | None = None
    for_each: Annotated[ForEach, BeforeValidator(_as_count)] | None = None
    repeat: Annotated[Repeat, MappingField] | None = None
    best_of: Count | None = None
    first_of: Count | None = None
    retry: Annotated[Retry, MappingField] | None = None
    success: Chance | None = None
    otherwise: Text | None = None
    crew: Annotated[str, ParsedBy(_crew)] | None = None
    hold: Flag | None = None
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
    def _no_timeout_with_leaves(self) -> Self:
        if self.human is not None and self.human.leaves and self.retry is not None and self.retry.timeout is not None:
            message = "'timeout' and 'leaves' cannot be combined: a timeout cannot end a person's absence"
            raise validation_error(
                BadValueError(message, "remove 'timeout' or 'leaves'", at=("retry", "timeout"), on_key=True)
            )
        return self

    @model_validator(mode="after")
    def _chances_add_up(self) -> Self:
        if not self.choose:
            return self
        for name, branch in self.choose.items():
            if branch.chance is None:
                raise validation_error(
                    BadValueError(
                        "a branch of a choice needs a chance",
                        "add for example 'chance: 30%'",
                        at=("choose", name),
                        on_key=True,
                    )
                )
        total = sum(branch.chance or 0.0 for branch in self.choose.values())
        if abs(total - 1) > 1e-9:
            message = f"the chances of a choice must add up to 100%, but these add up to {100 * total:.6g}%"
            hint = "change the chances"
            if total < 1:
                nothing = f"{{chance: {100 - 100 * total:.6g}%, tool: 0s}}"
                hint += f", or add a branch that does nothing, for example 'nothing: {nothing}'"
            raise validation_error(BadValueError(message, hint, at=("choose",), on_key=True))
        return self

    @property
    def kind(self) -> str:
        """Key of the step's body, such as `llm`."""
        return next(body for body in BODIES if getattr(self, body) is not None)

    @property
    def used(self) -> "Workflow | None":
        """Workflow that the step uses. The value is None before the used file is read, or if the step has no `use`."""
        return self._used

    def is_held(self, crew: str | None) -> bool:
        """Whether one agent of a crew does all steps of an item of this fan-out, and is held for the whole item.

        crew : crew that this step inherits from the steps that contain it; None: it inherits no crew
        """
        return self.crew is not None or (crew is not None and self.kind not in ("tool", "human"))

    @property
    def within(self) -> "dict[str, Step]":
        """Steps inside a group, a choice or a step with `use`, by name. For any other step, the dict is empty."""
        return self.steps or self.choose or (self._used.steps if self._used else {})

    def using(self, workflow: "Workflow") -> Self:
        """Return a copy of the step with `workflow` as its attribute `used`."""
        step = self.model_copy()
        step._used = workflow
        return step


RUNTIMES = ("dataflow", "langgraph")


def _runtime(value: Any) -> str:
    if value not in RUNTIMES:
        raise BadValueError("expected 'dataflow' or 'langgraph'", "write for example 'runtime: langgraph'")
    return str(value)


class Workflow(Declared):
    """A validated workflow file.

    parameters : values of the parameters, including changes by `--set`
    runtime : ``dataflow`` or ``langgraph``. With ``langgraph``, each group of steps runs as a LangGraph graph
    max_concurrency : largest number of concurrent tasks in one run of a graph
    """

    example: ClassVar[str] = "write at least {workflow: a-name, steps: {plan: {human: 5min}}}"

    workflow: Name
    description: Text = ""
    parameters: Annotated[dict[str, Number], MappingField] = {}
    model: Text | None = None
    runtime: Annotated[str, ParsedBy(_runtime)] = "dataflow"
    max_concurrency: Count | None = None
    uncertainty: Annotated[Uncertainty, MappingField] = Uncertainty()
    models: Annotated[dict[str, Annotated[ProfileDeclaration, MappingField]], MappingField] = {}
    crews: Annotated[dict[str, Annotated[Crew, MappingField]], MappingField] = {}
    steps: Annotated[dict[str, Annotated[Step, MappingField]], MappingField]
    _document: Document | None = PrivateAttr(None)
    _written_for: str | None = PrivateAttr(None)

    def on(self, model: str) -> Self:
        """Return the workflow with `model` as its default model. Steps that name another model keep their own model."""
        if model == (self.model or ""):
            return self
        other = self.model_copy(update={"model": model})
        other._written_for = self.written_for
        return other

    @property
    def written_for(self) -> str | None:
        """Name of the model in the workflow file; None if the file names no model.

        The declared numbers of tokens are meant for this model, even if the workflow runs on another model.
        """
        return self._written_for or self.model

    @model_validator(mode="after")
    def _max_concurrency_needs_langgraph(self) -> Self:
        if self.max_concurrency is not None and self.runtime != "langgraph":
            message = "'max_concurrency' is only available with the runtime 'langgraph'"
            raise validation_error(
                BadValueError(
                    message,
                    "add 'runtime: langgraph', or remove 'max_concurrency'",
                    at=("max_concurrency",),
                    on_key=True,
                )
            )
        return self

    def read_from(self, document: Document) -> Self:
        """Store the document from which the workflow was read. Return the workflow.

        The document has the positions of all keys and values in the workflow file.
        """
        self._document = document
        return self

    @property
    def file(self) -> str:
        """Path of the workflow file, as shown in messages. Empty if the workflow was not read from a document."""
        return self._document.file if self._document else ""

    def written(self, *path: str) -> Any:
        """Return the value at `path` as it is written in the workflow file. Return None if there is no such value."""
        value = self._document.data if self._document else None
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def place(self, *path: str | int) -> Position | None:
        """Return the position of the value at `path` in the workflow file.

        The path may lead into a used workflow. For example, `("steps", "a", "use", "b")` is the step `b` of the
        workflow that the step `a` uses.
        """
        steps = self.steps
        for index in range(1, len(path) if path[:1] == ("steps",) else 0, 2):
            step = steps.get(str(path[index]))
            if step is None:
                break
            if step.used is not None and len(path) > index + 2 and path[index + 2] in step.used.steps:
                return step.used.place("steps", *path[index + 2 :])
            steps = step.within
        return self._document.value(*path) if self._document else None

    def key(self, *path: str | int) -> Position | None:
        """Return the position of the key at `path` in the workflow file."""
        return self._document.key(*path) if self._document else None

    def count(self, declared: CountValue) -> int:
        """Return the number for a declared count, which may depend on parameters of the workflow.

        Raises `BadValueError` if the count is invalid or depends on `agents`.
        """
        return count_of(declared, self.parameters)

    def walk(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Yield a pair of path and step for every step of the workflow and of the workflows that it uses.

        The path consists of names. For example, the step `test` in the group `build` has the path `("build", "test")`.
        A group comes before its steps.
        """

        def inside(steps: dict[str, Step], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
            for name, step in steps.items():
                yield (*path, name), step
                yield from inside(step.within, (*path, name))

        return inside(self.steps, ())
