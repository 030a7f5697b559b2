"""The command line: options in, one call, text out, exit code. Every import of weight waits for its command."""

import sys
from dataclasses import replace
from typing import Annotated, Literal

import typer

from planner import __version__
from planner.cli.decide import sensitivity, target, tier
from planner.cli.frame import (
    one_format,
    refused,
    reported,
    show,
)
from planner.cli.models import models_app
from planner.cli.options import (
    AsCsv,
    AsJson,
    BackendName,
    CatalogueFile,
    EveryN,
    File,
    MaxTime,
    Models,
    Output,
    Precise,
    Premium,
    Runs,
    RuntimeName,
    Samples,
    Scheduler,
    Seed,
    Set,
    Setup,
    ThreadCount,
    ValueOfTime,
    Waiting,
    agents_of,
    all_at_once,
    backend_of,
    names,
    premium_of,
    read,
    speeds_of,
    stopping_of,
    wishes_of,
)
from planner.cli.rehearse import rehearse
from planner.cli.usage_errors import Commands, Once

app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")


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


@app.command(cls=Once)
def forecast(
    file: File,
    speed: Annotated[str, typer.Option(help="Factor on the output speed of every request, as in 2.5x.")] = "1x",
    agents: Annotated[
        str | None, typer.Option(help="Agents of the only crew, or CREW=N, or CREW=N,CREW=N.", metavar="N")
    ] = None,
    model: Models = None,
    runtime: RuntimeName = None,
    premium: Premium = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Samples = None,
    precision: Precise = None,
    max_time: MaxTime = None,
    threads: ThreadCount = None,
    backend: BackendName = "threads",
    scheduler: Scheduler = None,
    set_: Set = None,
    gantt: Annotated[bool, typer.Option("--gantt", help="Draw what runs when in a typical sample.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where every number comes from, down to the request.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Completion time and cost of a workflow as declared, and where the time goes."""
    with reported() as progress:
        from planner.planning.forecast import forecast as run
        from planner.report.data.results import forecast_csv, forecast_json
        from planner.report.text.forecast import forecast_text

        one_format(as_json, as_csv)
        models = names(model)
        with all_at_once():
            crew, counts = agents_of(agents, several=True) if agents is not None else (None, [None])
            speeds = speeds_of(speed)
            law = premium_of(premium)
            stopping = stopping_of(samples, precision, max_time)
            where = backend_of(backend, threads, scheduler)
        if len(speeds) > 1 or len(counts) > 1 or len(models) > 1:
            raise typer.BadParameter("a forecast is of one scenario; use 'planner compare' for several")
        workflow, caveats = read(file, set_, catalogue, models, runtime, output)
        workflow = workflow.on(models[0]) if models else workflow
        found = run(
            workflow, speed=speeds[0], agents=counts[0], crew=crew, premium=law, seed=seed, **stopping,
            backend=where, progress=progress,
        )  # fmt: skip
        found = replace(found, notes=(*found.notes, *caveats))
        if (gantt or explain) and (as_json or as_csv):
            raise typer.BadParameter("--gantt and --explain are text; leave --json and --csv away")
        text = forecast_text(found)
        if gantt:
            from planner.report.text.gantt import gantt as chart

            text += chart(found)
        if explain:
            from planner.planning.explanation import explain as take_apart
            from planner.report.text.explanation import explanation_text

            text += explanation_text(found, take_apart(workflow, found))
        show(found, as_json, as_csv, output, forecast_json, forecast_csv, lambda one: text)


@app.command(cls=Once)
def compare(
    file: File,
    speed: Annotated[
        str | None,
        typer.Option(
            help="Factors on the output speed of every request. [default: 1x,1.5x,2.5x,5x,8x; 1x of several models]",
            show_default=False,
        ),
    ] = None,
    agents: Annotated[
        str, typer.Option(help="Agents of the only crew, or CREW=1,2,4 of the one named.")
    ] = "1,2,4,8,16",
    model: Models = None,
    runtime: RuntimeName = None,
    premium: Premium = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Samples = None,
    precision: Precise = None,
    max_time: MaxTime = None,
    threads: ThreadCount = None,
    backend: BackendName = "threads",
    scheduler: Scheduler = None,
    set_: Set = None,
    value_of_time: ValueOfTime = None,
    waiting: Waiting = "1",
    setup: Setup = None,
    runs: Runs = None,
    every_n: EveryN = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
) -> None:
    """Completion time and cost over speeds × agents, on the same random draws."""
    with reported() as progress:
        from planner.planning.comparison import compare as run
        from planner.report.data.results import comparison_csv, comparison_json
        from planner.report.text.comparison import comparison_text

        one_format(as_json, as_csv)
        models = names(model)
        with all_at_once():
            crew, counts = agents_of(agents)
            speeds = speeds_of(speed or ("1x" if len(models) > 1 else "1x,1.5x,2.5x,5x,8x"))
            law = premium_of(premium)
            stopping = stopping_of(samples, precision, max_time)
            wishes = wishes_of(value_of_time, waiting, setup, runs, every_n)
            where = backend_of(backend, threads, scheduler)
        workflow, caveats = read(file, set_, catalogue, models, runtime, output)
        found = run(workflow, speeds, counts, models=models, crew=crew, premium=law, seed=seed, **stopping,
                    backend=where, progress=progress, wishes=wishes)  # fmt: skip
        found = replace(found, notes=(*found.notes, *caveats))
        show(found, as_json, as_csv, output, comparison_json, comparison_csv, comparison_text)


app.command(cls=Once)(target)
app.command(cls=Once)(tier)
app.command(cls=Once)(sensitivity)
app.command(cls=Once)(rehearse)


@app.command(cls=Once)
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
    with refused():
        from planner.reading.files.cli_texts import read_texts
        from planner.report.data.tokens import tokens_json
        from planner.report.text.tokens import tokens_text
        from planner.tokens.tally import tally

        found = tally(read_texts(files, sys.stdin.buffer), encoding)
        typer.echo(tokens_json(found) if as_json else tokens_text(found), nl=False)
        for note in found.notes if as_json else ():
            typer.echo(f"note: {note}", err=True)


@app.command(cls=Once)
def examples() -> None:
    """Where the example workflows lie, a path on each line."""
    from planner.loading import example_folder

    for path in sorted(example_folder().glob("*.yaml")):
        typer.echo(path)
