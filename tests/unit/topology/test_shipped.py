from __future__ import annotations

from pathlib import Path

import pytest

import testbed
from testbed.topology import shipped


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package somewhere else, as pip would install it."""
    package = tmp_path / "site-packages" / "testbed"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(testbed, "__file__", str(package / "__init__.py"))
    return package


def test_an_installed_wheel(installed: Path) -> None:
    for name in ("inventory", "playbooks"):
        (installed / "_shipped" / name).mkdir(parents=True)
    assert shipped.inventories() == installed / "_shipped" / "inventory"
    assert shipped.playbooks() == installed / "_shipped" / "playbooks"


def test_a_checkout_wins(installed: Path) -> None:
    for name in ("inventory", "playbooks"):
        (installed / "_shipped" / name).mkdir(parents=True)
        (installed.parent / name).mkdir()
    assert shipped.inventories() == installed.parent / "inventory"
    assert shipped.playbooks() == installed.parent / "playbooks"


def test_neither(installed: Path) -> None:
    (installed.parent / "inventory").mkdir()  # alone it is no checkout
    with pytest.raises(shipped.NotShippedError, match="install it again from a wheel"):
        shipped.inventories()


def test_this_one() -> None:
    assert (shipped.inventories() / "active-passive" / "hosts.yml").is_file()
