"""What is made of Ansible's events and output."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from testbed.provision.ansible import (
    MARKER,
    _config,
    _explained,
    _Watcher,
    end_processes,
    errors_in,
    one_line,
    plain,
)
from testbed.provision.error import ProvisionError
from testbed.provision.progress import Progress, Stopwatch

YAML_ERROR = """\x1b[1;31m[ERROR]: YAML parsing failed: Did not find '-' indicator.\x1b[0m\r
\x1b[1;31mOrigin: /playbooks/site.yml:7:1\x1b[0m\r
\r
6   roles:\r
7     role: wan\r
"""


@pytest.fixture
def watched(tmp_path: Path) -> tuple[_Watcher, list[Progress]]:
    seen: list[Progress] = []
    return _Watcher(Stopwatch(tmp_path / "record.json", seen.append)), seen


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"event": kind, "event_data": data}


def test_events_become_progress_and_changes(watched: tuple[_Watcher, list[Progress]]) -> None:
    watcher, seen = watched
    watcher.handle(event("playbook_on_task_start", task="Run Consul"))
    changed = {"changed": True, "changes": ["start consul"]}
    watcher.handle(event("runner_on_ok", task="Run Consul", host="db1", res=changed))
    watcher.handle(event("runner_on_ok", task="Run Consul", host="db2", res={"changed": False}))
    assert [(step.task, step.node) for step in seen] == [
        ("Run Consul", ""),
        ("Run Consul", "db1"),
        ("Run Consul", "db2"),
    ]
    assert watcher.changed == 1
    assert watcher.changes == {"db1": ["start consul"]}
    assert watcher.failures == []


def test_failures_name_task_node_and_log(
    watched: tuple[_Watcher, list[Progress]], tmp_path: Path
) -> None:
    watcher, _ = watched
    result = {"msg": "consul exited with\nstatus 1", "log_tail": "bad datacenter\ngiving up"}
    watcher.handle(event("runner_on_failed", task="Run Consul", host="db1", res=result))
    gone = {"msg": "cannot enter the node"}
    watcher.handle(event("runner_on_unreachable", task="Run Consul", host="db2", res=gone))
    message = str(_explained("active-passive", 2, watcher.failures, tmp_path))
    assert message == (
        "provisioning active-passive failed:\n"
        "db1: task 'Run Consul': consul exited with status 1\n"
        "    | bad datacenter\n"
        "    | giving up\n"
        "db2: task 'Run Consul': unreachable: cannot enter the node\n"
        f"Ansible's whole output: {tmp_path / 'stdout'}"
    )


def test_without_an_event_the_output_tells_the_error(tmp_path: Path) -> None:
    (tmp_path / "stdout").write_text(f"PLAY [x]\n{YAML_ERROR}", encoding="utf-8")
    message = str(_explained("active-passive", 4, [], tmp_path))
    assert "ansible-playbook ended with status 4" in message
    assert "| [ERROR]: YAML parsing failed" in message
    assert "| Origin: /playbooks/site.yml:7:1" in message
    assert "PLAY" not in message
    assert "\x1b" not in message


def test_without_any_output_the_error_is_readable(tmp_path: Path) -> None:
    assert "ended with status 127" in str(_explained("active-passive", 127, [], tmp_path))


def test_output_without_an_error_is_shown_from_its_end() -> None:
    assert errors_in("\n".join(map(str, range(50)))).splitlines() == [str(n) for n in range(30, 50)]


def test_text_is_made_plain_and_one_line() -> None:
    assert plain("\x1b[0;32mok\x1b[0m\r\n") == "ok\n"
    assert one_line(" a\n  b ") == "a b"


def test_only_the_processes_of_one_provisioning_are_ended() -> None:
    theirs = subprocess.Popen(["sleep", "60"], env={**os.environ, MARKER: "theirs"})
    ours = subprocess.Popen(["sleep", "60"], env={**os.environ, MARKER: "ours"})
    try:
        end_processes("ours")
        assert ours.wait(5) == -signal.SIGKILL
        assert theirs.poll() is None
    finally:
        theirs.kill()
        theirs.wait()


def test_nothing_of_the_callers_environment_reaches_ansible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET", "ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACK_PLUGINS", "PYTHONPATH"):
        monkeypatch.setenv(name, "/of/the/caller")
    config = _config(tmp_path, "one", tmp_path / "site.yml", [tmp_path], check=True)
    assert "SECRET" not in config.env
    assert not [name for name, value in config.env.items() if "/of/the/caller" in value]
    assert config.env["HOME"] == str(tmp_path)
    assert Path(config.env["ANSIBLE_CONFIG"]).parent == tmp_path
    assert "--check" in config.command


def test_a_missing_ansible_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(ProvisionError, match=r"bin/ansible-playbook is missing"):
        _config(tmp_path, "one", tmp_path / "site.yml", [tmp_path], check=False)
