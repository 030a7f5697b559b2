"""The rule of the advice of `compare` by brute force over its sentences."""

from __future__ import annotations

from planner.planning.decisions.advice import AVAILABILITY, Rule
from planner.planning.results import Scenario


def brute_force(rule: Rule) -> tuple[str, Scenario, Scenario]:
    """Verdict, recommended scenario and named scenario, from the sentences of docs/model.md, "Advice"."""
    declared = rule.declared
    time = {scenario: point.seconds for scenario, point in rule.points.items()}
    cost = {scenario: point.usd for scenario, point in rule.points.items()}
    value = rule.usd_per_hour if None not in cost.values() else None
    loss = {each: time[each] + (0 if value is None else (cost[each] or 0) * 3600 / value) for each in time}

    def total(each: Scenario) -> int:
        return each.agents + sum(count for _, count in each.others)

    def gained(one: Scenario, other: Scenario) -> float:
        return loss[one] - loss[other]

    def pays(one: Scenario, other: Scenario) -> bool:
        return gained(one, other) > 0 and (value is not None or gained(one, other) >= rule.worth * time[declared])

    def named(model: str, speed: float) -> Scenario:
        mine = [each for each in time if (each.model, each.speed) == (model, speed)]
        mine = [each for each in mine if rule.requested is None or (each.agents, each.others) in rule.requested]
        slack = rule.worth * min(time[each] for each in mine)
        near = [each for each in mine if loss[each] <= min(loss[other] for other in mine) + slack]
        near = [each for each in near if total(each) == min(map(total, near))]
        near = [each for each in near if (cost[each] or 0) == min(cost[other] or 0 for other in near)]
        return min(near, key=lambda each: (each.agents, each.others))

    def buyable(each: Scenario) -> int:
        of_model = rule.restricted.get(each.model, "")
        return AVAILABILITY.index("hypothetical" if each.speed != 1 and of_model != "retired" else of_model)

    def pick(candidates: list[Scenario]) -> Scenario | None:
        paying = [each for each in candidates if pays(declared, each)]
        if value is None:
            near = [each for each in paying if all(time[each] <= (1 + rule.worth) * time[other] for other in paying)]
            return min(near, key=lambda each: (cost[each] or 0, each.speed, time[each]), default=None)
        return min(paying, key=lambda each: (loss[each], cost[each] or 0, each.speed), default=None)

    enough = named(declared.model, declared.speed)
    by_agents = enough if pays(declared, enough) else None
    more = [dict(enough.others)[name] - count for name, count in declared.others] + [enough.agents - declared.agents]
    by_number = "more-agents" if min(more) >= 0 else "fewer-agents" if max(more) <= 0 else "rebalance"

    def verdict(allowed: set[tuple[str, float]]) -> tuple[str, Scenario]:
        by_speed = pick([Scenario(*row, declared.agents, declared.others) for row in allowed])
        wide = [named(*row) for row in allowed]
        by_both = pick([each for each in wide if (each.agents, each.others) != (declared.agents, declared.others)])
        best = by_agents or by_speed
        if by_agents and by_speed:
            if pays(by_agents, by_speed):
                best = by_speed
            elif not pays(by_speed, by_agents):
                best = by_speed if (cost[by_speed] or 0) < (cost[by_agents] or 0) else by_agents
        if by_both and pays(best or declared, by_both):
            return "both", by_both
        if best is None and total(enough) >= total(declared):
            return "keep", declared
        if best is not None and best == by_speed:
            return "faster", best
        return by_number, enough

    for level in range(len(AVAILABILITY)):
        easy = {(each.model, each.speed) for each in time if buyable(each) <= level}
        code, best = verdict(easy - {(declared.model, declared.speed)})
        if code != "keep":
            return code, best, enough
    return "keep", declared, enough
