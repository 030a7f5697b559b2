"""Replacements for the Cython decorators in kernel.py, used if Cython is missing. They do nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])  # a function or a class

compiled = False


def _same(function: F) -> F:
    return function


cfunc = ccall = inline = cclass = final = _same


def exceptval(check: bool) -> Callable[[F], F]:
    """Return a decorator that does nothing. It replaces `cython.exceptval`."""
    return _same


class _NoGil:
    """Decorator and context manager that does nothing. It replaces `cython.nogil`."""

    def __call__(self, function: F) -> F:
        return function

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


nogil = _NoGil()
