"""The order of the steps of a group, and the largest set of steps that can run concurrently."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush

from planner.workflow.declaration import Step

Steps = Mapping[str, Step]

FEW = 10
"""Up to this number of steps, `max_concurrent_weight` tries every set of concurrent steps."""


def needs(steps: Steps) -> dict[str, tuple[str, ...]]:
    """Return the names of the steps that each step waits for.

    A step waits for the steps in its `needs`, and for their fallbacks (`otherwise`). A fallback waits for the step that
    names it.
    """
    fails_before = {step.otherwise: name for name, step in steps.items() if step.otherwise}

    def needs_of(name: str, step: Step) -> tuple[str, ...]:
        direct = [*step.needs, *([fails_before[name]] if name in fails_before else [])]
        fallbacks = [fallback for need in direct if (fallback := steps[need].otherwise) and fallback != name]
        unchecked = list(fallbacks)
        while unchecked:  # a fallback may have a fallback
            fallback = steps[unchecked.pop()].otherwise
            if fallback and fallback != name and fallback not in fallbacks:
                fallbacks.append(fallback)
                unchecked.append(fallback)
        return tuple(dict.fromkeys([*direct, *fallbacks]))

    return {name: needs_of(name, step) for name, step in steps.items()}


def in_order(steps: Steps) -> list[str]:
    """Return the names of the steps in order. A step comes after all steps that it waits for.

    If several steps can come next, the first of them in `steps` comes next.
    """
    names = list(steps)
    position = {name: index for index, name in enumerate(names)}
    needed = needs(steps)
    return [names[index] for index in topological([[position[need] for need in needed[name]] for name in names])]


def topological(needed: Sequence[Collection[int]]) -> list[int]:
    """Return indices in topological order. If several indices can come next, the smallest comes next.

    Indices on a cycle or after a cycle are left out.

    needed : for each index, the indices that must come before it
    """
    needed_by: list[list[int]] = [[] for _ in needed]
    missing = [len(set(before)) for before in needed]
    for index, before in enumerate(needed):
        for need in set(before):
            needed_by[need].append(index)
    ready = [index for index, count in enumerate(missing) if not count]
    order = []
    while ready:
        index = heappop(ready)
        order.append(index)
        for later in needed_by[index]:
            missing[later] -= 1
            if not missing[later]:
                heappush(ready, later)
    return order


def sorted_by_name(steps: Steps) -> dict[str, Step]:
    """Return the steps in the order of their names, which does not depend on the file."""
    return dict(sorted(steps.items()))


def waits_for(steps: Steps, name: str) -> set[str]:
    """Return the names of all steps that a step waits for, directly or through other steps."""
    needed = needs(steps)
    found: set[str] = set()
    unchecked = [name]
    while unchecked:
        new = [need for need in needed[unchecked.pop()] if need not in found]
        found.update(new)
        unchecked += new
    return found


def between(steps: Steps, first: str, last: str) -> list[str]:
    """Return the names of the steps that lie on any path of `needs` from `first` to `last`, without these two steps."""
    needed, order = needs(steps), in_order(steps)
    after, before = {first}, {last}
    for name in order:
        if not after.isdisjoint(needed[name]):
            after.add(name)
    for name in reversed(order):
        if name in before:
            before.update(needed[name])
    return [name for name in order if name in after & before - {first, last}]


def max_concurrent_weight(weights: Mapping[str, int], needed: Mapping[str, Collection[str]]) -> int:
    """Return the largest total weight of steps that can run concurrently (a maximum-weight antichain).

    The result is exact for up to `FEW` steps with a weight above 0. For more steps, it is an upper bound (Dilworth
    1950): the steps are split into chains. Only one step of a chain can run at the same time.

    The order of the steps has no effect on the result.

    weights : weight of each step
    needed : for each step, the steps that it waits for directly
    """
    names = sorted(weights)
    position = {name: index for index, name in enumerate(names)}
    before_each = [[position[need] for need in needed.get(name, ())] for name in names]
    weights = {names[index]: weights[names[index]] for index in topological(before_each)}
    bits = {name: 1 << position for position, name in enumerate(weights)}
    before: dict[str, int] = {}
    for name in weights:
        before[name] = 0
        for need in needed.get(name, ()):
            before[name] |= bits[need] | before[need]
    weighted = [name for name in weights if weights[name]]
    if len(weighted) > FEW:
        return _chain_bound(weighted, weights, bits, before)
    antichains = [(0, 0)]  # steps as bits, total weight
    for name in weighted:
        antichains += [
            (members | bits[name], total + weights[name]) for members, total in antichains if not members & before[name]
        ]
    return max(total for _, total in antichains)


def _chain_bound(
    weighted: Sequence[str], weights: Mapping[str, int], bits: Mapping[str, int], before: Mapping[str, int]
) -> int:
    """Return an upper bound on the total weight of steps that can run concurrently.

    The steps are split greedily into chains. The bound is the sum of the largest weight in each chain.

    bits : bit mask of each step, with a single bit
    before : for each step, the bit mask of all steps before it
    """
    chains: dict[int, int] = {}  # last step of a chain → its largest weight
    ends = 0
    for name in weighted:
        reachable = before[name] & ends
        weight = 0
        if reachable:
            end = 1 << (reachable.bit_length() - 1)  # the latest reachable end of a chain, found without a loop
            weight, ends = chains.pop(end), ends ^ end
        chains[bits[name]] = max(weight, weights[name])
        ends |= bits[name]
    return sum(chains.values())
