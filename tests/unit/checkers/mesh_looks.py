"""A recorded mesh of two nodes, for the checkers that judge one."""

from __future__ import annotations

from typing import Any

from testbed.measures.mesh_recording import CONFLICTS, MeshRecording, mesh_recording

MIB = 1 << 20


def row(time_s: float, node: str = "west-db1", **other: Any) -> dict[str, Any]:
    """One look at a node, as the inspection writes it."""
    stream = {"running": True, "received": "0/1", **other.get("stream", {})}
    slot = {"active": True, "wal_status": "reserved", "invalidation_reason": None,
            "kept_bytes": MIB, **other.get("slot", {})}  # fmt: skip
    conflicts = {"apply_error_count": 0, **dict.fromkeys(CONFLICTS, 0), **other.get("counts", {})}
    return {
        "time": int(time_s * 1e9),
        "node": node,
        "standby": other.get("standby", False),
        "seeded": other.get("seeded", []),
        "streams": {"from_east": stream},
        "slots": {"east_from_west": slot},
        "conflicts": {"from_east": conflicts},
        "slot_bound_bytes": 4 * MIB,
    }


def recording(*rows: dict[str, Any]) -> MeshRecording:
    return mesh_recording(rows)
