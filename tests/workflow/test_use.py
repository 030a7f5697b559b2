"""`use`: files of steps within files of steps, with their parameters, crews and profiles, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.cli.app import app
from planner.errors import InputError, Problem
from planner.workflow import Workflow, read_workflow
from planner.workflow.reader import MOST_DEPTH, MOST_FILES
from tests.conftest import Golden

Files = Callable[..., Path]

PROFILE = "models: {m: {ttft: 1s, output_speed: 50}}\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write files, each a text without `workflow:`, and return the path of the first; `_` in a name stands for `/`."""

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('_', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"workflow: {name}\n{text}", encoding="utf-8")
        return tmp_path / f"{next(iter(texts)).replace('_', '/')}.yaml"

    return write


def refused(path: Path, **parameters: float) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as error:
        read_workflow(path, parameters)
    return error.value.problems


def told(path: Path) -> list[tuple[str, str]]:
    """Place and code of each problem."""
    return [
        (f"{Path(one.position.file).name}:{one.position.line}:{one.position.column}", one.code)
        for one in refused(path)
        if one.position
    ]


def used(workflow: Workflow, *names: str) -> Workflow:
    for name in names:
        inner = workflow.steps[name].used
        assert inner is not None
        workflow = inner
    return workflow


PART = "parameters: {modules: 4}\nsteps:\n  build: {for_each: modules, tool: 5s}\n"


def test_a_used_file_takes_the_parameters_that_it_is_given(files: Files) -> None:
    path = files(
        a="parameters: {services: 3}\nsteps:\n  as_is: {use: b.yaml}\n  more: {use: {file: b.yaml, parameters: {modules: 12}}}\n"
        "  named: {use: {file: b.yaml, parameters: {modules: services}}}\n"
        "  computed: {use: {file: b.yaml, parameters: {modules: = services * 4}}}\n",
        b=PART,
    )
    workflow = read_workflow(path, {"services": 5})
    found = {name: used(workflow, name).parameters["modules"] for name in workflow.steps}
    assert found == {"as_is": 4, "more": 12, "named": 5, "computed": 20}
    inner = used(workflow, "more")
    assert inner.steps["build"].for_each is not None
    assert inner.steps["build"].for_each.count == "modules"
    assert inner.count("modules") == 12


def test_the_same_file_with_the_same_parameters_is_read_once(files: Files) -> None:
    path = files(
        a="steps: {x: {use: b.yaml}, y: {use: ./b.yaml}, z: {use: {file: b.yaml, parameters: {modules: 5}}}}\n", b=PART
    )
    workflow = read_workflow(path)
    assert used(workflow, "x") is used(workflow, "y")
    assert used(workflow, "x") is not used(workflow, "z")


def test_paths_begin_in_the_folder_of_the_file_that_names_them(files: Files) -> None:
    path = files(
        a="steps: {x: {use: sub/b.yaml}}\n", sub_b="steps: {y: {use: c.yaml}}\n", sub_c="steps: {z: {tool: 5s}}\n"
    )
    workflow = read_workflow(path)
    assert [path for path, _ in workflow.walk()] == [("x",), ("x", "y"), ("x", "y", "z")]
    place = workflow.place("steps", "x", "use", "y", "use", "z")
    assert place is not None
    assert (Path(place.file).name, place.line, place.column) == ("c.yaml", 2, 12)
    outer = workflow.place("steps", "x", "use", "file")
    assert outer is not None
    assert (Path(outer.file).name, outer.line, outer.column) == ("a.yaml", 2, 18)


def test_steps_in_groups_and_branches_may_use_files(files: Files) -> None:
    path = files(
        a="steps:\n  g: {for_each: 2, steps: {x: {use: b.yaml}}}\n  c: {choose: {y: {chance: 100%, use: b.yaml}}}\n",
        b=PART,
    )
    assert [".".join(path) for path, _ in read_workflow(path).walk()] == [
        "g", "g.x", "g.x.build", "c", "c.y", "c.y.build",
    ]  # fmt: skip


# Crews and profiles.

CREW = "crews: {team: {agents: %s, coordination: {sync: {output: 10, every: %s}}}}\n"


def test_crews_and_profiles_are_those_of_all_files_and_the_outer_one_counts(files: Files) -> None:
    path = files(
        a="model: m\n" + PROFILE + "crews: {team: {agents: 2}}\nsteps: {x: {use: b.yaml}}\n",
        b="crews: {team: {agents: 9}, other: {agents: 3}}\nmodels: {m: {ttft: 9s, output_speed: 9}, fast: {based_on: m, speed: 2x}}\n"
        "steps: {y: {crew: team, llm: {output: 5}}, z: {crew: other, model: fast, llm: {output: 5}}}\n",
    )
    workflow = read_workflow(path)
    assert {name: crew.agents for name, crew in workflow.crews.items()} == {"team": 2, "other": 3}
    assert list(workflow.models) == ["m", "fast"]
    assert str(workflow.models["m"].ttft) == "1s"


def test_a_used_file_may_name_what_only_the_outer_one_declares(files: Files) -> None:
    inner = "steps: {y: {crew: team, llm: {output: 5}}, z: {model: m, llm: {output: 5}}}\n"
    path = files(a="model: m\n" + PROFILE + "crews: {team: {agents: 2}}\nsteps: {x: {use: b.yaml}}\n", b=inner)
    assert read_workflow(path).crews["team"].agents == 2
    assert sorted(one.code for one in refused(path.with_name("b.yaml"))) == ["unknown-crew", *["unknown-model"] * 2]


def test_a_model_is_named_by_the_step_or_the_file_around(files: Files) -> None:
    inner = "steps: {y: {llm: {output: 5}}}\n"
    read_workflow(files(a=PROFILE + "steps: {x: {model: m, use: b.yaml}}\n", b=inner))
    read_workflow(files(a=PROFILE + "steps: {g: {model: m, steps: {x: {use: b.yaml}}}}\n", b=inner))
    assert (
        used(read_workflow(files(a=PROFILE + "steps: {x: {use: b.yaml}}\n", b="model: m\n" + inner)), "x").model == "m"
    )
    path = files(a=PROFILE + "steps: {x: {use: b.yaml}, z: {model: m, use: b.yaml}}\n", b=inner)
    assert told(path) == [("b.yaml:2:9", "unknown-model")]


def test_crews_take_their_sizes_from_the_parameters_of_their_own_file(files: Files) -> None:
    path = files(
        a="parameters: {workers: 7}\nsteps: {x: {use: {file: b.yaml, parameters: {workers: 5, often: 4}}}}\n",
        b="parameters: {workers: 2, often: 1}\n" + CREW % ("workers", "often") + "steps: {y: {crew: team, tool: 5s}}\n",
    )
    path.write_text(
        path.read_text().replace("parameters: {workers: 7}", "parameters: {workers: 7}\nmodel: m\n" + PROFILE)
    )
    crew = read_workflow(path).crews["team"]
    assert crew.agents == 5
    assert crew.coordination.sync is not None
    assert crew.coordination.sync.every == 4


def test_arithmetic_of_crews_takes_the_parameters_of_their_own_file(files: Files) -> None:
    crews = "crews: {team: {agents: = workers * 2, coordination: {brief: {output: '= workers * 100 / agents to min(900, workers * 500)'}}}}\n"
    path = files(
        a="model: m\n" + PROFILE + "steps: {x: {use: {file: b.yaml, parameters: {workers: 3}}}}\n",
        b="parameters: {workers: 2}\n" + crews + "steps: {y: {crew: team, tool: 5s}}\n",
    )
    crew = read_workflow(path).crews["team"]
    assert crew.agents == 6
    assert crew.coordination.brief is not None
    brief = crew.coordination.brief.output.bind({"agents": 6.0}, None)
    assert brief.scale == pytest.approx((50 * 900) ** 0.5)


def test_two_used_files_that_disagree_are_refused_unless_the_outer_one_decides(files: Files) -> None:
    team = "parameters: {n: 2}\ncrews: {team: {agents: n}}\nsteps: {y: {crew: team, tool: 5s}}\n"
    steps = "steps:\n  x: {use: b.yaml}\n  z: {use: {file: b.yaml, parameters: {n: %s}}}\n"
    assert read_workflow(files(a=steps % 2, b=team)).crews["team"].agents == 2
    path = files(a=steps % 3, b=team)
    assert told(path) == [("a.yaml:4:19", "bad-value")]
    assert read_workflow(files(a="crews: {team: {agents: 8}}\n" + steps % 3, b=team)).crews["team"].agents == 8


def test_a_profile_that_lacks_something_in_the_outer_file_is_refused(files: Files, golden: Golden) -> None:
    outer = "model: m\nmodels: {base: {output_speed: 50}, m: {based_on: base, ttft: 1s}}\nsteps: {x: {use: b.yaml}}\n"
    for inner in (
        "steps: {y: {model: base, llm: {output: 5}}}\n",
        "model: base\nmodels: {base: {ttft: 1s, output_speed: 5}}\nsteps: {y: {llm: {output: 5}}}\n",
        "models: {mine: {based_on: base}}\nsteps: {y: {model: mine, llm: {output: 5}}}\n",
    ):
        (problem,) = refused(files(a=outer, b=inner))
        assert problem.code == "bad-profile"
        golden(problem.message)


def test_coordination_of_a_used_crew_needs_the_model_of_the_outermost_file(files: Files, golden: Golden) -> None:
    inner = "model: m\n" + PROFILE + CREW % (3, 2) + "steps: {y: {crew: team, tool: 5s}}\n"
    path = files(a="steps: {x: {use: b.yaml}}\n", b=inner)
    (problem,) = refused(path)
    golden([problem.message, problem.hint])
    read_workflow(files(a="model: m\nsteps: {x: {use: b.yaml}}\n".replace("model", PROFILE + "model", 1), b=inner))


def test_the_outermost_uncertainty_holds(files: Files) -> None:
    path = files(a="uncertainty: {overall: 1.5x}\nsteps: {x: {use: b.yaml}}\n", b="uncertainty: {overall: 3x}\n" + PART)
    assert read_workflow(path).uncertainty.overall == 1.5


# Problems.


def test_problems_of_all_files_are_told_together_each_in_its_file(files: Files) -> None:
    path = files(
        a="steps:\n  x: {use: b.yaml, tol: 5s}\n  y: {use: c.yaml}\n  z: {use: b.yaml}\n",
        b="steps:\n  p: {needs: q, tool: 5}\n",
        c="steps:\n  p: {use: d.yaml}\n  : {\n",
    )
    assert told(path) == [
        ("a.yaml:3:20", "unknown-key"),
        ("b.yaml:3:14", "unknown-step"),
        ("b.yaml:3:23", "bad-value"),
        ("c.yaml:4:3", "yaml-syntax"),
    ]


def test_a_wrong_value_shows_where_it_is_a_count(files: Files, golden: Golden) -> None:
    path = files(a="steps: {x: {use: {file: b.yaml, parameters: {modules: 2.5}}}}\n", b=PART)
    (problem,) = refused(path)
    golden([problem.message, problem.hint])


def test_only_the_outermost_parameters_can_be_set(files: Files) -> None:
    path = files(a="steps: {x: {use: b.yaml}}\n", b=PART)
    (problem,) = refused(path, modules=5)
    assert (problem.position, problem.code, problem.argument) == (None, "unknown-parameter", "parameters")


def test_files_that_use_each_other(files: Files, golden: Golden) -> None:
    path = files(
        a="steps: {x: {use: b.yaml}}\n",
        b="steps: {y: {use: c.yaml}}\n",
        c="steps: {z: {use: a.yaml}, w: {use: ../nowhere/b.yaml}}\n",
    )
    assert told(path)[0] == ("c.yaml:2:18", "cycle")
    golden(refused(path)[0].message)


@pytest.mark.parametrize("name", ["nul\\0byte", "x" * 5000, "no/such/folder/b.yaml", "~"])
def test_what_cannot_be_opened(name: str, files: Files) -> None:
    (problem,) = refused(files(a=f'steps: {{x: {{use: "{name}"}}}}\n'))
    assert problem.code == "unreadable"
    assert problem.position is not None
    assert problem.position.line == 2


def test_files_are_used_to_a_depth_and_a_number(files: Files, tmp_path: Path) -> None:
    chain = {f"f{index}": f"steps: {{x: {{use: f{index + 1}.yaml}}}}\n" for index in range(MOST_DEPTH)}
    path = files(**chain, **{f"f{MOST_DEPTH}": "steps: {x: {tool: 5s}}\n"})
    (problem,) = refused(path)
    assert (problem.code, problem.message) == ("too-large", f"over {MOST_DEPTH} files use each other in a chain")
    assert problem.position is not None
    assert Path(problem.position.file).name == f"f{MOST_DEPTH - 1}.yaml"
    assert len(list(read_workflow(tmp_path / "f1.yaml").walk())) == MOST_DEPTH
    many = "".join(f"  s{n}: {{use: {{file: b.yaml, parameters: {{modules: {n + 1}}}}}}}\n" for n in range(MOST_FILES))
    path = files(a=f"steps:\n{many}", b=PART)
    (problem,) = refused(path)
    assert (problem.code, problem.message) == ("too-large", f"the workflow uses over {MOST_FILES} files")


def test_a_depth_that_is_found_through_what_was_read_before(files: Files) -> None:
    chain = {f"f{index}": f"steps: {{x: {{use: f{index + 1}.yaml}}}}\n" for index in range(MOST_DEPTH - 1)}
    path = files(
        a="steps: {p: {use: f1.yaml}, q: {use: f0.yaml}}\n",
        **chain,
        **{f"f{MOST_DEPTH - 1}": "steps: {x: {tool: 5s}}\n"},
    )
    assert {problem.message for problem in refused(path)} == {f"over {MOST_DEPTH} files use each other in a chain"}


def test_files_that_multiply_are_refused_before_they_are_laid_out(files: Files) -> None:
    steps = "steps:\n" + "".join(f"  s{index}: {{use: %s.yaml}}\n" for index in range(30))
    path = files(
        a=steps % (("b",) * 30), b=steps % (("c",) * 30), c=steps % (("d",) * 30), d=steps % (("e",) * 30), e=PART
    )
    problems = refused(path)
    assert {problem.code for problem in problems} == {"too-large"}
    assert "over 100,000 steps" in problems[0].message


def test_problems_of_used_files_are_told_a_bearable_number_of_times(files: Files, golden: Golden) -> None:
    wrong = "steps:\n" + "".join(f"  s{index}: {{tol: 5s}}\n" for index in range(200))
    names = [f"p{index}" for index in range(9)]
    path = files(
        a="steps:\n" + "".join(f"  {name}: {{use: {name}.yaml}}\n" for name in names), **dict.fromkeys(names, wrong)
    )
    with pytest.raises(InputError) as error:
        read_workflow(path)
    golden(str(error.value).splitlines()[-1])
    assert len(refused(path)) <= 300


# What may fail.


@pytest.mark.parametrize(
    ("inner", "can"),
    [
        ("steps: {y: {tool: 5s}}\n", False),
        ("steps: {y: {success: 90%, tool: 5s}}\n", True),
        ("steps: {y: {success: 90%, otherwise: z, tool: 5s}, z: {tool: 5s}}\n", False),
        ("steps: {y: {success: 90%, otherwise: z, tool: 5s}, z: {success: 50%, tool: 5s}}\n", True),
        ("steps: {g: {for_each: 3, steps: {y: {retry: {chance: 5%, at_most: 2}, tool: 5s}}}}\n", True),
        ("steps: {g: {use: c.yaml}}\n", True),
    ],
)
def test_a_used_file_can_fail_where_a_step_of_it_can(inner: str, can: bool, files: Files) -> None:
    path = files(
        a="steps: {x: {otherwise: w, use: b.yaml}, w: {tool: 5s}}\n",
        b=inner,
        c="steps: {z: {repeat: {until: 50%, at_most: 2}, tool: 5s}}\n",
    )
    if can:
        assert read_workflow(path).steps["x"].otherwise == "w"
    else:
        assert [(problem.code, problem.position and problem.position.line) for problem in refused(path)] == [
            ("bad-value", 2)
        ]


# What continues what.


@pytest.mark.parametrize(
    "steps",
    [
        "  a: {llm: {output: 5}}\n  b: {needs: a, llm: {output: 5, continues: a}}\n",
        "  a: {agent: {turns: 3, output: 5}}\n  t: {needs: a, tool: 5s}\n  b: {needs: t, llm: {output: 5, continues: a}}\n",
        "  a: {repeat: {times: 3}, llm: {output: 5, continues: a}}\n",
        "  g: {repeat: {times: 3}, steps: {h: {steps: {a: {llm: {output: 5, continues: a}}}}}}\n",
        "  g: {for_each: 3, repeat: {times: 3}, steps: {a: {llm: {output: 5, continues: a}}}}\n",
        "  a: {success: 90%, otherwise: b, llm: {output: 5}}\n  b: {llm: {output: 5, continues: a}}\n",
    ],
)
def test_a_request_continues_one_that_it_waits_for_or_itself(steps: str, files: Files) -> None:
    read_workflow(files(a="model: m\n" + PROFILE + "steps:\n" + steps))


def test_rounds_around_a_fan_out_are_not_those_of_an_item(files: Files, golden: Golden) -> None:
    path = files(
        a="model: m\n"
        + PROFILE
        + "steps: {r: {repeat: {times: 2}, steps: {g: {for_each: 3, steps: {a: {llm: {output: 5, continues: a}}}}}}}\n"
    )
    assert [problem.code for problem in refused(path)] == ["bad-value"]
    golden(refused(path)[0].message)


@pytest.mark.slow
def test_a_step_waits_for_another_through_many(files: Files) -> None:
    """However many steps continue however many others, the check takes seconds."""
    steps = "".join(f"  s{n}: {{needs: s{n - 1}, llm: {{output: 5, continues: s{n // 2}}}}}\n" for n in range(1, 3000))
    read_workflow(files(a="model: m\n" + PROFILE + "steps:\n  s0: {llm: {output: 5}}\n" + steps))


def test_a_parameter_is_set_once(files: Files) -> None:
    path = files(a=PART)
    result = CliRunner().invoke(app, ["forecast", str(path), "--set", "modules=3", "--set", "modules=4"])
    assert result.exit_code == 2
    assert "--set modules: given twice" in result.stderr
