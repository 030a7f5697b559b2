"""The frame of every command: exit codes for bad input and Ctrl-C, progress, and output to a terminal or a file."""

import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from planner.cli import BAD_INPUT, INTERRUPTED, INTERRUPTION, leave
from planner.cli.options import OutputOptions

if TYPE_CHECKING:
    from planner.report.progress import Progress

# The search for pydantic plugins reads the metadata of every installed package: 0.1 s in large environments.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


DUMB = "dumb"
"""TERM of a terminal that obeys no escape sequences."""


_progress: ContextVar["Progress | None"] = ContextVar("_progress", default=None)
"""The bar that may be on the terminal."""


@contextmanager
def reported() -> Iterator["Progress"]:
    """The same as `refused`, with progress on a terminal and a note if the kernel is not compiled."""
    with refused():
        from planner import engine
        from planner.report.progress import Progress

        if not engine.active_kernel().compiled:
            typer.echo(f"note: the kernel runs {engine.status()}, many times slower", err=True)
        with Progress(sys.stderr, os.environ.get("TERM") != DUMB) as progress:
            token = _progress.set(progress)
            try:
                yield progress
            finally:
                _progress.reset(token)


@contextmanager
def refused() -> Iterator[None]:
    """Exit with 2 for bad input and with 130 for Ctrl-C, with nothing written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal or pipe that cannot show a shade or a dash shows '?'
    try:
        if signal.getsignal(signal.SIGINT) is leave:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on there is something to clean up
        from planner.errors import InputError

        try:
            yield
        except InputError as error:
            from planner.report.wording.notes import OPTIONS, worded_error

            typer.echo(str(worded_error(error, OPTIONS)), err=True)
            raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        typer.echo(INTERRUPTION, err=True)
        raise typer.Exit(INTERRUPTED) from None


def show(
    result: Any,
    options: OutputOptions,
    to_json: Callable[[Any], str],
    to_csv: Callable[[Any], str],
    to_text: Callable[[Any], str],
) -> None:
    """Write a result to standard output or a file; notes of JSON and CSV go to standard error."""
    from planner.report.text.layout import without_colour
    from planner.report.wording.notes import worded

    progress = _progress.get()
    if progress is not None:
        progress.erase()
    if options.as_json or options.as_csv:
        text = to_json(result) if options.as_json else to_csv(result)
        say_notes(worded(result.notes))
    else:
        text = laid_out(lambda: to_text(result), options.output)
    with unwritable(options.output or "the output"):
        if options.output is not None:
            write_whole(without_colour(text), options.output)
        else:
            plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == DUMB
            typer.echo(text, nl=False, color=False if plain else None)


def laid_out(text: Callable[[], str], output: Path | None = None) -> str:
    """The text in the columns of the terminal that it is for; 80 for files and pipes."""
    from planner.report.text.layout import WIDTH, columns, fold

    terminal = output is None and sys.stdout.isatty()
    with columns(shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH):
        return fold(text()) if terminal else text()


def say_notes(notes: Iterable[str]) -> None:
    """Write notes to standard error."""
    for note in notes:
        typer.echo(f"note: {note}", err=True)


@contextmanager
def unwritable(output: Path | str) -> Iterator[None]:
    """Report an output that cannot be written, and exit with 2."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        typer.echo(f"cannot write {output}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def write_whole(text: str, path: Path) -> None:
    """Write `text` to `path`, through links, with the file's mode or that of a new file. Raises OSError.

    A regular file is replaced at the end, so that an error or an interruption leaves it as it was. Pipes and devices
    are written to directly.
    """
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(None, "it is a directory")
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    check_writable(path)
    mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(mode & 0o777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Raise PermissionError if a file is write-protected. Replacing it would need no permission but its folder's."""
    if path.is_file() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):  # root may write to all
        raise PermissionError(None, f"it is write-protected; allow it (chmod u+w {path}), or name another file")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
