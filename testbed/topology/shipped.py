"""Where the inventories and playbooks are: in the checkout if there is one, else in the wheel."""

from __future__ import annotations

from pathlib import Path

import testbed

_FOLDERS = ("inventory", "playbooks")


class NotShippedError(Exception):
    """The installation has no inventories or playbooks; the message says what to do."""


def folder(name: str) -> Path:
    """The folder of that name: ``inventory`` or ``playbooks``.

    In a checkout (both folders stand beside the package) it is the checkout's, so that an edit
    takes effect at once; in an installed wheel it is ``testbed/_shipped/NAME``.

    Raises:
        NotShippedError: Neither exists.
    """
    package = Path(testbed.__file__).resolve().parent
    checkout = package.parent
    if all((checkout / each).is_dir() for each in _FOLDERS):
        return checkout / name
    installed = package / "_shipped" / name
    if installed.is_dir():
        return installed
    message = f"{installed} does not exist: the testbed is not completely installed; "
    raise NotShippedError(message + "install it again from a wheel, or run it in a checkout")


def inventories() -> Path:
    """The folder with one folder a deployment.

    Raises:
        NotShippedError: It does not exist.
    """
    return folder("inventory")


def playbooks() -> Path:
    """The folder with ``site.yml`` and the roles.

    Raises:
        NotShippedError: It does not exist.
    """
    return folder("playbooks")
