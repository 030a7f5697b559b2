from __future__ import annotations

import re
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from planner.loading import load
from planner.sampling import Batch, GridPoint, Stopping, sample
from planner.workflow import Workflow, read_workflow

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"

PLAIN = "models: {plain: {ttft: 1s, prefill_speed: 1000, output_speed: 50, jitter: 0}}\nmodel: plain\n"
"""A profile in which a request of i tokens in and o out takes 1 + i/1000 + o/50 seconds."""


COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""All tests of the files that were named, before -k and -m choose among them."""


class ProgressLines:
    """Adds a line on how far the run is every ten seconds, also where output is piped.

    The dots alone say little: their percentage comes once in 72 tests, and a minute of slow tests is one line.
    """

    def __init__(self) -> None:
        self._done = 0
        self._start = self._last = time.monotonic()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        self._done += report.when != "teardown"
        now = time.monotonic()
        reporter: pytest.TerminalReporter | None = self._session.config.pluginmanager.get_plugin("terminalreporter")
        total = self._session.testscollected
        if reporter and total and now - self._last >= 10:
            self._last = now
            share = f"{self._done / total:.0%} of {total} tests in {now - self._start:.0f} s"
            reporter.write_line(f" [{share}]", flush=True)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ProgressLines(), "progress lines")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = list(items)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the texts of tests/golden")


def amounts(text: object) -> set[str]:
    """The numbers with their units in a text for people, however it is worded."""
    return {found.rstrip(",") for found in re.findall(r"(?<![\w.'])\$?\d[\d,]*(?:\.\d+)?(?:[a-z%][\w%]*)?", str(text))}


class Golden:
    """Compares texts for people with the files of tests/golden. `pytest --update` rewrites them instead.

    A test has one file, with a section for each of its texts where there are several: "=== " and the test's parameters.
    """

    def __init__(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        self._request = request
        self._tmp_path = tmp_path
        self._texts: Counter[str] = Counter()

    def __call__(self, text: object, case: str = "", file: str = "") -> str:
        """Compare a text, or lines, and return it. `case` names its section, `file` replaces the test's own file."""
        text = "\n".join(map(str, text)) if isinstance(text, list | tuple) else str(text)
        path, section = golden_place(self._request.node)
        if file:
            path, section = GOLDEN / f"{file}.txt", ""
        whole = "[" not in self._request.node.name or bool(file)  # no other test writes into the same file
        if self._request.config.getoption("update") and not self._texts and whole:
            path.unlink(missing_ok=True)  # it is this test's alone: no section of an earlier version stays
        section = " ".join(filter(None, (section, case)))
        self._texts[section] += 1
        if (number := self._texts[section]) > 1:
            section = f"{section} {number}".strip()
        shown = self._shown(text)
        if self._request.config.getoption("update"):
            rewrite(path, section, shown)
        sections = sections_of(path)
        assert section in sections, f"no '{section}' in {path.relative_to(ROOT)}: run pytest --update"
        assert shown == sections[section], f"{path.relative_to(ROOT)} differs: run pytest --update, and read the diff"
        return text

    def _shown(self, text: str) -> str:
        """The text without folders of this machine and LangGraph's version, and with long lines folded."""
        text = text.replace(str(self._tmp_path), "TMP").replace(str(ROOT), "ROOT")
        text = re.sub(r"LangGraph \d+\.\d+\.\d+", "LangGraph VERSION", text)
        assert "pytest-of-" not in text, "a path of this machine is cut or wrapped: give a relative one"
        lines = [
            textwrap.fill(line, 100, break_long_words=False, break_on_hyphens=False) if len(line) > 120 else line
            for line in text.split("\n")
        ]
        return "\n".join(lines).rstrip("\n") + "\n"


def golden_place(item: pytest.Item) -> tuple[Path, str]:
    """File and section of a test: FOLDER/MODULE/NAME.txt of tests/golden, and the test's parameters."""
    name, _, parameters = item.name.removesuffix("]").partition("[")
    folder = GOLDEN / item.path.parent.name
    module = item.path.stem.removeprefix("test_")
    return (
        (folder if module == folder.name else folder / module) / f"{name.removeprefix('test_')}.txt",
        parameters[:80],
    )


def sections_of(path: Path) -> dict[str, str]:
    """The texts of a golden file by section; a file without sections has one, named ""."""
    if not path.exists():
        return {}
    first, *others = re.split(r"^=== ", path.read_bytes().decode(), flags=re.MULTILINE)
    return ({"": first} if first else {}) | {
        head: text for head, _, text in (other.partition("\n") for other in others)
    }


def rewrite(path: Path, section: str, text: str) -> None:
    """Put a text into its section, one process at a time."""
    import fcntl  # not on Windows, where texts are compared and not rewritten

    path.parent.mkdir(parents=True, exist_ok=True)
    with (GOLDEN / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        texts = sections_of(path) | {section: text}
        written = [f"=== {name}\n{texts[name]}" if name else texts[name] for name in sorted(texts)]
        path.write_text("".join(written), encoding="utf-8", newline="")


@pytest.fixture
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Golden:
    return Golden(request, tmp_path)


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Workflow]:
    """A workflow from the text of its steps, on the profile `PLAIN` unless a header is given."""

    def make(steps: str, header: str = PLAIN, **parameters: float) -> Workflow:
        path = tmp_path / "workflow.yaml"
        path.write_text(f"workflow: test\n{header}\nsteps:\n{steps}\n", encoding="utf-8")
        return read_workflow(path, parameters)

    return make


def read_example(path: Path) -> Workflow:
    """An example as the command line reads it, with the profiles of the catalogue."""
    workflow, _ = load(path).serving()
    return workflow


def simulated(workflow: Workflow, cells: Sequence[GridPoint], samples: int) -> np.ndarray:
    """(cells, N) completion times, on seed 1."""
    (found,) = sample([Batch.of(workflow, cells, 1)], Stopping(samples))
    return np.array([seconds.first for seconds in found.seconds])
