"""Makes the wan agree with a topology: ``python -m testbed.world.wan_apply`` inside the wan.

Reads a deployment document (``testbed.topology.document``) on standard input, brings kernel
settings, nft rules, Toxiproxy's listeners and the links' own latency and bandwidth to what it
says, with no cut and no other toxic, and prints
``{"changed": bool, "changes": [sentences]}``. A failure is ``{"error": text}`` and exit code 3.
With ``--check`` it says what would change and changes nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from testbed.topology.document import from_document
from testbed.world.protocol import WorldError
from testbed.world.wan import Wan

SETTINGS: Mapping[str, str] = {
    # A packet that conntrack holds for out of window would pass untranslated and end a
    # connection that survived a cut.
    "net/netfilter/nf_conntrack_tcp_be_liberal": "1",
    # Connections in a long cut are silent after a few retransmissions; they may not be forgotten.
    "net/netfilter/nf_conntrack_tcp_timeout_max_retrans": "86400",
    "net/netfilter/nf_conntrack_tcp_timeout_unacknowledged": "86400",
    # Last of all: a world's nodes may start before the wan has its rules.
    "net/ipv4/ip_forward": "1",
}


def main() -> int:
    """Run it; the exit code."""
    check = "--check" in sys.argv[1:]
    try:
        wan = Wan(from_document(json.load(sys.stdin)).topology)
        changes = wan.agree(check=check) + apply_settings(Path("/proc/sys"), check=check)
    except (WorldError, ValueError, KeyError) as error:
        print(json.dumps({"error": str(error)}))
        return 3
    print(json.dumps({"changed": bool(changes), "changes": changes}))
    return 0


def apply_settings(root: Path, *, check: bool = False) -> list[str]:
    """Write the kernel settings that differ; what was changed, in sentences.

    Args:
        root: ``/proc/sys``. A setting that this kernel lacks needs no change.
        check: Only say what would be changed.
    """
    changes = []
    for name, value in SETTINGS.items():
        path = root / name
        if path.exists() and path.read_text(encoding="ascii").strip() != value:
            if not check:
                path.write_text(value, encoding="ascii")
            changes.append(f"set {name.replace('/', '.')} to {value}")
    return changes


if __name__ == "__main__":
    sys.exit(main())
