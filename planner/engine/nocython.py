"""Replacements for the decorators of Cython that kernel.py uses. They do nothing, and are used where it is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])  # a function or a class

compiled = False


def _same(function: F) -> F:
    return function


cfunc = ccall = inline = cclass = final = _same


def exceptval(check: bool) -> Callable[[F], F]:
    """`check` tells C to look for an exception after each call; Python always does."""
    return _same


class _NoGil:
    """Both a decorator and a context manager, as `cython.nogil` is."""

    def __call__(self, function: F) -> F:
        return function

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


nogil = _NoGil()
