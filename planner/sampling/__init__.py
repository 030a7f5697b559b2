"""Batches of scenarios in, their samples out. Blocks of samples run on threads or a cluster until precise enough."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.sampling.backends import DaskBackend as DaskBackend
    from planner.sampling.backends import ThreadBackend as ThreadBackend
    from planner.sampling.batch import Batch as Batch
    from planner.sampling.batch import GridPoint as GridPoint
    from planner.sampling.block import CancelledError as CancelledError
    from planner.sampling.block import simulate_block as simulate_block
    from planner.sampling.block import simulate_blocks as simulate_blocks
    from planner.sampling.draws import DrawCache as DrawCache
    from planner.sampling.sample import Precision as Precision
    from planner.sampling.sample import Stopping as Stopping
    from planner.sampling.sample import sample as sample

export(
    __name__,
    {
        "backends": ["DaskBackend", "ThreadBackend"],
        "batch": ["Batch", "GridPoint"],
        "block": ["CancelledError", "simulate_block", "simulate_blocks"],
        "draws": ["DrawCache"],
        "sample": ["Precision", "Stopping", "sample"],
    },
)
