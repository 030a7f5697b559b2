"""Arrays in, arrays out: draws, the scheduling kernel with its checks, statistics. Imports no other package of planner.

The kernel is `kernel.py`, or the extension compiled from it. The extension's name contains the hash of its source. So
an extension built from an older source is never used: an edited `kernel.py` runs uncompiled until the next install.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.engine.arrays import Floats as Floats
    from planner.engine.arrays import Ints as Ints
    from planner.engine.draws import Samples as Samples
    from planner.engine.draws import Turns as Turns
    from planner.engine.intervals import Interval as Interval
    from planner.engine.moments import Mean as Mean
    from planner.engine.moments import Moments as Moments
    from planner.engine.simulation import LONGEST as LONGEST
    from planner.engine.simulation import TICK as TICK
    from planner.engine.simulation import Graph as Graph
    from planner.engine.simulation import Schedule as Schedule
    from planner.engine.simulation import build_graph as build_graph
    from planner.engine.simulation import round_to_ticks as round_to_ticks
    from planner.engine.simulation import simulate as simulate
    from planner.engine.smoothing import Smoothed as Smoothed
    from planner.engine.smoothing import Waits as Waits
    from planner.engine.statistics import Values as Values
    from planner.engine.statistics import normal_quantile as normal_quantile
    from planner.engine.statistics import quantile_interval as quantile_interval
    from planner.engine.statistics import share_interval as share_interval
    from planner.engine.statistics import standard_error as standard_error

export(
    __name__,
    {
        "arrays": ["Floats", "Ints"],
        "draws": ["Samples", "Turns"],
        "intervals": ["Interval"],
        "moments": ["Mean", "Moments"],
        "simulation": ["LONGEST", "TICK", "Graph", "Schedule", "build_graph", "round_to_ticks", "simulate"],
        "smoothing": ["Smoothed", "Waits"],
        "statistics": ["Values", "normal_quantile", "quantile_interval", "share_interval", "standard_error"],
    },
)

SOURCE = Path(__file__).with_name("kernel.py")


def uncompiled() -> ModuleType:
    """Return the module `kernel.py`, run as plain Python."""
    return import_module("planner.engine.kernel")


@cache
def compiled() -> ModuleType | None:
    """Return the extension that was compiled from the current `kernel.py`; None if there is no such extension.

    The function looks next to `kernel.py`, then in installed copies of this package. A copy counts only if its
    `kernel.py` is equal to the current one.
    """
    try:
        source = SOURCE.read_bytes()
        for folder in (SOURCE.parent, *(Path(entry, "planner", "engine") for entry in sys.path)):
            name = f"planner.engine._kernel_{sha256(source).hexdigest()[:12]}"
            spec = PathFinder.find_spec(name, [str(folder)])
            if spec and spec.loader and (folder / SOURCE.name).read_bytes() == source:
                extension = module_from_spec(spec)
                spec.loader.exec_module(extension)
                return extension
    except (OSError, ImportError):
        pass
    return None


def active_kernel() -> ModuleType:
    """Return the kernel to use: the compiled extension if there is one, otherwise plain Python.

    The environment variable `PLANNER_PURE=1` always selects plain Python.
    """
    extension = None if os.environ.get("PLANNER_PURE") == "1" else compiled()
    return uncompiled() if extension is None else extension


def status() -> str:
    """Return a text: ``compiled``, or ``uncompiled`` followed by the reason in brackets."""
    if active_kernel().compiled:
        return "compiled"
    if compiled() is not None:
        return "uncompiled (PLANNER_PURE=1)"
    checkout = SOURCE.parents[2]
    is_checkout = (checkout / "pyproject.toml").exists()
    if any(path.suffix in (".so", ".pyd") for path in SOURCE.parent.glob("_kernel_*")):
        remedy = "pip install -e ." if is_checkout else "reinstall"
        return f"uncompiled (built for another kernel.py or Python: {remedy})"
    if is_checkout and not _installed_editable(checkout):
        return "uncompiled (not installed from this checkout: pip install -e .)"
    return "uncompiled (not compiled at install: install a C compiler, then reinstall)"


def _installed_editable(checkout: Path) -> bool:
    """Whether the package was installed by `pip install -e` from `checkout`."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = json.loads(distribution("agent-loop-planner").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return False
    editable = origin.get("dir_info", {}).get("editable", False)
    return editable and origin.get("url") in (checkout.as_uri(), checkout.resolve().as_uri())
