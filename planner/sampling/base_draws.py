"""Draws of a workflow in; the same draws for workflows that differ from it in one number, out."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock

from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Occurrence, Samples, Transform, Turns
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.task_graph import TaskGraph
from planner.timing.durations import SampleDemands

MOST = 256_000_000
"""Most bytes of stored draws and demands."""


class DrawStore:
    """Arrays of draws for one block of samples, by everything that they depend on.

    most : most bytes to store
    complete : whether all draws have been stored
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.nbytes = 0
        self.complete = True
        self._draws: dict[Hashable, Floats] = {}
        self._keys = _Keys()

    def add(
        self, draws: Floats, transform: Transform, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence
    ) -> None:
        """Store an array of draws. If there is no room, forget all draws."""
        if not self.complete:
            return
        self.nbytes += draws.nbytes
        if self.nbytes > self.most:
            self.complete = False
            self._draws.clear()
            return
        draws.flags.writeable = False
        self._draws[self._keys.key(transform, cells, path, purpose, occurrence)] = draws

    def get(self, key: Hashable) -> Floats | None:
        return self._draws.get(key)


class _Keys:
    """Makes keys of arrays of draws. Successive calls often have the same positions, so their digest is kept."""

    def __init__(self) -> None:
        self._cells: Cells | None = None
        self._digest = b""

    def key(
        self, transform: Transform, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence
    ) -> Hashable:
        parts = tuple(
            (tuple(index.numbers), tuple(index.counts)) if isinstance(index, Turns) else index for index in occurrence
        )
        return transform, cells if isinstance(cells, int) else self._digest_of(cells), path, purpose, parts

    def _digest_of(self, cells: Cells) -> tuple[int, ...] | bytes:
        if cells is not self._cells:
            self._cells, self._digest = cells, blake2b(cells.tobytes(), digest_size=16).digest()
        return self._digest


@dataclass(frozen=True)
class ReusedSamples(Samples):
    """`Samples` that take draws from a store. Draws that are not in the store are made, and not stored."""

    store: DrawStore = field(default_factory=lambda: DrawStore(0), repr=False, compare=False)
    _positions: _Keys = field(default_factory=_Keys, init=False, repr=False, compare=False)

    def _draw(
        self, transform: Transform, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence
    ) -> Floats:
        draws = self.store.get(self._positions.key(transform, cells, path, purpose, occurrence))
        if draws is None:
            return super()._draw(transform, cells, path, purpose, occurrence)
        self.drawn.add(path)
        return draws


class BaseDraws:
    """Draws and demands of a workflow, by block of samples. Workflows that differ in one number reuse them.

    This saves time and changes no result. The draws of a block are stored completely or not at all. A copy in another
    process is None.

    at_once : number of blocks that are simulated concurrently
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._room = MOST
        self._blocks: dict[tuple[int, int], tuple[SampleDemands, DrawStore]] = {}
        self._graphs: dict[int, TaskGraph] = {}  # keep alive the declarations that identify demands
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()

    def store(self) -> DrawStore:
        """Return an empty store for the draws of one block."""
        return DrawStore(self._room // self._at_once)

    def keep(self, draws: SampleDemands, store: DrawStore | None, graph: TaskGraph) -> None:
        """Keep the draws and demands of a block of the workflow, if there is room."""
        if store is None or not store.complete:
            return
        size = store.nbytes + sum(demand.nbytes for demand in draws.demands.values())
        with self._lock:
            if size <= self._room:
                self._room -= size
                self._blocks[draws.samples.low, draws.samples.high] = draws, store
                self._graphs[id(graph)] = graph

    def draws(self, samples: Samples, layers: Layers) -> SampleDemands | None:
        """Return the draws of a block for a changed workflow. Return None if they were not kept.

        Demands depend on `layers`. If these differ from those of the workflow, only draws are reused.
        """
        block = self._blocks.get((samples.low, samples.high))
        if block is None:
            return None
        before, store = block
        reused = ReusedSamples(samples.seed, samples.low, samples.high, store)
        reused.drawn.update(before.samples.drawn)
        return SampleDemands(reused, layers, dict(before.demands) if layers == before.layers else {})
