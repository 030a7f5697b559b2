"""A task graph and model profiles in; the demands, seconds, US dollars and schedule of each sample out."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.timing.durations import SampleDemands as SampleDemands
    from planner.timing.durations import task_times as task_times
    from planner.timing.service import ServiceTimes as ServiceTimes
    from planner.timing.service import profiles as profiles

export(
    __name__,
    {
        "durations": ["SampleDemands", "task_times"],
        "service": ["ServiceTimes", "profiles"],
    },
)
