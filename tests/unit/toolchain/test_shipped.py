from __future__ import annotations

import pytest

import testbed
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.shipped import shipped


def package(monkeypatch, folder):
    """Pretend that the package stands in another folder."""
    (folder / "testbed").mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(testbed, "__file__", str(folder / "testbed" / "__init__.py"))


def test_in_a_checkout_it_is_the_folder_beside_the_package(monkeypatch, tmp_path):
    package(monkeypatch, tmp_path)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert shipped("playbooks") == tmp_path / "playbooks"


def test_in_a_wheel_it_is_inside_the_package(monkeypatch, tmp_path):
    package(monkeypatch, tmp_path)
    (tmp_path / "testbed" / "_shipped" / "playbooks").mkdir(parents=True)
    assert shipped("playbooks") == tmp_path / "testbed" / "_shipped" / "playbooks"


def test_a_folder_of_that_name_in_site_packages_is_not_ours(monkeypatch, tmp_path):
    package(monkeypatch, tmp_path)
    (tmp_path / "playbooks").mkdir()
    with pytest.raises(ToolchainError, match="Install it again"):
        shipped("playbooks")
