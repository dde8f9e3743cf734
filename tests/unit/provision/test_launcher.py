"""The launcher against real processes of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.provision.launcher import BOOTSTRAP, framed, process, verbs
from testbed.provision.launcher.process import LaunchError

# The launcher lives for one request on a node and leaves its children to the node's init.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def gone(pid: int) -> bool:
    return process.start_time(pid) is None


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_a_program_is_started_once_and_left_alone_afterwards(launcher: Any) -> None:
    spec = launcher.spec(files={str(launcher.folder / "etc" / "it.conf"): {"content": "a\n"}})
    first = launcher.ensure(spec)
    second = launcher.ensure(spec)
    assert first["changed"]
    assert (launcher.folder / "etc" / "it.conf").read_text() == "a\n"
    assert not second["changed"]
    assert second["changes"] == []
    assert second["pid"] == first["pid"]


def test_a_program_that_died_is_started_again(launcher: Any) -> None:
    first = launcher.ensure(launcher.spec())
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: gone(first["pid"]), "killed")
    second = launcher.ensure(launcher.spec())
    assert second["changes"] == ["start program"]
    assert second["pid"] != first["pid"]


def test_a_reused_pid_is_not_taken_for_the_program(launcher: Any) -> None:
    launcher.ensure(launcher.spec())
    (launcher.folder / "run" / "program.pid").write_text(f"{os.getpid()}\n")
    assert launcher.ask("status")["programs"][0]["pid"] is None


def test_a_changed_file_restarts_the_program(launcher: Any) -> None:
    path = str(launcher.folder / "it.conf")
    first = launcher.ensure(launcher.spec(files={path: {"content": "a"}}))
    second = launcher.ensure(launcher.spec(files={path: {"content": "b"}}))
    assert second["changes"] == [
        f"write {path}",
        "restart program: its files or command line changed",
    ]
    assert second["diff"][0]["before"] == "a"
    assert second["diff"][0]["after"] == "b"
    assert gone(first["pid"])


def test_a_file_that_somebody_edited_is_written_again(launcher: Any) -> None:
    path = launcher.folder / "it.conf"
    spec = launcher.spec(files={str(path): {"content": "a", "mode": "0600"}})
    first = launcher.ensure(spec)
    path.write_text("edited")
    again = launcher.ensure(spec)
    assert again["changes"][0] == f"write {path}"
    assert again["pid"] != first["pid"]
    path.chmod(0o644)
    assert f"chmod {path}" in launcher.ensure(spec)["changes"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_changed_health_check_restarts_nothing(launcher: Any) -> None:
    first = launcher.ensure(launcher.spec())
    second = launcher.ensure(launcher.spec(healthy={"argv": ["true"]}))
    assert not second["changed"]
    assert second["pid"] == first["pid"]


def test_a_program_that_hangs_is_restarted(launcher: Any) -> None:
    """It runs and its files are right, but its check fails until it is started anew."""
    mark = launcher.folder / "mark"
    spec = launcher.spec(
        f"open({str(mark)!r}, 'w').close(); import time; time.sleep(60)", healthy=str(mark)
    )
    first = launcher.ensure(spec)
    mark.unlink()
    os.kill(first["pid"], signal.SIGSTOP)
    second = launcher.ensure(spec)
    assert second["changes"] == ["restart program: it runs but is not healthy"]
    assert gone(first["pid"])


def test_check_mode_tells_and_changes_nothing(launcher: Any) -> None:
    path = launcher.folder / "it.conf"
    spec = launcher.spec(files={str(path): {"content": "a"}}, dirs=[str(launcher.folder / "d")])
    told = launcher.ensure(spec, check=True)
    assert told["changes"] == [f"create {launcher.folder / 'd'}", f"write {path}", "start program"]
    assert told["pid"] is None
    assert not path.exists()
    assert not (launcher.folder / "stored").exists()
    done = launcher.ensure(spec)
    assert done["changes"] == told["changes"]
    assert not launcher.ensure(spec, check=True)["changed"]
    os.kill(done["pid"], signal.SIGKILL)
    eventually(lambda: gone(done["pid"]), "killed")
    assert launcher.ensure(spec, check=True)["changes"] == ["start program"]


def test_a_program_that_exits_fails_with_the_end_of_its_log(launcher: Any) -> None:
    Path(launcher.spec()["log"]).write_text("of an earlier start\n")
    code = "print('reading config'); raise SystemExit('no such datacenter')"
    with pytest.raises(LaunchError, match="exited with status 1") as failure:
        launcher.ensure(launcher.spec(code, healthy="/nowhere"))
    assert failure.value.tail == "reading config\nno such datacenter"


def test_the_frames_of_a_traceback_are_left_out(launcher: Any) -> None:
    code = "print('reading config', flush=True); raise ValueError('no such datacenter')"
    with pytest.raises(LaunchError) as failure:
        launcher.ensure(launcher.spec(code, healthy="/nowhere"))
    assert failure.value.tail == "reading config\nValueError: no such datacenter"


def test_a_program_that_is_killed_at_its_start_is_told_so(launcher: Any) -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(LaunchError, match="killed by SIGKILL"):
        launcher.ensure(launcher.spec(code, healthy="/nowhere"))


def test_a_program_that_never_gets_healthy_fails_in_time(launcher: Any) -> None:
    with pytest.raises(LaunchError, match=r"not healthy within 0\.3 s \(no /nowhere\)"):
        launcher.ensure(launcher.spec(healthy="/nowhere", timeout_s=0.3))
    launcher.started.add(int((launcher.folder / "run" / "program.pid").read_text()))


def test_a_missing_executable_is_named(launcher: Any) -> None:
    with pytest.raises(LaunchError, match="cannot run /no/such/consul: No such file"):
        launcher.ensure(launcher.spec(argv=["/no/such/consul"]))


def test_a_program_waits_for_what_it_needs(launcher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "NEED_S_MAX", 0.2)
    spec = launcher.spec(needs=[{"either": ["/nowhere", "/elsewhere"]}])
    with pytest.raises(LaunchError, match=r"was not started: .* no /nowhere, no /elsewhere"):
        launcher.ensure(spec)
    assert launcher.ensure(launcher.spec(needs=["/"]))["changed"]


def test_stop_ends_the_program_and_start_brings_it_back_from_its_stored_spec(
    launcher: Any,
) -> None:
    first = launcher.ensure(launcher.spec())
    assert launcher.ask("stop", name="program", signal="TERM", timeout_s=5.0)["changed"]
    assert gone(first["pid"])
    assert not launcher.ask("stop", name="program", signal="TERM", timeout_s=5.0)["changed"]
    assert launcher.ask("start", name="program")["changed"]


def test_stop_kills_what_ignores_the_signal(launcher: Any) -> None:
    ready = launcher.folder / "ready"
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(ready)!r}, 'w').close(); time.sleep(60)"
    )
    first = launcher.ensure(launcher.spec(code, healthy=str(ready)))
    launcher.ask("stop", name="program", signal="TERM", timeout_s=0.1)
    assert gone(first["pid"])


def test_a_program_that_was_never_provisioned_is_refused_with_those_that_were(
    launcher: Any,
) -> None:
    launcher.ensure(launcher.spec())
    with pytest.raises(LaunchError, match=r"consul was never provisioned .*\(known: program\)"):
        launcher.ask("start", name="consul")


def test_start_all_goes_by_stage_after_the_warm_starts(launcher: Any) -> None:
    order = launcher.folder / "order"

    def noting(name: str) -> str:
        return f"open({str(order)!r}, 'a').write('{name} '); import time; time.sleep(60)"

    def written(name: str) -> dict[str, Any]:
        return {"argv": ["grep", "-q", name, str(order)]}

    warm = {"argv": ["sh", "-c", f"printf 'warm ' >> {order}"], "env": {"WHEN": "now"}}
    late = {"name": "a-late", "stage": 2, "needs": [written("early")], "warm_start": warm}
    early = {"name": "early", "stage": 1, "needs": [written("warm")]}
    for more in (late, early):
        name = str(more["name"])
        spec = launcher.spec(noting(name), healthy=written(name), **more)
        launcher.ask("ensure", spec={**spec, "needs": []}, check=False)
        launcher.ask("stop", name=name, signal="KILL", timeout_s=5.0)
        (launcher.folder / "stored" / f"{name}.json").write_text(json.dumps(spec))
    order.write_text("")
    (launcher.folder / "run" / "touched").unlink()  # as after a boot
    reply = launcher.ask("start-all")
    launcher.started |= {item["pid"] for item in launcher.ask("status")["programs"]}
    assert order.read_text() == "warm early a-late "
    assert set(reply["seconds"]) == {"early", "a-late"}
    pid = next(item["pid"] for item in launcher.ask("status")["programs"] if item["stage"] == 2)
    assert b"WHEN=now" in Path(f"/proc/{pid}/environ").read_bytes()
    launcher.ask("stop", name="a-late", signal="KILL", timeout_s=5.0)
    order.write_text("warm early ")
    launcher.ask("start-all")
    launcher.started |= {item["pid"] for item in launcher.ask("status")["programs"]}
    assert order.read_text() == "warm early a-late ", "nothing is warm the second time"


def test_stop_all_ends_what_runs_by_stage(launcher: Any) -> None:
    """Also what does not listen to SIGTERM; what has ended before is left at that."""
    said = launcher.folder / "said"
    code = f"""if True:
        import os, pathlib, signal, sys, time
        def leave(number, frame):
            with open({str(said)!r}, "a") as file:
                print(sys.argv[1], file=file)
            if sys.argv[1] != "deaf":
                os._exit(0)
        signal.signal(signal.SIGTERM, leave)
        pathlib.Path({str(launcher.folder)!r}, sys.argv[1]).touch()
        time.sleep(60)
    """
    for name, stage in (("a-late", 2), ("deaf", 0), ("early", 1), ("ended", 0)):
        spec = launcher.spec(code, name=name, stage=stage, healthy=str(launcher.folder / name))
        launcher.ensure({**spec, "argv": [*spec["argv"], name]})
    launcher.ask("stop", name="ended", signal="KILL", timeout_s=5.0)
    reply = launcher.ask("stop-all", timeout_s=0.5)
    assert reply["changes"] == ["stop deaf", "stop early", "stop a-late"]
    assert said.read_text().split() == ["deaf", "early", "a-late"]
    assert [each["pid"] for each in launcher.ask("status")["programs"]] == [None] * 4
    assert not launcher.ask("stop-all", timeout_s=0.5)["changed"]


def test_start_all_fails_at_once_when_a_program_ends(launcher: Any) -> None:
    spec = launcher.spec()
    launcher.ensure(spec)
    launcher.ask("stop", name="program", signal="KILL", timeout_s=5.0)
    broken = launcher.spec("raise SystemExit('broken')", healthy="/nowhere", timeout_s=30.0)
    (launcher.folder / "stored" / "program.json").write_text(json.dumps(broken))
    began = time.monotonic()
    with pytest.raises(LaunchError, match="program ended after its start") as failure:
        launcher.ask("start-all")
    assert "broken" in failure.value.tail
    assert time.monotonic() - began < 10


def test_the_apply_command_gets_its_input_and_reports_changes(launcher: Any) -> None:
    code = (
        "import json, sys; wanted = sys.stdin.read();"
        "print(json.dumps({'changes': [wanted, *sys.argv[1:]]}))"
    )
    apply = {"argv": [sys.executable, "-c", code], "stdin": "add listener"}
    launcher.ensure(launcher.spec())
    assert launcher.ensure(launcher.spec(apply=apply))["changes"] == ["add listener"]
    told = launcher.ensure(launcher.spec(apply=apply), check=True)
    assert told["changes"] == ["add listener", "--check"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('print(\'{"error": "nft is missing"}\')', "nft is missing"),
        ("raise SystemExit('no module named wan')", "ended with 1"),
    ],
)
def test_an_apply_command_that_fails_is_reported(launcher: Any, code: str, message: str) -> None:
    with pytest.raises(LaunchError, match=message):
        launcher.ensure(launcher.spec(apply={"argv": [sys.executable, "-c", code]}))
    launcher.started.add(int((launcher.folder / "run" / "program.pid").read_text()))


def test_the_program_gets_a_clean_environment_and_a_lower_priority(
    launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the caller")
    pid = launcher.ensure(launcher.spec(env={"GOMAXPROCS": "2"}))["pid"]
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"GOMAXPROCS=2" in environment
    assert b"SECRET" not in environment
    # Never a better one than the caller's.
    assert os.getpriority(os.PRIO_PROCESS, pid) == max(5, os.getpriority(os.PRIO_PROCESS, 0))


def test_the_launcher_runs_from_its_own_text_alone(tmp_path: Path) -> None:
    """As on a node: an isolated Python in another folder, everything on standard input."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BOOTSTRAP],
        input=framed({"verb": "fetch", "url": "http://127.0.0.1:1/", "method": "GET", "body": ""}),
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.stderr == b""
    assert done.stdout == b'{"changed": false, "status": 0, "body": ""}'
