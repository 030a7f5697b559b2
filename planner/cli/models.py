"""`planner models`: the catalogue, one profile of it, and profiles from benchmark results."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from planner.cli.frame import laid_out, refused, say_notes, unwritable, write_whole
from planner.cli.options import AsJson, Output
from planner.cli.usage_errors import Commands, Once

CatalogueFile = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        help="Your catalogue file. [default: PLANNER_CATALOGUE, else catalogue.yaml here]",
        metavar="FILE",
        show_default=False,
    ),
]


class _Models(Commands):
    """A group whose unknown commands are names of profiles, to be shown."""

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
        float | None, typer.Option(help="Lowest output speed, in tokens/s; the low end of a range counts.", min=0)
    ] = None,
    max_price: Annotated[
        float | None, typer.Option(help="Highest output price, in $ per million tokens, or per hour.", min=0)
    ] = None,
    available: Annotated[str | None, typer.Option(help="Only profiles that are general, limited or retired.")] = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """List the catalogue of models and tiers; with a NAME, show that profile with its sources."""
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
            help="Results of vLLM bench, SGLang, InferenceX, AIPerf or LLMPerf.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the profile. [default: the model's]", metavar="NAME")
    ] = None,
    price_per_hour: Annotated[
        str | None, typer.Option(help="Price of the machines in USD per hour.", metavar="USD")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Concurrent requests, if the file does not say.", min=1)
    ] = None,
    form: Annotated[
        Literal["catalogue", "workflow"],
        typer.Option("--as", help="A file for --catalogue, or a 'models:' section to paste into a workflow."),
    ] = "catalogue",
    output: Output = None,
) -> None:
    """Turn benchmark results into profiles: a catalogue file with source, day and kind of each number."""
    with refused():
        from planner.catalogue.benchmarks import import_results as run
        from planner.catalogue.benchmarks import is_import_output

        text, notes = run(results, name, price_per_hour, concurrency, form == "workflow")
        with unwritable(output or "the output"):
            if output is not None and output.is_file() and not is_import_output(output.read_bytes()):
                raise typer.BadParameter(f"--output would replace {output}, which holds no import; name another file")
            say_notes(notes)
            typer.echo(text, nl=False) if output is None else write_whole(text, output)
