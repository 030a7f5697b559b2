"""Code around every command: usage errors, exit codes, Ctrl-C, progress, and output to a terminal or a file."""

import errno
import io
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from planner.cli import BAD_INPUT, INTERRUPTED, INTERRUPTION, leave
from planner.cli.options import MORE, OutputOptions
from planner.cli.problems import defer, forget

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
    """Context manager for a command that simulates. It yields a progress bar, and handles errors as `refused` does.

    If the simulation kernel is not compiled, a note is printed.
    """
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


def hide_progress() -> None:
    """Erase the progress bar of the current command. It appears again when the simulation reports progress."""
    progress = _progress.get()
    if progress is not None:
        progress.erase()


@contextmanager
def refused() -> Iterator[None]:
    """Context manager for the body of a command. It turns errors into exit codes.

    After InputError, the exit code is 2. After Ctrl-C, the exit code is 130. In both cases, a message is printed.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # if a terminal or pipe cannot show a character, it shows '?'
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
    """Write a result to standard output, or to a file if `options` names one.

    If the result is written as JSON or CSV, its notes are written to standard error.
    """
    from planner.report.text.layout import without_colour
    from planner.report.wording.notes import worded

    hide_progress()
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
    """Set the number of columns for the output, then call `text` and return its result.

    A terminal has its own number of columns. A file or a pipe has 80 columns.
    """
    from planner.report.text.layout import WIDTH, columns, fold

    terminal = output is None and sys.stdout.isatty()
    with columns(shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH):
        return fold(text()) if terminal else text()


def say_notes(notes: Iterable[str]) -> None:
    """Write notes to standard error, one line for each note."""
    for note in notes:
        typer.echo(f"note: {note}", err=True)


@contextmanager
def unwritable(output: Path | str) -> Iterator[None]:
    """Context manager for code that writes `output`. If writing fails, print a message and exit with code 2."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        typer.echo(f"cannot write {output}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def write_whole(text: str, path: Path) -> None:
    """Write `text` to the file `path`. Raises OSError if this is impossible.

    A regular file is replaced in one step at the end, so an error or an interruption leaves the old file unchanged. The
    new file has the mode of the old file. If `path` is a link, the target of the link is replaced.

    A pipe or a device is written directly. If no process reads a FIFO (named pipe), OSError is raised.
    """
    if path.is_dir():
        raise IsADirectoryError(None, "it is a directory")
    if path.exists() and not path.is_file():
        with os.fdopen(_open_at_once(path), "w", encoding="utf-8") as file:
            file.write(text)
        return
    check_writable(path)
    target = path.resolve()
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


def _open_at_once(path: Path) -> int:
    """Open a pipe or a device for writing. Return the file descriptor.

    If no process reads a FIFO (named pipe), OSError is raised. The function does not wait for a reader.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise OSError(None, "nobody reads this FIFO") from None
    os.set_blocking(descriptor, True)
    return descriptor


def check_writable(path: Path) -> None:
    """Raise PermissionError if the file `path` is write-protected.

    This check is needed because the planner replaces files by new ones. The system allows that even for write-protected
    files.
    """
    if path.is_file() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):  # root may write to all
        raise PermissionError(None, f"it is write-protected; allow it (chmod u+w {path}), or name another file")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


EXPECTED = {
    "greater_than_equal": "expected at least {ge:,}",
    "less_than_equal": "expected at most {le:,}",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
}
"""Type of a pydantic error → message. The error's context fills the placeholders."""


def _value_problems(command: TyperCommand | TyperGroup, context: Any, args: list[str]) -> dict[str, str]:
    """Return a message for each option that is repeated, and for each empty value.

    Without this check, Typer would silently use only the last value of a repeated option. An empty value would count as
    a missing value.
    """
    values, _, given = command.make_parser(context).parse_args(args=args)
    problems: dict[str, str] = {}
    for option, times in Counter(given).items():
        if isinstance(option, TyperOption) and times > 1 and not option.is_flag and not option.multiple:
            several = str(option.metavar).endswith(MORE)
            remedy = "give it once" + (", with commas between values" * several)
            problems[str(option.name)] = f"{_name(option)}: given twice; {remedy}"
    for parameter in given:
        value = values.get(str(parameter.name))
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str) and not text.strip() for text in texts):
            remedy = "write a value, or omit the option" if isinstance(parameter, TyperOption) else "write a value"
            problems.setdefault(str(parameter.name), f"{_name(parameter)}: the value is empty; {remedy}")
    return problems


def _name(parameter: Any) -> str:
    return str(parameter.opts[0] if isinstance(parameter, TyperOption) else str(parameter.name).upper())


def _raise(problems: Iterable[str], context: Any) -> None:
    """Raise one BadParameter with all problems, if there are any."""
    messages = list(problems)
    if messages:
        raise typer.BadParameter("\n  ".join(messages), context)


class Once(TyperCommand):
    """A command of the command line. It refuses repeated options, empty values and values of a wrong type together."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        forget()
        problems: dict[str, str] = {}
        try:
            rest = super().parse_args(ctx, list(args))
        except typer.BadParameter as error:
            if not error.message:  # a required value is missing
                raise
            rest = []
            problems = self._type_problems(ctx, args)
        unclear = _value_problems(self, ctx, list(args))
        if unclear:
            _raise((problems | unclear).values(), ctx)
        for parameter in self.get_params(ctx):
            if parameter.name in problems:
                ctx.params[parameter.name] = parameter.get_default(ctx)
        self.report(problems.values(), ctx)
        return rest

    def report(self, problems: Iterable[str], context: Any) -> None:
        """Raise BadParameter if there are problems."""
        _raise(problems, context)

    def _type_problems(self, context: Any, args: list[str]) -> dict[str, str]:
        """Return a message for each value of a wrong type. Typer itself stops at the first of them."""
        problems: dict[str, str] = {}
        values, _, _ = self.make_parser(context).parse_args(args=list(args))
        for parameter in self.get_params(context):
            if parameter.is_eager:
                continue
            try:
                parameter.handle_parse_result(context, values, [])
            except typer.BadParameter as error:
                if not error.message:
                    raise
                problems[str(parameter.name)] = f"{_name(parameter)}: {_worded(error).removesuffix('.')}"
        return problems


class Checked(Once):
    """A command that reads a workflow. `values.checked` reports problems with all of its options together."""

    def report(self, problems: Iterable[str], context: Any) -> None:
        defer(*problems)


class Commands(TyperGroup):
    """A group of commands. It refuses repeated options and empty values.

    It also rewords error messages of pydantic, because these messages name Python types.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _raise(_value_problems(self, ctx, list(args)).values(), ctx)
        return rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _worded(error)
            raise


def _worded(error: typer.BadParameter) -> str:
    mistakes: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if not mistakes:
        return error.message
    kind, context = mistakes[0]["type"], mistakes[0].get("ctx", {})
    if kind in EXPECTED:
        return f"'{mistakes[0]['input']}': {EXPECTED[kind].format(**context)}"
    return error.message.removeprefix("Value error, ")
