"""Writes what the documentation takes from the tool: `reference/cli.md`, and the output under each command of a page.

    python docs/generate.py            write
    python docs/generate.py --check    write nothing; exit 1 where something has drifted

A page's YAML blocks that begin with `# file: NAME` are put into an empty folder. Its `sh` blocks with a `planner`
command run there, in order; a `text` block that follows one holds its standard output, where a line `…` stands for
lines left out.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

DOCS = Path(__file__).resolve().parent
CLI = DOCS / "reference" / "cli.md"
PAGES = (DOCS / "tutorial.md", DOCS / "how-to.md")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (\S+)\n")
_PLANNER = re.compile(r"^(?:.*[\s|;&(])?planner ", re.MULTILINE)
_SHELL = re.compile(r"[][|&;<>$`\\(){}*?#~!]")
_LEFT_OUT = "…\n"

_HEAD = """\
# Command line

The help of every command, on a terminal of 80 columns. Written by `python docs/generate.py`; do not edit it here.

`planner`, `python -m planner` and, in a checkout, `python cli.py` are the same command.
"""

_TAIL = """\
## Values of options

| Option | Takes | Example |
| --- | --- | --- |
| `--speed` | A factor on every output speed, above 0, at most 1,000,000. `compare` takes several with commas between. | `1x,2.5x` |
| `--agents` | A whole number from 1 to 100,000; with several crews `CREW=` before it. `compare` takes several with commas between. | `engineers=1,2,4` |
| `--set` | `NAME=VALUE`: a parameter that the file declares and a number. May be given several times. | `modules=240` |
| `--seed` | A whole number from 0. | `7` |
| `--samples` | A whole number from 1 to 10,000,000. | `4000` |
| `--output` | A path. The file appears whole when the command succeeds, and is left as it was when it fails. | `plan.json` |

`--agents` sizes the only crew that is declared, the crew that is named, or, where none is declared, the default crew.
Without `--agents`, `forecast` takes every crew as declared.

## Exit codes

| Code | Meaning |
| --- | --- |
| 0 | The answer is on standard output, or in the file of `--output`. |
| 2 | Bad input: a workflow file, an option or a file that cannot be written. Standard error says what and where. |
| 130 | Interrupted by Ctrl-C. No file was written. |

Any other code comes with a Python traceback and is a mistake of the planner: please report it. The problems that give
code 2 are in [Errors](errors.md).

## Standard output and standard error

The answer goes to standard output. Problems and notes on the kernel go to standard error. So does a line of progress,
where standard error is a terminal and a command takes over a second.

## Environment

| Variable | Effect |
| --- | --- |
| `NO_COLOR` | If it is set, a terminal gets no colours. Other outputs never do. |
| `PLANNER_PURE=1` | The kernel runs uncompiled. |
| `PLANNER_COMPILED=1` | At installation: fail where the kernel cannot be compiled. `0`: do not compile it. |
"""


def command_line() -> str:
    """The page on the command line."""
    from planner.cli import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    parts = [_HEAD]
    for words in ([], *([name] for name in names)):
        result = CliRunner().invoke(app, [*words, "--help"], prog_name="planner", env={"COLUMNS": "80"})
        parts.append(f"## {' '.join(['planner', *words])}\n\n```text\n{result.stdout.strip()}\n```\n")
    return "\n".join([*parts, _TAIL])


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, whose text lies at `start` to `end`."""

    language: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Run:
    """A block of commands that ran.

    output : its standard output
    errors : its standard error
    shown : the block that holds the output in the page, if one does
    """

    commands: str
    exit_code: int
    output: str
    errors: str
    shown: Block | None

    @property
    def drifted(self) -> bool:
        """Whether the page shows another output."""
        return self.shown is not None and not alike(self.shown.text, self.output)


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [Block(found[1], found[2], found.start(2), found.end(2)) for found in _BLOCK.finditer(page)]


def runs(page: str) -> Iterator[Run]:
    """Run the commands of a page in a folder of their own that holds the files of the page."""
    found = blocks(page)
    with tempfile.TemporaryDirectory() as folder:
        for block in found:
            name = _FILE.match(block.text)
            if block.language == "yaml" and name:
                Path(folder, name[1]).write_text(block.text, encoding="utf-8")
        for block, following in itertools.zip_longest(found, found[1:]):
            if block.language == "sh" and _PLANNER.search(block.text):
                shown = following if following and following.language == "text" else None
                code, output, errors = run(block.text, Path(folder))
                yield Run(block.text, code, output, errors, shown)


def run(commands: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a block. Plain commands need no process of their own."""
    lines = commands.splitlines()
    if _SHELL.search(commands) or not all(line.startswith("planner ") for line in lines):
        return _run_in_shell(commands, folder)
    from planner.cli import app

    output, errors = "", ""
    with contextlib.chdir(folder):
        for line in lines:
            result = CliRunner().invoke(app, shlex.split(line)[1:], prog_name="planner")
            output, errors = output + result.stdout, errors + result.stderr
            if result.exit_code:
                return result.exit_code, output, errors
    return 0, output, errors


def _run_in_shell(commands: str, folder: Path) -> tuple[int, str, str]:
    """Run a block by `sh`, where `planner` and `python` are this Python's."""
    with tempfile.TemporaryDirectory() as programs:
        for name, arguments in (("planner", "-m planner "), ("python", "")):
            program = Path(programs, name)
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n', encoding="utf-8")
            program.chmod(0o755)
        environment = {
            **os.environ,
            "PATH": programs + os.pathsep + os.environ.get("PATH", ""),
            "PYTHONPATH": str(DOCS.parent),
            "PYTHONUTF8": "1",
        }
        done = subprocess.run(
            ["sh", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, encoding="utf-8"
        )
    return done.returncode, done.stdout, done.stderr


def alike(shown: str, output: str) -> bool:
    """Whether a block shows an output; a line `…` in it stands for any lines."""
    pattern = r"(?:.*\n)*?".join(re.escape(part) for part in f"\n{shown}".split(f"\n{_LEFT_OUT}"))
    return re.fullmatch(pattern.removeprefix(r"\n"), output) is not None


def refreshed(page: str) -> str:
    """The page with the outputs that its commands have now."""
    for one in reversed(list(runs(page))):
        if one.exit_code:
            raise RuntimeError(f"exit {one.exit_code} of:\n{one.commands}{one.errors}")
        if one.shown and one.drifted:
            page = page[: one.shown.start] + _abridged(one.output, one.shown.text) + page[one.shown.end :]
    return page


def _abridged(output: str, like: str) -> str:
    """An output with as many lines before and after `…` as another."""
    parts = like.split(_LEFT_OUT)
    if len(parts) == 1:
        return output
    lines = output.splitlines(keepends=True)
    head, tail = parts[0].count("\n"), parts[-1].count("\n")
    return "".join([*lines[:head], _LEFT_OUT, *lines[len(lines) - tail :]])


def main() -> int:
    """Write, or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where something has drifted")
    check = parser.parse_args().check
    drifted = False
    for path in (CLI, *PAGES):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = command_line() if path == CLI else refreshed(old)
        if new != old:
            drifted = True
            print(f"{path.relative_to(DOCS.parent)} {'has drifted' if check else 'written'}")
            if not check:
                path.write_text(new, encoding="utf-8")
    return int(check and drifted)


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    sys.exit(main())
