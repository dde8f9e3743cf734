"""What went wrong while a deployment was provisioned, as one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One task that failed on one node.

    Args:
        task: The task's name, for example ``Run Consul``; empty when no task was reached.
        node: The node's name; empty when none was reached.
        message: What went wrong, in one line.
        log_tail: The end of the program's log, or what the command printed; may be empty.
    """

    task: str
    node: str
    message: str
    log_tail: str = ""

    def __str__(self) -> str:
        """The failure for people, the log's tail indented below it."""
        where = f"{self.node}: " if self.node else ""
        what = f"task '{self.task}': " if self.task else ""
        lines = [f"{where}{what}{self.message}"]
        lines += [f"    | {line}" for line in self.log_tail.splitlines()]
        return "\n".join(lines)


class ProvisionError(Exception):
    """A deployment could not be provisioned, or a program not started.

    Args:
        what: What was tried, for example ``provisioning active-passive failed``.
        failures: Every task and node that failed.
        advice: What to do next; may be empty.
    """

    def __init__(self, what: str, failures: Sequence[Failure] = (), advice: str = "") -> None:
        self.failures = tuple(failures)
        lines = [what + (":" if failures else "")]
        lines += [str(failure) for failure in failures]
        if advice:
            lines.append(advice)
        super().__init__("\n".join(lines))
