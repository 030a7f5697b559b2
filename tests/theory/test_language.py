"""Random workflows of the whole language: they never stand still, obey the oracle, and add up."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from planner.engine import TICK, Samples
from planner.expansion import crew_sizes, expand
from planner.planning import compare, explain, forecast
from planner.report import forecast_json
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow, read_workflow
from tests import oracle
from tests.conftest import ROOT, read_example

pytestmark = pytest.mark.slow

HEADER: dict[str, Any] = {
    "workflow": "random",
    "parameters": {"few": 2},
    "models": {
        "plain": {"ttft": "1s to 2s", "prefill_speed": "1k", "output_speed": 50, "price": {"input": 2, "output": 10, "cache_read": 1}, "cache_ttl": "9s"},
        "quick": {"based_on": "plain", "speed": "2.5x", "price_multiplier": 6, "jitter": 0},
    },
    "model": "plain",
    "uncertainty": {"per_step": 1.3, "overall": 1.2},
}  # fmt: skip


class Writer:
    """Writes a random workflow, and counts what it uses.

    `crew` is the crew to which the steps around a step belong, "" if none, and `held` whether an agent holds their item.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.used: Counter[str] = Counter()

    def sometimes(self, what: str, share: float) -> bool:
        found = self.random.random() < share
        self.used[what] += found
        return found

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def file(self) -> dict[str, Any]:
        self.crews = [f"crew{number}" for number in range(self.random.randint(0, 3))]
        crews = {name: self.crew() for name in self.crews}
        self.used["no crews"] += not crews
        self.used["crew of one"] += any(crew["agents"] == 1 for crew in crews.values())
        return {**HEADER, **({"crews": crews} if crews else {}), "steps": self.group(2)}

    def crew(self) -> dict[str, Any]:
        crew: dict[str, Any] = {"agents": self.random.randint(1, 4)}
        if self.sometimes("lockstep", 0.2):
            crew["lockstep"] = True
        mechanisms = {
            "ramp_up": {"input": 100, "output": "10 to 40"},
            "stagger": self.one("2s", "500ms"),
            "brief": {"output": self.one("10 to 90", "= 90 / agents")},
            "sync": {"output": 20, "every": self.one(1, 3, "few")},
            "report": {"output": "= 90 / agents"},
            "merge": self.one("1s to 9s", {"time": "2s", "output": 30}),
        }
        chosen = {name: value for name, value in mechanisms.items() if self.sometimes(name, 0.4)}
        if "merge" in chosen and self.sometimes("conflict", 0.5):
            chosen["conflict"] = {"chance": self.one("30%", "100%"), "rework": "40%"}
        return {**crew, "coordination": chosen} if chosen else crew

    def group(self, depth: int, crew: str = "", held: bool = False) -> dict[str, Any]:
        names = [f"s{number}" for number in range(self.random.randint(1, 4))]
        steps: dict[str, Any] = {}
        for at, name in enumerate(names):
            step = self.step(depth, crew, held)
            needs = [other for other in names[:at] if self.random.random() < 0.6]
            if needs:
                step["needs"] = needs
            steps[name] = step
        for name in names:
            asks = steps[name].get("llm")
            if asks and "for_each" not in steps[name]:
                earlier = [
                    other for other in steps[name].get("needs", [])
                    if ("llm" in steps[other] or "agent" in steps[other]) and "for_each" not in steps[other]
                ]  # fmt: skip
                if earlier and self.sometimes("continues", 0.9):
                    asks["continues"] = earlier[0]
                elif "repeat" in steps[name] and self.sometimes("continues itself", 0.9):
                    asks["continues"] = name
        for name in names:
            if steps[name].get("success") and self.sometimes("otherwise", 0.5):
                steps[name]["otherwise"] = f"instead_of_{name}"
                steps[f"instead_of_{name}"] = self.body(0, crew, held)
        return steps

    def step(self, depth: int, crew: str, held: bool) -> dict[str, Any]:
        fans_out = self.sometimes("fan-out", 0.25)
        step = self.body(depth, crew, held, fans_out)
        if fans_out:
            count = self.one(3, "few", "2 to 5")
            self.used["estimated count"] += count == "2 to 5"
            step["for_each"] = self.one(count, {"count": count, "size": "0.5x to 2x"})
        if self.sometimes("chance", 0.15):
            step["chance"] = "60%"
        if self.sometimes("repeat", 0.2):
            step["repeat"] = self.one({"times": "few"}, {"until": "50%", "at_most": 3})
        if self.sometimes("copies", 0.25):
            step[self.one("best_of", "first_of")] = self.one(2, 3)
        if self.sometimes("success", 0.25):
            step["success"] = "70%"
        return step

    def body(self, depth: int, crew: str, held: bool, fans_out: bool = False) -> dict[str, Any]:
        groups = ("steps", "choose", *(("steps",) if fans_out else ())) if depth else ()
        kind = self.one("llm", "llm", "agent", "tool", "human", *groups)
        step: dict[str, Any] = {}
        if self.crews and self.sometimes("crew", 0.6 if fans_out else 0.2 if held else 0.35):
            step["crew"] = self.one(*self.crews)
        elif self.sometimes("lead", 0.05):
            step["crew"] = "lead"
        if fans_out:
            held = is_held({**step, kind: None}, crew)
            self.used["held item" if held else "free item"] += 1
        crew = step.get("crew", crew)
        self.used["no crew among crews"] += bool(self.crews) and not crew
        if kind == "steps":
            return {**step, "steps": self.group(depth - 1, crew, held)}
        if kind == "choose":
            names = ("one", "two")
            return {
                **step,
                "choose": {name: {"chance": "50%", **self.body(depth - 1, crew, held)} for name in names},
            }
        bodies: dict[str, Any] = {
            "llm": {"input": "100 to 900", "output": self.one("0 to 200", *(["= 90 / agents"] if crew else []), {"by_model": {"plain": 30, "other": 50}}, {"low": 5, "likely": 9, "high": 90})},
            "agent": {"turns": "1 to 4", "prompt": 300, "output": "10 to 90", "tool": {"time": "1s to 9s", "result": {"values": [10, 500]}, "calls": "1 to 3", "usd": 0.1}},
            "tool": self.one("1s to 5s", {"time": "0 to 3s", "calls": "1 to 3", "usd": 0.01}),
            "human": self.one("5s", {"time": "3s to 9s", "leaves": {"after": "4s", "back": "10s to 60s"}}),
        }  # fmt: skip
        step[kind] = bodies[kind]
        self.used["arithmetic"] += kind == "llm" and bodies["llm"]["output"] == "= 90 / agents"
        if kind == "agent" and self.sometimes("compaction", 0.3):
            step["agent"] |= {"context_limit": 600, "compaction": {"output": 50}}
        if self.sometimes("retry", 0.2):
            wait = self.one("1s", *(["= 4s / agents"] if crew else []))
            step["retry"] = {
                "chance": "40%",
                "at_most": 3,
                "wait": wait if kind in ("llm", "agent") else "1s",
                **self.one({}, {"timeout": "4s"}),
            }
            if kind == "human" and isinstance(bodies[kind], dict):
                step["retry"].pop("timeout", None)
            self.used["timeout"] += "timeout" in step["retry"]
        if kind == "tool" and held and "crew" not in step and self.sometimes("released", 0.7):
            step["hold"] = False
        if kind == "llm" and self.sometimes("tier", 0.3):
            step["model"] = "quick"
        return step


def is_held(step: dict[str, Any], crew: str) -> bool:
    """Whether an agent holds each item of a fan-out: its step names a crew, or makes requests for a crew around it."""
    return "crew" in step or (crew != "" and not step.keys() & {"tool", "human"})


def written(random: Random, folder: Path) -> tuple[Workflow, Counter[str]]:
    writer = Writer(random)
    path = folder / "random.yaml"
    path.write_text(yaml.safe_dump(writer.file(), sort_keys=False), encoding="utf-8")
    return read_workflow(path), writer.used


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


def test_the_writer_writes_all_of_the_language(folder: Path) -> None:
    used: Counter[str] = Counter()
    for seed in range(300):
        used += written(Random(seed), folder)[1]
    assert min(used.values()) > 10, used
    assert len(used) >= 28


@given(st.integers(0, 2**32))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_workflow_stands_still_and_each_is_scheduled_by_the_rule(folder: Path, seed: int) -> None:
    """An item lets its agent go before it waits for another, so that crews cannot wait for each other in a circle."""
    workflow, _ = written(Random(seed), folder)
    graph = expand(workflow, crew_sizes(workflow))
    pipeline = Pipeline.of(workflow, graph, requests=1)
    run = pipeline.draw(Samples(1, 0, 3), speed=1.5).at(1.5).schedule(traced=True, recorded=True)
    schedule, times = run.schedule, run.times
    for row in range(len(run.durations)):
        sample = oracle.Sample(
            graph.graph, run.durations[row].tolist(), times.patience[row].tolist(), times.away[row].tolist()
        )
        sample.run()
        assert schedule.makespan[row] == sample.makespan
        assert np.array_equal(schedule.starts[row], sample.start, equal_nan=True)
        assert np.array_equal(schedule.ends[row], sample.end, equal_nan=True)
        assert sample.free == graph.graph.capacity.tolist()  # every agent that was taken is given back, once


@given(st.integers(0, 2**32))
@example(163)  # a race cancels rework of several works
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_told_of_a_forecast_adds_up(folder: Path, seed: int) -> None:
    workflow, _ = written(Random(seed), folder)
    found = forecast(workflow, samples=20)
    result = found.result
    tasks = len(expand(workflow, found.sizes).graph)
    slack = 4 * TICK * tasks + 1e-12 * result.seconds.mean  # each part of each task is rounded for itself
    assert sum(found.breakdown.values()) == pytest.approx(result.seconds.mean, abs=slack)
    assert all(value >= -slack for value in found.breakdown.values())
    assert result.usd is not None
    assert sum(step.usd or 0 for step in found.steps) == pytest.approx(result.usd.mean, rel=1e-9, abs=1e-12)
    for name in ("input", "cache_read", "output"):
        assert sum(getattr(step.tokens, name) for step in found.steps) == pytest.approx(getattr(result.tokens, name))
    for step in found.steps:
        assert -slack <= step.critical <= step.seconds + slack
        assert step.occurrences >= 0
    if result.accepted.chance:
        assert result.accepted.seconds == pytest.approx(result.seconds.mean / result.accepted.chance)


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_explanation_is_of_the_forecast(folder: Path, seed: int) -> None:
    """The sample that is taken apart is one of the forecast's, and its parts make up its time."""
    workflow, _ = written(Random(seed), folder)
    found = forecast(workflow, samples=9)
    taken = explain(workflow, found)
    others = [forecast(workflow, samples=taken.sample), forecast(workflow, samples=taken.sample - 1)] if taken.sample > 1 else []  # fmt: skip
    if others:
        total = [one.result.seconds.mean * one.samples for one in others]
        assert taken.seconds == pytest.approx(total[0] - total[1], rel=1e-6, abs=1e-4)
    assert sum(taken.breakdown.values()) == pytest.approx(taken.seconds, abs=1e-3)
    for step in taken.steps:
        for made in step.made:
            if made.jitter and step.model:
                level = next(level for level in taken.models if level.model == step.model)
                prefill = made.uncached / level.prefill_speed if level.prefill_speed else 0.0
                spoken = made.output / level.output_speed
                assert made.seconds == pytest.approx(made.jitter * (level.ttft + prefill + spoken))


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_scenario_of_a_comparison_is_the_forecast_of_it(folder: Path, seed: int) -> None:
    """Scenarios share draws, and nothing that depends on their agents."""
    workflow, _ = written(Random(seed), folder)
    crew = next(iter(workflow.crews), None)
    for result in compare(workflow, [1.0, 2.5], [1, 2, 3], crew=crew, samples=9).results:
        scenario = result.scenario
        alone = forecast(workflow, speed=scenario.speed, agents=scenario.agents, crew=crew, samples=9).result
        assert (alone.seconds, alone.usd, alone.tokens, alone.accepted) == (
            result.seconds, result.usd, result.tokens, result.accepted,
        )  # fmt: skip


def shuffled(steps: dict[str, Any], random: Random, crew: str = "", held: bool = False) -> dict[str, Any]:
    """The same steps in another order, but within held items, where the order of the file is theirs."""
    names = list(steps)
    if not held:
        random.shuffle(names)
    found = {}
    for name in names:
        step = dict(steps[name])
        inside = is_held(step, crew) if "for_each" in step else held
        for key in ("steps", "choose"):
            if key in step:
                step[key] = shuffled(step[key], random, step.get("crew", crew), inside)
        found[name] = step
    return found


def in_two_orders(data: dict[str, Any], random: Random, folder: Path) -> list[Workflow]:
    """The workflow with its steps in the given order, and in a random one."""
    workflows = []
    for steps in (data["steps"], shuffled(data["steps"], random)):
        path = folder / "order.yaml"
        path.write_text(yaml.safe_dump({**data, "steps": steps}, sort_keys=False), encoding="utf-8")
        workflows.append(read_workflow(path))
    return workflows


def by_step(value: Any) -> Any:
    """JSON of results with all lists of steps sorted, because they have the order of the file."""
    if isinstance(value, dict):
        return {key: by_step(inner) for key, inner in value.items()}
    if isinstance(value, list):
        rows = [by_step(row) for row in value]
        named = bool(rows) and all(isinstance(row, dict) and "step" in row for row in rows)
        return sorted(rows, key=json.dumps) if named else rows
    return value


@given(st.integers(0, 2**32))
@example(1507)  # two notes of one kind
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_on_langgraph_the_order_of_steps_in_the_file_changes_no_byte(folder: Path, seed: int) -> None:
    """LangGraph starts the nodes of a superstep in the order of their names."""
    random = Random(seed)
    data = {**Writer(random).file(), "runtime": "langgraph"}
    one, other = (forecast_json(forecast(workflow, samples=9)) for workflow in in_two_orders(data, random, folder))
    assert one == other


class Uncontended(Writer):
    """Writes workflows in which nothing waits for an agent: no crews, and nothing for the lead."""

    def file(self) -> dict[str, Any]:
        self.crews = []
        return {**HEADER, "steps": self.group(2)}

    def sometimes(self, what: str, share: float) -> bool:
        return what != "lead" and super().sometimes(what, share)


@given(st.integers(0, 2**32))
@example(12)  # costs are sums of several works
@example(2120)  # two steps with equal drags
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_steps_in_the_file_changes_no_byte_where_nothing_waits_for_an_agent(
    folder: Path, seed: int
) -> None:
    """But for the order of steps in lists, and for the speedup over a single agent, for whom steps do wait."""
    random = Random(seed)
    told = []
    for workflow in in_two_orders(Uncontended(random).file(), random, folder):
        data = json.loads(forecast_json(forecast(workflow, samples=9)))
        for key in ("speedup", "efficiency"):
            del data[key], data["standard_errors"][key]
        told.append(json.dumps(by_step(data)))
    assert told[0] == told[1]


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_draw_depends_on_the_order_of_steps_in_the_file(folder: Path, seed: int) -> None:
    """Who goes first may change, but not how long each occurrence of a step takes, what it bills, and what fails."""
    random = Random(seed)
    drawn = []
    for workflow in in_two_orders(Writer(random).file(), random, folder):
        pipeline = Pipeline.of(workflow, expand(workflow, crew_sizes(workflow)), requests=1)
        times = pipeline.draw(Samples(1, 0, 9), detailed=True).times
        works: dict[tuple[str, str], list[Any]] = {}
        for totals in times.works:
            values = [totals.done, *vars(totals.billed).values()]
            values += [part for each in totals.occurrences for part in (each.fixed, each.decode, each.wait)]
            works.setdefault((totals.work.step, totals.work.kind), []).extend(value.tolist() for value in values)
        drawn.append((works, times.accepted.tolist()))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("path", sorted((ROOT / "workflows").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_number_of_the_examples_depends_on_the_order_of_steps(path: Path, tmp_path: Path) -> None:
    """No two steps of them are ready for the same agent at the same instant."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    before = by_step(json.loads(forecast_json(forecast(read_example(path), samples=5))))
    for seed in range(2):
        other = tmp_path / path.name
        steps = shuffled(data["steps"], Random(seed))
        other.write_text(yaml.safe_dump({**data, "steps": steps}, sort_keys=False), encoding="utf-8")
        assert by_step(json.loads(forecast_json(forecast(read_example(other), samples=5)))) == before


def test_an_explanation_of_machines_that_are_paid_by_the_hour_has_their_speed_and_cost() -> None:
    """One agent: 8 · (1 + 1) s at 100 tok/s. Two: 4 · (1 + 100/75) s at 75. A second is $0.001."""
    workflow = read_workflow(ROOT / "tests" / "cases" / "speeds_by_concurrency.yaml")
    for agents, seconds, speed in ((1, 16.0, 100.0), (2, 4 * (1 + 100 / 75), 75.0)):
        taken = explain(workflow, forecast(workflow, agents=agents, samples=3))
        assert taken.seconds == pytest.approx(seconds, abs=1e-5)
        assert taken.usd == pytest.approx(seconds / 1000, abs=1e-8)
        assert taken.models[0].output_speed == pytest.approx(speed)
