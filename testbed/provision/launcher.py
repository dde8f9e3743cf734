"""Starts, watches and stops the programs of one node; run in the node with a request on stdin.

Needs the standard library and nothing else, so that it runs wherever there is a Python. The
request and the reply are one JSON object each:

* ``{"verb": "ensure", "spec": {...}, "check": false}``: write the files, start or restart the
  program if need be, wait until it is healthy.
* ``{"verb": "start", "name": "consul", "wait": true}``: the same from the spec stored on the node.
* ``{"verb": "stop", "name": "consul", "signal": "TERM"}``
* ``{"verb": "status"}``: every program known to the node.

There is no supervision: a program that dies stays dead until somebody asks for it again, because
a supervisor would hide the faults that this testbed injects.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

STORED = "/srv/testbed/programs"
RUNNING = "/run/testbed"
NICENESS = 5
POLL_S = 0.05
TAIL_LINES = 15
BASE_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}

BOOTSTRAP = (
    "import sys;b=sys.stdin.buffer;"
    "exec(compile(b.read(int(b.readline())),'launcher','exec'),{'__name__':'__main__'})"
)
"""Python code for a node: runs the code, and hands on the request, that :func:`framed` sends."""


class LaunchError(Exception):
    """The program is not as asked; ``tail`` holds the end of its log."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.tail = tail


def framed(request: dict[str, Any]) -> bytes:
    """Standard input for :data:`BOOTSTRAP`: this file, preceded by its length, and a request."""
    with open(__file__, "rb") as file:
        code = file.read()
    return b"%d\n" % len(code) + code + json.dumps(request).encode()


def reply_to(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks and say what changed.

    Raises:
        LaunchError: The program could not be brought into the state asked for.
    """
    verb = request["verb"]
    if verb == "status":
        return {"changed": False, "programs": [status(name) for name in stored_names()]}
    if verb == "stop":
        with exclusive(request["name"]):
            return stop(request["name"], request.get("signal", "TERM"), request.get("timeout_s", 15.0))
    spec = request["spec"] if verb == "ensure" else stored(request["name"])
    with exclusive(spec["name"]):
        return ensure(spec, check=request.get("check", False), wait=request.get("wait", True))


def ensure(spec: dict[str, Any], *, check: bool, wait: bool) -> dict[str, Any]:
    """Bring files, process and settings to what the spec says; report each change."""
    began = time.monotonic()
    name = spec["name"]
    changes, diff = outdated(spec)
    pid = running(name)
    if pid is None:
        changes.append(f"start {name}")
    elif changes or started_as(name) != digest(spec):
        changes.append(f"restart {name}: its files or command line changed")
    elif wait and not becomes_healthy(spec, spec.get("patience_s", 10.0)):
        changes.append(f"restart {name}: it runs but is not healthy")
    if not check:
        if changes:
            write(spec)
            if pid is not None:
                stop(name, spec.get("stop_signal", "TERM"), spec.get("stop_timeout_s", 15.0))
            pid = launch(spec, wait=wait)
        elif stored(name) != spec:  # only what it is waited for changed
            write_file(f"{STORED}/{name}.json", json.dumps(spec, indent=1), 0o644)
    if pid is not None and wait:
        changes += apply_settings(spec, check=check)
    return {
        "changed": bool(changes),
        "changes": changes,
        "diff": diff,
        "pid": pid,
        "elapsed_s": round(time.monotonic() - began, 3),
    }


def outdated(spec: dict[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    """What on disk differs from the spec, as sentences and as Ansible's diff entries."""
    changes = [f"create {path}" for path in spec.get("dirs", []) if not os.path.isdir(path)]
    diff = []
    for path, file in sorted(spec.get("files", {}).items()):
        before = read(path)
        if before != file["content"]:
            changes.append(f"write {path}")
            diff.append({"before_header": path, "after_header": path,
                         "before": before or "", "after": file["content"]})
        elif os.stat(path).st_mode & 0o7777 != mode_of(file):
            changes.append(f"chmod {path}")
    return changes, diff


def write(spec: dict[str, Any]) -> None:
    """Make the folders, write every file by rename and store the spec itself."""
    for path in spec.get("dirs", []):
        os.makedirs(path, exist_ok=True)
    for path, file in sorted(spec.get("files", {}).items()):
        if read(path) != file["content"] or os.stat(path).st_mode & 0o7777 != mode_of(file):
            write_file(path, file["content"], mode_of(file))
    write_file(f"{STORED}/{spec['name']}.json", json.dumps(spec, indent=1), 0o644)


def write_file(path: str, content: str, mode: int) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = f"{path}.new"
    with open(partial, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(partial, mode)
    os.replace(partial, path)


def launch(spec: dict[str, Any], *, wait: bool) -> int:
    """Start the program in a session of its own and wait until it is healthy."""
    name, log = spec["name"], spec["log"]
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as output:
        offset = output.tell()
        try:
            process = subprocess.Popen(
                spec["argv"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=spec.get("cwd", "/"),
                env={**BASE_ENV, **spec.get("env", {})},
                start_new_session=True,
                preexec_fn=yield_to_clients,
            )
        except OSError as error:
            raise LaunchError(f"{name}: cannot run {spec['argv'][0]}: {error.strerror}") from error
    os.makedirs(RUNNING, exist_ok=True)
    write_file(f"{RUNNING}/{name}.pid", f"{process.pid}\n", 0o644)
    state = {"start": start_time(process.pid), "digest": digest(spec)}
    write_file(f"{RUNNING}/{name}.state", json.dumps(state), 0o644)
    timeout_s = spec.get("timeout_s", 30.0)
    if wait and not becomes_healthy(spec, timeout_s, process.poll):
        fail_start(spec, process, offset, timeout_s)
    return process.pid


def fail_start(
    spec: dict[str, Any], process: subprocess.Popen[bytes], offset: int, timeout_s: float
) -> NoReturn:
    """Say why a program did not become healthy, with the end of what it wrote since its start."""
    code = process.poll()
    if code is None:
        what = f"{spec['name']} runs but was not healthy within {timeout_s:g} s ({describe(spec)})"
    elif code < 0:
        what = f"{spec['name']} was killed by {signal.Signals(-code).name} right after its start"
    else:
        what = f"{spec['name']} exited with status {code} right after its start"
    raise LaunchError(f"{what}; log: {spec['log']}", tail(spec["log"], offset))


def yield_to_clients() -> None:
    """Run at a lower priority than the clients that measure."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def stop(name: str, signal_name: str, timeout_s: float) -> dict[str, Any]:
    """End a program: the signal first, SIGKILL for its whole session when the time is over."""
    pid = running(name)
    if pid is None:
        return {"changed": False, "changes": []}
    number = getattr(signal, f"SIG{signal_name}")
    send(os.kill, pid, number)
    send(os.kill, pid, signal.SIGCONT)  # a stopped process would never see the first one
    deadline = time.monotonic() + timeout_s
    while running(name) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    if running(name) is not None:
        send(os.killpg, pid, signal.SIGKILL)
        while running(name) is not None and time.monotonic() < deadline + 5:
            time.sleep(0.02)
    if running(name) is not None:
        raise LaunchError(f"{name} (pid {pid}) survived SIGKILL: it hangs in the kernel")
    for suffix in ("pid", "state"):
        os.unlink(f"{RUNNING}/{name}.{suffix}")
    return {"changed": True, "changes": [f"stop {name}"]}


def send(kill: Callable[[int, int], None], pid: int, number: int) -> None:
    """Signal a process that may be gone already."""
    try:
        kill(pid, number)
    except ProcessLookupError:
        pass


def becomes_healthy(
    spec: dict[str, Any], timeout_s: float, exited: Callable[[], int | None] = lambda: None
) -> bool:
    """Poll the spec's health check until it holds, the time is over or the program exited."""
    deadline = time.monotonic() + timeout_s
    while exited() is None:
        if healthy(spec.get("healthy")):
            return exited() is None
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return False


def healthy(check: dict[str, Any] | None) -> bool:
    """Ask once: a command that must exit with 0, or a URL with its status and JSON content."""
    if check is None:
        return True
    if "argv" in check:
        try:
            done = subprocess.run(check["argv"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
    status_code, body = fetch(check["url"])
    if status_code != check.get("status", 200):
        return False
    if "any_of" not in check:
        return True
    return any(contains(parsed(body), expected) for expected in check["any_of"])


def contains(found: Any, expected: Any) -> bool:
    """True when everything expected is found; an object may have more, a list in any order."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and contains(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(found, list) and all(
            any(contains(item, value) for item in found) for value in expected
        )
    return bool(found == expected)


def apply_settings(spec: dict[str, Any], *, check: bool) -> list[str]:
    """Bring settings that live behind a program's HTTP interface to the values of the spec."""
    changes = []
    for setting in spec.get("settings", []):
        _, body = fetch(setting["url"])
        if contains(parsed(body), setting["value"]):
            continue
        changes.append(f"set {setting['url']}")
        if not check:
            code, answer = fetch(setting["url"], setting["method"], json.dumps(setting["value"]).encode())
            if code != 200:
                raise LaunchError(f"{spec['name']}: {setting['method']} {setting['url']} answered {code}: "
                                  f"{answer.decode(errors='replace').strip()}")
    return changes


def fetch(url: str, method: str = "GET", data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of one HTTP request; status 0 when nobody answers."""
    request = urllib.request.Request(url, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2.0) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


def parsed(body: bytes) -> Any:
    """The JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def describe(spec: dict[str, Any]) -> str:
    """What a program is waited for, in a few words."""
    check = spec.get("healthy", {})
    if "argv" in check:
        return "waited for: " + " ".join(check["argv"])
    code, body = fetch(check["url"])
    answer = f"answers {code}: {body[:200].decode(errors='replace').strip()}" if code else "does not answer"
    return f"{check['url']} {answer}"


def status(name: str) -> dict[str, Any]:
    """Whether a stored program runs, under which pid and whether as stored."""
    pid = running(name)
    spec = stored(name)
    return {"name": name, "pid": pid, "stage": spec.get("stage", 0), "as_stored": started_as(name) == digest(spec)}


def running(name: str) -> int | None:
    """The pid of a program while the very process that was started lives."""
    pid = parsed((read(f"{RUNNING}/{name}.pid") or "").encode())
    state = parsed((read(f"{RUNNING}/{name}.state") or "").encode())
    if not isinstance(pid, int) or not isinstance(state, dict):
        return None
    return pid if start_time(pid) == state["start"] else None


def started_as(name: str) -> str:
    """The digest of the spec that the running process was started from."""
    state = parsed((read(f"{RUNNING}/{name}.state") or "").encode())
    return str(state["digest"]) if isinstance(state, dict) else ""


def start_time(pid: int) -> str | None:
    """When a live process began, in the kernel's ticks: tells a reused pid from the old one."""
    fields = (read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else None


def digest(spec: dict[str, Any]) -> str:
    """Identifies what a process is started from; how it is waited for does not count."""
    began_with = {key: spec.get(key) for key in ("files", "argv", "env", "cwd", "log")}
    return hashlib.sha256(json.dumps(began_with, sort_keys=True).encode()).hexdigest()


def stored_names() -> list[str]:
    """The programs that were ever asked for on this node."""
    files = os.listdir(STORED) if os.path.isdir(STORED) else []
    return sorted(file[: -len(".json")] for file in files if file.endswith(".json"))


def stored(name: str) -> dict[str, Any]:
    """The spec stored on the node."""
    spec = parsed((read(f"{STORED}/{name}.json") or "").encode())
    if not isinstance(spec, dict):
        known = ", ".join(stored_names()) or "none"
        raise LaunchError(f"{name} was never provisioned on this node (known: {known})")
    return spec


def read(path: str) -> str | None:
    """A file's text, or None when there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None


def tail(path: str, offset: int) -> str:
    """The last lines that a log has gained since an offset in bytes, without Python's frames."""
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    kept: list[str] = []
    in_traceback = False
    for line in lines:
        in_traceback = line.startswith("Traceback ") or (in_traceback and line.startswith(" "))
        if not in_traceback:
            kept.append(line)
    return "\n".join(kept[-TAIL_LINES:])


def mode_of(file: dict[str, Any]) -> int:
    """The permission bits of a file of a spec."""
    return int(str(file.get("mode", "0644")), 8)


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """One launcher at a time for a program."""
    os.makedirs(RUNNING, exist_ok=True)
    with open(f"{RUNNING}/{name}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Read a request from stdin, write the reply to stdout."""
    try:
        reply = reply_to(json.load(sys.stdin))
    except LaunchError as error:
        reply = {"failed": True, "msg": str(error), "log_tail": error.tail}
    except OSError as error:
        reply = {"failed": True, "msg": f"{error.filename or 'system'}: {error.strerror}", "log_tail": ""}
    json.dump(reply, sys.stdout)
    return 1 if reply.get("failed") else 0


if __name__ == "__main__":
    sys.exit(main())
