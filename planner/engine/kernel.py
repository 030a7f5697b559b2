# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The scheduling rule (docs/model.md, "Scheduling") in Cython's pure-Python mode: arrays in, arrays out.

Call it through `planner.engine.simulation.simulate`, which checks every array; nothing is checked here.
The same file runs compiled and as plain Python, with the same results to the bit.
"""

from __future__ import annotations

try:
    import cython
except ImportError:  # without Cython the file runs as plain Python
    from planner.engine import nocython as cython

compiled: bool = cython.compiled


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def push(times: cython.p_double, tasks: cython.p_int, size: cython.Py_ssize_t, time: cython.double, task: cython.int) -> cython.void:
    """Add (time, task) to a binary heap of `size` entries, ordered by time, then task."""
    k: cython.Py_ssize_t = size
    parent: cython.Py_ssize_t
    while k > 0:
        parent = (k - 1) >> 1
        if times[parent] < time or (times[parent] == time and tasks[parent] < task):
            break
        times[k] = times[parent]
        tasks[k] = tasks[parent]
        k = parent
    times[k] = time
    tasks[k] = task


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def drop(times: cython.p_double, tasks: cython.p_int, size: cython.Py_ssize_t) -> cython.void:
    """Remove the least entry of a heap. `size`: number of entries that remain."""
    time: cython.double = times[size]
    task: cython.int = tasks[size]
    k: cython.Py_ssize_t = 0
    child: cython.Py_ssize_t = 1
    left: cython.double
    right: cython.double
    while child < size:
        if child + 1 < size:
            left = times[child]
            right = times[child + 1]
            if left == right:
                child += tasks[child + 1] < tasks[child]
            else:
                child += right < left
        if time < times[child] or (time == times[child] and task < tasks[child]):
            break
        times[k] = times[child]
        tasks[k] = tasks[child]
        k = child
        child = 2 * k + 1
    times[k] = time
    tasks[k] = task


@cython.cfunc
def ints(array, owner: list) -> cython.p_int:
    """Return the address of a one-dimensional int32 array, which `owner` keeps alive.

    Uncompiled, return its entries as a list, which Python indexes several times faster.
    """
    entries: cython.int[::1]
    if not cython.compiled:
        return array.tolist()
    owner.append(array)
    entries = array
    return cython.address(entries[0])


@cython.cfunc
def doubles(array, owner: list) -> cython.p_double:
    """As `ints`, of a float64 array."""
    entries: cython.double[::1]
    if not cython.compiled:
        return array.tolist()
    owner.append(array)
    entries = array
    return cython.address(entries[0])


@cython.cfunc
def bools(array, owner: list) -> cython.p_schar:
    """As `ints`, of an int8 array."""
    entries: cython.schar[::1]
    if not cython.compiled:
        return array.tolist()
    owner.append(array)
    entries = array
    return cython.address(entries[0])


@cython.final
@cython.cclass
class TaskArrays:
    """The arrays of a `planner.engine.simulation.Graph`, whose docstring describes them."""

    owner: list
    count: cython.Py_ssize_t
    pools: cython.Py_ssize_t
    leaves: cython.Py_ssize_t
    races: cython.Py_ssize_t
    successor_start: cython.p_int
    successors: cython.p_int
    in_degree: cython.p_int
    acquire: cython.p_int
    release: cython.p_int
    capacity: cython.p_int
    crew: cython.p_int
    race: cython.p_int
    copy_lo: cython.p_int
    race_lo: cython.p_int
    race_hi: cython.p_int
    leave: cython.p_int
    since: cython.p_int
    queue_lo: cython.p_int

    def __init__(self, graph):
        owner = self.owner = []
        self.count = len(graph.in_degree)
        self.pools = len(graph.capacity)
        self.leaves = len(graph.since)
        self.races = len(graph.race_lo)
        self.successor_start = ints(graph.successor_start, owner)
        self.successors = ints(graph.successors, owner)
        self.in_degree = ints(graph.in_degree, owner)
        self.acquire = ints(graph.acquire, owner)
        self.release = ints(graph.release, owner)
        self.capacity = ints(graph.capacity, owner)
        self.crew = ints(graph.crew, owner)
        self.race = ints(graph.race, owner)
        self.copy_lo = ints(graph.copy_lo, owner)
        self.race_lo = ints(graph.race_lo, owner)
        self.race_hi = ints(graph.race_hi, owner)
        self.leave = ints(graph.leave, owner)
        self.since = ints(graph.since, owner)
        self.queue_lo = ints(graph.queue_lo, owner)


@cython.final
@cython.cclass
class SampleArrays:
    """Durations to schedule, the arrays of a `Schedule` for the results, and working memory for one sample.

    owner : keeps the arrays alive
    results : the `Schedule`
    cause : the predecessor whose end made a task ready, or -1
    freer : the task that freed the slot for which a task waited
    missing : how many predecessors of a task have not ended
    state : 0 not ready, 1 in the queue of its pool, 2 running, 3 ended, 4 cancelled
    heap_times, heap_tasks : running tasks by the time at which they end
    queue : the queues of all pools, each from its `queue_lo` on
    head, tail : the first entry of a pool's queue, and one past the last
    run_lo, run_time : the first of the entries that became ready last, and the time at which they did
    free, freed_by : free slots of a pool, and the task that freed the last of them
    """

    owner: list
    count: cython.Py_ssize_t
    nan: cython.double
    traced: cython.bint
    recorded: cython.bint
    durations: cython.p_double
    patience: cython.p_double
    away: cython.p_double

    results: object
    makespan: cython.p_double
    waiting: cython.p_double
    critical: cython.p_schar
    starts: cython.p_double
    ends: cython.p_double
    start: cython.p_double
    end: cython.p_double

    cause: cython.p_int
    freer: cython.p_int
    missing: cython.p_int
    state: cython.p_int
    heap_times: cython.p_double
    heap_tasks: cython.p_int
    queue: cython.p_int
    head: cython.p_int
    tail: cython.p_int
    run_lo: cython.p_int
    run_time: cython.p_double
    free: cython.p_int
    freed_by: cython.p_int

    def __init__(self, tasks: TaskArrays, durations, patience, away, results):
        import numpy as np  # not at the top: `planner --version` loads the kernel, and numpy takes longer than all else

        owner = self.owner = []
        self.count = len(durations)
        self.nan = float("nan")
        self.traced = len(results.critical) > 0
        self.recorded = len(results.starts) > 0
        self.durations = doubles(durations.ravel(), owner)
        self.patience = doubles(patience.ravel(), owner)
        self.away = doubles(away.ravel(), owner)
        self.results = results
        self.makespan = doubles(results.makespan, owner)
        self.waiting = doubles(results.waiting, owner)
        self.critical = bools(results.critical.ravel(), owner)
        self.starts = doubles(results.starts.ravel(), owner)
        self.ends = doubles(results.ends.ravel(), owner)
        self.start = doubles(results.start, owner)
        self.end = doubles(results.end, owner)
        self.cause = ints(np.empty(tasks.count, np.int32), owner)
        self.freer = ints(np.empty(tasks.count, np.int32), owner)
        self.missing = ints(np.empty(tasks.count, np.int32), owner)
        self.state = ints(np.empty(tasks.count, np.int32), owner)
        self.heap_times = doubles(np.empty(tasks.count, np.float64), owner)
        self.heap_tasks = ints(np.empty(tasks.count, np.int32), owner)
        self.queue = ints(np.empty(tasks.count, np.int32), owner)
        self.head = ints(np.empty(tasks.pools, np.int32), owner)
        self.tail = ints(np.empty(tasks.pools, np.int32), owner)
        self.run_lo = ints(np.empty(tasks.pools, np.int32), owner)
        self.run_time = doubles(np.empty(tasks.pools, np.float64), owner)
        self.free = ints(np.empty(tasks.pools, np.int32), owner)
        self.freed_by = ints(np.empty(tasks.pools, np.int32), owner)

    def copy_back(self):
        """Copy the lists of the uncompiled kernel into the arrays of the results."""
        for name in ("makespan", "waiting", "critical", "starts", "ends", "start", "end"):
            getattr(self.results, name).ravel()[:] = getattr(self, name)


@cython.ccall  # not `cfunc`: the C compiler would inline it into its only caller, which is 8% slower
@cython.nogil
@cython.exceptval(check=False)
def schedule(tasks: TaskArrays, samples: SampleArrays, sample: cython.Py_ssize_t) -> cython.int:
    """Schedule one sample; return the task that ends last, or -1 if some task never becomes ready."""
    # Local names: plain Python reads them faster than attributes.
    n: cython.Py_ssize_t = tasks.count
    pools: cython.Py_ssize_t = tasks.pools
    successor_start: cython.p_int = tasks.successor_start
    successors: cython.p_int = tasks.successors
    in_degree: cython.p_int = tasks.in_degree
    acquire: cython.p_int = tasks.acquire
    release: cython.p_int = tasks.release
    capacity: cython.p_int = tasks.capacity
    race: cython.p_int = tasks.race
    copy_lo: cython.p_int = tasks.copy_lo
    race_lo: cython.p_int = tasks.race_lo
    race_hi: cython.p_int = tasks.race_hi
    leave: cython.p_int = tasks.leave
    since: cython.p_int = tasks.since
    queue_lo: cython.p_int = tasks.queue_lo
    durations: cython.p_double
    patience: cython.p_double
    away: cython.p_double
    start: cython.p_double = samples.start
    end: cython.p_double = samples.end
    cause: cython.p_int = samples.cause
    freer: cython.p_int = samples.freer
    missing: cython.p_int = samples.missing
    state: cython.p_int = samples.state
    heap_times: cython.p_double = samples.heap_times
    heap_tasks: cython.p_int = samples.heap_tasks
    queue: cython.p_int = samples.queue
    head: cython.p_int = samples.head
    tail: cython.p_int = samples.tail
    run_lo: cython.p_int = samples.run_lo
    run_time: cython.p_double = samples.run_time
    free: cython.p_int = samples.free
    freed_by: cython.p_int = samples.freed_by
    nan: cython.double = samples.nan
    row: cython.Py_ssize_t = sample * n  # of the sample's first duration
    leave_row: cython.Py_ssize_t = sample * tasks.leaves  # of its first patience
    people: cython.bint = tasks.leaves > 0
    races: cython.bint = tasks.races > 0
    running: cython.Py_ssize_t = 0  # entries of the heap
    left: cython.Py_ssize_t = n  # tasks neither ended nor cancelled
    time: cython.double = 0.0
    duration: cython.double
    last: cython.int = 0
    edge: cython.Py_ssize_t
    place: cython.Py_ssize_t  # in a queue
    task: cython.Py_ssize_t
    other: cython.Py_ssize_t
    pool: cython.Py_ssize_t
    contest: cython.Py_ssize_t  # a race
    if cython.compiled:
        durations = samples.durations + row
        patience = samples.patience + leave_row
        away = samples.away + leave_row
    else:
        durations = samples.durations[row : row + n]
        patience = samples.patience[leave_row : leave_row + tasks.leaves]
        away = samples.away[leave_row : leave_row + tasks.leaves]
    for pool in range(pools):
        head[pool] = tail[pool] = run_lo[pool] = queue_lo[pool]
        run_time[pool] = 0.0
        free[pool] = capacity[pool]
    for task in range(n):
        missing[task] = in_degree[task]
        state[task] = 0
        start[task] = end[task] = nan
        cause[task] = -1
        if in_degree[task] == 0:
            duration = durations[task]
            if acquire[task] < 0 or duration < 0.0:
                state[task] = 2
                start[task] = 0.0
                push(heap_times, heap_tasks, running, duration if duration > 0.0 else 0.0, task)
                running += 1
            else:
                state[task] = 1
                queue[tail[acquire[task]]] = task
                tail[acquire[task]] += 1
    while True:
        # 1. Finish every task that ends now, the least number first.
        while running > 0 and heap_times[0] == time:
            task = heap_tasks[0]
            running -= 1
            if running > 0:
                drop(heap_times, heap_tasks, running)
            if state[task] == 4:
                continue
            state[task] = 3
            end[task] = time
            last = task
            left -= 1
            pool = release[task]
            if pool >= 0 and durations[task] >= 0.0:
                free[pool] += 1
                freed_by[pool] = task
            contest = race[task] if races else -1
            if contest >= 0:  # the first exit of a race: cancel its other copies and free the slots that they hold
                for other in range(race_lo[contest], race_hi[contest]):
                    if (copy_lo[task] <= other <= task) or state[other] == 4:
                        continue
                    if state[other] >= 2 and durations[other] >= 0.0:
                        pool = acquire[other]
                        if pool >= 0:
                            free[pool] += 1
                            freed_by[pool] = task
                        if state[other] == 3 and release[other] >= 0:
                            free[release[other]] -= 1
                    if state[other] == 2:
                        end[other] = time
                    if state[other] != 3:
                        left -= 1
                    state[other] = 4
            for edge in range(successor_start[task], successor_start[task + 1]):
                other = successors[edge]
                missing[other] -= 1
                if missing[other] == 0 and state[other] == 0:
                    cause[other] = task
                    pool = acquire[other]
                    duration = durations[other]
                    if pool < 0 or duration < 0.0:
                        state[other] = 2
                        start[other] = time
                        if duration < 0.0:
                            duration = 0.0
                        elif people and leave[other] >= 0 and time - end[since[leave[other]]] > patience[leave[other]]:
                            duration += away[leave[other]]
                        push(heap_times, heap_tasks, running, time + duration, other)
                        running += 1
                    else:  # queue by (ready time, number): sort in among the tasks that became ready now
                        state[other] = 1
                        if run_time[pool] != time:
                            run_time[pool] = time
                            run_lo[pool] = tail[pool]
                        place = tail[pool]
                        tail[pool] += 1
                        while place > run_lo[pool] and place > head[pool] and queue[place - 1] > other:
                            queue[place] = queue[place - 1]
                            place -= 1
                        queue[place] = other
        # 2. Dispatch: each pool gives its free slots to the tasks that wait.
        for pool in range(pools):
            while free[pool] > 0 and head[pool] < tail[pool]:
                other = queue[head[pool]]
                head[pool] += 1
                if state[other] != 1:
                    continue
                free[pool] -= 1
                state[other] = 2
                start[other] = time
                freer[other] = freed_by[pool]
                duration = durations[other]
                if people and leave[other] >= 0 and time - end[since[leave[other]]] > patience[leave[other]]:
                    duration += away[leave[other]]
                push(heap_times, heap_tasks, running, time + duration, other)
                running += 1
        # 3. Advance the clock. A task without duration ends at the same time: then 1 again.
        if running == 0:
            break
        time = heap_times[0]
    return last if left == 0 else -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def trace(tasks: TaskArrays, samples: SampleArrays, last: cython.int, row: cython.Py_ssize_t) -> cython.double:
    """Mark the critical path that ends with `last`; return its seconds of waiting for an agent of a crew.

    A task that started later than it became ready waited for a slot. If that slot is a crew's, the gap is
    waiting and the path continues with the task that made this one ready. Elsewhere it continues with the
    task that freed the slot.
    """
    waiting: cython.double = 0.0
    ready: cython.double
    cause: cython.int
    task: cython.int = last
    while task >= 0:
        samples.critical[row + task] = 1
        cause = samples.cause[task]
        ready = samples.end[cause] if cause >= 0 else 0.0
        if samples.start[task] == ready:
            task = cause
        elif tasks.crew[tasks.acquire[task]]:
            waiting += samples.start[task] - ready
            task = cause
        else:
            task = samples.freer[task]
    return waiting


def simulate(tasks: TaskArrays, samples: SampleArrays):
    """Schedule every sample and fill the results. The makespan is NaN where some task never becomes ready."""
    n: cython.Py_ssize_t = tasks.count
    sample: cython.Py_ssize_t
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    last: cython.int
    with cython.nogil:
        for sample in range(samples.count):
            row = sample * n
            last = schedule(tasks, samples, sample)
            samples.makespan[sample] = samples.end[last] if last >= 0 else samples.nan
            if samples.traced and last >= 0:
                samples.waiting[sample] = trace(tasks, samples, last, row)
            if samples.recorded:
                for i in range(n):
                    samples.starts[row + i] = samples.start[i]
                    samples.ends[row + i] = samples.end[i]
    if not compiled:
        samples.copy_back()
