"""What the commands share: options, bad input and Ctrl-C as exit codes, output to a terminal or a file."""

import io
import os
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.exit_codes import BAD_INPUT, INTERRUPTED

# Looking for pydantic plugins reads the metadata of every installed package, a tenth of a second in large environments.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

File = Annotated[Path, typer.Argument(help="A workflow file.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Seed of the random draws.", min=0)]
Samples = Annotated[int, typer.Option(help="Monte-Carlo samples.", min=1, max=10_000_000)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Give a parameter another value, as in --set modules=240.", metavar="NAME=VALUE"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file, whole or not at all.", metavar="PATH")
]


RuntimeName = Annotated[
    Literal["langgraph", "dataflow"] | None,
    typer.Option("--runtime", help="What runs it, in the place of the file's: langgraph or dataflow.", metavar="NAME"),
]
Models = Annotated[
    str | None,
    typer.Option("--model", help="Profiles in the place of the workflow's: NAME or NAME,NAME.", metavar="NAME"),
]
CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue", help="Your own catalogue file; else PLANNER_CATALOGUE, else catalogue.yaml here.", metavar="FILE"
    ),
]


@contextmanager
def reported() -> Iterator[Callable[[float], None]]:
    """As `refused`, and show progress on a terminal and a note if the kernel is slow."""
    with refused():
        from planner import engine
        from planner.report.progress import Progress

        if not engine.active_kernel().compiled:
            typer.echo(f"note: the kernel runs {engine.status()}, many times slower", err=True)
        with Progress(sys.stderr) as progress:
            yield progress


@contextmanager
def refused() -> Iterator[None]:
    """Turn bad input into exit 2 and Ctrl-C into exit 130, with nothing written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal or pipe that cannot show a shade or a dash shows '?'
    try:
        from planner.errors import InputError

        try:
            yield
        except InputError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; nothing was written", err=True)
        raise typer.Exit(INTERRUPTED) from None


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse two formats at once."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")


def show(
    found: Any,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
    to_json: Callable[[Any], str],
    to_csv: Callable[[Any], str],
    to_text: Callable[[Any], str],
) -> None:
    """To standard output, or to a file that appears whole or not at all; notes of JSON and CSV to standard error."""
    from planner.output import write_whole
    from planner.report.words import without_colour

    text = to_json(found) if as_json else to_csv(found) if as_csv else to_text(found)
    if as_json or as_csv:
        for note in found.notes:
            typer.echo(f"note: {note}", err=True)
    try:
        if output is not None:
            write_whole(without_colour(text), output)
        else:
            typer.echo(text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
    except BrokenPipeError:
        raise
    except OSError as error:
        typer.echo(f"cannot write {output or 'the output'}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def speeds_of(text: str) -> list[float]:
    """Factors on output speeds."""
    from planner.reading.units import factor

    return [_value(factor, part, "--speed") for part in text.split(",")]


def agents_of(text: str) -> tuple[str | None, list[Any]]:
    """The crew that is named, and the numbers of agents."""
    from planner.reading.validation import MOST_AGENTS

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            raise ValueError(f"expected whole numbers from 1 to {MOST_AGENTS:,}, such as 1,2,4")
        return int(part)

    crew, equals, numbers = text.rpartition("=")
    return (crew.strip() if equals else None), [_value(count, part, "--agents") for part in numbers.split(",")]


def parameters(settings: list[str] | None) -> dict[str, float]:
    """Values of parameters from `--set`."""
    from planner.reading.units import count

    found: dict[str, float] = {}
    for setting in settings or []:
        name, equals, value = setting.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {setting}: write NAME=VALUE")
        if name.strip() in found:
            raise typer.BadParameter(f"--set {name.strip()}: given twice")
        found[name.strip()] = _value(count, value, f"--set {name}")
    return found


def _value(parse: Callable[[str], Any], text: str, option: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: '{text}': {error}") from None


def open_catalogue(option: Path | None, folder: Path) -> Any:
    """The catalogue, with the user's file that is named or lies in a folder."""
    from planner.catalogue.catalogue import Catalogue
    from planner.catalogue.own import find

    return Catalogue.load(find(option, folder))


def read(file: Path, settings: list[str] | None, catalogue: Path | None, models: list[str]) -> tuple[Any, list[str]]:
    """The workflow of a file, and what is to be known of the profiles of the catalogue that it uses.

    The catalogue is only opened where the file, or `models`, names a profile that the file does not declare.
    """
    from planner.errors import InputError, Problem, did_you_mean
    from planner.workflow.read import read_workflow

    given = parameters(settings)
    try:
        workflow = read_workflow(file, given)
        if all(name in workflow.models for name in models):
            return workflow, []
    except InputError as error:
        if not any(problem.code in ("unknown-model", "bad-profile") for problem in error.problems):
            raise
    known = open_catalogue(catalogue, file.parent)
    workflow = read_workflow(file, given, known_models=known.names)
    declared = ChainMap(dict(workflow.models), known.declared)
    unknown = [name for name in models if name not in declared]
    if unknown:
        raise InputError(
            Problem("unknown-model", f"--model: unknown model '{name}'", None, did_you_mean(name, declared))
            for name in unknown
        )
    named = models or ([workflow.model] if workflow.model else [])
    used = list(dict.fromkeys([*named, *(step.model for _, step in workflow.walk() if step.model)]))
    for name in used:  # and what the file's own profiles are based on
        base = workflow.models[name].based_on if name in workflow.models else None
        if base is not None and base not in used:
            used.append(base)
    caveats = [caveat for name in used if name not in workflow.models for caveat in known.caveats(name)]
    return workflow.model_copy(update={"models": declared}), list(dict.fromkeys(caveats))


def names(text: str | None) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else []


def sentence(text: str) -> str:
    """With a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
