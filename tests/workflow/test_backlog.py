"""Backlogs: a CSV beside the workflow in, sizes and needs of its rows out, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError, Problem
from planner.reading.files.text_file import MOST_BYTES
from planner.workflow import Backlog, ForEach, read_workflow
from planner.workflow.backlog import find_cycle
from tests.conftest import Golden

Fan = Callable[..., ForEach]


@pytest.fixture
def fan(tmp_path: Path) -> Fan:
    """The fan-out over a backlog."""

    def read(text: str, keys: str = "") -> ForEach:
        (tmp_path / "backlog.csv").write_text(text, encoding="utf-8", newline="")
        path = tmp_path / "plan.yaml"
        path.write_text(
            f"workflow: w\nsteps: {{a: {{for_each: {{file: backlog.csv{keys}}}, tool: 5s}}}}\n", encoding="utf-8"
        )
        found = read_workflow(path).steps["a"].for_each
        assert found is not None
        return found

    return read


def problems(fan: Fan, text: str, keys: str = "") -> tuple[Problem, ...]:
    with pytest.raises(InputError) as error:
        fan(text, keys)
    return error.value.problems


def test_rows_are_items_with_sizes_and_needs(fan: Fan) -> None:
    text = 'module,lines,after\r\nparser,1_200,\r\n\r\nlexer, 400 ,parser\r\ntypes,.5,"lexer, parser;parser"\r\n'
    found = fan(text, ", size: lines, needs: after, id: module")
    assert found.backlog == Backlog((1200, 400, 0.5), ((), (0,), (1, 0)), ("parser", "lexer", "types"))
    assert (found.count, found.size) == (3, None)


def test_ids_are_needed_only_with_needs(fan: Fan, golden: Golden) -> None:
    assert fan("lines\n5\n6\n").backlog == Backlog(None, ((), ()), ("1", "2"))
    assert fan("id,lines\nx,5\nx,6\n", ", size: lines").backlog == Backlog((5, 6), ((), ()), ("x", "x"))
    (problem,) = problems(fan, "id,n\nx,\nx,\n", ", needs: n")
    golden(problem.message)


def test_a_fan_out_of_a_count_has_no_backlog(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("workflow: w\nsteps: {a: {for_each: {count: 3, size: 1x to 2x}, tool: 5s}}\n", encoding="utf-8")
    found = read_workflow(path).steps["a"].for_each
    assert found is not None
    assert (found.backlog, found.count) == (None, 3)
    assert found.size is not None


def test_a_backlog_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "rows.csv").write_text("id\na\nb\n", encoding="utf-8")
    (tmp_path / "sub" / "b.yaml").write_text(
        "workflow: b\nsteps: {y: {for_each: {file: rows.csv}, tool: 5s}}\n", encoding="utf-8"
    )
    (tmp_path / "a.yaml").write_text("workflow: a\nsteps: {g: {steps: {x: {use: sub/b.yaml}}}}\n", encoding="utf-8")
    steps = dict(read_workflow(tmp_path / "a.yaml").walk())
    found = steps["g", "x", "y"].for_each
    assert found is not None
    assert found.count == 2


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("id,n\na,1\nb,\nc,\n", ", size: n"),
        ("id,n\na,1\nb,x\n", ", size: n"),
        ("id,n\na,inf\n", ", size: n"),
        ("id,n\na,1e999\n", ", size: n"),
        ("id,n\na,0\n", ", size: n"),
        ("id,n\na,a\n", ", needs: n"),
        ("id,n\na,b\n", ", needs: n"),
        ("id,n\na,b\nb,a\n", ", needs: n"),
        ("id,n,n\na,b,c\n", ", needs: n"),
        ("id;n\na;1\n", ", size: n"),
        ("id\n", ""),
        ("", ""),
        ("id\n" + "a\n" * (MOST_BYTES // 2), ""),
    ], ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, keys: str, fan: Fan, golden: Golden) -> None:
    (problem,) = problems(fan, text, keys)
    golden(problem.message)
    assert problem.position is not None
    assert problem.position.line == 2


def test_a_quote_that_is_not_closed(fan: Fan) -> None:
    (problem,) = problems(fan, 'id\n"a\n')
    assert problem.message.startswith("'backlog.csv', line ")


@pytest.mark.slow
def test_a_large_backlog_and_a_large_circle(fan: Fan) -> None:
    rows = 60_000
    text = "id,n\n" + "".join(f"{index:x},{index - 1:x}\n" for index in range(1, rows)).replace("1,0\n", "1,\n", 1)
    found = fan(text, ", needs: n").backlog
    assert found is not None
    assert found.needs[-1] == (rows - 3,)
    (problem,) = problems(fan, text.replace("1,\n", f"1,{rows - 1:x}\n", 1), ", needs: n")
    assert problem.code == "cycle"
    assert len(problem.message) < 200


def test_a_circle_of_a_hundred_thousand_is_found_without_recursion() -> None:
    number = 100_000
    assert len(find_cycle([((index + 1) % number,) for index in range(number)])) == number


@given(st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=8, max_size=8))
def test_a_circle_is_found_where_the_standard_library_finds_one(needs: list[list[int]]) -> None:
    circle = find_cycle(needs)
    try:
        TopologicalSorter(dict(enumerate(needs))).prepare()
    except CycleError:
        assert circle
        assert len(set(circle)) == len(circle)
        assert all(other in needs[one] for one, other in zip(circle, [*circle[1:], circle[0]], strict=True))
    else:
        assert circle == []
