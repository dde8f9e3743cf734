"""What the figures of one size are drawn from, counted once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testbed.report.figures.canvas import Canvas, Variant
from testbed.report.judgement import LostWrite, Recovery
from testbed.report.lanes import FaultSpan, RoleSpan, fault_spans, role_spans
from testbed.report.recorded import RecordedRun
from testbed.report.timeline import (
    Bins,
    RegionSeries,
    bins_over,
    calls_by_region,
    region_series,
    regions_of,
    span,
)

_CALLS_A_BIN = 5
_BINS_MIN = 20
_EDGES_MAX = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A run over one time axis in one size.

    Args:
        run: The run.
        variant: The size.
        bins: Over the time axis.
        series: By region, in the inventory's order.
        faults: As the figures show them.
        roles: Of all nodes.
        start_s: Left end of the time axis.
        end_s: Right end of it.
    """

    run: RecordedRun
    variant: Variant
    bins: Bins
    series: Mapping[str, RegionSeries]
    faults: tuple[FaultSpan, ...]
    roles: tuple[RoleSpan, ...]
    start_s: float
    end_s: float

    @property
    def edges_s(self) -> list[float]:
        """When faults began and ended; none where they would be more lines than help."""
        starts = [fault.start_s for fault in self.faults]
        edges = starts + [fault.end_s for fault in self.faults if fault.healed]
        return edges if len(edges) <= _EDGES_MAX else starts if len(starts) <= _EDGES_MAX else []

    def recoveries(self, region: str) -> list[Recovery]:
        """The times without service of one region."""
        found = self.run.judgement.recoveries if self.run.judgement else ()
        return [recovery for recovery in found if recovery.region == region]

    def lost(self, region: str | None = None) -> list[LostWrite]:
        """The lost writes, of one region's clients or of all."""
        loss = self.run.judgement.loss if self.run.judgement else None
        return [write for write in loss.lost if region in {None, write.region}] if loss else []

    def canvas(self, label: str, *, plots: bool) -> Canvas:
        """An empty canvas with this frame's time axis."""
        return Canvas(label, self.variant, self.start_s, self.end_s, plots=plots)


def frame(run: RecordedRun, variant: Variant) -> Frame:
    """Counts everything that the figures of one size show."""
    start_s, end_s = span(run)
    calls = calls_by_region(run.calls)
    # A bin that a slow load leaves empty looks like an outage: no bin narrower than a few calls.
    fewest = min((len(found) for found in calls.values()), default=1)
    width_s_min = (end_s - start_s) * _CALLS_A_BIN / max(fewest, _BINS_MIN * _CALLS_A_BIN)
    bins = bins_over(start_s, end_s, variant.bins_max, width_s_min)
    regions = regions_of(run) if run.calls else ()
    return Frame(
        run=run,
        variant=variant,
        bins=bins,
        series={name: region_series(name, calls.get(name, ()), bins) for name in regions},
        faults=tuple(fault_spans(run, end_s)),
        roles=tuple(role_spans(run.roles, start_s, end_s)),
        start_s=start_s,
        end_s=end_s,
    )
