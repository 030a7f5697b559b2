"""Exact cases, worked out by hand from docs/model.md: each file has its arithmetic and what it expects in comments.

Speeds other than 1x have the price of 1x here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from planner.catalogue import Premium
from planner.planning import forecast
from planner.workflow import read_workflow

CASES = Path(__file__).resolve().parents[1] / "cases"
EXPECT = "# expect: "
SECONDS = 1e-5
"""Durations are rounded to 2⁻²⁰ s for each task, so that twenty tasks in a row are off by 1e-5 s at most."""


@dataclass
class Scenario:
    """A line of expectations: the scenario's options, and what is to come out."""

    file: str
    options: str
    speed: float = 1.0
    agents: int | None = None
    crew: str | None = None
    parameters: dict[str, float] = field(default_factory=dict)
    results: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file} {self.options}".strip()


def read_scenario(file: str, line: str) -> Scenario:
    words = line.split()
    options = [word for word in words if "=" in word]
    results = [word for word in words if "=" not in word]
    scenario = Scenario(file, " ".join(options))
    for option in options:
        match option.split("="):
            case "agents", number:
                scenario.agents = int(number)
            case "agents", crew, number:
                scenario.crew, scenario.agents = crew, int(number)
            case "speed", factor:
                scenario.speed = float(factor.removesuffix("x"))
            case "set", name, value:
                scenario.parameters[name] = float(value)
            case _:
                raise ValueError(f"{file}: {option}")
    scenario.results = {name: float(value) for name, value in zip(results[::2], results[1::2], strict=True)}
    unknown = scenario.results.keys() - {
        "seconds", "usd", "people", "accepted", "input", "cache_read", "output", "coordination",
    }  # fmt: skip
    if unknown or "seconds" not in scenario.results:
        raise ValueError(f"{file}: {line}")
    return scenario


def read_scenarios() -> Iterator[Scenario]:
    for path in sorted(CASES.glob("*.yaml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(EXPECT):
                yield read_scenario(path.stem, line.removeprefix(EXPECT))


SCENARIOS = list(read_scenarios())


def test_every_case_expects_something() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == {scenario.file for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_case(scenario: Scenario) -> None:
    workflow = read_workflow(CASES / f"{scenario.file}.yaml", scenario.parameters)
    result = forecast(
        workflow, speed=scenario.speed, agents=scenario.agents, crew=scenario.crew, premium=Premium(0), samples=4
    ).result  # fmt: skip
    tokens = result.tokens
    assert result.seconds.p50 == result.seconds.p90
    assert result.seconds.standard_error == 0
    found = {
        "seconds": result.seconds.p50,
        "input": tokens.input,
        "cache_read": tokens.cache_read,
        "output": tokens.output,
        "coordination": result.coordination_share,
    }
    if "usd" in scenario.results:
        assert result.usd is not None
        found |= {"usd": result.usd.mean, "people": result.usd.people_and_machines}
    if "accepted" in scenario.results:
        found["accepted"] = result.accepted.chance
    for name, value in scenario.results.items():
        absolute = {"seconds": SECONDS, "coordination": 1e-6}.get(name)
        close = pytest.approx(value, rel=1e-9, abs=0) if absolute is None else pytest.approx(value, rel=0, abs=absolute)
        assert found[name] == close, name
