from __future__ import annotations

import json
import shutil

import pytest

from testbed.cli import doctor
from testbed.cli.main import main
from testbed.toolchain import kernel, machine
from testbed.toolchain.cache import ProgramCache
from testbed.toolchain.check import Check, State, guarded
from testbed.toolchain.programs import Toolchain


def test_a_check_that_cannot_look_is_a_failure():
    def look() -> Check:
        raise PermissionError("no")

    check = guarded("disk", look, "make it accessible")
    assert (check.state, check.remedy) == (State.FAILED, "make it accessible")


def test_every_problem_of_the_machine_has_a_remedy(monkeypatch, tmp_path):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage._replace(free=10**6))
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0})
    monkeypatch.setattr("platform.python_version_tuple", lambda: ("3", "14", "0"))
    monkeypatch.setattr(machine, "_HOSTS", tmp_path / "hosts")
    checks = machine.machine_checks()
    bad = {check.name for check in checks if check.state is not State.OK}
    assert {"disk", "processors", "python", "names"} <= bad
    assert all(check.remedy for check in checks if check.state is not State.OK)


def test_programs_are_reported_one_by_one(script, tmp_path):
    environ = {"PATH": "", "TESTBED_CONSUL": str(script(tmp_path / "consul", "echo v1.14.3"))}
    for name in ("PATRONI", "PATRONICTL"):
        environ[f"TESTBED_{name}"] = str(tmp_path / "nothing")
    checks = {c.name: c for c in machine.program_checks(Toolchain(environ, ProgramCache(tmp_path)))}
    assert checks["consul"].state is State.OK
    assert "1.14.3, TESTBED_CONSUL" in checks["consul"].found
    assert checks["toxiproxy-server"].remedy == "Type: testbed prepare"
    assert "TESTBED_PATRONI" in checks["patroni"].remedy


def test_a_kernel_without_namespaces_names_the_switch(monkeypatch, tmp_path):
    switch = tmp_path / "max_user_namespaces"
    switch.write_text("0\n")
    monkeypatch.setattr(kernel, "_NAMESPACES", ("sh", "-c", "echo no luck >&2; exit 1", "--"))
    monkeypatch.setattr(
        kernel, "_SWITCHES", ((str(switch), "0", "user.max_user_namespaces=15000"),)
    )
    (check,) = kernel.kernel_checks()
    assert check.state is State.FAILED
    assert check.found == "no luck"
    assert "sysctl -w user.max_user_namespaces=15000" in check.remedy


def test_one_thing_that_does_not_work_does_not_hide_the_others(monkeypatch):
    # Outside namespaces an ordinary command shows what a refusing kernel shows.
    monkeypatch.setattr(kernel, "_NAMESPACES", ())
    trials = (
        kernel._Trial("good", "works", "true", ""),
        kernel._Trial("bad", "works", "echo RTNETLINK: not supported >&2; exit 2", "modprobe it"),
    )
    monkeypatch.setattr(kernel, "_TRIALS", trials)
    _, good, bad = kernel.kernel_checks()
    assert good == Check("good", State.OK, "works")
    assert bad == Check("bad", State.FAILED, "RTNETLINK: not supported", "modprobe it")


@pytest.fixture
def checks(monkeypatch):
    """Make doctor see given checks."""

    def see(*found: Check) -> None:
        monkeypatch.setattr(machine, "machine_checks", lambda: found)
        monkeypatch.setattr(machine, "program_checks", lambda _toolchain: ())
        monkeypatch.setattr(kernel, "kernel_checks", lambda: ())
        monkeypatch.setattr(doctor, "_worlds", lambda: Check("worlds", State.OK, "none"))

    return see


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.WARNING, 0), (State.FAILED, 3)])
def test_only_a_failure_keeps_a_run_from_starting(checks, capsys, state, code):
    checks(Check("memory", state, "10 MB", "buy more"))
    assert main(["doctor"]) == code
    shown = capsys.readouterr().out
    assert "10 MB" in shown
    assert "-> buy more" in shown


def test_json_holds_every_check(checks, capsys):
    checks(Check("memory", State.FAILED, "10 MB", "buy more"))
    assert main(["doctor", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["ready"] is False
    assert document["checks"][0] == {
        "name": "memory", "state": "failed", "found": "10 MB", "remedy": "buy more",
    }  # fmt: skip
    assert [check["name"] for check in document["checks"]] == ["memory", "worlds"]
