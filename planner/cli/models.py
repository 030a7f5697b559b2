"""`planner models`: the catalogue, one profile of it, and profiles from benchmark results."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.cli import BAD_INPUT
from planner.cli.frame import refused
from planner.cli.options import AsJson, CatalogueFile
from planner.cli.usage_errors import Commands, Once


class _Models(Commands):
    """What is no command of its own is the name of a profile."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


models_app = typer.Typer(cls=_Models, rich_markup_mode=None, invoke_without_command=True)


@models_app.callback()
def models(
    context: typer.Context,
    sort: Annotated[str, typer.Option(help="Sort by name, speed (fastest first) or price (cheapest first).")] = "name",
    min_speed: Annotated[
        float | None, typer.Option(help="Least output speed, in tokens/s; of a range its low end.", min=0)
    ] = None,
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
    with refused():
        from planner.catalogue.catalogue import Catalogue
        from planner.report.data.models import model_rows, models_json, select_models
        from planner.report.text.models import models_text

        known = Catalogue.of(catalogue, Path())
        found = select_models(model_rows(known), sort, min_speed, max_price, available)
        typer.echo(models_json(known, found) if as_json else models_text(found), nl=False)


@models_app.command("show", cls=Once, hidden=True)
def show_one(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A profile of the catalogue.", show_default=False)],
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """Every number of a profile with its source, kind and age."""
    with refused():
        from planner.catalogue.catalogue import Catalogue
        from planner.report.data.models import model_json
        from planner.report.text.models import model_text

        file, json = context.obj or (None, False)
        known = Catalogue.of(catalogue or file, Path())
        typer.echo(model_json(known, name) if as_json or json else model_text(known, name), nl=False)


@models_app.command("import", cls=Once)
def import_results(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT...",
            help="Results of vLLM bench, SGLang, InferenceX, AIPerf or LLMPerf.",
            show_default=False,
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Name of the profile; else the model's.", metavar="NAME")] = None,
    price_per_hour: Annotated[
        str | None, typer.Option(help="US dollars per hour of the machines.", metavar="USD")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests at a time, where the file does not tell.", min=1)
    ] = None,
    form: Annotated[
        Literal["catalogue", "workflow"],
        typer.Option("--as", help="A file for --catalogue, or a 'models:' section to be pasted into a workflow."),
    ] = "catalogue",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file, whole or not at all.", metavar="PATH")
    ] = None,
) -> None:
    """Make profiles of benchmark results: a catalogue file, each number with its source, day and kind."""
    with refused():
        from planner.catalogue.benchmarks import import_results as run
        from planner.catalogue.benchmarks import is_import_output
        from planner.cli.output import write_whole

        text, notes = run(results, name, price_per_hour, concurrency, form == "workflow")
        try:
            if output is not None and output.is_file() and not is_import_output(output.read_bytes()):
                raise typer.BadParameter(f"--output would replace {output}, which holds no import; name another file")
            for note in notes:
                typer.echo(f"note: {note}", err=True)
            typer.echo(text, nl=False) if output is None else write_whole(text, output)
        except OSError as error:
            typer.echo(f"cannot write {output}: {error.strerror}", err=True)
            raise typer.Exit(BAD_INPUT) from None
