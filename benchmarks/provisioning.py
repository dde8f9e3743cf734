"""How long it takes until a cluster is writable with every standby streaming.

Run it with ``.venv/bin/python -m benchmarks.provisioning``. In one go: a world provisioned by
Ansible from nothing, the same again with nothing to change, and worlds started from the golden
snapshot. Prints wall-clock seconds, and CPU seconds beside them: on a machine that does other
things at the same time only those can be compared.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

from testbed.provision.ansible import provision
from testbed.provision.golden import ensure_golden
from testbed.provision.program_paths import program_variables
from testbed.provision.programs import start_all
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from testbed.world.namespaces import NamespaceWorld, create

TICKS_S = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def world(deployment: Deployment, lowers: Mapping[str, Path] | None) -> Iterator[NamespaceWorld]:
    """A world that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="testbed-provisioning-") as folder:
        made = create(
            f"provisioning-{os.getpid()}", deployment.topology, logs=Path(folder), lowers=lowers
        )
        try:
            yield made
        finally:
            made.down()


def spent_s(of: NamespaceWorld) -> float:
    """CPU seconds so far: of this process, its ended children and every process of a world."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    names = ("wan", *(node.name for node in of.topology.nodes))
    ticks = 0
    for pid in {process.pid for name in names for process in of.processes(name)}:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return own + ticks / TICKS_S


def timed(of: NamespaceWorld, action: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of an action."""
    began, cpu = time.monotonic(), spent_s(of)
    action()
    return time.monotonic() - began, spent_s(of) - cpu


def measure(deployment: Deployment, runs: int) -> dict[str, list[tuple[float, float]]]:
    """Wall-clock and CPU seconds of each way, by its description."""
    programs = program_variables(deployment.topology)
    found: dict[str, list[tuple[float, float]]] = {}

    def note(what: str, seconds: tuple[float, float], extra_s: float = 0.0) -> None:
        found.setdefault(what, []).append((seconds[0] + extra_s, seconds[1]))

    for _ in range(runs):
        began = time.monotonic()
        with world(deployment, None) as made:
            created_s = time.monotonic() - began
            again = lambda made=made: provision(made, deployment, programs)  # noqa: E731
            note("by Ansible, from no world at all", timed(made, again), created_s)
            note("by Ansible again, nothing to change", timed(made, again))
    lowers = ensure_golden(deployment, programs).lowers
    for _ in range(runs):
        began = time.monotonic()
        with world(deployment, lowers) as made:
            created_s = time.monotonic() - began
            start = lambda made=made: start_all(made)  # noqa: E731
            note("from the golden snapshot, from no world at all", timed(made, start), created_s)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployment", default="active-passive")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    load_average = os.getloadavg()[0]
    print(
        f"{'until writable, every standby streaming':48} {'wall s: median [min to max]':32} CPU s"
    )
    for what, values in measure(load(find(arguments.deployment)), arguments.runs).items():
        wall = sorted(value[0] for value in values)
        cpu = median(value[1] for value in values)
        span = f"{median(wall):.2f} [{wall[0]:.2f} to {wall[-1]:.2f}]"
        print(f"{what:48} {span:32} {cpu:.2f}")
    print(f"load average {load_average:.1f} before, {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
