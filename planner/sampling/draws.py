"""A cache of draws and times for searches, and samples that record the mean of each stream of draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Occurrence, Samples, Transform
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.task_graph import TaskGraph
from planner.reading.estimates.estimate import Estimate
from planner.sampling.base_draws import DrawStore
from planner.timing.durations import SampleDemands
from planner.timing.pipeline import DrawnSamples
from planner.workflow.declaration import Workflow

Stream = tuple[str, str]
"""Path and purpose, which together identify a stream of draws."""

_SAMPLE = np.uint64((1 << 32) - 1)


@dataclass(frozen=True)
class StreamValues:
    """A rule that converts the draws of a random stream to values.

    At most one field is set. Which one depends on the use of the stream. If none is set, the values are the draws
    themselves.

    estimate : the estimate that the stream draws
    sigma : standard deviation of the logarithm of the lognormal factor that the stream draws
    happens : limits `(low, high)` of an event that the stream decides. The value is 1 if `low <= draw < high`, else 0
    """

    estimate: Estimate | None = None
    sigma: float = 0.0
    happens: tuple[float, float] | None = None

    def of_normal(self, z: Floats) -> Floats:
        spread = self.sigma if self.estimate is None else min(self.estimate.sigma, 20.0)
        return np.exp(spread * z) if spread else z

    def of_uniform(self, u: Floats) -> Floats:
        if self.happens is not None:
            low, high = self.happens
            return ((u >= low) & (u < high)).astype(float)
        if self.estimate is None or self.estimate.shape != "empirical":
            return u
        return np.asarray(np.array(self.estimate.points)[(u * len(self.estimate.points)).astype(int)])


_DRAWS_THEMSELVES = StreamValues()


@dataclass(frozen=True)
class RecordingSamples(Samples):
    """`Samples` that also add up the values of each random stream. Recording does not change the draws.

    store : receives all draws; None: draws are not stored
    """

    streams: Mapping[Stream, StreamValues] = field(default_factory=dict, compare=False)
    store: DrawStore | None = field(default=None, repr=False, compare=False)
    _sums: dict[Stream, tuple[Floats, Floats]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def normal(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        z = super().normal(cells, path, purpose, occurrence)
        stream = path, purpose
        self._add(cells, stream, self.streams.get(stream, _DRAWS_THEMSELVES).of_normal(z))
        return z

    def exponential(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        values = super().exponential(cells, path, purpose, occurrence)
        self._add(cells, (path, purpose), values)
        return values

    def uniform(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        u = super().uniform(cells, path, purpose, occurrence)
        stream = path, purpose
        self._add(cells, stream, self.streams.get(stream, _DRAWS_THEMSELVES).of_uniform(u))
        return u

    def _draw(
        self, transform: Transform, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence
    ) -> Floats:
        values = super()._draw(transform, cells, path, purpose, occurrence)
        if self.store is not None:
            self.store.add(values, transform, cells, path, purpose, occurrence)
        return values

    def mean(self, stream: Stream) -> Floats:
        """Return an array (S,): for each sample, the mean of all values drawn from a stream; 0 if none was drawn."""
        if stream not in self._sums:
            return np.zeros(len(self))
        total, count = self._sums[stream]
        return np.asarray(total / np.maximum(count, 1))

    def _add(self, cells: int | Cells, stream: Stream, values: Floats) -> None:
        total, count = self._sums.setdefault(stream, (np.zeros(len(self)), np.zeros(len(self))))
        if isinstance(cells, int):
            total += values.sum(0)
            count += len(values)
        else:
            sample = (cells.reshape(-1) & _SAMPLE).astype(np.int64) - self.low
            total += np.bincount(sample, values.reshape(-1), len(self))
            count += np.bincount(sample, minlength=len(self))


MOST = 256_000_000
"""Most bytes of cached draws. Draws for which there is no room are drawn again when they are needed."""


class DrawCache:
    """Cache of random draws for several batches of one workflow and one seed. Batches must not run concurrently.

    The cache saves time and changes no result. A copy in another process starts empty.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._draws: dict[tuple[int, int], SampleDemands] = {}
        self._bytes: dict[tuple[int, int], int] = {}
        self._graphs: list[TaskGraph] = []  # keep alive the declarations that identify demands
        self._expanded: dict[tuple[int, tuple[int, ...]], tuple[Workflow, TaskGraph]] = {}
        self._times: dict[tuple[object, ...], DrawnSamples] = {}
        self._times_bytes = 0
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[DrawCache], tuple[int]]:
        return DrawCache, (0,)

    def draws(self, samples: Samples, layers: Layers) -> SampleDemands:
        """Return the cached draws of a block of samples. Draws that are not in the cache are missing in the result."""
        return self._draws.get((samples.low, samples.high)) or SampleDemands(samples, layers)

    def keep(self, draws: SampleDemands, graphs: Iterable[TaskGraph]) -> None:
        """Store the draws of a block of samples. Draws that do not fit into the cache are discarded.

        graphs : task graphs for which the draws were made
        """
        block = draws.samples.low, draws.samples.high
        with self._lock:
            size, room = 0, self._most - sum(self._bytes.values()) + self._bytes.get(block, 0)
            if sum(demand.nbytes for demand in draws.demands.values()) + self._times_bytes > room:
                self._times.clear()  # to draw takes longer than to compute times
                self._times_bytes = self._most
            for key, demand in list(draws.demands.items()):
                if size + demand.nbytes > room:
                    del draws.demands[key]
                else:
                    size += demand.nbytes
            self._draws[block], self._bytes[block] = draws, size
            self._graphs += graphs

    def expanded(self, workflow: Workflow, key: tuple[int, ...], expand: Callable[[], TaskGraph]) -> TaskGraph:
        """Return the cached task graph of a workflow, or else the one that `expand` returns.

        key : key of the crew sizes, as the function from `draw_key_function` returns it
        """
        found = self._expanded.get((id(workflow), key))
        if found is None:
            found = self._expanded[id(workflow), key] = workflow, expand()
        return found[1]

    def times(
        self, samples: Samples, graph: TaskGraph, group: tuple[object, ...], draw: Callable[[], DrawnSamples]
    ) -> DrawnSamples:
        """Return the cached times of a block of samples, or else those that `draw` returns.

        Times are kept only while there is room for them and for all draws.

        graph : a task graph that `expanded` returned
        group : everything else on which the times depend
        """
        key = samples.low, samples.high, id(graph), *group
        found = self._times.get(key)
        if found is None:
            found = draw()
            size = 2 * (found.times.fixed.nbytes + found.times.decode.nbytes)
            with self._lock:
                if self._times_bytes + size + sum(self._bytes.values()) <= self._most:
                    self._times[key] = found
                    self._times_bytes += size
        return found
