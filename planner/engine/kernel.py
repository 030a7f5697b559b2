# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The scheduling rule (docs/model.md, "Scheduling") in Cython's pure-Python mode: arrays in, arrays out.

`simulate` is called through `planner.engine.simulation`, which checks every array first:
nothing is checked here. The same file runs compiled and as plain Python, bit for bit alike.
"""

from __future__ import annotations

try:
    import cython
except ImportError:  # a machine without Cython, where this file runs as it is
    from planner.engine import nocython as cython

compiled: bool = cython.compiled

# state of a task: 0 not ready, 1 in the queue of its pool, 2 running, 3 ended, 4 cancelled

@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def push(times: cython.double[::1], ids: cython.int[::1], size: cython.Py_ssize_t, t: cython.double, i: cython.int) -> cython.void:
    """Add (t, i) to a binary heap of `size` entries, ordered by time, then id."""
    k: cython.Py_ssize_t = size
    parent: cython.Py_ssize_t
    while k > 0:
        parent = (k - 1) >> 1
        if times[parent] < t or (times[parent] == t and ids[parent] < i):
            break
        times[k] = times[parent]
        ids[k] = ids[parent]
        k = parent
    times[k] = t
    ids[k] = i


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def drop(times: cython.double[::1], ids: cython.int[::1], size: cython.Py_ssize_t) -> cython.void:
    """Remove the least entry of a heap that has `size` entries afterwards."""
    t: cython.double = times[size]
    i: cython.int = ids[size]
    k: cython.Py_ssize_t = 0
    child: cython.Py_ssize_t = 1
    left: cython.double
    right: cython.double
    while child < size:
        if child + 1 < size:
            left = times[child]
            right = times[child + 1]
            if left == right:
                child += ids[child + 1] < ids[child]
            else:
                child += right < left
        if t < times[child] or (t == times[child] and i < ids[child]):
            break
        times[k] = times[child]
        ids[k] = ids[child]
        k = child
        child = 2 * k + 1
    times[k] = t
    ids[k] = i


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def schedule(n: cython.Py_ssize_t, pools: cython.Py_ssize_t, row: cython.Py_ssize_t, leave_row: cython.Py_ssize_t, nan: cython.double,
             successor_start: cython.int[::1], successors: cython.int[::1], in_degree: cython.int[::1], acquire: cython.int[::1],
             release: cython.int[::1], capacity: cython.int[::1], race: cython.int[::1], copy_lo: cython.int[::1], race_lo: cython.int[::1],
             race_hi: cython.int[::1], leave: cython.int[::1], since: cython.int[::1], durations: cython.double[::1],
             patience: cython.double[::1], away: cython.double[::1], start: cython.double[::1], end: cython.double[::1],
             cause: cython.int[::1], freer: cython.int[::1], missing: cython.int[::1], state: cython.int[::1], heap_times: cython.double[::1],
             heap_ids: cython.int[::1], queue: cython.int[::1], queue_lo: cython.int[::1], head: cython.int[::1], tail: cython.int[::1],
             run_lo: cython.int[::1], run_time: cython.double[::1], free: cython.int[::1], freed_by: cython.int[::1]) -> cython.int:
    """Schedule one sample; returns the task that ends last, or -1 if some task never becomes ready."""
    size: cython.Py_ssize_t = 0  # of the heap
    left: cython.Py_ssize_t = n  # tasks neither ended nor cancelled
    t: cython.double = 0.0
    d: cython.double
    last: cython.int = 0
    e: cython.Py_ssize_t
    z: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    p: cython.Py_ssize_t
    r: cython.Py_ssize_t
    for p in range(pools):
        head[p] = tail[p] = run_lo[p] = queue_lo[p]
        run_time[p] = 0.0
        free[p] = capacity[p]
    for i in range(n):
        missing[i] = in_degree[i]
        state[i] = 0
        start[i] = end[i] = nan
        cause[i] = -1
        if in_degree[i] == 0:
            d = durations[row + i]
            if acquire[i] < 0 or d < 0.0:
                state[i] = 2
                start[i] = 0.0
                push(heap_times, heap_ids, size, d if d > 0.0 else 0.0, i)
                size += 1
            else:
                state[i] = 1
                queue[tail[acquire[i]]] = i
                tail[acquire[i]] += 1
    while True:
        # 1. Finish every task that ends at t, the least id first.
        while size > 0 and heap_times[0] == t:
            i = heap_ids[0]
            size -= 1
            if size > 0:
                drop(heap_times, heap_ids, size)
            if state[i] == 4:
                continue
            state[i] = 3
            end[i] = t
            last = i
            left -= 1
            p = release[i]
            if p >= 0 and durations[row + i] >= 0.0:
                free[p] += 1
                freed_by[p] = i
            r = race[i]
            if r >= 0:  # the first exit of a race: its other copies are cancelled and give back what they hold
                for j in range(race_lo[r], race_hi[r]):
                    if (copy_lo[i] <= j <= i) or state[j] == 4:
                        continue
                    if state[j] >= 2 and durations[row + j] >= 0.0:
                        p = acquire[j]
                        if p >= 0:
                            free[p] += 1
                            freed_by[p] = i
                        if state[j] == 3 and release[j] >= 0:
                            free[release[j]] -= 1
                    if state[j] == 2:
                        end[j] = t
                    if state[j] != 3:
                        left -= 1
                    state[j] = 4
            for e in range(successor_start[i], successor_start[i + 1]):
                j = successors[e]
                missing[j] -= 1
                if missing[j] == 0 and state[j] == 0:
                    cause[j] = i
                    p = acquire[j]
                    d = durations[row + j]
                    if p < 0 or d < 0.0:
                        state[j] = 2
                        start[j] = t
                        if d < 0.0:
                            d = 0.0
                        elif leave[j] >= 0 and t - end[since[leave[j]]] > patience[leave_row + leave[j]]:
                            d += away[leave_row + leave[j]]
                        push(heap_times, heap_ids, size, t + d, j)
                        size += 1
                    else:  # into the pool's queue, ordered by (ready time, id): the run that became ready at t is kept sorted
                        state[j] = 1
                        if run_time[p] != t:
                            run_time[p] = t
                            run_lo[p] = tail[p]
                        z = tail[p]
                        tail[p] += 1
                        while z > run_lo[p] and z > head[p] and queue[z - 1] > j:
                            queue[z] = queue[z - 1]
                            z -= 1
                        queue[z] = j
        # 2. Dispatch: each pool gives its free slots to those that wait.
        for p in range(pools):
            while free[p] > 0 and head[p] < tail[p]:
                j = queue[head[p]]
                head[p] += 1
                if state[j] != 1:
                    continue
                free[p] -= 1
                state[j] = 2
                start[j] = t
                freer[j] = freed_by[p]
                d = durations[row + j]
                if leave[j] >= 0 and t - end[since[leave[j]]] > patience[leave_row + leave[j]]:
                    d += away[leave_row + leave[j]]
                push(heap_times, heap_ids, size, t + d, j)
                size += 1
        # Only then does time advance. What started without taking time ends at t still: then 1 again.
        if size == 0:
            break
        t = heap_times[0]
    return last if left == 0 else -1


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def trace(last: cython.int, row: cython.Py_ssize_t, acquire: cython.int[::1], crew: cython.int[::1], start: cython.double[::1],
          end: cython.double[::1], cause: cython.int[::1], freer: cython.int[::1], critical: cython.schar[::1]) -> cython.double:
    """Mark the critical path that ends with `last`; returns its seconds of waiting for an agent of a crew.

    A task that started later than it became ready waited for a slot. If that slot is a crew's, the gap is
    waiting and the path goes on with what made the task ready; elsewhere it goes on with the task that freed the slot.
    """
    waiting: cython.double = 0.0
    ready: cython.double
    i: cython.int = last
    while i >= 0:
        critical[row + i] = 1
        ready = end[cause[i]] if cause[i] >= 0 else 0.0
        if start[i] == ready:
            i = cause[i]
        elif crew[acquire[i]]:
            waiting += start[i] - ready
            i = cause[i]
        else:
            i = freer[i]
    return waiting


def simulate(samples: cython.Py_ssize_t, n: cython.Py_ssize_t, pools: cython.Py_ssize_t, leaves: cython.Py_ssize_t,
             successor_start: cython.int[::1], successors: cython.int[::1], in_degree: cython.int[::1], acquire: cython.int[::1],
             release: cython.int[::1], capacity: cython.int[::1], crew: cython.int[::1], race: cython.int[::1], copy_lo: cython.int[::1],
             race_lo: cython.int[::1], race_hi: cython.int[::1], leave: cython.int[::1], since: cython.int[::1],
             durations: cython.double[::1], patience: cython.double[::1], away: cython.double[::1], makespan: cython.double[::1],
             waiting: cython.double[::1], critical: cython.schar[::1], starts: cython.double[::1], ends: cython.double[::1],
             start: cython.double[::1], end: cython.double[::1],
             cause: cython.int[::1], freer: cython.int[::1], missing: cython.int[::1], state: cython.int[::1], heap_times: cython.double[::1],
             heap_ids: cython.int[::1], queue: cython.int[::1], queue_lo: cython.int[::1], head: cython.int[::1], tail: cython.int[::1],
             run_lo: cython.int[::1], run_time: cython.double[::1], free: cython.int[::1], freed_by: cython.int[::1]):
    """Schedule every sample: fills `makespan`, `waiting`, and `critical`, `starts` and `ends` where they have room."""
    nan: cython.double = float("nan")
    traced: cython.bint = len(critical) > 0
    recorded: cython.bint = len(starts) > 0
    i: cython.Py_ssize_t
    s: cython.Py_ssize_t
    last: cython.int
    with cython.nogil:
        for s in range(samples):
            last = schedule(n, pools, s * n, s * leaves, nan, successor_start, successors, in_degree, acquire, release, capacity, race,
                            copy_lo, race_lo, race_hi, leave, since, durations, patience, away, start, end, cause, freer, missing, state,
                            heap_times, heap_ids, queue, queue_lo, head, tail, run_lo, run_time, free, freed_by)
            makespan[s] = end[last] if last >= 0 else nan
            if traced and last >= 0:
                waiting[s] = trace(last, s * n, acquire, crew, start, end, cause, freer, critical)
            if recorded:
                for i in range(n):
                    starts[s * n + i] = start[i]
                    ends[s * n + i] = end[i]
