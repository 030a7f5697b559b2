"""Random workflow files without crews: groups, choices, fan-outs, rounds, attempts, copies, races, chances, failures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import yaml

from planner.workflow import Workflow, read_workflow

HEADER: dict[str, Any] = {
    "workflow": "crewless",
    "models": {
        "varying": {"ttft": "1s to 2s", "prefill_speed": "1k", "output_speed": 50},
        "constant": {"ttft": "1s", "output_speed": 10, "jitter": 0},
    },
    "uncertainty": {"per_step": 1.3, "overall": 1.2},
}
"""On the profile `constant` many things end at the same instant, so that ties are broken."""


class CrewlessWriter:
    """Writes a random workflow without crews, and counts the keys that it uses."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.used: Counter[str] = Counter()

    def sometimes(self, key: str, share: float) -> bool:
        chosen = self.random.random() < share
        self.used[key] += chosen
        return chosen

    def file(self) -> dict[str, Any]:
        self.constant = self.random.random() < 0.5
        return {**HEADER, "model": "constant" if self.constant else "varying", "steps": self.group(2)}

    def group(self, depth: int) -> dict[str, Any]:
        names = [f"s{number}" for number in range(self.random.randint(1, (2, 3, 5)[depth]))]
        self.random.shuffle(names)  # so that the order of needs is not that of names
        steps: dict[str, Any] = {}
        for position, name in enumerate(names):
            steps[name] = self.step(depth)
            needs = [other for other in names[:position] if self.random.random() < 0.4]
            if needs:
                steps[name]["needs"] = needs
        for name in names:
            if steps[name].keys() & {"success", "retry"} and self.sometimes("otherwise", 0.4):
                steps[name]["otherwise"] = f"r_{name}"
                steps[f"r_{name}"] = self.body(0)
                if self.sometimes("otherwise of otherwise", 0.3):
                    steps[f"r_{name}"] |= {"success": "50%", "otherwise": f"q_{name}"}
                    steps[f"q_{name}"] = self.body(0)
        return steps

    def step(self, depth: int) -> dict[str, Any]:
        fans_out = self.sometimes("for_each", 0.3)
        step = self.body(depth, lead=not fans_out)
        if fans_out:
            count = self.random.choice([2, 3, "2 to 5"])
            step["for_each"] = count
            if isinstance(step.get("tool"), dict):
                step["tool"]["sized"] = True
            if step.keys() & {"llm", "agent"} and self.sometimes("size", 0.5):
                step["for_each"] = {"count": count, "size": "0.5x to 2x"}
        if self.sometimes("chance", 0.15):
            step["chance"] = "60%"
        if self.sometimes("repeat", 0.2):
            step["repeat"] = self.random.choice([{"times": 2}, {"until": "50%", "at_most": 3}])
        if self.sometimes("copies", 0.25):
            key = self.random.choice(["best_of", "first_of"])
            self.used[key] += 1
            step[key] = self.random.choice([2, 3])
        if self.sometimes("success", 0.2):
            step["success"] = "60%"
        return step

    def body(self, depth: int, lead: bool = True) -> dict[str, Any]:
        kind = self.random.choice(
            ["llm", "llm", "agent", "tool", "human", *(["steps", "steps", "choose"] if depth else [])]
        )
        self.used[kind] += 1
        if kind == "steps":
            return {"steps": self.group(depth - 1)}
        if kind == "choose":
            chances = {"one": "30%", "two": "50%", "nothing": "20%"}
            return {"choose": {name: {"chance": chance, **self.body(depth - 1)} for name, chance in chances.items()}}
        step: dict[str, Any] = {kind: self.constant_body(kind) if self.constant else self.varying_body(kind)}
        if self.sometimes("retry", 0.2):
            timeout = {"timeout": "2500ms"} if self.sometimes("timeout", 0.5) else {}
            wait = {"wait": "1s"} if self.sometimes("wait", 0.5) else {}
            step["retry"] = {"chance": "40%", "at_most": self.random.choice([2, 3]), **wait, **timeout}
        if lead and self.sometimes("lead", 0.08):
            step["crew"] = "lead"
        return step

    def constant_body(self, kind: str) -> Any:
        seconds = f"{self.random.randint(1, 3)}s"
        return {
            "llm": {"output": self.random.choice([10, 20])},
            "agent": {"turns": 2, "output": 10, "tool": {"time": "1s"}},
            "tool": self.random.choice(["0s", seconds, {"time": seconds, "calls": 2}]),
            "human": seconds,
        }[kind]

    def varying_body(self, kind: str) -> Any:
        return {
            "llm": {"input": "100 to 900", "output": "0 to 200"},
            "agent": {"turns": "1 to 4", "prompt": 300, "output": "10 to 90", "tool": {"time": "1s to 9s", "calls": 2}},
            "tool": self.random.choice(["1s to 5s", {"time": "0 to 3s", "calls": "1 to 3"}]),
            "human": "1s to 9s",
        }[kind]


def written_without_crews(random: Random, folder: Path) -> tuple[Workflow, Counter[str]]:
    """Return a random workflow without crews, and how often it uses each key."""
    writer = CrewlessWriter(random)
    path = folder / "crewless.yaml"
    path.write_text(yaml.safe_dump(writer.file(), sort_keys=False), encoding="utf-8")
    return read_workflow(path), writer.used
