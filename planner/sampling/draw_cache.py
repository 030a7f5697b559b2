"""A cache of draws for further batches of a workflow. Drawing takes longer than scheduling."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from planner.engine.draws import Samples
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.task_graph import TaskGraph
from planner.timing.durations import SampleDemands

MOST = 256_000_000
"""Most bytes of cached draws. Draws beyond that are drawn again."""


class DrawCache:
    """Draws by block, for batches of one workflow and seed that do not run concurrently.

    It saves time and changes no number. It is not sent to other processes.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._draws: dict[tuple[int, int], SampleDemands] = {}
        self._bytes: dict[tuple[int, int], int] = {}
        self._graphs: list[TaskGraph] = []  # demands are identified by declarations that these keep alive
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[DrawCache], tuple[int]]:
        return DrawCache, (0,)

    def draws(self, samples: Samples, layers: Layers) -> SampleDemands:
        """Return the draws of a block, as far as they are cached."""
        return self._draws.get((samples.low, samples.high)) or SampleDemands(samples, layers)

    def keep(self, draws: SampleDemands, graphs: Iterable[TaskGraph]) -> None:
        """Keep the draws of a block, in the order in which they were drawn, as far as there is room.

        graphs : that they were drawn for
        """
        block = draws.samples.low, draws.samples.high
        with self._lock:
            size, room = 0, self._most - sum(self._bytes.values()) + self._bytes.get(block, 0)
            for key, demand in list(draws.demands.items()):
                if size + demand.nbytes > room:
                    del draws.demands[key]
                else:
                    size += demand.nbytes
            self._draws[block], self._bytes[block] = draws, size
            self._graphs += graphs
