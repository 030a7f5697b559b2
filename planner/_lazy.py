"""Lazy imports of the public names of a package (PEP 562), so that a command loads only the modules that it needs.

`lazy_loader` from PyPI does not fit, because some functions have the name of their module. Once planning/forecast.py is
loaded, it would return this module instead of the function `forecast`.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType


class _Package(ModuleType):
    """A package in which a public name takes precedence over a module of the same name."""

    __homes__: dict[str, str]

    def __getattr__(self, name: str) -> object:
        if name not in self.__homes__:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        value = self.__dict__[name] = getattr(import_module(self.__homes__[name]), name)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in self.__homes__):  # an import sets the module as an attribute
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__homes__})


def export(package: str, names: Mapping[str, Sequence[str]]) -> None:
    """Make names of a package's modules importable from the package itself.

    names : path of each module, relative to the package → the names to import from the module
    """
    module = sys.modules[package]
    module.__dict__["__homes__"] = {name: f"{package}.{home}" for home, listed in names.items() for name in listed}
    module.__class__ = _Package
