"""The pay of people and machines as people and programs read it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from planner.planning import Forecast, compare, explain, forecast
from planner.report import forecast_json, forecast_text
from planner.report.data.comparisons import comparison_csv
from planner.report.data.forecasts import forecast_csv
from planner.report.html.forecasts import forecast_html
from planner.report.text.explanation import explanation_text
from planner.workflow import Workflow, read_workflow
from tests.conftest import Golden, amounts

PAID = """workflow: paid
models: {plain: {ttft: 1s, output_speed: 50, jitter: 0, price: {input: 2, output: 10}}}
model: plain
crews: {reviewers: {agents: 2, usd: $80/h, paid: always}, runners: {agents: 2, usd: 0.50}, guards: {agents: 2, usd: 9/h}}
steps:
  write: {llm: {output: 100k}}
  build: {needs: write, for_each: 3, crew: runners, tool: {time: 10min, calls: 2, usd: 6/h}}
  ask: {needs: build, for_each: 2, human: {time: 20min, usd: $5}}
  review: {needs: ask, for_each: 2, crew: reviewers, human: 1h}
  guard: {needs: ask, crew: guards, human: {time: 30min, leaves: {after: 1h, back: 1h}}}
  sign: {needs: review, human: {time: 15min, usd: $60/h}}
"""
"""By hand: writing takes 2001 s for $1, three builds on two runners 20 min. Each build pays $1 and the runner $0.50. Then come
20 min for $10, 1 h of review and 15 min for $15: 2001 + 1200 + 1200 + 3600 + 900 = 8901 s. Reviewers cost 160 · 8901 / 3600,
and guards 0.5 h: $4.50."""

REVIEWERS = 160 * 8901 / 3600
OTHERS = 3 + 1.5 + 10 + 4.5 + 15


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    monkeypatch.chdir(tmp_path)
    path = Path("paid.yaml")
    path.write_text(PAID, encoding="utf-8")
    return read_workflow(path)


@pytest.fixture
def found(workflow: Workflow) -> Forecast:
    return forecast(workflow, samples=4)


def test_the_text_has_the_cost_of_people_and_machines_apart(found: Forecast, golden: Golden) -> None:
    text = golden(forecast_text(found))
    assert {"2h28", "$1.00", "$430", "$431", "$396", "$1.50", "$4.50", "$3.00", "$10.00", "$15.00"} <= amounts(text)


def test_the_html_has_it_too(found: Forecast, golden: Golden) -> None:
    text = golden(forecast_html(found))
    assert {"$1.00", "$430", "$431", "$396", "$1.50", "$4.50", "$3.00", "$10.00", "$15.00"} <= amounts(
        text.replace(">", " ").replace("<", " ")
    )


def test_an_explanation_names_rates_and_hours(workflow: Workflow, found: Forecast, golden: Golden) -> None:
    text = golden(explanation_text(found, explain(workflow, found)))
    assert {"$6.00", "30min", "$5.00", "$60.00", "15min", "$80.00", "4h57", "$0.50", "$9.00"} <= amounts(
        text.replace("/h", "")
    )


def test_json_and_csv_have_both_parts(workflow: Workflow, found: Forecast) -> None:
    data = json.loads(forecast_json(found))
    usd = {"models": 1.0, "people_and_machines": OTHERS + REVIEWERS, "mean": 1 + OTHERS + REVIEWERS}
    assert {name: data["usd"][name] for name in usd} == pytest.approx(usd)
    assert data["usd"]["people_and_machines_standard_error"] == data["usd"]["models_standard_error"] == 0
    crews = {"reviewers": REVIEWERS, "runners": 1.5, "guards": 4.5}
    assert {crew["name"]: crew["usd"] and crew["usd"]["mean"] for crew in data["crews"]} == {
        name: usd and pytest.approx(usd) for name, usd in crews.items()
    }
    steps = {"write": (1, 0), "build": (3, 3), "ask": (10, 10), "review": (0, 0), "guard": (0, 0), "sign": (15, 15)}
    for rows in (data["steps"], list(csv.DictReader(io.StringIO(forecast_csv(found))))):
        pay = {row["step"]: (float(row["usd"]), float(row["usd_people_and_machines"])) for row in rows}
        assert pay == {step: pytest.approx(usd) for step, usd in steps.items()}
    compared = compare(workflow, [1.0], [1, 2], crew="reviewers", samples=4)
    rows = list(csv.DictReader(io.StringIO(comparison_csv(compared))))
    alone = 80 * (8901 + 3600) / 3600
    assert [float(row["usd_people_and_machines"]) for row in rows] == pytest.approx(
        [OTHERS + alone, OTHERS + REVIEWERS]
    )
    assert [float(row["usd_models"]) for row in rows] == pytest.approx([1, 1])
