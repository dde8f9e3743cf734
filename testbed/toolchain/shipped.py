"""Folders that travel with the package: in a checkout beside it, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

import testbed
from testbed.toolchain.error import ToolchainError


def shipped(name: str) -> Path:
    """The folder ``playbooks`` or ``inventory``, from inside a checkout or an installed wheel.

    Raises:
        ToolchainError: The installation lacks it.
    """
    package = Path(testbed.__file__).resolve().parent
    checkout = package.parent
    for folder in (package / "_shipped" / name, checkout / name):
        if folder.is_dir() and (folder.parent != checkout or _is_checkout(checkout)):
            return folder
    raise ToolchainError(
        f"This installation of the testbed has no folder '{name}' "
        f"(looked in {package / '_shipped'} and {checkout}). Install it again."
    )


def _is_checkout(folder: Path) -> bool:
    """Whether a folder is the project's own, not site-packages."""
    return (folder / "pyproject.toml").is_file()
