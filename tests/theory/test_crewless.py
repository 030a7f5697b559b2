"""Files without crews: forecasts, LangGraph without any bound, and an independent simulator agree in every start and end.

`python -m tests.theory.test_crewless LOW HIGH` compares the files of these seeds; the proof is of 0 to 2000.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

from planner.expansion import on_runtime
from planner.langgraph_bridge import run_virtually
from planner.langgraph_bridge.rehearse.rehearsal import workflow_graphs
from planner.measures import playbacks
from planner.measures.playback import Playback, Spans
from planner.planning import forecast
from planner.workflow import Workflow
from tests.theory.crewless_files import written_without_crews
from tests.theory.crewless_simulator import SampleSimulation

SEED = 1
SAMPLES = 2
CLOSE = 1e-6
"""Seconds by which times may differ: hardly more than a tick."""


def simulated(workflow: Workflow, playback: Playback, row: int, agents: int | None) -> tuple[Spans, float]:
    """The sample by the independent simulator, with the durations that the planner drew."""
    works = {mark.subject.step: mark.subject for mark in playback.graph.works}

    def seconds(path: str, numbers: tuple[int, ...]) -> float:
        return playback.seconds(works[path], numbers, row)

    simulation = SampleSimulation(workflow, seconds, SEED, playback.first + row, agents)
    end = simulation.run()
    return simulation.spans, end


def differences(spans: Spans, others: Spans) -> list[str]:
    return [
        f"{key}: {spans.get(key)} and {others.get(key)}"
        for key in sorted(spans.keys() | others.keys())
        if np.abs(np.subtract(spans.get(key, (-1, -1)), others.get(key, (-1, -1)))).max() > CLOSE
    ]


def compared(workflow: Workflow, agents: int | None, langgraph: int) -> int:
    """Compare a workflow's forecast, its run on LangGraph and the simulator. Return the number of works compared.

    langgraph : number of samples that run on LangGraph too
    """
    sizes = {} if agents is None else {"agents": agents}
    ends, works = [], 0
    for playback in playbacks(workflow, sizes, 1.0, SEED, SAMPLES, SAMPLES):
        graphs = workflow_graphs(workflow, playback.graph)
        assert ("agents" in playback.graph.pools) == (agents is not None)
        for row in range(len(playback)):
            spans, end = simulated(workflow, playback, row, agents)
            assert differences(playback.predicted(row), spans) == []
            assert float(playback.schedule.makespan[row]) == pytest.approx(end, abs=CLOSE, rel=0)
            if row < langgraph:
                run, end_of_run = run_virtually(graphs, playback, row)
                assert differences(run, spans) == []
                assert end_of_run == pytest.approx(end, abs=CLOSE, rel=0)
            ends.append(end)
            works += len(spans)
    result = forecast(workflow, agents=agents, seed=SEED, samples=SAMPLES).result
    assert result.seconds.mean == pytest.approx(np.mean(ends), abs=CLOSE, rel=0)
    return works


def compare_seed(seed: int, folder: Path) -> int:
    """A file on both runtimes, without any bound and with a limit on agents. Return the number of works compared."""
    random = Random(seed)
    workflow, _ = written_without_crews(random, folder)
    limit, agents = random.choice([None, None, 1, 2, 3]), random.randint(1, 3)
    works = 0
    for plan in (workflow, on_runtime(workflow, "langgraph").model_copy(update={"max_concurrency": limit})):
        works += compared(plan, None, langgraph=1)
        works += compared(plan, agents, langgraph=seed % 10 == 0)
    return works


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crewless")


def test_the_files_use_every_key(folder: Path) -> None:
    used: Counter[str] = Counter()
    for seed in range(100):
        used += written_without_crews(Random(seed), folder)[1]
    assert min(used.values()) > 5, used
    assert len(used) >= 20


@pytest.mark.parametrize("seed", range(10))
def test_forecast_langgraph_and_simulator_agree_on_files_without_crews(seed: int, folder: Path) -> None:
    compare_seed(seed, folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 60))
def test_forecast_langgraph_and_simulator_agree_on_more_files(seed: int, folder: Path) -> None:
    compare_seed(seed, folder)


def main(low: int, high: int) -> None:
    works, failed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(low, high):
            try:
                works += compare_seed(seed, Path(folder))
            except Exception as error:  # shown, and the next seed follows
                failed.append(seed)
                print(f"seed {seed}: {type(error).__name__}: {str(error)[:600]}", flush=True)
            if (seed + 1 - low) % 100 == 0:
                print(f"{seed + 1 - low} files, {works:,} works, {len(failed)} failed", flush=True)
    print(f"{high - low} files, {works:,} works compared; failed: {failed or 'none'}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
