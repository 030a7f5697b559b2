"""What is around every command: bad input and Ctrl-C as exit codes, progress, output to a terminal or a file."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from planner.cli import BAD_INPUT, INTERRUPTED

if TYPE_CHECKING:
    from planner.report.progress import Progress

# Looking for pydantic plugins reads the metadata of every installed package, a tenth of a second in large environments.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


@contextmanager
def reported() -> Iterator["Progress"]:
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
            from planner.report.wording.notes import OPTIONS, worded_error

            typer.echo(str(worded_error(error, OPTIONS)), err=True)
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
    from planner.cli.output import write_whole
    from planner.report.wording.notes import worded
    from planner.report.wording.quantities import without_colour

    text = to_json(found) if as_json else to_csv(found) if as_csv else to_text(found)
    if as_json or as_csv:
        for note in worded(found.notes):
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
