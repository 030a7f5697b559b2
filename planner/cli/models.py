"""`planner models`: list the catalogue, show one profile, or convert benchmark results into profiles."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.cli.frame import Commands, Once, laid_out, refused, say_notes, unwritable, write_whole
from planner.cli.options import AsJson, Output

CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        help="Your catalogue file. [default: $PLANNER_CATALOGUE, or ./catalogue.yaml]",
        metavar="FILE",
        show_default=False,
    ),
]


class _Models(Commands):
    """The group of commands `planner models`. An unknown command is read as the name of a profile.

    For example, `planner models sonnet` shows the profile `sonnet`.
    """

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
        float | None,
        typer.Option(
            help="Show only profiles with at least this output speed, in tokens/s. If a profile has a range of "
            "speeds, its low end counts.",
            min=0,
        ),
    ] = None,
    max_price: Annotated[
        float | None,
        typer.Option(
            help="Show only profiles with at most this price: USD per million output tokens, or USD per hour for "
            "rented machines.",
            min=0,
        ),
    ] = None,
    available: Annotated[
        str | None, typer.Option(help="Show only profiles with this availability: general, limited or retired.")
    ] = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """List the catalogue of models and tiers. 'planner models NAME' shows one profile and its sources."""
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
        from planner.catalogue.listing import model_rows, select_models
        from planner.report.data.models import models_json
        from planner.report.text.models import models_text

        profiles = Catalogue.of(catalogue, Path())
        listed = select_models(model_rows(profiles), sort, min_speed, max_price, available)
        typer.echo(models_json(profiles, listed) if as_json else laid_out(lambda: models_text(listed)), nl=False)


@models_app.command("show", cls=Once, hidden=True)
def show_one(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A profile of the catalogue.", show_default=False)],
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """Show every number of a profile with its source, kind and age."""
    with refused():
        from planner.catalogue.catalogue import Catalogue
        from planner.report.data.models import model_json
        from planner.report.text.models import model_text

        file, json = context.obj or (None, False)
        profiles = Catalogue.of(catalogue or file, Path())
        as_json = as_json or json
        typer.echo(model_json(profiles, name) if as_json else laid_out(lambda: model_text(profiles, name)), nl=False)


@models_app.command("import", cls=Once)
def import_results(
    results: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT...",
            help="Result files of vLLM bench, SGLang, InferenceX, AIPerf or LLMPerf.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the profile. [default: the model's name]", metavar="NAME")
    ] = None,
    price_per_hour: Annotated[
        str | None, typer.Option(help="Price of the machines in USD per hour.", metavar="USD")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(help="Number of concurrent requests, if the result file does not contain this number.", min=1),
    ] = None,
    form: Annotated[
        Literal["catalogue", "workflow"],
        typer.Option(
            "--as", help="Write a catalogue file for --catalogue, or a 'models:' section to paste into a workflow."
        ),
    ] = "catalogue",
    output: Output = None,
) -> None:
    """Convert benchmark results into profiles. Each number gets a source, a date and a kind, such as 'measured'."""
    with refused():
        from planner.catalogue.benchmarks import import_results as run
        from planner.catalogue.benchmarks import is_import_output

        text, notes = run(results, name, price_per_hour, concurrency, form == "workflow")
        with unwritable(output or "the output"):
            if output is not None and output.is_file() and not is_import_output(output.read_bytes()):
                raise typer.BadParameter(
                    f"--output would replace {output}, which 'planner models import' did not write; name another file"
                )
            say_notes(notes)
            typer.echo(text, nl=False) if output is None else write_whole(text, output)
