"""The advice fits the complaint."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.world.refusal import advice, namespaces_advice


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("a-db1: ip: RTNETLINK answers: Operation not supported", "modprobe bridge; modprobe veth"),
        ("mount tmpfs tmpfs on /srv: No space left on device", "free memory or disk space"),
        ("unshare: unshare failed: No space left on device", "namespaces"),
        ("mount proc proc on /proc: Operation not permitted", "systempaths=unconfined"),
        ("Too many open files", "ulimit -n"),
        ("something new", "testbed doctor"),
    ],
)
def test_advice(said: str, wanted: str, tmp_path: Path) -> None:
    assert wanted in advice(said, tmp_path)


def test_the_switch_that_is_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    switch = tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns"
    switch.write_text("1\n")
    assert "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in namespaces_advice(tmp_path)
    switch.write_text("0\n")
    assert "sysctl" not in namespaces_advice(tmp_path)
