"""`planner rehearse`: a workflow on the real LangGraph, compared with its prediction; or written as an application."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from planner.cli import BAD_INPUT
from planner.cli.frame import reported
from planner.cli.options import (
    CatalogueFile,
    File,
    Models,
    RuntimeName,
    Seed,
    Set,
    agents_of,
    names,
    read,
    speeds_of,
)

FAILED = 1
"""Exit code: LangGraph does not take as long as predicted."""


def rehearse(
    file: File,
    runtime: RuntimeName = None,
    speed: Annotated[str, typer.Option(help="Factor on the output speed of every request, as in 2.5x.")] = "1x",
    agents: Annotated[
        str | None, typer.Option(help="Agents of the only crew, or CREW=N, or CREW=N,CREW=N.", metavar="N")
    ] = None,
    model: Models = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Annotated[
        int | None, typer.Option(help="Samples to perform. [default: 20]", min=1, max=100_000, show_default=False)
    ] = None,
    set_: Set = None,
    real: Annotated[bool, typer.Option("--real", help="Perform one sample on the real clock.")] = False,
    scale: Annotated[
        str | None, typer.Option("--scale", help="With --real: so many times as fast. [default: 20]", metavar="N")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write an application to start from instead.", metavar="APP.PY")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --export: replace a file that differs.")] = False,
) -> None:
    """Perform a workflow on the real LangGraph, and compare it with its prediction."""
    with reported() as progress:
        from planner.expansion.supersteps.runtime import on_runtime
        from planner.planning.sizing import Sizing
        from planner.report.text.rehearsal import ahead_text, rehearsal_text

        crew, counts = agents_of(agents, several=True) if agents is not None else (None, [None])
        speeds, models, times = speeds_of(speed), names(model), _times(scale, real)
        if len(speeds) > 1 or len(counts) > 1 or len(models) > 1:
            raise typer.BadParameter("a rehearsal is of one scenario")
        if real and samples is not None:
            raise typer.BadParameter("--real performs one sample; leave --samples away")
        if force and export is None:
            raise typer.BadParameter("--force goes with --export")
        if export is not None:
            given = {"--speed": speed != "1x", "--samples": samples is not None, "--real": real}
            for option in (name for name, value in given.items() if value):
                raise typer.BadParameter(f"--export writes the steps as declared; leave {option} away")
        workflow, _ = read(file, set_, catalogue, models, output=export, option="--export")
        said = "runtime" in workflow.model_fields_set
        workflow = on_runtime(workflow.on(models[0]) if models else workflow, runtime)
        _, sizes = Sizing.at(workflow, counts[0], crew)
        if export is not None:
            if workflow.runtime == "dataflow" and (said or runtime is not None):
                raise typer.BadParameter(
                    "--export writes a graph of supersteps, and the runtime is dataflow; add --runtime langgraph"
                )
            from planner.langgraph_bridge.export.application import application_source

            _write(application_source(workflow, sizes), export, force)
            return
        with _langgraph():
            from planner.langgraph_bridge.rehearse.rehearsal import in_real_time
            from planner.langgraph_bridge.rehearse.rehearsal import rehearse as run
        # Ctrl-C: what waits for one of LangGraph's slots is dropped before it begins.
        warnings.filterwarnings("ignore", "coroutine 'arun_with_retry' was never awaited", RuntimeWarning)
        progress.doing = "rehearsing"
        if real:
            found = in_real_time(
                workflow, sizes, scale=times, speed=speeds[0], seed=seed, progress=progress,
                ahead=lambda seconds: typer.echo(ahead_text(seconds, times), err=True),
            )  # fmt: skip
        else:
            found = run(workflow, sizes, speed=speeds[0], seed=seed, samples=samples or 20, progress=progress)
    typer.echo(rehearsal_text(found), nl=False)
    if found.difference is not None:
        raise typer.Exit(FAILED)


def _times(scale: str | None, real: bool) -> float:
    """How many times as fast as in reality."""
    from planner.errors import InputError, Problem
    from planner.reading.units import factor

    if scale is None:
        return 20.0
    if not real:
        raise typer.BadParameter("--scale goes with --real")
    try:
        return factor(scale)
    except ValueError:
        message = f"--scale: '{scale}': expected a number above 0, at most 1,000,000"
        raise InputError([Problem("bad-value", message, None, "as in --scale 20")]) from None


def _write(source: str, path: Path, force: bool) -> None:
    """Write an application, and say what to do with it; what somebody has edited is kept."""
    from planner.cli.output import write_whole

    try:
        if path.is_file() and not force and path.read_bytes() not in (b"", source.encode()):
            raise typer.BadParameter(f"{path} differs from what would be written; --force replaces it")
        write_whole(source, path)
    except OSError as error:
        typer.echo(f"cannot write {path}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    typer.echo(f"wrote {path}; run it: python {path}", err=True)


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
