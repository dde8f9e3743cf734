"""What a test of a user's own imports; the fixtures come from the pytest plugin.

``run_plan``, ``world`` and ``deployment`` are fixtures: see docs/how-to/write-an-experiment.md.
"""

from __future__ import annotations

from experiments.failover_plan import failover_plan
from experiments.mesh_strategies import partitions
from experiments.outcomes import PromiseBrokenError
from experiments.strategies import schedules
from testbed.provision.in_node import in_node
from testbed.runner.plan import Load, Plan, Step

__all__ = [
    "Load",
    "Plan",
    "PromiseBrokenError",
    "Step",
    "failover_plan",
    "in_node",
    "partitions",
    "schedules",
]
