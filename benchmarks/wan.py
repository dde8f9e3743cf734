"""The wan: its throughput against a direct veth pair, and the error of its links' latency.

Run it with ``.venv/bin/python -m benchmarks.wan``. It starts a world with Toxiproxy and no other
program, and measures with real bytes: a stream from node to node, in turn over a cable between
the two, across the wan without a toxic, and across the same wan with HAProxy in Toxiproxy's place,
copying in user space and splicing in the kernel: what is lost without any work of Toxiproxy's own.
Then single messages on open connections, whose one-way delay is compared with what the topology
asked for. Also prints how long a world takes to start.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

from testbed.toolchain.programs import locate
from testbed.topology.document import to_document
from testbed.topology.model import Deployment, Link, Node, Region, Topology
from testbed.world.addressing import Listener, listeners
from testbed.world.namespaces import NamespaceWorld, create

PORT = 7400
CABLE = ("10.99.0.1", "10.99.0.2")
DELAYS_MS = {("west", "east"): 40.0, ("east", "west"): 15.0, ("central", "east"): 5.0}
ROOT = Path(__file__).resolve().parent.parent
PEER = [sys.executable, "-S", str(Path(__file__).with_name("wan_peer.py"))]


def topology() -> Topology:
    """Three regions of two nodes; the pair of west and central has perfect links."""
    regions = tuple(Region(name, "", n) for n, name in enumerate(("west", "central", "east"), 1))
    links = tuple(
        Link(a.name, b.name, DELAYS_MS.get((a.name, b.name), 0.0))
        for a in regions
        for b in regions
        if a is not b
    )
    nodes = tuple(
        Node(f"{region.name}-{n}", region.name, f"10.77.{region.number}.1{n}", frozenset(), (PORT,))
        for region in regions
        for n in (0, 1)
    )
    return Topology(regions, links, nodes)


@contextlib.contextmanager
def running_world(folder: Path) -> Iterator[NamespaceWorld]:
    """A world whose wan is provisioned, with a cable between west-0 and central-0."""
    world = create("benchmark", topology(), logs=folder / "logs", folder=folder / "worlds")
    server = str(locate("toxiproxy-server").path)
    with (folder / "toxiproxy.log").open("wb") as log:
        # As the role of the wan starts it.
        prefix = ["env", "GOMAXPROCS=1", "GOGC=400"]
        command = world.argv("wan", [*prefix, server, "-host=127.0.0.1", "-port=8474"])
        proxy = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _provision(world)
        _lay_cable(world)
        yield world
    finally:
        world.down()
        proxy.wait()


def _provision(world: NamespaceWorld) -> None:
    document = json.dumps(to_document(Deployment("benchmark", Path(), world.topology, {}))).encode()
    deadline = time.monotonic() + 20
    while True:
        done = world.execute(
            "wan",
            [sys.executable, "-m", "testbed.world.wan_apply"],
            stdin=document,
            env={"PYTHONPATH": str(ROOT)},
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"the wan could not be provisioned: {done.stdout!r} {done.stderr!r}")


def _lay_cable(world: NamespaceWorld) -> None:
    ends = ("west-0", "central-0")
    script = f"link add cable type veth peer name cable netns {world.pid(ends[1])}"
    subprocess.run(world.network_argv(ends[0], ["ip", *script.split()]), check=True)
    for node, address in zip(ends, CABLE, strict=True):
        for command in (f"addr add {address}/24 dev cable", "link set cable up"):
            assert world.execute(node, ["ip", *command.split()]).returncode == 0


def peers(
    world: NamespaceWorld, receiver: tuple[str, Sequence[str]], sender: tuple[str, Sequence[str]]
) -> dict[str, list[float]]:
    """What the receiving program printed, after the sending one has run to its end."""
    node, arguments = receiver
    with subprocess.Popen(
        world.argv(node, [*PEER, *arguments]), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        done = world.execute(sender[0], [*PEER, *sender[1]])
        if done.returncode != 0:
            raise SystemExit(f"{sender[0]}: {done.stderr.decode()}")
        answer: dict[str, list[float]] = json.loads(process.stdout.read())
        return answer


def throughput(world: NamespaceWorld, address: str, seconds: float) -> float:
    """Gigabits a second from west-0 to central-0 at an address of it."""
    receiver = ("central-0", ["drain", str(PORT)])
    sender = ("west-0", ["pour", address, str(PORT), str(seconds)])
    return peers(world, receiver, sender)["gbit_s"][0]


@contextlib.contextmanager
def haproxy_instead(world: NamespaceWorld, *, splice: bool) -> Iterator[None]:
    """HAProxy where Toxiproxy listens for streams from west to central-0."""
    listener = next(
        one
        for one in listeners(world.topology)
        if one.source == "west" and one.node_address == world.topology.node("central-0").address
    )
    _enable(world, listener, enabled=False)
    # As a daemon it returns when it listens. Toxiproxy's chunks have 32 kB as well.
    configuration = f"""
        global
            nbthread 1
            tune.bufsize 32768
        defaults
            mode tcp
            timeout connect 5s
            timeout client 60s
            timeout server 60s
        listen copier
            {"option splice-auto" if splice else "no option splice-auto"}
            bind {listener.gateway}:{listener.port}
            server node {listener.alias}:{listener.node_port}
    """
    start = f"cat > /srv/copier.cfg; {locate('haproxy').path} -D -f /srv/copier.cfg -p /srv/copier"
    _in_wan(world, ["sh", "-ec", start], textwrap.dedent(configuration).encode())
    try:
        yield
    finally:
        _in_wan(world, ["sh", "-ec", "kill -9 $(cat /srv/copier)"])
        _enable(world, listener, enabled=True)


def _enable(world: NamespaceWorld, listener: Listener, *, enabled: bool) -> None:
    verb = "enable" if enabled else "disable"
    script = f"import toxiproxy; toxiproxy.Toxiproxy().get_proxy('{listener.name}').{verb}()"
    _in_wan(world, [sys.executable, "-c", script])


def _in_wan(world: NamespaceWorld, command: Sequence[str], stdin: bytes = b"") -> None:
    done = world.execute("wan", command, stdin=stdin)
    if done.returncode != 0:
        raise SystemExit(f"wan: {done.stderr.decode()}")


def errors_ms(world: NamespaceWorld, link: Link, count: int) -> list[float]:
    """How much later than asked each of many messages arrived, in milliseconds."""
    source, target = f"{link.source}-0", f"{link.target}-1"
    address = world.topology.node(target).address
    receiver = (target, ["note", str(PORT)])
    sender = (source, ["tick", address, str(PORT), str(count), "4"])
    delays = peers(world, receiver, sender)["delays_ms"]
    return [delay - link.delay_ms for delay in delays]


def start_s(folder: Path) -> float:
    """Seconds that a world of six nodes takes to start, without programs."""
    began = time.monotonic()
    world = create("start", topology(), logs=folder / "start", folder=folder / "worlds")
    took = time.monotonic() - began
    world.down()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="of throughput (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each stream (3)")
    parser.add_argument("--messages", type=int, default=500, help="on each link (500)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts = [start_s(folder) for _ in range(5)]
        print(f"start of a world of 6 nodes   {median(starts):6.3f} s  best {min(starts):.3f} s")
        with running_world(folder) as world:
            _print_throughput(world, options.rounds, options.seconds)
            for link in world.topology.links:
                _print_errors(link, errors_ms(world, link, options.messages))


def _print_throughput(world: NamespaceWorld, rounds: int, seconds: float) -> None:
    far = world.topology.node("central-0").address
    found: dict[str, list[float]] = {}
    for number in range(1, rounds + 1):
        rates = {
            "direct veth": throughput(world, CABLE[1], seconds),
            "wan": throughput(world, far, seconds),
        }
        for name, splice in (("copier", False), ("splicer", True)):
            with haproxy_instead(world, splice=splice):
                rates[name] = throughput(world, far, seconds)
        shown = ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items())
        print(f"round {number}, Gbit/s: {shown}")
        for name, rate in rates.items():
            found.setdefault(name, []).append(rate / rates["direct veth"])
    print(f"throughput of the wan / veth      {median(found['wan']):6.2f}    (aim 0.5)")
    print(f"  HAProxy, copying / veth         {median(found['copier']):6.2f}")
    print(f"  HAProxy, splicing / veth        {median(found['splicer']):6.2f}")


def _print_errors(link: Link, errors: list[float]) -> None:
    percentiles = quantiles(errors, n=100)
    print(
        f"latency error {link.source:>7} -> {link.target:7} asked {link.delay_ms:4.0f} ms: "
        f"p50 {percentiles[49]:+6.3f} ms, p99 {percentiles[98]:+6.3f} ms   (aim 1 and 3)"
    )


if __name__ == "__main__":
    main()
