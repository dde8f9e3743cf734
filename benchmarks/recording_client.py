"""The recording client against pgbench: same statement, same concurrency, direct connection.

Run it with ``.venv/bin/python -m benchmarks.recording_client``. It starts a world, enters its
network, and measures both in turn on the primary of an asynchronous cluster, so that a commit
waits for no link. Prints transactions a second of each round and the ratio of the medians.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from testbed.clients.postgres_entry import connector, node_endpoints
from testbed.clients.protocol import Endpoint, Invocation
from testbed.history.journal import Journal
from testbed.probes.catalogue import PROBES
from testbed.provision.bring_up import bring_up
from testbed.runner.clock import Clock
from testbed.runner.drivers import favour
from testbed.runner.recorder import Recorder
from testbed.toolchain.programs import locate
from testbed.topology.inventory import find, load
from testbed.topology.model import Deployment
from testbed.world.namespaces import Owner

CLIENTS = 8
SECONDS = 6
ROUNDS = 3

SCRIPT = """\
\\set value random(1, 9000000000000000000)
insert into set_element values (1, :value);
"""


@dataclass(frozen=True, slots=True)
class Round:
    """Transactions a second of both, in one round."""

    ours: float
    pgbench: float


async def primary(deployment: Deployment) -> Endpoint:
    """The primary's own endpoint."""
    probe = PROBES["postgres"](deployment.topology, deployment.variables)
    try:
        holder = await probe.holder("primary")
    finally:
        await probe.close()
    return next(node for node in node_endpoints(deployment.topology) if node.name == holder)


async def record(deployment: Deployment, endpoint: Endpoint, journal_path: Path) -> float:
    """Adds by recording clients, each as fast as it is answered; a second."""
    connect = connector(deployment.topology, "set", time.time_ns(), 5000)
    with Journal(journal_path) as journal:
        recorder = Recorder(journal, Clock())
        # Random like pgbench's: consecutive ones meet on the index's last page, and wait there.
        numbers = random.Random(1)  # noqa: S311 - no secret
        setup = connect(endpoint)
        await recorder.perform(setup, recorder.process(), endpoint.region, Invocation("schema"))
        await setup.close()
        began = time.monotonic()
        until = began + SECONDS

        async def work() -> None:
            client, process = connect(endpoint), recorder.process()
            while time.monotonic() < until:
                what = Invocation("add", numbers.randint(1, 9 * 10**18))
                await recorder.perform(client, process, endpoint.region, what)
            await client.close()

        await asyncio.gather(*(work() for _ in range(CLIENTS)))
        elapsed = time.monotonic() - began
    done = recorder.tally[endpoint.region, "add", "ok"]
    if done != sum(number for (_, f, _), number in recorder.tally.items() if f == "add"):
        sys.exit("some adds failed: the figure would mean nothing")
    return done / elapsed


def pgbench(endpoint: Endpoint, script: Path) -> float:
    """The same statement by pgbench; a second."""
    command = [
        str(locate("postgres").folder / "pgbench"),
        "-n",
        "-M",
        "prepared",
        "-f",
        str(script),
    ]
    command += ["-c", str(CLIENTS), "-j", "1", "-T", str(SECONDS)]
    command += ["-h", endpoint.host, "-p", str(endpoint.port), "-U", "testbed", "testbed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        sys.exit(f"pgbench failed: {done.stderr}")
    return float(found.group(1))


async def measure(deployment: Deployment, folder: Path) -> list[Round]:
    """Rounds of both in turn, from inside the world's network."""
    endpoint = await primary(deployment)
    script = folder / "add.sql"
    script.write_text(SCRIPT, encoding="utf-8")
    rounds = []
    for number in range(ROUNDS):
        ours = await record(deployment, endpoint, folder / f"history{number}.jsonl")
        peer = await asyncio.to_thread(pgbench, endpoint, script)
        rounds.append(Round(ours, peer))
        print(f"round {number + 1}: recording client {ours:.0f}/s, pgbench {peer:.0f}/s")
    return rounds


def main() -> None:
    """Starts a world, and this very program again inside its network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    deployment = load(find("active-passive"), {"replication": "asynchronous"})
    if arguments.inside is not None:
        rounds = asyncio.run(measure(deployment, arguments.inside))
        ratio = median(one.ours for one in rounds) / median(one.pgbench for one in rounds)
        print(f"ratio of the medians: {ratio:.2f} (aim: at least 0.5)")
        return
    with tempfile.TemporaryDirectory(prefix="testbed-bench-") as folder:
        world = bring_up(
            deployment,
            f"bench-{time.time_ns() % 10**9}",
            logs=Path(folder) / "logs",
            owner=Owner.RUNNER,
            fresh=False,
            listener=None,
        )
        try:
            command = [sys.executable, "-m", "benchmarks.recording_client", "--inside", folder]
            inside = subprocess.Popen(world.network_argv("wan", command), start_new_session=True)
            # Both alike: on a shared machine the rest must not decide. Only root gets it.
            favour(inside.pid)
            if inside.wait() != 0:
                sys.exit("the measurement failed")
        finally:
            world.down()


if __name__ == "__main__":
    main()
