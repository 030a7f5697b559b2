"""Which kernel runs, and what its status says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from planner import engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `kernel.py` of another content, for which nothing was compiled."""
    path = tmp_path / "planner" / "engine" / "kernel.py"
    path.parent.mkdir(parents=True)
    path.write_text("compiled = False\n", encoding="utf-8")
    monkeypatch.setattr(engine, "SOURCE", path)
    monkeypatch.delenv("PLANNER_PURE", raising=False)
    engine.compiled.cache_clear()
    yield path
    engine.compiled.cache_clear()


def installed_from(url: str, monkeypatch: pytest.MonkeyPatch, *, editable: bool) -> None:
    class Installed:
        def read_text(self, name: str) -> str:
            assert name == "direct_url.json"
            return json.dumps({"url": url, "dir_info": {"editable": editable}})

    monkeypatch.setattr(metadata, "distribution", lambda name: Installed())


def test_a_checkout_that_was_never_installed_says_what_to_run(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    expected = "uncompiled (not installed from this checkout: pip install -e .)"
    for url, editable in ((tmp_path.as_uri(), False), ("file:///elsewhere", True)):
        installed_from(url, monkeypatch, editable=editable)
        assert engine.status() == expected

    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert engine.status() == expected


def test_an_editable_install_without_a_compiler_says_so(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    installed_from(tmp_path.as_uri(), monkeypatch, editable=True)
    assert engine.status() == "uncompiled (not compiled at install: install a C compiler, then reinstall)"


def test_an_installed_copy_without_an_extension_says_so(source: Path) -> None:
    assert engine.status() == "uncompiled (not compiled at install: install a C compiler, then reinstall)"


@pytest.mark.parametrize("suffix", [".cpython-39-x86_64-linux-gnu.so", ".cp39-win_amd64.pyd"])
def test_an_extension_of_another_source_or_python_says_so(source: Path, tmp_path: Path, suffix: str) -> None:
    source.with_name(f"_kernel_0123456789ab{suffix}").touch()
    assert engine.status() == "uncompiled (built for another kernel.py or Python: reinstall)"
    (tmp_path / "pyproject.toml").touch()
    assert engine.status() == "uncompiled (built for another kernel.py or Python: pip install -e .)"


def test_an_extension_that_cannot_be_loaded_is_left_alone(source: Path) -> None:
    name = "_kernel_" + sha256(source.read_bytes()).hexdigest()[:12]
    source.with_name(f"{name}{EXTENSION_SUFFIXES[0]}").write_bytes(b"no extension")
    assert engine.compiled() is None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout without an extension."""
    path = tmp_path / "checkout"
    shutil.copytree(ROOT / "planner", path / "planner", ignore=shutil.ignore_patterns("__pycache__", "_kernel_*"))
    for name in ("cli.py", "pyproject.toml"):
        shutil.copy(ROOT / name, path)
    return path


def version(checkout: Path, *packages: Path) -> str:
    """`python cli.py --version` in a checkout; `packages` come on the path after it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages))}
    environment.pop("PLANNER_PURE", None)
    command = [sys.executable, "cli.py", "--version"]
    result = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return result.stdout


@pytest.mark.skipif(engine.compiled() is None, reason="no compiled kernel here")
def test_a_checkout_uses_the_extension_of_an_installed_copy_with_the_same_kernel(
    checkout: Path, tmp_path: Path
) -> None:
    extension = engine.compiled()
    assert extension is not None
    installed = tmp_path / "site-packages"
    folder = installed / "planner" / "engine"
    folder.mkdir(parents=True)
    shutil.copy(extension.__file__ or "", folder)
    shutil.copy(engine.SOURCE, folder)
    assert "kernel compiled" in version(checkout, installed)


@pytest.mark.skipif(engine.compiled() is None, reason="no compiled kernel here")
def test_a_checkout_with_an_edited_kernel_does_not_use_the_extension_of_an_installed_copy(
    checkout: Path, tmp_path: Path
) -> None:
    with (checkout / "planner" / "engine" / "kernel.py").open("a") as kernel:
        kernel.write("\n# edited\n")
    assert "kernel uncompiled (not installed from this checkout: pip install -e .)" in version(checkout, ROOT)
