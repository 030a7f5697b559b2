"""The same bytes wherever samples are simulated, and nothing left behind."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.errors import InputError
from planner.planning import compare, forecast, sensitivity
from planner.report import comparison_json, forecast_json
from planner.sampling import (
    Batch,
    CancelledError,
    DaskBackend,
    GridPoint,
    ThreadBackend,
    backends,
    batch,
    simulate_block,
    simulate_blocks,
)
from planner.workflow import Workflow
from tests.conftest import ROOT, read_example

Declare = Callable[..., Workflow]

PORT = ROOT / "workflows" / "port_codebase.yaml"
FIX = ROOT / "workflows" / "fix_bugs.yaml"


@cache
def on_threads(count: int) -> tuple[str, str]:
    workflow, backend = read_example(FIX), ThreadBackend(count)
    forecasted = forecast(workflow, samples=1500, backend=backend)
    return forecast_json(forecasted), comparison_json(compare(workflow, [1, 2], [1, 3], samples=600, backend=backend))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_no_byte(threads: int) -> None:
    assert on_threads(threads) == on_threads(1)


def test_the_width_of_blocks_changes_no_byte(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs have wide blocks."""
    workflow = declare(
        "  a: {agent: {turns: 2 to 9, prompt: 3k, output: 100 to 900, tool: {time: 1s to 9s, result: 1k}}}\n"
        "  b: {needs: a, for_each: 3, chance: 50%, tool: 1s to 9s}"
    )
    wide = comparison_json(compare(workflow, [1, 2], [1, 3], samples=1100))
    assert Batch.of(workflow, [GridPoint(1.0, {"agents": 1})], 1).width == batch.WIDEST
    monkeypatch.setattr(batch, "WIDEST", batch.WIDTH)
    assert Batch.of(workflow, [GridPoint(1.0, {"agents": 1})], 1).width == batch.WIDTH
    assert comparison_json(compare(workflow, [1, 2], [1, 3], samples=1100)) == wide


def test_a_block_is_a_function_of_its_plan_also_in_another_process() -> None:
    plan = Batch.of(read_example(PORT), [GridPoint(1.0, {"engineers": 3})], 1, detailed=True)
    here = simulate_block(plan, 512, 520)
    there = pickle.loads(pickle.dumps(simulate_block(pickle.loads(pickle.dumps(plan)), 512, 520)))
    assert np.array_equal(here.seconds, there.seconds)
    assert np.array_equal(here.coordination, there.coordination)
    assert here.collector is not None
    assert there.collector is not None
    assert [row.seconds.total for row in here.collector.detail.works] == [
        row.seconds.total for row in there.collector.detail.works
    ]


def test_threads_stop_when_somebody_else_fails() -> None:
    plan = Batch.of(read_example(FIX), [GridPoint(1.0, {"fixers": 4})], 1)
    before = threading.active_count()

    def fail() -> None:
        with ThreadBackend(2).open([plan]) as simulated:
            next(simulated((low, low + 256) for low in range(0, 256 * 50, 256)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threading.active_count() == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child")
def test_ctrl_c_leaves_the_file_as_it_was_and_no_process(tmp_path: Path) -> None:
    output = tmp_path / "plan.json"
    output.write_text("before", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "planner",
        "compare",
        str(PORT),
        "--precision",
        "0.1%",
        "--json",
        "-o",
        str(output),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was written" in said
    assert output.read_text(encoding="utf-8") == "before"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.slow
def test_a_cluster_changes_no_byte_also_where_a_worker_dies() -> None:
    distributed = pytest.importorskip("distributed")
    workflow = read_example(FIX)
    grid = [1.0, 2.5], [1, 4, 8]
    here = compare(workflow, *grid, samples=4096, backend=ThreadBackend(1))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        doomed = next(iter(cluster.workers.values())).pid
        seen: list[float] = []

        def kill(done: float) -> None:
            if done > 0.2 and not seen:
                seen.append(done)
                os.kill(doomed, signal.SIGKILL)

        there = compare(workflow, *grid, samples=4096, backend=DaskBackend(cluster.scheduler_address), progress=kill)
        spread = sensitivity(workflow, samples=600, backend=DaskBackend(cluster.scheduler_address))
    assert seen
    assert seen[0] < 0.9
    assert there == here
    assert spread == sensitivity(workflow, samples=600)


def test_a_cluster_that_loses_all_workers_is_waited_for_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "LOOK", 0.2)
    workflow = read_example(FIX)
    grid = [1.0, 2.5], [1, 4, 8]
    here = compare(workflow, *grid, samples=2048, backend=ThreadBackend(1))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        said: list[str] = []
        lost: list[float] = []

        def lose(done: float) -> None:
            if done > 0.2 and not lost:
                lost.append(done)
                cluster.scale(0)

        def another(message: str) -> None:
            said.append(message)
            cluster.scale(1)

        backend = DaskBackend(cluster.scheduler_address, another)
        there = compare(workflow, *grid, samples=2048, backend=backend, progress=lose)
    assert lost
    assert lost[0] < 0.9
    assert len(said) == 1
    assert "lost all its workers" in said[0]
    assert there == here


def test_a_worker_that_is_back_at_the_next_look_was_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backends, "LOOK", 0.01)
    said: list[str] = []
    looks, over = iter([0, 1, 0, 1, 0, 1]), threading.Event()

    def workers() -> list[str]:
        count = next(looks, None)
        if count is None:
            over.set()
            raise OSError
        return ["worker"] * count

    with DaskBackend("tcp://x:1", said.append)._watched(workers):
        assert over.wait(60)
    assert said == []
    DaskBackend("tcp://x:1").say("it waits")
    assert capsys.readouterr() == ("", "it waits\n")


def test_a_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "PATIENCE", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster,
        pytest.raises(InputError, match="has no worker") as refused,
    ):
        compare(read_example(FIX), [1.0], [1], samples=10, backend=DaskBackend(cluster.scheduler_address))
    assert cluster.scheduler_address in str(refused.value.problems[0].hint)


def test_a_cluster_without_the_planner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0", silence_logs=50) as cluster,
        pytest.raises(InputError, match=r"no planner on inproc://\S+, scheduler"),
    ):
        compare(read_example(FIX), [1.0], [1], samples=10, backend=DaskBackend(cluster.scheduler_address))


def test_a_scheduler_that_is_lost_is_said_in_a_line() -> None:
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*command, "--no-dashboard"], stderr=subprocess.PIPE, text=True)
    worker = None
    try:
        assert scheduler.stderr is not None
        address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"],
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip

        def kill(done: float) -> None:
            if done > 0:
                scheduler.kill()

        with pytest.raises(InputError, match="or its workers failed"):
            compare(read_example(FIX), [1.0], [1], samples=1 << 16, backend=DaskBackend(address), progress=kill)
    finally:
        for process in (scheduler, worker):
            if process is not None:
                process.kill()
                process.communicate()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--backend", "dask"), "needs --scheduler"),
        (("--backend", "dask", "--scheduler", "tcp://x:1", "--threads", "2"), "takes no --threads"),
        (("--scheduler", "tcp://x:1"), "needs --backend dask"),
        (("--threads", "0"), "--threads"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["forecast", str(FIX), *options])
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())


def test_a_block_that_nobody_wants_any_more_is_given_up() -> None:
    """After a look, or Ctrl-C, threads do not go on to the end of their blocks."""
    plan = Batch.of(read_example(FIX), [GridPoint(1.0, {"fixers": agents}) for agents in (1, 2, 3)], 1)
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) == 2

    with pytest.raises(CancelledError):
        simulate_blocks([plan], 0, 64, cancelled)
    assert len(asked) == 2
