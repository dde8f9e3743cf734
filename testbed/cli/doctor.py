"""``testbed doctor``: what of this machine would keep a run from working, and what to do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from testbed.toolchain.check import Check, State

_MARKS = {State.OK: "ok", State.WARNING: "WARNING", State.FAILED: "FAILED"}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check the machine, the programs and what earlier worlds left",
        description="Checks what a run needs of this machine. Exit code: 0 a run can start "
        "(there may be warnings), 3 it cannot.",
    )
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 when a run can start, 3 when it cannot."""
    from testbed.toolchain.kernel import kernel_checks
    from testbed.toolchain.machine import machine_checks, program_checks
    from testbed.toolchain.programs import Toolchain

    checks = (
        *machine_checks(),
        *kernel_checks(),
        *program_checks(Toolchain()),
        _worlds(),
    )
    failed = [check for check in checks if check.state is State.FAILED]
    if arguments.json:
        print(json.dumps(_document(checks), indent=1))
    else:
        _show(checks)
    return 3 if failed else 0


def _worlds() -> Check:
    """What earlier worlds left: those whose process 1 is gone."""
    from testbed.world.namespaces import list_worlds
    from testbed.world.protocol import WorldError

    try:
        worlds = list_worlds()
    except WorldError as error:
        return Check("worlds", State.WARNING, "cannot be listed", str(error))
    ended = [world.name for world in worlds if not world.alive()]
    running = [world.name for world in worlds if world.alive()]
    found = f"running: {', '.join(running) or 'none'}"
    if not ended:
        return Check("worlds", State.OK, found)
    remedy = "; ".join(f"testbed down {name}" for name in ended)
    return Check("worlds", State.WARNING, f"{found}; ended: {', '.join(ended)}", f"Type: {remedy}")


def _document(checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "ready": all(check.state is not State.FAILED for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def _show(checks: Sequence[Check]) -> None:
    for check in checks:
        print(f"{_MARKS[check.state]:8} {check.name:22} {check.found}")
        if check.remedy:
            print(f"{'':8} {'':22} -> {check.remedy}")
    failed = sum(check.state is State.FAILED for check in checks)
    if failed:
        print(f"{failed} of {len(checks)} checks failed: a run cannot start.", file=sys.stderr)
