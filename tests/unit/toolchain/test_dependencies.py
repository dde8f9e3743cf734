"""What runs on nodes and for users imports nothing that only developers have installed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHIPPED = ("testbed", "faults", "experiments", "playbooks")


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> set[str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {plain(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


@pytest.mark.parametrize("folder", SHIPPED)
def test_every_import_is_installed_for_users(folder: str) -> None:
    """`psycopg` was not: the keepers of a mesh and of a policy did not start for users."""
    modules = [*(ROOT / folder).rglob("*.py")]
    own = {path.stem for path in modules} | {*SHIPPED, "ansible_collections"}
    known, users = packages_distributions(), locked()
    missing = {
        (name, path.relative_to(ROOT).as_posix())
        for path in modules
        for name in imported(path)
        if name not in sys.stdlib_module_names | own
        and not users.intersection(map(plain, known.get(name, ())))
    }
    assert missing == set()
