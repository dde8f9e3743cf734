"""The reference page of the faults, from their manuals: ``python -m faults.reference > PAGE``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from faults.catalogue import CATALOGUE
from faults.parameter import Parameter
from faults.protocol import Fault

PREFACE = """\
# Faults

Every kind of fault that a plan may name. This page is made from the catalogue
(`python -m faults.reference > docs/reference/faults.md`); a test compares the two.

A step of a plan is `{"kind": ..., "target": ..., "at_s": ..., "duration_s": ..., "parameters":
{...}}`. A fault is injected at `at_s` seconds of the load, shown to bite, held for `duration_s`,
healed, and shown to be gone. What cannot be shown makes the run inconclusive; a fault that cannot
be injected or healed ends the run with exit code 3. Every observation is in `evidence.jsonl`, with
its figures.

**Targets** are names of the inventory (`eu-west`, `eu-west-db1`), or roles, resolved at the
injection and once:

| target | means |
|---|---|
| `role:primary`, `role:dcs-leader` | the node that holds the role |
| `region-of:primary`, `region-of:dcs-leader` | that node's region |
| `eu-west->us-east`, `region-of:primary->us-east` | what the first region sends to the second |
| `eu-west-db1/haproxy`, `role:primary/consul` | a program of a node |

Programs are `postgres`, `patroni`, `consul`, `haproxy`, `observer`, `mesh` (the keeper of a mesh's
node), `placement` (the keeper of a placement policy) and `store` (what makes and keeps backups), on
the nodes that run them.

**Faults that overlap** share parts, and each heals its own: a link that two faults cut is cut until
both are healed, a program that was killed alone and with its node starts after both heals, latency
of two faults adds up. While a link is cut no other fault on it can be shown, as no byte crosses it.

**Links** are tried with real bytes: a short program on a node of the sending region talks to the
observer of the receiving one (port 7400, which must be among its `wan_ports`). Where the receiver's
observer does not answer, delays are measured on the way back from the other end.
"""


def render(catalogue: Mapping[str, type[Fault]]) -> str:
    """The page as Markdown."""
    overview = ["", "| kind | target | what it does |", "|---|---|---|"]
    overview += [
        f"| [`{kind}`](#{kind}) | {fault.manual.target.value} | {fault.manual.summary} |"
        for kind, fault in catalogue.items()
    ]
    return "\n".join([PREFACE.rstrip(), *overview, *map(_section, catalogue.values())]) + "\n"


def _section(fault: type[Fault]) -> str:
    manual = fault.manual
    lines = ["", f"## {fault.kind}", "", manual.summary, "", f"Target: {manual.target.value}.", ""]
    if manual.parameters:
        lines += ["| parameter | unit | values | default | meaning |", "|---|---|---|---|---|"]
        lines += [_row(parameter) for parameter in manual.parameters]
    else:
        lines.append("No parameters.")
    lines += ["", f"Shown to bite: {manual.effect}", "", f"Shown to be gone: {manual.absence}"]
    return "\n".join([*lines, "", f"Side effects: {manual.side_effects}"])


def _row(parameter: Parameter) -> str:
    if parameter.unit:
        values = f"{parameter.minimum} to {parameter.maximum}"
    else:
        values = ", ".join(f"`{choice}`" for choice in parameter.choices) or "a name"
    default = "none" if parameter.default is None else f"`{parameter.default}`"
    given = "must be given" if parameter.required else default
    cells = (f"`{parameter.name}`", parameter.unit or "", values, given, parameter.description)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(render(CATALOGUE))
