"""Where the playbooks and this package are found, in a checkout and installed."""

from __future__ import annotations

from pathlib import Path

import testbed


def playbook_folder() -> Path:
    """The folder of ``site.yml``: inside the installed package, else beside it in a checkout.

    Raises:
        FileNotFoundError: Neither is there; the installation is incomplete.
    """
    package = Path(testbed.__file__).resolve().parent
    for folder in (package / "_shipped" / "playbooks", package.parent / "playbooks"):
        if (folder / "site.yml").is_file():
            return folder
    raise FileNotFoundError(
        f"no playbooks beside {package}: the installation is incomplete, install it again"
    )


def package_parent() -> Path:
    """The folder that must be on Python's path for ``import testbed``."""
    return Path(testbed.__file__).resolve().parent.parent
