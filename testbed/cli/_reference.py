"""The reference page of the command: ``python -m testbed.cli._reference > PAGE``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from testbed.cli.main import parsers

_HEAD = """\
# The command

`testbed VERB ...`; `testbed VERB --help` says the same as this page, which is made from the code
(`python -m testbed.cli._reference > docs/reference/cli.md`); a test compares the two. `testbed
--version` prints the version.

## Exit codes

| code | meaning |
|---|---|
| 0 | all promises held; the verb did what it was asked |
| 1 | a promise was broken |
| 2 | inconclusive: too little was seen to say either |
| 3 | the environment failed: something could not be built, found, brought up or ended |
| 64 | bad usage: an unknown option, a name or value that cannot be used |

`exec` and `shell` exit with the code of what they ran; `check` has a code more. A verb that is
interrupted (Ctrl-C, SIGTERM, SIGHUP) cleans up and exits with 3.

## Variables of the environment

| variable | meaning |
|---|---|
| `XDG_STATE_HOME` | worlds are remembered in `testbed/worlds` below it, their logs are in \
`testbed/logs` (default `~/.local/state`) |
| `XDG_CACHE_HOME` | built programs, golden snapshots and durations for estimates are in `testbed` \
below it (default `~/.cache`) |
| `TESTBED_CONSUL`, `TESTBED_TOXIPROXY_SERVER`, ... | an executable to use instead of the one that \
would be found; `testbed prepare` lists the programs |
| `NO_COLOR` | no colours |
"""

_MORE: Mapping[str, str] = MappingProxyType(
    {
        "up": "See [Work with a world](../how-to/work-with-a-world.md). How far it is is shown on "
        "standard error, how to reach the world on standard output. A world that could not be made "
        "leaves nothing behind but its logs.",
        "status": """\
The JSON document is `{"worlds": [...], "problems": [...]}`. A world has:

| field | meaning |
|---|---|
| `name`, `deployment`, `variables` | what it is and was made of |
| `condition` | `starting`, `running` or `ended` |
| `process1`, `keeper`, `age_s` | process 1; the living process that it dies with, or null; \
seconds since it was made |
| `logs` | the folder of its logs |
| `jurisdictions`, `entrances` | by region: the legal area; `writer` and `reader` as \
`ADDRESS:PORT` |
| `nodes` | `name`, `region`, `address`, `programs` (`name`, `pid` or null, `stage`, `healthy`), \
`data`, `consul`, `problem` |
| `nodes[].data` | null, or `role`, `state`, `timeline`, `replication`, `synchronous`, `lag_bytes` |
| `links` | `source`, `target`, `asked_delay_ms`, `asked_jitter_ms`, `asked_kbytes_s`, `delay_ms`, \
`silent_ms`, `cut`, `dropped_packets`, `toxics` |
| `problems` | what is not as it should be, a sentence each; empty when it is steady |""",
        "gate": "See [Gate files](gates.md) and [Stop a release](../how-to/gate-a-release.md).",
        "drill": "See [Drills](drills.md). It leaves `debrief.html`, `debrief.md`, "
        "`scorecard.json` and the run in `run/`.",
        "metrics": "See [Watch with Prometheus](../how-to/watch-with-prometheus.md).",
        "check": "See [Checking a recorded history](check.md).",
        "history": "See [Converting](check.md#converting).",
        "run": "The experiments state their promises in `experiments/`. See the "
        "[run folder](run-folder.md).",
    }
)
"""Verb -> what only this page says: where to read on, and the format of what programs read."""


def page() -> str:
    """The whole page."""
    sections = ["\n".join(_section(name, parser, "## ")) for name, parser in parsers().items()]
    return "\n\n".join([_HEAD.rstrip(), *sections]) + "\n"


def _section(name: str, parser: argparse.ArgumentParser, level: str) -> Iterator[str]:
    yield f"{level}testbed {name}"
    yield ""
    yield _text(parser.description or "")
    shown = [one for one in parser._actions if one.dest != "help"]  # noqa: SLF001 - no other way
    below = [one for one in shown if isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001
    rows = [_row(one, parser) for one in shown if one not in below]
    if rows:
        yield from ("", "| argument | meaning |", "|---|---|", *rows)
    if parser.epilog:
        yield from ("", _text(parser.epilog))
    if name in _MORE:
        yield from ("", _MORE[name])
    for action in below:
        for inner, child in action.choices.items():
            yield ""
            yield from _section(f"{name} {inner}", child, "### ")


def _row(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    metavar = action.metavar or action.dest.upper()
    if action.choices is not None and action.metavar is None:
        metavar = ", ".join(map(str, action.choices))
    value = "" if action.nargs == 0 else f" {metavar}"
    names = [f"`{option}{value}`" for option in action.option_strings] or [f"`{metavar}`"]
    told = (action.help or "") % {**vars(action), "prog": parser.prog}
    need = "needed; " if action.required and action.option_strings else ""
    return f"| {', '.join(names)} | {need}{_text(told)} |"


def _text(text: str) -> str:
    for raw, escaped in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*")):
        text = text.replace(raw, escaped)
    return text


if __name__ == "__main__":
    sys.stdout.write(page())
