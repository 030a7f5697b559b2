"""The order of the steps of a group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush

from planner.workflow.declaration import Step

Steps = Mapping[str, Step]

FEW = 10
"""Steps up to which every choice of steps side by side is tried."""


def needs(steps: Steps) -> dict[str, tuple[str, ...]]:
    """What each step waits for: what it needs, and what is done where that fails; the latter waits for what fails."""
    failing = {step.otherwise: name for name, step in steps.items() if step.otherwise}

    def of(name: str, step: Step) -> tuple[str, ...]:
        wanted = [*step.needs, *([failing[name]] if name in failing else [])]
        instead = [other for need in wanted if (other := steps[need].otherwise) and other != name]
        chained = list(instead)
        while chained:  # what is done instead may fail in turn
            other = steps[chained.pop()].otherwise
            if other and other != name and other not in instead:
                instead.append(other)
                chained.append(other)
        return tuple(dict.fromkeys([*wanted, *instead]))

    return {name: of(name, step) for name, step in steps.items()}


def in_order(steps: Steps) -> list[str]:
    """Names of steps, each after those it waits for, else as they come."""
    names = list(steps)
    place = {name: index for index, name in enumerate(names)}
    wanted = needs(steps)
    return [names[index] for index in topological([[place[need] for need in wanted[name]] for name in names])]


def topological(needed: Sequence[Collection[int]]) -> list[int]:
    """Indices in their order, but each after those that it needs."""
    needed_by: list[list[int]] = [[] for _ in needed]
    missing = [len(set(wanted)) for wanted in needed]
    for index, wanted in enumerate(needed):
        for need in set(wanted):
            needed_by[need].append(index)
    ready = [index for index, count in enumerate(missing) if not count]
    done = []
    while ready:
        index = heappop(ready)
        done.append(index)
        for other in needed_by[index]:
            missing[other] -= 1
            if not missing[other]:
                heappush(ready, other)
    return done


def sorted_by_name(steps: Steps) -> dict[str, Step]:
    """Steps side by side come in the order of their names, so that their order in the file makes no difference."""
    return dict(sorted(steps.items()))


def between(steps: Steps, first: str, last: str) -> list[str]:
    """The steps that come after `first` and before `last`, by what they need."""
    wanted, order = needs(steps), in_order(steps)
    after, before = {first}, {last}
    for name in order:
        if not after.isdisjoint(wanted[name]):
            after.add(name)
    for name in reversed(order):
        if name in before:
            before.update(wanted[name])
    return [name for name in order if name in after & before - {first, last}]


def max_concurrent_weight(weights: Mapping[str, int], needed: Mapping[str, Collection[str]]) -> int:
    """The largest sum of weights of steps of which none waits for another.

    weights : each step after those it waits for
    needed : what each waits for itself

    Of more than `FEW` steps that weigh anything it is an upper bound: steps are put into rows in which each waits for
    the one before, and of a row at most one is there at a time (Dilworth 1950).
    """
    bits = {name: 1 << at for at, name in enumerate(weights)}
    before: dict[str, int] = {}
    for name in weights:
        before[name] = 0
        for need in needed.get(name, ()):
            before[name] |= bits[need] | before[need]
    heavy = [name for name in weights if weights[name]]
    if len(heavy) > FEW:
        rows: dict[int, int] = {}  # by the last step of each
        lasts = 0
        for name in heavy:
            last = before[name] & lasts  # the latest of them: a row is found at once, however many there are
            weight = 0
            if last:
                bit = 1 << (last.bit_length() - 1)
                weight, lasts = rows.pop(bit), lasts ^ bit
            rows[bits[name]] = max(weight, weights[name])
            lasts |= bits[name]
        return sum(rows.values())
    found = [(0, 0)]
    for name in heavy:
        found += [(some | bits[name], most + weights[name]) for some, most in found if not some & before[name]]
    return max(most for _, most in found)
