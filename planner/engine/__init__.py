"""Arrays in, arrays out: draws, the scheduling kernel, its checked wrapper, statistics. Imports nothing of ours.

The kernel is `kernel.py` as it stands, or the extension compiled from those very bytes: the extension's
name carries the hash of the source it was built from, so an edited `kernel.py` is never shadowed by an
older build; it runs uncompiled until the next install. `PLANNER_PURE=1` forces the uncompiled file.
"""

from __future__ import annotations

import os
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.engine.arrays import Floats as Floats
    from planner.engine.arrays import Ints as Ints
    from planner.engine.draws import Samples as Samples
    from planner.engine.draws import Turns as Turns
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
        "simulation": ["LONGEST", "TICK", "Graph", "Schedule", "build_graph", "round_to_ticks", "simulate"],
        "smoothing": ["Smoothed", "Waits"],
        "statistics": ["Values", "normal_quantile", "quantile_interval", "share_interval", "standard_error"],
    },
)

SOURCE = Path(__file__).with_name("kernel.py")


def uncompiled() -> ModuleType:
    """The kernel as plain Python."""
    return import_module("planner.engine.kernel")


@cache
def compiled() -> ModuleType | None:
    """The extension built from this very `kernel.py`, or None."""
    try:
        return import_module(f"planner.engine._kernel_{sha256(SOURCE.read_bytes()).hexdigest()[:12]}")
    except (OSError, ImportError):
        return None


def active_kernel() -> ModuleType:
    """The kernel that runs: compiled where there is one and `PLANNER_PURE` is not 1."""
    extension = None if os.environ.get("PLANNER_PURE") == "1" else compiled()
    return uncompiled() if extension is None else extension


def status() -> str:
    """Which kernel runs, and why it is not the compiled one."""
    if active_kernel().compiled:
        return "compiled"
    if compiled() is not None:
        return "uncompiled (PLANNER_PURE=1)"
    built = any(path.suffix in (".so", ".pyd") for path in SOURCE.parent.glob("_kernel_*"))
    return (
        "uncompiled (built for another kernel.py or Python: reinstall)"
        if built
        else "uncompiled (no C compiler at install)"
    )
