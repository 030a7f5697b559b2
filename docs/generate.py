"""Write the generated parts of the documentation: `reference/cli.md`, a section of `reference/workflow.md` (by
`keys_and_kinds.py`), the output under each command of a page, and the outputs of `notebook.ipynb` (by
`run_notebook.py`).

    python docs/generate.py            write
    python docs/generate.py --check    write nothing; exit 1 if something has drifted

A page's YAML and CSV blocks that begin with `# file: NAME` are written to an empty folder, CSV without that line,
together with the examples in `workflows/`. Its `sh` blocks with a `planner` command run there, in order, and so do its
`python` blocks, as one program. A `text` block after such a block has its standard output; a line `…` stands for
omitted lines.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

DOCS = Path(__file__).resolve().parent
CLI = DOCS / "reference" / "cli.md"
WORKFLOW = DOCS / "reference" / "workflow.md"
PAGES = tuple(DOCS / f"{name}.md" for name in ("tutorial", "how-to", "faster-or-more", "python", "langgraph"))
NOTEBOOK = DOCS / "notebook.ipynb"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (\S+)\n")
_PLANNER = re.compile(r"^(?:.*[\s|;&(])?planner ", re.MULTILINE)
_SIMPLE = re.compile(r"planner ([^|&;<>$`\\()#]*)((?:\|(?!\|)|>)[^&;$]*)?")
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
| `--speed` | A factor on every output speed, above 0, at most 1,000,000. | `2.5x` |
| `--agents` | From 1 to 100,000; `CREW=` before it if there are several. | `engineers=4` |
| `--set` | `NAME=VALUE`: a parameter that the file declares and a number. May be given several times. | `modules=240` |
| `--premium` | An exponent of the speed from 0 to 10, or what a speed costs: `SPEED=PRICE`. | `2.5x=6x` |
| `--worth` | A share of the declared p50, from 0% to 100%. | `5%` |
| `--seed` | A whole number from 0. | `7` |
| `--samples` | A whole number from 1 to 10,000,000. | `4000` |
| `--runtime` | `langgraph` or `dataflow`. | `langgraph` |
| `--scale` | A number above 0, at most 1,000,000: how much faster than the plan `--real` runs. | `20` |
| `--precision` | A share of p50 and p90: half of their 95% intervals. | `0.5%` |
| `--max-time` | A time above 0. | `30s` |
| `--threads` | A whole number from 1 to 1,024. | `4` |
| `--scheduler` | The address of a Dask scheduler, with `--backend dask`. | `tcp://10.0.0.5:8786` |
| `--only-below` | A folder outside of which [no file is read](../how-to.md#run-workflows-of-others). | `plans` |
| `--output` | A path. The file appears whole at the end; a command that fails leaves it as it was. | `plan.json` |

Each option is given once, except `--set` and flags, and its value is not empty. The workflow file `-` is standard
input; paths in it are relative to the current folder. `/dev/stdin` and `<(…)` of the shell work too; other FIFOs,
devices and sockets are not read. `--output` never replaces a file that the plan is read from, nor one that is
write-protected.

`compare` takes several speeds and several numbers of agents, separated by commas: `1x,2.5x`, `engineers=1,2,4`.
Give `--agents` once for each crew that you size: `--agents engineers=1,2,4 --agents reviewers=1,2` compares all
combinations, at most 256. Commands that plan one scenario take one number of each crew.
`--agents` sizes the named crew, or the only declared crew. In a workflow without crews it limits the requests and agent
loops that run in parallel. Without `--agents`, `forecast` takes every crew as declared, and limits nothing if there is
none. Of several crews, `compare` without `--agents` takes the one with the largest drag, and says so.

Samples are drawn until p50 and p90 are known to 1%, at most 1,024. `--samples` alone draws exactly that number.
`--precision` and `--max-time` continue beyond 1,024, with `--samples` as the limit: see
[How sure is it?](../how-to.md#how-sure-is-it)

## Exit codes

| Code | Meaning |
| --- | --- |
| 0 | The answer is on standard output, or in the file of `--output`. |
| 1 | `target`: no scenario is known to meet the target; `tier`: no choice is known to be within the budget. |
| 1 | `rehearse`: LangGraph does not take as long as predicted. The first difference is on standard output. |
| 2 | Bad input: a workflow file, an option, an output that cannot be written. Standard error says what and where. |
| 130 | Interrupted by Ctrl-C. No file was written. |

Any other code comes with a Python traceback and is a bug of the planner: please report it. [Errors](errors.md)
lists the problems with code 2.

## Standard output and standard error

The answer goes to standard output. Problems, notes on the kernel, and with `--json` and `--csv` all notes go to
standard error. So does a line of progress, if standard error is a terminal. It appears within the first second.

## Environment

| Variable | Effect |
| --- | --- |
| `PLANNER_CATALOGUE` | Your own catalogue file, unless `--catalogue` names one. |
| `NO_COLOR` | If it is set, the terminal output has no colours. Other outputs never have any. |
| `COLUMNS` | Columns of the terminal, instead of its own. Texts fit from 40 to 80; files and pipes have 80. |
| `TERM=dumb` | The terminal gets no colours and no line of progress. |
| `PLANNER_PURE=1` | The kernel runs uncompiled. |
| `PLANNER_COMPILED=1` | At installation: fail if the kernel cannot be compiled. `0`: do not compile it. |
"""


def command_line() -> str:
    """The page on the command line."""
    from planner.cli.app import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    names += [group.name for group in app.registered_groups if group.name]
    parts = [_HEAD]
    for words in ([], *([name] for name in names)):
        result = CliRunner().invoke(app, [*words, "--help"], prog_name="planner", env={"COLUMNS": "80"})
        parts.append(f"## {' '.join(['planner', *words])}\n\n```text\n{result.stdout.strip()}\n```\n")
    return "\n".join([*parts, _TAIL])


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; its text is at `start` to `end`."""

    language: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Run:
    """A block of commands, or of Python, after its run.

    output : its standard output
    errors : its standard error
    shown : the block of the page with the output, or None
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
    """Run the commands of a page in a folder of their own that holds the files of the page and the examples."""
    found = blocks(page)
    with tempfile.TemporaryDirectory() as place:
        folder, programs = Path(place, "page"), Path(place, "programs")
        folder.mkdir()
        programs.mkdir()
        shutil.copytree(DOCS.parent / "workflows", folder / "workflows")
        for program, arguments in (("planner", "-m planner "), ("python", "")):
            script = programs / program
            script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n', encoding="utf-8")
            script.chmod(0o755)
        for block in found:
            name = _FILE.match(block.text)
            if block.language in ("yaml", "csv") and name:
                content = block.text if block.language == "yaml" else block.text[name.end() :]
                (folder / name[1]).write_text(content, encoding="utf-8")
        names: dict[str, object] = {"__name__": "__main__"}
        for block, following in itertools.zip_longest(found, found[1:]):
            shown = following if following and following.language == "text" else None
            if block.language == "sh" and _PLANNER.search(block.text):
                yield Run(block.text, *_run(block.text, folder, programs), shown)
            elif block.language == "python":
                yield Run(block.text, *_run_python(block.text, folder, names), shown)


def _run_python(block: str, folder: Path, names: dict[str, object]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a block that continues those before it."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            exec(block, names)
        except Exception:
            traceback.print_exc()
            return 1, output.getvalue(), errors.getvalue()
    return 0, output.getvalue(), errors.getvalue()


def _run(block: str, folder: Path, programs: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a block."""
    commands = _commands(block)
    if any(_PLANNER.search(command) and not _SIMPLE.fullmatch(command) for command in commands):
        return _run_in_shell(block, folder, programs)
    code, output, errors = 0, "", ""
    for command in commands:
        code, written, wrong = _run_command(command, folder, programs)
        output, errors = output + written, errors + wrong
        if code:
            break
    return code, output, errors


def _commands(block: str) -> list[str]:
    """The lines of a block; lines within one quotation are joined."""
    commands: list[str] = []
    for line in block.splitlines():
        if commands and commands[-1].count('"') % 2:
            commands[-1] += f"\n{line}"
        else:
            commands.append(line)
    return commands


def _run_command(command: str, folder: Path, programs: Path) -> tuple[int, str, str]:
    """The same for one command; the planner runs in this process, which is faster."""
    simple = _SIMPLE.fullmatch(command)
    if not simple:
        return _run_in_shell(command, folder, programs)
    from planner.cli.app import app

    with contextlib.chdir(folder):
        result = CliRunner().invoke(app, shlex.split(simple[1]), prog_name="planner")
    if result.exit_code or not simple[2]:
        return result.exit_code, result.stdout, result.stderr
    code, output, errors = _run_in_shell(f"cat {simple[2]}", folder, programs, result.stdout)
    return code, output, result.stderr + errors


def _run_in_shell(commands: str, folder: Path, programs: Path, read: str = "") -> tuple[int, str, str]:
    """The same by `sh`, with `planner` and `python` of this Python. `read` is standard input."""
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(DOCS.parent),
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env=environment, input=read, capture_output=True, encoding="utf-8"
    )
    return done.returncode, done.stdout, done.stderr


def alike(shown: str, output: str) -> bool:
    """Whether a block shows an output; a line `…` in it stands for any lines."""
    lines = shown.splitlines(keepends=True)
    pattern = "".join(r"(?:.*\n)*?" if line == _LEFT_OUT else re.escape(line) for line in lines)
    return re.fullmatch(pattern, output) is not None


def refreshed(page: str) -> str:
    """The page with the outputs that its commands have now."""
    for one in reversed(list(runs(page))):
        if one.exit_code:
            raise RuntimeError(f"exit {one.exit_code} of:\n{one.commands}{one.errors}")
        if one.shown and one.drifted:
            page = page[: one.shown.start] + _abridged(one.output, one.shown.text) + page[one.shown.end :]
    return page


def _abridged(output: str, like: str) -> str:
    """`output` with as many lines before and after `…` as `like`."""
    lines, shown = output.splitlines(keepends=True), like.splitlines(keepends=True)
    if _LEFT_OUT not in shown:
        return output
    head, tail = shown.index(_LEFT_OUT), shown[::-1].index(_LEFT_OUT)
    return "".join([*lines[:head], _LEFT_OUT, *lines[len(lines) - tail :]])


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something has drifted")
    check = parser.parse_args().check
    import keys_and_kinds
    import run_notebook

    of_page: dict[Path, Callable[[str], str]] = {
        CLI: lambda _: command_line(),
        WORKFLOW: keys_and_kinds.refreshed,
        NOTEBOOK: lambda _: run_notebook.refreshed(NOTEBOOK),
    }
    drifted = False
    for path in (CLI, WORKFLOW, *PAGES, NOTEBOOK):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = of_page.get(path, refreshed)(old)
        if new != old:
            drifted = True
            print(f"{path.relative_to(DOCS.parent)} {'has drifted' if check else 'written'}")
            if not check:
                path.write_text(new, encoding="utf-8")
    return int(check and drifted)


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    sys.exit(main())
