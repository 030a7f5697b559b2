"""What the commands read and write, and what they leave alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.errors import InputError
from tests.conftest import ROOT, Golden

FINE = "workflow: fine\nsteps: {a: {tool: 1s}}\n"
BENCHMARK = ROOT / "tests" / "data" / "benchmarks"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no FIFOs, modes or links as here")


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.stderr
    return result.exit_code, result.stdout, result.stderr


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which may not hang."""
    return subprocess.run(
        [sys.executable, "-m", "planner", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        **({"stdout": subprocess.PIPE} | options),
    )  # fmt: skip


@pytest.fixture
def fine(tmp_path: Path) -> Path:
    path = tmp_path / "fine.yaml"
    path.write_text(FINE, encoding="utf-8")
    return path


# Writing


@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
@pytest.mark.parametrize(
    ("before", "after"),
    [(("forecast",), ("-o",)), (("compare", "--json"), ("--output",)), (("rehearse", "--force"), ("--export",))],
)
def test_a_write_protected_file_is_left_alone(
    fine: Path, before: tuple[str, ...], after: tuple[str, ...], mode: int, golden: Golden
) -> None:
    """Also by root, who may write to every file, and through a link."""
    target, link = fine.with_name("old.txt"), fine.with_name("link.txt")
    target.write_text("old", encoding="utf-8")
    target.chmod(mode)
    link.symlink_to(target)
    for path in (target, link):
        code, out, err = run(*before, fine, *after, path)
        assert (code, out) == (2, "")
        if path == target and mode == 0o444:
            golden(err.replace(str(path), path.name))
    assert target.read_text(encoding="utf-8") == "old"
    assert target.stat().st_mode & 0o777 == mode
    assert {path.name for path in fine.parent.iterdir()} == {"fine.yaml", "old.txt", "link.txt"}


def test_a_write_protected_catalogue_is_left_alone(tmp_path: Path) -> None:
    target, result = tmp_path / "catalogue.yaml", next(BENCHMARK.glob("vllm*.json"))
    imported = ("models", "import", result, "--concurrency", 1, "-o", target)
    assert run(*imported)[0] == 0
    before = target.read_bytes()
    target.chmod(0o444)
    assert run(*imported)[0] == 2
    assert target.read_bytes() == before
    target.chmod(0o644)
    assert run(*imported)[0] == 0


def test_a_write_protected_file_is_refused_before_the_work(fine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from planner.api.request import ForecastRequest

    def work(self: ForecastRequest) -> None:
        raise AssertionError("it works")

    monkeypatch.setattr(ForecastRequest, "run", work)
    target = fine.with_name("old.txt")
    target.touch(0o444)
    assert run("forecast", fine, "-o", target)[0] == 2


# Files that are none


@pytest.fixture
def special(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """A FIFO, a socket and a device, which would be awaited or have no end."""
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        folder = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may have 100 characters
        try:
            listening.bind("socket")
        finally:
            os.chdir(folder)
        yield {"fifo": tmp_path / "fifo", "socket": tmp_path / "socket", "device": Path("/dev/zero")}


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_is_no_file_is_refused_at_once(special: dict[str, Path], kind: str, fine: Path, golden: Golden) -> None:
    path = special[kind]
    naming = fine.with_name("naming.yaml")
    naming.write_text(
        f"workflow: naming\nmodel: gpt-5\nsteps:\n  a: {{use: {path}}}\n  b: {{for_each: {{file: {path}}}, tool: 1s}}\n"
        f"  c: {{tool: {{file: {path}, column: x}}}}\n  d: {{llm: {{input: {{file: {path}}}, output: 1}}}}\n",
        encoding="utf-8",
    )
    link = fine.with_name("link")
    link.symlink_to(path)
    model = ("--model", "none-of-the-file")
    for arguments in (
        ("forecast", path), ("compare", link), ("forecast", fine, *model, "--catalogue", path), ("tokens", path),
        ("models", "import", path), ("models", "--catalogue", path),
    ):  # fmt: skip
        found = command(*arguments)
        assert (found.returncode, found.stdout) == (2, "")
        assert "[unreadable]" in found.stderr
        if arguments == ("forecast", path):
            golden(found.stderr.replace(str(path), kind))
    found = command("forecast", naming)
    assert found.returncode == 2
    assert found.stderr.count("[unreadable]") == 4
    with pytest.raises(InputError) as error:
        planner.load_workflow(naming)
    assert [problem.position and problem.position.line for problem in error.value.problems] == [4, 5, 6, 7]
    assert {problem.code for problem in error.value.problems} == {"unreadable"}


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no such files here")
def test_the_user_may_name_what_the_shell_has_opened(fine: Path) -> None:
    """As for `<(…)`. A workflow may not name standard input."""
    for named in ("/dev/stdin", "/dev/fd/0"):
        found = command("forecast", named, "--samples", 2, input=FINE)
        assert found.returncode == 0, found.stderr
    assert command("tokens", "/dev/stdin", "--json", input="hello").returncode == 0
    fine.write_text("workflow: w\nsteps: {a: {use: /dev/stdin}}\n", encoding="utf-8")
    assert "[unreadable]" in command("forecast", fine, input=FINE).stderr


def test_closed_streams_are_told(fine: Path, golden: Golden) -> None:
    for arguments in (("forecast", fine), ("examples",), ("--version",), ("models", "gpt-5"), ("tokens", fine)):
        found = command(*arguments, stdout=None, preexec_fn=lambda: os.close(1))
        assert found.returncode == 2
        golden(found.stderr, arguments[0])
    target = fine.with_name("new.txt")
    assert command("forecast", fine, "-o", target, stdout=None, preexec_fn=lambda: os.close(1)).returncode == 0
    assert "Time: " in target.read_text(encoding="utf-8")
    for name in ("forecast", "tokens"):
        found = command(name, "-", preexec_fn=lambda: os.close(0))
        assert found.returncode == 2
        golden(found.stderr, f"{name} -")


# Files of others

SECRET = "hunter2-is-the-password"
SECRETS = {
    "lines.txt": f"root:{SECRET}:0:0\nother:{SECRET}:1:1\n",
    "settings.yaml": f"password: {SECRET}\nsteps: 3\n",
    "nearly.yaml": f"workflow: x\n{SECRET}: [\n",
    "one.yaml": f"{SECRET}\n",
    "list.yaml": f"- {SECRET}\n",
    "table.dat": f"a,b\n{SECRET},{SECRET} {SECRET}\n",
    "binary": f"{SECRET}\n\0\x1b",
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_line_of_a_file_is_shown_that_is_not_of_the_planner(fine: Path, name: str, golden: Golden) -> None:
    fine.with_name(name).write_text(SECRETS[name], encoding="utf-8")
    head = SECRETS[name].split("\n")[0].split(",")[0]
    fine.write_text(
        f"workflow: w\nsteps:\n  a: {{use: {name}}}\n"
        f"  b: {{for_each: {{file: {name}, column: {SECRET[:10]}}}, tool: 1s}}\n"
        f"  c: {{for_each: {{file: {name}, column: 5}}, tool: 1s}}\n"
        f"  d: {{for_each: {{file: {name}, size: {SECRET[:10]}}}, tool: 1s}}\n"
        + "".join(
            f"  {step}: {{for_each: {{file: {name}, {keys}}}, tool: 1s}}\n"
            for step, keys in {
                "e": f"column: '{head}'",
                "f": f"size: '{head}'",
                "g": f"id: '{head}', needs: b",
            }.items()
            if SECRET not in head
        ),
        encoding="utf-8",
    )
    code, out, err = run("forecast", fine)
    assert (code, out) == (2, "")
    assert SECRET not in err
    golden(err)


def test_no_line_of_a_file_is_shown_that_is_named_like_a_catalogue(fine: Path, tmp_path: Path) -> None:
    for text in SECRETS.values():
        (tmp_path / "secret").write_text(text, encoding="utf-8")
        link = tmp_path / "catalogue.yaml"
        link.unlink(missing_ok=True)
        link.symlink_to("secret")
        code, _, err = run("forecast", fine, "--model", "gpt-5")
        assert code == 2
        assert SECRET not in err


def test_a_used_workflow_with_mistakes_shows_its_lines(fine: Path, golden: Golden) -> None:
    used = fine.with_name("used.yaml")
    fine.write_text("workflow: w\nsteps: {a: {use: used.yaml}}\n", encoding="utf-8")
    for case, text in {
        "syntax": "workflow: used\nsteps:\n  a: tool: 1s\n",
        "key": "workflow: used\nsteps:\n  a: {toll: 1s}\n",
    }.items():
        used.write_text(text, encoding="utf-8")
        golden(run("forecast", fine)[2].replace(f"{fine.parent}/", ""), case)


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    """A folder with a workflow that uses files in it and in a folder below, and a folder beside it."""
    files = {
        "jail/fine.yaml": "workflow: w\nsteps:\n  a: {use: below/used.yaml}\n",
        "jail/below/used.yaml": "workflow: used\nsteps: {a: {use: ../used.yaml}, b: {for_each: {file: rows.csv}, tool: 1s}}\n",
        "jail/below/rows.csv": "n\n1\n2\n",
        "jail/below/plain.yaml": FINE,
        "jail/used.yaml": FINE,
        "outside/used.yaml": FINE,
        "outside/rows.csv": "n\n1\n2\n",
        "outside/prompt.md": "Be brief.\n",
        "outside/catalogue.yaml": "profiles:\n  house: {ttft: 1s, output_speed: 60}\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "jail" / "link.yaml").symlink_to("../outside/used.yaml")
    (tmp_path / "jail" / "link").symlink_to("../outside")
    (tmp_path / "jail" / "inner.yaml").symlink_to("below/plain.yaml")
    return tmp_path / "jail"


BELOW = [
    ("forecast",), ("compare",), ("target", "--p90", "1h"), ("sensitivity",), ("rehearse",),
    ("tier", "--fast", "gpt-5", "--budget", 1),
]  # fmt: skip


@pytest.mark.parametrize("arguments", BELOW, ids=lambda arguments: arguments[0])
def test_every_command_reads_only_below_a_folder(jail: Path, arguments: tuple[object, ...]) -> None:
    name, *options = arguments
    code, out, err = run(name, jail / "link.yaml", *options, "--only-below", jail)
    assert (code, out) == (2, "")
    assert "[outside-folder]" in err


@pytest.mark.parametrize(
    "steps",
    [
        "a: {use: ../outside/used.yaml}",
        "a: {use: OUTSIDE/used.yaml}",
        "a: {use: link.yaml}",
        "a: {use: link/used.yaml}",
        "a: {use: below/../../outside/used.yaml}",
        "a: {use: ../outside/missing.yaml}",
        "a: {use: ../jail-of-another/missing.yaml}",
        "a: {for_each: {file: ../outside/rows.csv}, tool: 1s}",
        "a: {for_each: {file: link/rows.csv, column: n}, tool: 1s}",
        "a: {tool: {file: OUTSIDE/rows.csv, column: n}}",
        "a: {llm: {input: {file: link/prompt.md}, output: 1}}",
        "a: {use: /dev/stdin}",
    ],
)
def test_files_outside_of_the_folder_are_refused(jail: Path, steps: str) -> None:
    """Whether they exist or not, so that nothing about them is told."""
    (jail / "plan.yaml").write_text(
        f"workflow: w\nmodel: gpt-5\nsteps:\n  {steps.replace('OUTSIDE', str(jail.parent / 'outside'))}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        planner.load_workflow(jail / "plan.yaml", only_below=jail)
    assert {problem.code for problem in error.value.problems} == {"outside-folder"}
    (problem,) = error.value.problems
    assert problem.position is not None
    assert problem.position.line == 4


def test_files_inside_of_the_folder_are_read(jail: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    monkeypatch.chdir(jail)
    for folder in (jail, jail.parent, ".", jail / "below" / ".."):
        for name in ("fine.yaml", "inner.yaml", "link/../jail/fine.yaml"):
            assert len(planner.load_workflow(jail / name, only_below=folder).declared.steps) == 1
    assert planner.load_workflow("workflow: w\nsteps: {a: {use: used.yaml}}\n", only_below=".").name == "w"
    with pytest.raises(InputError):
        planner.load_workflow("workflow: w\nsteps: {a: {use: ../outside/used.yaml}}\n", only_below=".")
    code, _, err = run("forecast", "fine.yaml", "--only-below", "below")
    assert code == 2
    golden(err)


def test_a_catalogue_that_lies_beside_a_workflow_is_one_of_its_files(
    jail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the user names may lie anywhere."""
    outside = jail.parent / "outside" / "catalogue.yaml"
    text = "workflow: w\nmodel: house\nsteps: {a: {llm: {input: 1, output: 1}}}\n"
    (jail / "plan.yaml").write_text(text, encoding="utf-8")
    arguments = ("forecast", jail / "plan.yaml", "--samples", 2, "--only-below", jail)
    assert run(*arguments, "--catalogue", outside)[0] == 0
    (jail / "catalogue.yaml").symlink_to(outside)
    code, _, err = run(*arguments)
    assert code == 2
    assert "[outside-folder]" in err
    monkeypatch.setenv("PLANNER_CATALOGUE", str(outside))
    assert run(*arguments)[0] == 0


def test_the_folder_must_exist(jail: Path, golden: Golden) -> None:
    for folder in (jail / "nowhere", jail / "fine.yaml"):
        code, _, err = run("forecast", jail / "fine.yaml", "--only-below", folder)
        assert code == 2
        golden(err.replace(f"{jail}/", ""))
        with pytest.raises(InputError):
            planner.load_workflow(jail / "fine.yaml", only_below=folder)
    with pytest.raises(InputError):
        planner.load_workflow(jail / "fine.yaml", only_below="")
