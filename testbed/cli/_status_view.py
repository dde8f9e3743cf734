"""Prints how worlds are, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from testbed.probes.snapshot import DataNode, LinkStatus
from testbed.probes.status import NodeStatus, WorldStatus
from testbed.world.finding import Condition, Sighting

GOOD, POOR, BAD, QUIET, TITLE = "green", "yellow", "bold red", "dim", "bold"
_SILENT_MS = 1000.0
"""Observers send every 50 ms: what has been silent for so long carries nothing."""


def show_list(console: Console, sightings: Sequence[Sighting]) -> None:
    """Several worlds, a line each."""
    table = _table("world", "deployment", "", "for", "dies with")
    for each in sightings:
        dead = each.condition is Condition.ENDED
        keeper = f"process {each.keeper}" if each.keeper else ""
        table.add_row(
            Text(each.world.name, TITLE),
            each.world.deployment,
            Text("has died" if dead else each.condition.value, BAD if dead else GOOD),
            "" if dead else duration(each.age_s),
            Text(keeper, QUIET),
        )
    console.print(table)
    console.print("\nMore of one: testbed status NAME", style=QUIET)
    if any(each.condition is Condition.ENDED for each in sightings):
        console.print("Forget one that has died: testbed down NAME", style=QUIET)


def show_world(console: Console, world: WorldStatus) -> None:
    """One world with everything that is known of it."""
    console.print(_headline(world))
    if world.condition == "running":
        console.print(Text(_variables(world), QUIET))
        for region, jurisdiction in world.jurisdictions.items():
            console.print()
            console.print(_region_line(region, jurisdiction, world))
            _show_nodes(console, world, region)
        console.print()
        console.print(Text("between the regions", TITLE))
        _show_nodes(console, world, "")
        _show_links(console, world.links)
        console.print()
    show_problems(console, world.problems)
    if world.condition == "running":
        if not world.problems:
            console.print(Text("Steady: everything is as it should be.", GOOD))
        console.print(Text("Numbers after programs are their process ids.", QUIET))
        console.print(Text(f"Logs: {world.logs}", QUIET))


def show_problems(console: Console, problems: Iterable[str]) -> None:
    """What is not as it should be."""
    for problem in problems:
        # Paths and commands stay whole, to be copied.
        lines = textwrap.wrap(
            f"! {problem}",
            console.width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        console.print(Text("\n".join(lines), BAD))


def duration(seconds: float) -> str:
    """A length of time, as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86_400:.0f} days"


def size(count: int) -> str:
    """A number of bytes, as people say it."""
    amount, units = float(count), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        del units[0]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def _headline(world: WorldStatus) -> Text:
    line = Text(world.name, TITLE)
    if world.condition == "ended":
        return line.append("  has died", BAD)
    line.append(f"  {world.condition}", GOOD)
    line.append(f" for {duration(world.age_s)}, process 1 is {world.process1}", "not bold")
    if world.keeper is not None:
        line.append(f", dies with process {world.keeper}", POOR)
    return line


def _variables(world: WorldStatus) -> str:
    replication = world.variables.get("replication")
    shown = f"deployment {world.deployment}"
    return shown if replication is None else f"{shown}, replication {replication}"


def _region_line(region: str, jurisdiction: str, world: WorldStatus) -> Text:
    line = Text(f"{region} ({jurisdiction})", TITLE)
    for name, address in world.entrances[region].items():
        line.append(f"  {name} {address}", "not bold")
    return line


def _show_nodes(console: Console, world: WorldStatus, region: str) -> None:
    """Each node of a region: what it is in the database, and below that its programs."""
    width = max(len(node.name) for node in world.nodes)
    for node in world.nodes:
        if node.region != region:
            continue
        lines = [_data(node)] if node.data is not None else []
        lines.append(_programs(node))
        for number, line in enumerate(lines):
            label = node.name if number == 0 else ""
            console.print(Text(f"  {label:{width}}  ") + line)


def _data(node: NodeStatus) -> Text:
    data = node.data
    assert data is not None
    words = Text("  ").join(
        [
            Text(data.role, {"primary": "bold cyan", "silent": BAD}.get(data.role, "cyan")),
            _state(data),
            *([Text(f"timeline {data.timeline}")] if data.timeline is not None else []),
            *([Text(data.synchronous)] if data.synchronous else []),
        ]
    )
    if data.lag_bytes is not None:
        words.append(f"  lag {size(data.lag_bytes)}", POOR if data.lag_bytes else "not bold")
    return words


def _state(data: DataNode) -> Text:
    """Patroni's word for PostgreSQL; of a running replica, how its primary sees it."""
    if data.state not in ("running", "streaming"):
        return Text(data.state, BAD)
    if data.role == "primary":
        return Text(data.state, GOOD)
    if not data.replication:
        return Text("not replicating", BAD)
    return Text(data.replication, GOOD if data.replication == "streaming" else POOR)


def _programs(node: NodeStatus) -> Text:
    if node.problem:
        return Text(node.problem, BAD)
    words = Text()
    for program in node.programs:
        words.append("  " if words else "")
        part = f" {node.consul}" if program.name == "consul" and node.consul else ""
        if program.pid is None:
            words.append(f"{program.name} stopped", BAD)
        elif program.healthy:
            words.append(f"{program.name} {program.pid}", GOOD)
            words.append(part, BAD if "no " in part else QUIET)
        else:
            words.append(f"{program.name} {program.pid} unhealthy{part}", BAD)
    return words or Text("no programs", QUIET)


def _show_links(console: Console, links: Sequence[LinkStatus]) -> None:
    width = max((len(link.source) + len(link.target) for link in links), default=0) + 4
    console.print(Text(f"  {'link':{width}}  {'asked, one way':14}  measured", QUIET))
    for link in links:
        asked = f"{link.asked_delay_ms:g} ms"
        asked += f" ± {link.asked_jitter_ms:g}" if link.asked_jitter_ms else ""
        asked += f", {link.asked_kbytes_s} kB/s" if link.asked_kbytes_s is not None else ""
        line = Text(f"  {link.source + ' -> ' + link.target:{width}}  {asked:14}  ")
        console.print(line + _measured(link) + _effects(link))


def _measured(link: LinkStatus) -> Text:
    silent = link.silent_ms is not None and link.silent_ms > _SILENT_MS
    words = [f"silent {duration((link.silent_ms or 0) / 1000)}"] if silent else []
    if link.cut:
        return Text(", ".join(["CUT", *words, f"{link.dropped_packets} packets lost"]), BAD)
    if link.delay_ms is None:
        return Text("no reading", POOR)
    return Text(words[0], BAD) if words else Text(f"{link.delay_ms:.1f} ms", GOOD)


def _effects(link: LinkStatus) -> Text:
    return Text("".join(f"  {toxic}" for toxic in link.toxics), POOR)


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    for title in titles:
        table.add_column(title, no_wrap=title == titles[0])
    return table
