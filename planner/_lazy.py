"""Public names of a package, imported when they are first used (PEP 562): a command loads only what it needs.

`lazy_loader` from PyPI returns the module instead of the function once a module of that name is loaded, as
planning/forecast.py with its `forecast`.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType


class _Package(ModuleType):
    """A package whose public names win over its modules of the same name."""

    __homes__: dict[str, str]

    def __getattr__(self, name: str) -> object:
        if name not in self.__homes__:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        value = self.__dict__[name] = getattr(import_module(self.__homes__[name]), name)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in self.__homes__):  # an import binds the module in its package
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__homes__})


def export(package: str, names: Mapping[str, Sequence[str]]) -> None:
    """Let a package offer the names of its modules: {module, relative to the package: names}."""
    module = sys.modules[package]
    module.__dict__["__homes__"] = {name: f"{package}.{home}" for home, listed in names.items() for name in listed}
    module.__class__ = _Package
