"""Looks at the machine: Python, memory, disk, processors, and the programs."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

import psutil

from testbed.toolchain.cache import root
from testbed.toolchain.check import Check, State, guarded
from testbed.toolchain.error import ProgramMissingError, ToolchainError
from testbed.toolchain.programs import Toolchain
from testbed.toolchain.versions import REQUIREMENTS, Requirement

_WORLD_MEMORY_MBYTES = 1000
"""Of one world with its clients, with room to spare; measured 254 to 327 without them."""

_DISK_MBYTES = 1000

_HOSTS = Path("/etc/hosts")


def machine_checks() -> tuple[Check, ...]:
    """What of the machine matters to a run."""
    return (
        _python(),
        _ansible(),
        _processors(),
        guarded("memory", _memory, "Is /proc mounted?"),
        _names(_HOSTS),
        *(
            guarded("disk", functools.partial(_disk, folder), f"Make {folder} accessible.")
            for folder in _folders()
        ),
    )


def program_checks(toolchain: Toolchain) -> tuple[Check, ...]:
    """Every program with its version and where it was found."""
    return tuple(_program(toolchain, wanted) for wanted in REQUIREMENTS)


def _program(toolchain: Toolchain, wanted: Requirement) -> Check:
    try:
        program = toolchain.locate(wanted.name)
    except ProgramMissingError as error:
        return Check(wanted.name, State.FAILED, str(error), "Type: testbed prepare")
    except ToolchainError as error:
        if wanted.only_for:
            found = f"not to be had; only {wanted.only_for} needs it"
            return Check(wanted.name, State.WARNING, found, str(error))
        return Check(wanted.name, State.FAILED, "not to be had", str(error))
    return Check(wanted.name, State.OK, f"{program.version}, {program.source}, {program.path}")


def _python() -> Check:
    found = f"{platform.python_version()}, {sys.executable}"
    if int(platform.python_version_tuple()[1]) < 14:
        return Check("python", State.OK, found)
    return Check("python", State.WARNING, found, "Ansible 2.19 is made for Python 3.11 to 3.13.")


def _ansible() -> Check:
    path = Path(sysconfig.get_path("scripts")) / "ansible-playbook"
    if path.exists():
        return Check("ansible", State.OK, str(path))
    remedy = "Install the testbed again: ./quickstart --set-up-only, or pip install it."
    return Check("ansible", State.FAILED, f"no {path}", remedy)


def _processors() -> Check:
    count = len(os.sched_getaffinity(0))
    if count >= 2:
        return Check("processors", State.OK, f"{count}")
    remedy = "Runs on one processor may end inconclusive for lack of it; give it two."
    return Check("processors", State.WARNING, f"{count}", remedy)


def _memory() -> Check:
    free = psutil.virtual_memory().available // 10**6
    found = f"{free} MB available; a world with its clients takes up to {_WORLD_MEMORY_MBYTES}"
    if free >= _WORLD_MEMORY_MBYTES:
        return Check("memory", State.OK, found)
    return Check("memory", State.WARNING, found, "End other programs, or run fewer worlds.")


def _names(hosts: Path) -> Check:
    """A world shows its own file of names in the place of the machine's; there has to be one."""
    if hosts.is_file():
        return Check("names", State.OK, str(hosts))
    remedy = f"Type as root: echo '127.0.0.1 localhost' >{hosts}"
    return Check("names", State.FAILED, f"no {hosts}", remedy)


def _folders() -> tuple[Path, ...]:
    """Where much is written: the cache and the working folder, which takes the runs."""
    return tuple(dict.fromkeys((_existing(root()), _existing(Path.cwd()))))


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free // 10**6
    found = f"{free} MB free for {folder}"
    if free < _DISK_MBYTES:
        return Check("disk", State.WARNING, found, "Free some space; 'testbed down' old worlds.")
    if not os.access(folder, os.W_OK):
        return Check("disk", State.WARNING, f"{folder} cannot be written", "Run it elsewhere.")
    return Check("disk", State.OK, found)
