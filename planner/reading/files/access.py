"""Paths in, bytes of regular files out. A service can limit the paths to those below a folder."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from planner.errors import Position, Problem

_KINDS = {
    stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
_DESCRIPTOR = re.compile(r"/dev/(stdin|fd/\d+)")
"""Paths of files that the shell has opened, as for `<(…)`."""

_read: ContextVar[list[Path] | None] = ContextVar("_read", default=None)
_below: ContextVar[Path | None] = ContextVar("_below", default=None)


class RefusedFileError(OSError):
    """Error for a file that is refused, such as a device.

    code, hint : code and hint of the problem that is reported
    """

    def __init__(self, reason: str, code: str, hint: str) -> None:
        super().__init__(None, reason)
        self.code = code
        self.hint = hint


@contextmanager
def files_read() -> Iterator[list[Path]]:
    """Context manager that yields a list. The path of each file that the block reads is added to the list."""
    files: list[Path] = []
    token = _read.set(files)
    try:
        yield files
    finally:
        _read.reset(token)


@contextmanager
def only_below(folder: Path | None) -> Iterator[None]:
    """Context manager that refuses to read files outside of `folder`. None allows all files."""
    token = _below.set(folder)
    try:
        yield
    finally:
        _below.reset(token)


def read_regular(path: Path, most: int, descriptors: bool = True) -> bytes:
    """Return the content of a regular file, at most `most` bytes.

    A FIFO, a device or a socket is refused, because the reading could wait forever.

    descriptors : whether the paths /dev/stdin and /dev/fd/N are allowed. A user can give these paths, but a workflow
        file cannot

    Raises `RefusedFileError` if the file is refused, and `OSError` or `ValueError` if the file cannot be opened.
    """
    files = _read.get()
    if files is not None:
        files.append(path)
    folder, opened = _below.get(), path
    if folder is not None:
        opened = Path(os.path.realpath(path))
        if not opened.is_relative_to(os.path.realpath(folder)):
            reason = f"it is outside of the folder '{folder}'"
            hint = "copy the file into that folder"
            raise RefusedFileError(reason, code="outside-folder", hint=hint)
    elif descriptors and _DESCRIPTOR.fullmatch(str(path)):
        with path.open("rb") as stream:
            return stream.read(most)
    _check_kind(opened.stat().st_mode)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(opened, flags), "rb") as stream:
        _check_kind(os.fstat(stream.fileno()).st_mode)  # it may have been replaced
        return stream.read(most)


def _check_kind(mode: int) -> None:
    kind = _KINDS.get(stat.S_IFMT(mode))
    if kind is not None:
        raise RefusedFileError(
            f"it is {kind}", code="unreadable", hint="save the content in a file, and give the path of that file"
        )
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def unreadable(path: Path, error: Exception, hint: str | None) -> Problem:
    """Return the problem for a file that `read_regular` cannot read.

    error : exception that `read_regular` raised
    hint : hint of the problem; a `RefusedFileError` has its own hint
    """
    code = "unreadable"
    if isinstance(error, RefusedFileError):
        code, hint = error.code, error.hint
    message = f"cannot read the file: {getattr(error, 'strerror', None) or error}"
    return Problem(code, message, Position(str(path)), hint)
