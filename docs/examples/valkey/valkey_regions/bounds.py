"""How long a failover by Sentinel may take, from the deployment's own timers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.bounds import Bound, Bounds

ELECTION_MS = 3000.0
"""Sentinels ask each other once a second, and begin an election up to a second later."""

PROMOTION_MS = 3000.0
"""The chosen replica is told, and the sentinels see it as primary at their next question."""


def rto(kind: str, variables: Mapping[str, Any], timeout_ms: float) -> Bound:
    """From a fault to the first acknowledged write."""
    if kind.startswith("link-") and kind != "link-cut":
        return Bound((("slower links", 3000.0), ("client time-outs", 2 * timeout_ms)))
    down_ms = float(variables["valkey_down_after_ms"])
    return Bound(
        (
            ("silence", down_ms + 1000.0),
            ("election", ELECTION_MS),
            # A vote that two candidates split is repeated after the failover's time-out, and once
            # more is as likely as not on a busy machine.
            ("another election", 2 * float(variables["valkey_failover_timeout_ms"])),
            ("promotion", PROMOTION_MS),
            ("replicas follow", 10_000.0 if variables["valkey_wait_replicas"] else 0.0),
            ("client time-outs", 2 * timeout_ms),
        )
    )


def recovery(variables: Mapping[str, Any]) -> Bound:
    """From the last heal until a new write is on every node."""
    return Bound(
        (
            # Sentinels turn a returned primary into a replica after ten seconds of watching it.
            ("reconfiguration", 20_000.0),
            ("failover", rto("region-cut", variables, 1000.0).total_ms),
            ("full copy", 10_000.0),
        )
    )


BOUNDS = Bounds(rto, recovery)
