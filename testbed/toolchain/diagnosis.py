"""Reads why a build failed out of what Go printed."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Cause:
    """A cause, by what it looks like in the output, and what to do about it."""

    pattern: str
    advice: str


# The first that matches is named: what is certain stands before what may be a consequence.
_CAUSES = (
    _Cause(
        pattern=r"no space left on device|disk quota exceeded",
        advice="The disk is full. Free some space ('go clean -cache -modcache' empties Go's own "
        "caches), or set XDG_CACHE_HOME to a folder with more of it, and try again.",
    ),
    _Cause(
        pattern=r"checksum mismatch|SECURITY ERROR|missing go\.sum entry",
        advice="What was downloaded is not what go.sum pins: do not use it. Empty Go's cache of "
        "modules ('go clean -modcache') and try again; if it happens again, the source of "
        "modules set on this machine (GOPROXY) serves something else.",
    ),
    _Cause(
        pattern=r"signal: killed|cannot allocate memory|out of memory",
        advice="The compiler was killed, most likely as memory ran out. Free some memory and try "
        "again; what has been compiled is kept.",
    ),
    _Cause(
        pattern=r"x509|certificate",
        advice="A connection could not be trusted. Install the package ca-certificates (or name "
        "your own certificates by SSL_CERT_FILE) and try again.",
    ),
    _Cause(
        pattern=r"dial tcp|no such host|lookup .* on |i/o timeout|connection re(fused|set)"
        r"|network is unreachable|proxyconnect|TLS handshake timeout|module lookup disabled"
        r"|unexpected EOF|Client\.Timeout|server misbehaving",
        advice="The source could not be fetched: there is no network, or the source of Go modules "
        "set on this machine (GOPROXY) does not answer. Go online once: what is built is kept, "
        "and works offline from then on.",
    ),
    _Cause(
        pattern=r"permission denied|read-only file system",
        advice="A folder cannot be written. Make it writable, or set XDG_CACHE_HOME, GOCACHE and "
        "GOMODCACHE to folders that are.",
    ),
)

_UNKNOWN = "This Go may be too new or too old for it: name another one by TESTBED_GO=/path/to/go."


def cause(printed: str) -> str:
    """What a failed build's output says of the cause, with what to do next."""
    for one in _CAUSES:
        if re.search(one.pattern, printed, re.IGNORECASE):
            return one.advice
    return _UNKNOWN


def tail(printed: str, lines: int = 6) -> str:
    """The last lines that say something: no commands, downloads or packages that went well."""
    telling = [
        line
        for line in printed.splitlines()
        if line.strip()
        and not line.startswith(("go: downloading ", "$ go "))
        and not re.fullmatch(r"[\w.~!@-]+(/[\w.~!@-]+)*", line.strip())
    ]
    return "\n".join(line[:400] for line in telling[-lines:])
