"""`planner rehearse`: a workflow on the real LangGraph, compared with its prediction; or written as an application."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from planner.cli_options import (
    CatalogueFile,
    File,
    Models,
    RuntimeName,
    Seed,
    Set,
    agents_of,
    names,
    read,
    reported,
    speeds_of,
)
from planner.exit_codes import BAD_INPUT

FAILED = 1
"""Exit code: LangGraph does not take as long as predicted."""


def rehearse(
    file: File,
    runtime: RuntimeName = None,
    speed: Annotated[str, typer.Option(help="Factor on the output speed of every request, as in 2.5x.")] = "1x",
    agents: Annotated[str | None, typer.Option(help="Agents of the only crew, or CREW=N.", metavar="N")] = None,
    model: Models = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Annotated[int, typer.Option(help="Samples to perform.", min=1, max=100_000)] = 20,
    set_: Set = None,
    real: Annotated[bool, typer.Option("--real", help="Perform one sample on the real clock.")] = False,
    scale: Annotated[float, typer.Option(help="With --real: so many times as fast.", min=0.01)] = 20.0,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write an application to start from instead.", metavar="APP.PY")
    ] = None,
) -> None:
    """Perform a workflow on the real LangGraph, and compare it with its prediction."""
    with reported() as progress:
        from planner.expansion.runtime import on_runtime
        from planner.planning.scenarios import Sizing
        from planner.report.rehearsal_text import rehearsal_text

        crew, counts = agents_of(agents) if agents is not None else (None, [None])
        speeds, models = speeds_of(speed), names(model)
        if len(speeds) > 1 or len(counts) > 1 or len(models) > 1:
            raise typer.BadParameter("a rehearsal is of one scenario")
        if export is not None:
            given = {"--agents": agents is not None, "--speed": speed != "1x", "--real": real}
            for option in (name for name, value in given.items() if value):
                raise typer.BadParameter(f"--export writes the workflow as declared; leave {option} away")
            if export.exists() and export.samefile(file):
                raise typer.BadParameter(f"--export would replace the workflow {file}; name another file")
        workflow, _ = read(file, set_, catalogue, models)
        workflow = on_runtime(workflow.on(models[0]) if models else workflow, runtime)
        sizing = Sizing.of(workflow, crew)
        sizes = dict(sizing.declared) if counts[0] is None else sizing.sizes(counts[0])
        if export is not None:
            from planner.langgraph_bridge.export import exported
            from planner.output import write_whole

            try:
                write_whole(exported(workflow), export)
            except OSError as error:
                typer.echo(f"cannot write {export}: {error.strerror}", err=True)
                raise typer.Exit(BAD_INPUT) from None
            return
        with _langgraph():
            from planner.langgraph_bridge.rehearsal import in_real_time
            from planner.langgraph_bridge.rehearsal import rehearse as run
        if real:
            found = in_real_time(workflow, sizes, scale=scale, speed=speeds[0], seed=seed)
        else:
            found = run(workflow, sizes, speed=speeds[0], seed=seed, samples=samples, progress=progress)
    typer.echo(rehearsal_text(found), nl=False)
    if found.difference is not None:
        raise typer.Exit(FAILED)


@contextmanager
def _langgraph() -> Iterator[None]:
    """Say so where LangGraph is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("langgraph", "langchain_core"):
            raise
        typer.echo(f"rehearsals need LangGraph, and {error.name} is not installed: pip install langgraph", err=True)
        raise typer.Exit(BAD_INPUT) from None
