"""Observes a world that no run drives, from inside its network.

``python -m testbed.metrics.observe NAME`` runs in the wan's network and prints a line of JSON a
look: ``{"time", "claims", "links", "streams"}``, with the rows that a run records in
``roles.jsonl``, ``links.jsonl`` and ``streams.jsonl``. It ends when the world does, or when nobody
reads them any more.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from dataclasses import asdict

import orjson

from testbed.clients.catalogue import system_of
from testbed.probes.catalogue import PROBES
from testbed.probes.links import LinkProbe
from testbed.runner.clock import Clock
from testbed.world.namespaces import NamespaceWorld, open_world
from testbed.world.protocol import WorldError

_INTERVAL_S = 0.5


async def _observe(world: NamespaceWorld) -> None:
    topology = world.topology
    probe = PROBES[system_of(topology)](topology, world.variables)
    links = LinkProbe(topology)
    clock = Clock()
    try:
        # It is in the world's network, but not among its processes: it has to see for itself.
        while world.alive():
            claims, readings, streams = await asyncio.gather(
                probe.claims(), links.readings(), probe.streams()
            )
            document = {
                "time": clock.now(),
                "claims": [asdict(claim) for claim in claims],
                "links": readings,
                "streams": [asdict(stream) for stream in streams],
            }
            sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.buffer.flush()
            await asyncio.sleep(_INTERVAL_S)
    finally:
        await probe.close()
        await links.close()


def main() -> int:
    """Entry point; 3 when there is no such world."""
    parser = argparse.ArgumentParser(prog="python -m testbed.metrics.observe", description=__doc__)
    parser.add_argument("world")
    try:
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
            asyncio.run(_observe(open_world(parser.parse_args().world)))
    except WorldError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
