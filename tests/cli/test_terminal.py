"""Terminals, Ctrl-C and values of options."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from tests.conftest import ROOT, Golden, amounts

EIGHT = ROOT / "tests" / "cases" / "eight_items.yaml"
SLOW = ROOT / "workflows" / "port_codebase.yaml"


def on_a_terminal(*arguments: object, columns: int = 80, **variables: str) -> str:
    """What a command writes on a terminal."""
    import fcntl
    import pty
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    with subprocess.Popen(
        [sys.executable, "-m", "planner", *map(str, arguments)],
        stdin=follower, stdout=follower, stderr=follower,
        env={**environment, "PYTHONPATH": str(ROOT), "TERM": "xterm", **variables},
    ) as process:  # fmt: skip
        os.close(follower)
        written = b""
        with contextlib.suppress(OSError):  # the end
            while part := os.read(leader, 65536):
                written += part
        os.close(leader)
        assert process.wait(60) == 0
    return written.decode().replace("\r\n", "\n")


@pytest.mark.skipif(os.name == "nt", reason="no terminal of this kind")
def test_a_dumb_terminal_gets_no_escape_sequence() -> None:
    arguments = ("compare", EIGHT, "--samples", 2, "--all")
    coloured = on_a_terminal(*arguments).split("\r")[-1]  # a progress bar appears on a slow machine
    plain = on_a_terminal(*arguments, TERM="dumb")
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    from planner.report import without_colour

    assert without_colour(coloured) == plain


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no terminal of this kind")
def test_a_dumb_terminal_gets_no_progress_bar() -> None:
    """It could not be erased."""
    arguments = ("compare", SLOW, "--samples", 500)
    written = on_a_terminal(*arguments)
    assert "\rsimulating" in written
    assert written.split("\r")[-1].startswith("port-codebase: faster")  # nothing of the bar is left before it
    assert "\r" not in on_a_terminal(*arguments, TERM="dumb")


# Progress and Ctrl-C


def first_text(*arguments: object, interrupt: bool) -> tuple[float, str, int]:
    """Seconds until a command writes to its terminal, the text until its end, and its exit code.

    interrupt : press Ctrl-C when the text begins
    """
    import pty

    start = time.monotonic()
    pid, leader = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.execve(
            sys.executable, [sys.executable, "-m", "planner", *map(str, arguments)], {**os.environ, "TERM": "xterm"}
        )
    written, seconds = b"", 0.0
    with contextlib.suppress(OSError):  # the end
        while part := os.read(leader, 65536):
            if not written:
                seconds = time.monotonic() - start
                if interrupt:
                    os.write(leader, b"\x03")
            written += part
    os.close(leader)
    return seconds, written.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(os.name == "nt", reason="no terminal of this kind")
@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "overnight_migration"), ("compare", "eval_500"),
        ("target", "overnight_migration", "--p90", "14h"), ("target", "eval_500", "--p90", "30min"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)  # fmt: skip
def test_progress_appears_in_the_first_second_and_ctrl_c_ends_it(arguments: tuple[str, ...]) -> None:
    """A slow or busy machine gets twice the time to load Python and the planner: that of a command without any work.

    The first report of these simulations comes after up to 7 s.
    """
    command, name, *options = arguments
    loading = first_text("forecast", EIGHT, "--samples", 2, interrupt=False)[0]
    seconds, text, code = first_text(command, ROOT / "workflows" / f"{name}.yaml", *options, interrupt=True)
    assert text.startswith("\rsimulating ")
    assert seconds < max(1.0, 2 * loading + 0.5)
    assert code == 130
    assert "Traceback" not in text
    assert text.replace("\r\n", "\n").split("\r")[-1] == "interrupted; nothing was written\n"


def test_an_interruption_while_a_class_is_made_ends_with_the_exit_code(tmp_path: Path) -> None:
    """Dataclasses execute a text. CPython ends by the signal if this was interrupted, unless the record is cleared."""
    (tmp_path / "interrupted.py").write_text(
        """\
import planner.__main__
import planner.cli.app

def app(prog_name):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        raise SystemExit(130) from None

planner.cli.app.app = app
planner.__main__.main()
"""
    )
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 130


INTERRUPTED = """
import os, signal, sys, runpy

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["planner", "forecast", {file!r}]
runpy.run_module("planner", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to itself")
@pytest.mark.parametrize(
    "module",
    ["gc", "planner.cli.app", "typer", "inspect", "planner.errors", "planner.engine", "numpy", "pydantic", "yaml",
     "planner.workflow.reader", "planner.report.text.forecast_screen"],
)  # fmt: skip
def test_ctrl_c_while_modules_load_ends_with_a_word(module: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(name=module, file=str(EIGHT))],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if module == "gc" and not found.returncode:
        pytest.skip("loaded before the planner")
    assert (found.returncode, found.stdout) == (130, "")
    assert found.stderr == "interrupted; nothing was written\n"


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to itself")
def test_a_job_in_the_background_ignores_ctrl_c() -> None:
    code = INTERRUPTED.format(name="numpy", file=str(EIGHT)).replace("signal.default_int_handler", "signal.SIG_IGN")
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0
    assert "Time: " in found.stdout


def test_the_command_line_leaves_the_handler_of_its_caller() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert CliRunner().invoke(app, ["examples"]).exit_code == 0
    assert CliRunner().invoke(app, ["forecast", str(EIGHT), "--samples", "2"]).exit_code == 0
    assert signal.getsignal(signal.SIGINT) is before


# Values of options


@pytest.mark.parametrize(
    "arguments",
    [
        ("forecast", EIGHT, "--model", ""), ("forecast", EIGHT, "-o", ""), ("forecast", EIGHT, "--agents", ""),
        ("forecast", EIGHT, "--model="), ("forecast", EIGHT, "--model", " "), ("forecast", EIGHT, "--model", "gpt-5,"),
        ("forecast", EIGHT, "--model", ","), ("forecast", EIGHT, "--premium", ""), ("forecast", EIGHT, "--set", ""),
        ("forecast", EIGHT, "--catalogue", ""), ("forecast", EIGHT, "--runtime", ""), ("forecast", EIGHT, "--seed", ""),
        ("forecast", EIGHT, "--only-below", ""), ("compare", EIGHT, "--value-of-time", ""),
        ("compare", EIGHT, "--setup", ""), ("target", EIGHT, "--p90", ""), ("tier", EIGHT, "--fast", "", "--budget", 1),
        ("rehearse", EIGHT, "--export", ""), ("rehearse", EIGHT, "--real", "--scale", ""), ("models", "--sort", ""), ("models", "--available", ""),
        ("models", "import", EIGHT, "--name", ""), ("forecast", ""), ("tokens", EIGHT, ""), ("models", "import", ""),
    ],
    ids=lambda arguments: " ".join(one.name if isinstance(one, Path) else str(one) for one in arguments),
)  # fmt: skip
def test_empty_values_are_refused(arguments: tuple[object, ...], golden: Golden) -> None:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    golden(result.stderr)


# Narrow terminals


@pytest.mark.skipif(os.name == "nt", reason="no terminal of this kind")
@pytest.mark.parametrize("columns", [30, 40, 57, 66, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ("forecast", SLOW, "--set", "modules=20", "--samples", 50, "--gantt"),
        ("compare", EIGHT, "--samples", 2),
        ("models",),
        ("sensitivity", EIGHT, "--samples", 60, "--all"),
        ("target", EIGHT, "--samples", 9, "--p90", "20min"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_texts_follow_a_narrow_terminal(arguments: tuple[object, ...], columns: int) -> None:
    """From 40 to 80 columns; no number of the wide text is lost."""
    from planner.report import without_colour

    on_terminal = without_colour(on_a_terminal(*arguments, columns=columns)).split("\r")[-1]
    piped = CliRunner().invoke(app, [str(argument) for argument in arguments]).stdout
    if columns >= 80:
        assert on_terminal == piped
        return
    assert max(map(len, on_terminal.splitlines())) <= max(columns, 40)
    if arguments != ("models",):  # names of models are cut
        assert amounts(piped) - amounts(on_terminal) <= amounts(piped.partition("A typical sample")[2])


@pytest.mark.skipif(os.name == "nt", reason="no terminal of this kind")
def test_columns_is_the_width_of_a_terminal_and_of_nothing_else(tmp_path: Path) -> None:
    arguments = ["forecast", str(EIGHT), "--samples", "2"]
    assert max(map(len, on_a_terminal(*arguments, COLUMNS="50").splitlines())) <= 50
    wide = CliRunner().invoke(app, arguments).stdout
    assert CliRunner(env={"COLUMNS": "50"}).invoke(app, arguments).stdout == wide
    target = tmp_path / "plan.txt"
    assert on_a_terminal(*arguments, "-o", target, columns=50).split("\r")[-1] == ""
    assert target.read_text(encoding="utf-8") == wide


# Output to pipes


@pytest.mark.skipif(os.name == "nt", reason="no FIFO")
@pytest.mark.timeout(60)
def test_a_fifo_that_nobody_reads_is_refused_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    result = CliRunner().invoke(app, ["forecast", str(EIGHT), "--samples", "2", "-o", str(fifo)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nobody reads this FIFO" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="no FIFO")
@pytest.mark.timeout(60)
def test_a_fifo_with_a_reader_and_standard_output_by_its_path_are_written(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    arguments = ["forecast", str(EIGHT), "--samples", "2"]
    text = CliRunner().invoke(app, arguments).stdout
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert CliRunner().invoke(app, [*arguments, "-o", str(fifo)]).exit_code == 0
    assert os.read(reader, 65536).decode() == text
    os.close(reader)
    command = [sys.executable, "-m", "planner", *arguments, "-o", "/dev/stdout"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert run.stdout == text
