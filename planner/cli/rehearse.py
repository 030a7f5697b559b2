"""`planner rehearse`: run a workflow on the real LangGraph and compare times with predictions, or export it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli import BAD_INPUT, values
from planner.cli.frame import laid_out, reported, unwritable, write_whole
from planner.cli.options import (
    Agents,
    CatalogueFile,
    File,
    Model,
    OnlyBelow,
    RuntimeName,
    Seed,
    Settings,
    Speed,
)

if TYPE_CHECKING:
    from planner.api.checks import Checks

FAILED = 1
"""Exit code if the run on LangGraph differs from the prediction."""


def rehearse(
    file: File,
    runtime: RuntimeName = None,
    speed: Speed = "1x",
    agents: Agents = None,
    model: Model = None,
    catalogue: CatalogueFile = None,
    seed: Seed = 1,
    samples: Annotated[
        int | None, typer.Option(help="Number of samples to run. [default: 20]", min=1, max=100_000, show_default=False)
    ] = None,
    set_: Settings = None,
    only_below: OnlyBelow = None,
    real: Annotated[
        bool, typer.Option("--real", help="Run one sample in real time, instead of many samples on a virtual clock.")
    ] = False,
    scale: Annotated[
        str | None, typer.Option("--scale", help="With --real: divide all durations by N. [default: 20]", metavar="N")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write the source code of a LangGraph application to start from, instead of running the workflow.",
            metavar="APP.PY",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --export: replace the file even if it was edited.")
    ] = False,
) -> None:
    """Run a workflow on the real LangGraph. Compare the times of all steps with the predicted times."""
    with reported() as progress:
        from planner.api.request import ScenarioRequest
        from planner.planning.sizing import Sizing
        from planner.report.text.rehearsal import ahead_text, rehearsal_text

        with values.checked() as check:
            fields = values.parse_scenario(
                check,
                speed,
                agents,
                model,
                "a rehearsal has one scenario: one speed and one model, and one number of agents of each crew",
            )
            source = values.parse_source(check, set_, only_below)
            times = _times(check, scale, real)
            if real and samples is not None:
                check.add("--real runs one sample; omit --samples")
            if force and export is None:
                check.add("--force needs --export")
            if export is not None:
                given = {"--speed": speed != "1x", "--samples": samples is not None, "--real": real}
                for option in (name for name, value in given.items() if value):
                    check.add(f"--export writes the steps as declared; omit {option}")
        request = values.build_request(
            ScenarioRequest, file, source, catalogue, export, "--export", runtime=runtime, **fields
        )
        workflow, _ = request.served
        _, sizes = Sizing.at(workflow, request.agents, request.crew)
        if export is not None:
            declared = "runtime" in request.workflow.declared.model_fields_set
            if workflow.runtime == "dataflow" and (declared or runtime is not None):
                raise typer.BadParameter(
                    "--export writes a graph with supersteps, but the runtime is dataflow; add --runtime langgraph"
                )
            from planner.langgraph_bridge.export.application import application_source

            _write(application_source(workflow, sizes), export, force)
            return
        with _langgraph():
            from planner.langgraph_bridge.rehearse.rehearsal import in_real_time
            from planner.langgraph_bridge.rehearse.rehearsal import rehearse as run
        # After Ctrl-C, some nodes still wait for one of LangGraph's slots. They never begin; Python would warn of that.
        warnings.filterwarnings("ignore", "coroutine 'arun_with_retry' was never awaited", RuntimeWarning)
        progress.doing = "rehearsing"
        if real:
            result = in_real_time(
                workflow, sizes, scale=times, speed=request.speed, seed=seed, progress=progress,
                ahead=lambda seconds: typer.echo(ahead_text(seconds, times), err=True),
            )  # fmt: skip
        else:
            result = run(workflow, sizes, speed=request.speed, seed=seed, samples=samples or 20, progress=progress)
    typer.echo(laid_out(lambda: rehearsal_text(result)), nl=False)
    if result.difference is not None:
        raise typer.Exit(FAILED)


def _times(check: "Checks", scale: str | None, real: bool) -> float:
    """Parse the option `--scale`: the number by which all durations are divided. Return 20 if the option is absent."""
    from planner.reading.units import factor

    if scale is None:
        return 20.0
    if not real:
        check.add("--scale needs --real")
    try:
        return factor(scale)
    except ValueError:
        check.add(f"--scale: '{scale}': expected a number above 0, at most 1,000,000, such as 20")
        return 20.0


def _write(source: str, path: Path, force: bool) -> None:
    """Write the source code of an application to `path`. Print how to run the application.

    A file with different content is replaced only if `force` is true.
    """
    with unwritable(path):
        if path.is_file() and not force and path.read_bytes() not in (b"", source.encode()):
            raise typer.BadParameter(f"{path} differs from the new application; add --force to replace the file")
        write_whole(source, path)
    typer.echo(f"wrote {path}; run it: python {path}", err=True)


@contextmanager
def _langgraph() -> Iterator[None]:
    """Context manager for code that imports LangGraph.

    If LangGraph is not installed, the context manager prints a message and exits with code 2.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("langgraph", "langchain_core"):
            raise
        typer.echo(f"rehearsals need LangGraph, and {error.name} is not installed: pip install langgraph", err=True)
        raise typer.Exit(BAD_INPUT) from None
