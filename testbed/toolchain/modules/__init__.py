"""The Go modules that pin the source of every program that is built here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from testbed.toolchain.versions import Recipe

_FOLDERS = {"consul": "consul", "toxiproxy-server": "toxiproxy"}


def module_folder(name: str) -> Path:
    """The folder with ``go.mod`` and ``go.sum`` of a program's build."""
    return Path(__file__).parent / _FOLDERS[name]


def recipe_digest(name: str, recipe: Recipe) -> str:
    """A digest of everything that goes into a build: the pinned modules and the flags."""
    hashed = hashlib.sha256(repr(recipe).encode())
    for file in ("go.mod", "go.sum"):
        hashed.update((module_folder(name) / file).read_bytes())
    return hashed.hexdigest()
