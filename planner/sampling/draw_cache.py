"""What was drawn for a workflow's samples, kept for the next plan of it: drawing takes longer than scheduling."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from planner.engine.draws import Samples
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.task_graph import TaskGraph
from planner.timing.durations import SampleDemands

MOST = 256_000_000
"""Bytes of draws that are kept; what is drawn when there are as many is drawn again."""


class DrawCache:
    """Draws of blocks, for plans of one workflow and seed of which no two run at the same time.

    They change no number, only what is worked out twice. Nothing of it goes to another process.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._draws: dict[tuple[int, int], SampleDemands] = {}
        self._bytes: dict[tuple[int, int], int] = {}
        self._alive: list[TaskGraph] = []  # draws are known by the declarations that these hold
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[DrawCache], tuple[int]]:
        return DrawCache, (0,)

    def draws(self, samples: Samples, layers: Layers) -> SampleDemands:
        """Those of a block as far as they are known."""
        return self._draws.get((samples.low, samples.high)) or SampleDemands(samples, layers)

    def keep(self, draws: SampleDemands, graphs: Iterable[TaskGraph]) -> None:
        """Keep those of a block, of which some were drawn for these graphs; the latest only as far as there is room."""
        block = draws.samples.low, draws.samples.high
        with self._lock:
            size, room = 0, self._most - sum(self._bytes.values()) + self._bytes.get(block, 0)
            for key, demand in list(draws.known.items()):
                if size + demand.nbytes > room:
                    del draws.known[key]
                else:
                    size += demand.nbytes
            self._draws[block], self._bytes[block] = draws, size
            self._alive += graphs
