"""The commands. Each command turns its options into a request, runs the request and prints the result.

Heavy imports are inside the commands, so that `planner --help` starts fast.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from planner import __version__
from planner.cli import values
from planner.cli.decide import sensitivity, target, tier
from planner.cli.frame import Checked, Commands, Once, laid_out, refused, reported, say_notes, show
from planner.cli.models import models_app
from planner.cli.options import (
    Agents,
    All,
    AsJson,
    BackendOptions,
    CatalogueFile,
    CompareOptions,
    EveryN,
    File,
    Model,
    OnlyBelow,
    OutputOptions,
    Premium,
    Runs,
    RuntimeName,
    SamplingOptions,
    Settings,
    Setup,
    Speed,
    ValueOfTime,
    Waiting,
    Worth,
    expanded,
)
from planner.cli.rehearse import rehearse

app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")


def _version(requested: bool) -> None:
    if requested:
        from planner import engine

        typer.echo(f"planner {__version__}, kernel {engine.status()}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Show the version, and whether the simulation kernel is compiled.",
        ),
    ] = False,
) -> None:
    """Forecast the time and cost of LLM agent workflows. Advise whether faster requests or more agents are worth it."""


@app.command(cls=Checked)
@expanded
def forecast(
    file: File,
    *,
    speed: Speed = "1x",
    agents: Agents = None,
    model: Model = None,
    runtime: RuntimeName = None,
    premium: Premium = None,
    catalogue: CatalogueFile = None,
    sampling: SamplingOptions,
    backend: BackendOptions,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    gantt: Annotated[bool, typer.Option("--gantt", help="Draw the schedule of a typical sample.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how each number is computed, down to single requests.")
    ] = False,
    everything: All = False,
    output: OutputOptions,
) -> None:
    """Forecast the completion time and cost of a workflow. Show where the time goes."""
    with reported() as progress:
        from planner.api.request import ForecastRequest
        from planner.report.data.forecasts import forecast_csv, forecast_json

        if everything:
            from planner.report.text.forecasts import forecast_text as text
        else:
            from planner.report.text.forecast_screen import forecast_screen as text
        with values.checked() as check:
            if (gantt or explain) and (output.as_json or output.as_csv):
                check.add("--gantt and --explain print text; omit --json and --csv")
            fields = values.parse_scenario(
                check,
                speed,
                agents,
                model,
                "a forecast has one scenario; use 'planner compare' for several scenarios",
            )
            law = values.parse_premium(check, premium)
            source = values.parse_source(check, set_, only_below)
            simulation = values.parse_simulation(check, sampling, progress, backend)
        request = values.build_request(
            ForecastRequest, file, source, catalogue, output.output,
            runtime=runtime, premium=law, simulation=simulation, **fields,
        )  # fmt: skip
        result = request.run()
        texts: list[Callable[[Any], str]] = [text]
        if gantt:
            from planner.report.text.gantt import gantt as chart

            texts.append(chart)
        if explain:
            from planner.planning.explanation import explain as explanation_of
            from planner.report.text.explanation import explanation_text

            explanation = explanation_of(request.served[0], result)
            texts.append(lambda result: explanation_text(result, explanation))
        show(result, output, forecast_json, forecast_csv, lambda result: "".join(part(result) for part in texts))


@app.command(cls=Checked)
@expanded
def compare(
    file: File,
    *,
    grid: CompareOptions,
    sampling: SamplingOptions,
    backend: BackendOptions,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    value_of_time: ValueOfTime = None,
    waiting: Waiting = "1",
    setup: Setup = None,
    runs: Runs = None,
    every_n: EveryN = False,
    worth: Worth = "5%",
    everything: All = False,
    output: OutputOptions,
) -> None:
    """Advise whether more agents or a faster model are worth it. Compare completion times and costs."""
    with reported() as progress:
        from planner.api.checks import decision_options
        from planner.api.request import CompareRequest
        from planner.report.data.comparisons import comparison_csv, comparison_json

        with values.checked() as check:
            fields = values.parse_grid(check, grid)
            source = values.parse_source(check, set_, only_below)
            simulation = values.parse_simulation(check, sampling, progress, backend)
            decisions = decision_options(check, value_of_time, waiting, setup, runs, every_n, worth)
        request = values.build_request(
            CompareRequest, file, source, grid.catalogue, output.output,
            simulation=simulation, decisions=decisions, **fields,
        )  # fmt: skip
        if everything:
            from planner.report.text.comparisons import comparison_text as text
        else:
            from planner.report.text.advice import first_screen as text
        whole = everything or output.as_json or output.as_csv
        show(request.run() if whole else request.run_briefly(), output, comparison_json, comparison_csv, text)


for command in (target, tier, sensitivity, rehearse):
    app.command(cls=Checked)(command)


@app.command(cls=Once)
def tokens(
    files: Annotated[
        list[str], typer.Argument(help="Text files; - reads standard input.", show_default=False, metavar="FILE...")
    ],
    encoding: Annotated[
        Literal["o200k_base", "cl100k_base"],
        typer.Option(help="Encoding for the count. In workflows, files are counted with o200k_base."),
    ] = "o200k_base",
    as_json: AsJson = False,
) -> None:
    """Count the tokens of text files offline. Estimate the counts of other tokenizers."""
    with refused():
        from planner.reading.files.text_file import read_texts
        from planner.report.text.tokens import tokens_json, tokens_text
        from planner.report.wording.notes import worded
        from planner.tokens.counting import tally

        result = tally(read_texts(files, getattr(sys.stdin, "buffer", None)), encoding)
        typer.echo(tokens_json(result) if as_json else laid_out(lambda: tokens_text(result)), nl=False)
        say_notes(worded(result.notes if as_json else ()))


@app.command(cls=Once)
def examples() -> None:
    """List the paths of the example workflows, one per line."""
    from planner.loading import example_folder

    for path in sorted(example_folder().glob("*.yaml")):
        typer.echo(path)
