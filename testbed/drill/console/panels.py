"""The panels beside the map, each a text made from a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from testbed.drill.console.map import BAD, GOOD, POOR, QUIET, size

_STATES = {
    "planned": ("○", ""),
    "running": ("◆", BAD),
    "healing": ("◇", POOR),
    "done": ("✓", GOOD),
    "skipped": ("-", QUIET),
    "failed": ("✗", BAD),
}
_KINDS = {"declare": "bold cyan", "machine": POOR, "halt": BAD, "inject": "magenta", "note": "cyan"}


def headline(picture: Mapping[str, Any]) -> Text:
    """Phase, time and whether clients are well."""
    text = Text(no_wrap=True)
    text.append(f" {picture['title']} ", "bold reverse")
    text.append(f"  {picture['phase'].upper()}", POOR if picture["phase"] != "playing" else GOOD)
    text.append(f"  {picture['time_s']:.0f} s")
    if picture["held"]:
        text.append("  HELD", BAD)
    if picture["unsteady"]:
        text.append(f"  ! {picture['unsteady'][0]}", BAD)
    elif picture["phase"] not in ("starting", "ended"):
        text.append("  steady", GOOD)
    return text


def signals(picture: Mapping[str, Any]) -> Text:
    """The signals in a line."""
    found = picture["signals"]
    shown = []
    if found.get("success_ratio") is not None:
        shown.append(f"worst success {found['success_ratio']:.0%}")
    if found.get("latency_ms_p99") is not None:
        shown.append(f"worst p99 {found['latency_ms_p99']:.0f} ms")
    if found.get("lag_bytes") is not None:
        shown.append(f"worst lag {size(found['lag_bytes'])}")
    if found.get("primaries") is not None:
        shown.append(f"{found['primaries']:.0f} primary")
    return Text("   ".join(shown), no_wrap=True)


def injects(picture: Mapping[str, Any]) -> Text:
    """The timeline with its faults; only for who may see it."""
    text = Text()
    for one in picture["injects"]:
        sign, style = _STATES[one["state"]]
        when = {
            "planned": f"in {one['in_s']:.0f} s",
            "running": "holds" if one["left_s"] is None else f"{one['left_s']:.0f} s left",
        }.get(one["state"], one["state"])
        text.append(f"{sign} {one['name']}\n", style)
        text.append(f"    {one['fault']}, {when}", QUIET if one["state"] == "planned" else "")
        if one["hidden"]:
            text.append("  hidden", QUIET)
        if one["shown"] is not None and one["state"] == "running":
            text.append(
                "  shown to bite" if one["shown"] else "  NOT shown to bite",
                GOOD if one["shown"] else BAD,
            )
        if one["problem"]:
            text.append(f"\n    {one['problem']}", BAD)
        text.append("\n")
    for one in picture["stops"]:
        broken = one["broken_s"] > 0
        text.append(
            f"{'!' if broken else '·'} stop: {one['name']}: {one['must_hold']}",
            BAD if broken else QUIET,
        )
        text.append(
            f", broken {one['broken_s']:.0f} of {one['for_s']:.0f} s\n" if broken else "\n", BAD
        )
    return text


def preflight(picture: Mapping[str, Any]) -> Text:
    """The items, each with what was found."""
    text = Text()
    for one in picture["preflight"]:
        sign, style = {None: ("…", QUIET), True: ("✓", GOOD), False: ("✗", BAD)}[one["good"]]
        text.append(f"{sign} {one['name']}\n", style)
        if one["text"]:
            text.append(f"    {one['text']}\n", QUIET)
    return text


def log(entries: Sequence[Mapping[str, Any]], lines: int) -> Text:
    """The latest entries of the log, a line each."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for one in entries[-lines:]:
        said = f"{one['what']}: {one['text']}" if one["text"] else one["what"]
        text.append(f"{one['time_s']:6.1f}  ", QUIET)
        text.append(f"{one['who']}  ", "bold" if one["who"] != "testbed" else QUIET)
        text.append(f"{said}\n", _KINDS.get(one["kind"], ""))
    return text


def people(picture: Mapping[str, Any]) -> Text:
    """Who is there."""
    shown = ", ".join(f"{one['name']} ({one['role']})" for one in picture["people"])
    return Text(f"here: {shown or 'nobody'}", QUIET, no_wrap=True)


def problems(picture: Mapping[str, Any]) -> Text:
    """What a look at the system from outside complains of."""
    if not picture["problems"]:
        return Text("nothing to complain of", GOOD)
    return Text("\n".join(f"! {one}" for one in picture["problems"][:8]), BAD)
