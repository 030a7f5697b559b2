"""Scheduled samples in, measures out: critical path, drag, utilisation, typical run, completion times."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.measures.moments import Distribution as Distribution
    from planner.measures.playback import Rehearsal as Rehearsal
    from planner.measures.playback import playbacks as playbacks
    from planner.measures.typical_run import replay as replay
    from planner.measures.utilisation import Usage as Usage
    from planner.measures.utilisation import Utilisation as Utilisation

export(
    __name__,
    {
        "moments": ["Distribution"],
        "playback": ["Rehearsal", "playbacks"],
        "typical_run": ["replay"],
        "utilisation": ["Usage", "Utilisation"],
    },
)
