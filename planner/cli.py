"""The command line: options in, one call, text out, exit code. Every import of weight waits for its command."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from planner import __version__
from planner.__main__ import INTERRUPTED

# Looking for pydantic plugins reads the metadata of every installed package, a tenth of a second in large environments.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class _Models(TyperGroup):
    """`planner models`: what is no command of its own is the name of a profile."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

models_app = typer.Typer(cls=_Models, rich_markup_mode=None, invoke_without_command=True)
app.add_typer(models_app, name="models")

BAD_INPUT = 2

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


CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue", help="Your own catalogue file; else PLANNER_CATALOGUE, else catalogue.yaml here.", metavar="FILE"
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from planner import engine

        typer.echo(f"planner {__version__}, kernel {engine.status()}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version and which kernel runs."),
    ] = False,
) -> None:
    """Plan LLM agent workflows before they run: how long, how much, and faster requests or more agents?"""


@app.command()
def forecast(
    file: File,
    speed: Annotated[str, typer.Option(help="Factor on the output speed of every request, as in 2.5x.")] = "1x",
    agents: Annotated[str | None, typer.Option(help="Agents of the only crew, or CREW=N.", metavar="N")] = None,
    seed: Seed = 1,
    samples: Samples = 1000,
    set_: Set = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where every number comes from, down to the request.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Completion time and cost of a workflow as declared, and where the time goes."""
    with _reported() as progress:
        from planner.planning.forecast import forecast as run
        from planner.report.data import forecast_csv, forecast_json
        from planner.report.forecast_text import forecast_text
        from planner.workflow.read import read_workflow

        _one_format(as_json, as_csv)
        crew, counts = _agents(agents) if agents is not None else (None, [None])
        speeds = _speeds(speed)
        if len(speeds) > 1 or len(counts) > 1:
            raise typer.BadParameter("a forecast is of one scenario; use 'planner compare' for several")
        workflow = read_workflow(file, _parameters(set_))
        found = run(
            workflow, speed=speeds[0], agents=counts[0], crew=crew, seed=seed, samples=samples, progress=progress
        )
        if explain:
            from planner.planning.explanation import explain as take_apart
            from planner.report.explanation_text import explanation_text

            if as_json or as_csv:
                raise typer.BadParameter("--explain is text; leave --json and --csv away")
            explanation = explanation_text(found, take_apart(workflow, found))
            _show(
                found, False, False, output, forecast_json, forecast_csv, lambda one: forecast_text(one) + explanation
            )
            return
        _show(found, as_json, as_csv, output, forecast_json, forecast_csv, forecast_text)


@app.command()
def compare(
    file: File,
    speed: Annotated[str, typer.Option(help="Factors on the output speed of every request.")] = "1x,1.5x,2.5x,5x,8x",
    agents: Annotated[
        str, typer.Option(help="Agents of the only crew, or CREW=1,2,4 of the one named.")
    ] = "1,2,4,8,16",
    seed: Seed = 1,
    samples: Samples = 1000,
    set_: Set = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Completion time and cost over speeds × agents, on the same random draws."""
    with _reported() as progress:
        from planner.planning.comparison import compare as run
        from planner.report.data import comparison_csv, comparison_json
        from planner.report.heat_map import heat_map
        from planner.workflow.read import read_workflow

        _one_format(as_json, as_csv)
        crew, counts = _agents(agents)
        speeds = _speeds(speed)
        workflow = read_workflow(file, _parameters(set_))
        found = run(workflow, speeds, counts, crew=crew, seed=seed, samples=samples, progress=progress)
        _show(found, as_json, as_csv, output, comparison_json, comparison_csv, heat_map)


@app.command()
def tokens(
    files: Annotated[
        list[str], typer.Argument(help="Text files; - is standard input.", show_default=False, metavar="FILE...")
    ],
    encoding: Annotated[
        Literal["o200k_base", "cl100k_base"], typer.Option(help="Count with it; estimates are of o200k_base.")
    ] = "o200k_base",
    as_json: AsJson = False,
) -> None:
    """Tokens of text files, counted offline, and estimates for other tokenizers."""
    with _refused():
        from planner.reading.texts import read_texts
        from planner.report.tokens_text import tokens_json, tokens_text
        from planner.tokens.tally import tally

        found = tally(read_texts(files, sys.stdin.buffer), encoding)
        typer.echo(tokens_json(found) if as_json else tokens_text(found), nl=False)
        for note in found.notes if as_json else ():
            typer.echo(f"note: {note}", err=True)


@app.command()
def examples() -> None:
    """Where the example workflows lie, a path on each line."""
    from planner.examples import folder

    for path in sorted(folder().glob("*.yaml")):
        typer.echo(path)


@models_app.callback()
def models(
    context: typer.Context,
    sort: Annotated[str, typer.Option(help="Sort by name, speed (fastest first) or price (cheapest first).")] = "name",
    min_speed: Annotated[float | None, typer.Option(help="Least output speed, in tokens/s.", min=0)] = None,
    max_price: Annotated[
        float | None, typer.Option(help="Highest price of output, in $ per million tokens, or per hour.", min=0)
    ] = None,
    available: Annotated[str | None, typer.Option(help="Only general, limited or retired ones.")] = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """The catalogue of models and tiers; with a NAME, all that is known of that one and where it comes from."""
    if context.invoked_subcommand is not None:
        context.obj = (catalogue, as_json)
        return
    for option, value, choices in (
        ("--sort", sort, ("name", "speed", "price")),
        ("--available", available or "general", ("general", "limited", "retired")),
    ):
        if value not in choices:
            raise typer.BadParameter(f"{option}: '{value}': expected {', '.join(choices[:-1])} or {choices[-1]}")
    with _reported():
        from planner.report.models_text import chosen, models_json, models_text, rows

        known = _catalogue(catalogue)
        found = chosen(rows(known), sort, min_speed, max_price, available)
        typer.echo(models_json(known, found) if as_json else models_text(found), nl=False)


@models_app.command(hidden=True)
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A profile of the catalogue.", show_default=False)],
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """Every number of a profile with its source, kind and age."""
    with _reported():
        from planner.report.models_text import model_json, model_text

        file, json = context.obj or (None, False)
        known = _catalogue(catalogue or file)
        typer.echo(model_json(known, name) if as_json or json else model_text(known, name), nl=False)


def _catalogue(option: Path | None) -> Any:
    """The catalogue, with the user's file that is named or lies here."""
    from planner.catalogue.catalogue import Catalogue
    from planner.catalogue.own import find

    return Catalogue.load(find(option, Path()))


@contextmanager
def _reported() -> Iterator[Callable[[float], None]]:
    """As `_refused`, and show progress on a terminal and a note if the kernel is slow."""
    with _refused():
        from planner import engine
        from planner.report.progress import Progress

        if not engine.active_kernel().compiled:
            typer.echo(f"note: the kernel runs {engine.status()}, many times slower", err=True)
        with Progress(sys.stderr) as progress:
            yield progress


@contextmanager
def _refused() -> Iterator[None]:
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


def _one_format(as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")


def _show(
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


def _speeds(text: str) -> list[float]:
    from planner.reading.units import factor

    return [_value(factor, part, "--speed") for part in text.split(",")]


def _agents(text: str) -> tuple[str | None, list[Any]]:
    """The crew that is named, and the numbers of agents."""
    from planner.reading.validation import MOST_AGENTS

    def count(part: str) -> int:
        if not part.strip().isdecimal() or not 1 <= int(part) <= MOST_AGENTS:
            raise ValueError(f"expected whole numbers from 1 to {MOST_AGENTS:,}, such as 1,2,4")
        return int(part)

    crew, equals, numbers = text.rpartition("=")
    return (crew.strip() if equals else None), [_value(count, part, "--agents") for part in numbers.split(",")]


def _parameters(settings: list[str] | None) -> dict[str, float]:
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
