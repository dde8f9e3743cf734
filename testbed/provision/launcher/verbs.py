"""What the launcher can be asked; one JSON object in, one out.

* ``{"verb": "ensure", "spec": {...}, "check": false}``: write the files, start or restart the
  program if need be, wait until it is healthy, bring its settings up to date.
* ``{"verb": "start", "name": "consul", "wait": true}``: the same from the spec stored on the node.
* ``{"verb": "start-all"}``: every program stored on the node that does not run.
* ``{"verb": "stop", "name": "consul", "signal": "TERM", "timeout_s": 15}``
* ``{"verb": "stop-all", "timeout_s": 15}``: every program stored on the node that runs, by SIGTERM.
* ``{"verb": "status"}``: every program known to the node.
* ``{"verb": "fetch", "url": ..., "method": "GET", "body": ""}``: one HTTP request from the node.

There is no supervision: a program that dies stays dead until somebody asks for it again, because
a supervisor would hide the faults that this testbed injects.
"""

# Loading pathlib takes longer than all that is done with paths here.
# ruff: noqa: PTH103, PTH110, PTH112, PTH123, PTH202, PTH208

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

from testbed.provision.launcher.files import bring_up_to_date, outdated, read, tail, write
from testbed.provision.launcher.health import (
    POLL_S_MAX,
    becomes_healthy,
    contains,
    described,
    fetch,
    parsed,
)
from testbed.provision.launcher.process import (
    BASE_ENV,
    RUNNING,
    LaunchError,
    digest,
    end,
    remember,
    running,
    spawn,
    started_as,
    untouched,
)

STORED = "/srv/testbed/programs"
STATUS_S = 0.5
NEED_S_MAX = 60.0
SETTING_S_MAX = 20.0


def reply_to(request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request asks and say what changed.

    Raises:
        LaunchError: The program could not be brought into the state asked for.
    """
    verb = request["verb"]
    if verb == "fetch":
        code, body = fetch(request["url"], request["method"], request["body"].encode())
        return {"changed": False, "status": code, "body": body.decode(errors="replace")}
    if verb == "status":
        return {"changed": False, "programs": [status(name) for name in stored_names()]}
    if verb == "start-all":
        return start_all()
    if verb == "stop-all":
        return stop_all(request["timeout_s"])
    if verb == "stop":
        with exclusive(request["name"]):
            changed = end(request["name"], request["signal"], request["timeout_s"])
            return {"changed": changed, "changes": [f"stop {request['name']}"] if changed else []}
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
    elif wait and not becomes_healthy(spec.get("healthy"), spec.get("patience_s", 10.0)):
        changes.append(f"restart {name}: it runs but is not healthy")
    if not check:
        if changes:
            bring_up_to_date(spec)
            if pid is not None:
                end(name, spec.get("stop_signal", "TERM"), spec.get("stop_timeout_s", 15.0))
            pid = launch(spec, wait=wait)
        write(f"{STORED}/{name}.json", json.dumps(spec, indent=1))
    if pid is not None and wait:
        changes += settle(spec, check=check)
    return {
        "changed": bool(changes),
        "changes": changes,
        "diff": diff,
        "pid": pid,
        "elapsed_s": round(time.monotonic() - began, 3),
    }


def start_all() -> dict[str, Any]:
    """Start every stored program by stage, and only then wait for all of them.

    On a node on which nothing was started yet, a program whose spec has a ``warm_start`` gets that
    command run before anything else, which brings up what the program would find running after
    its own restart, and starts with that environment added to its own.
    """
    began = time.monotonic()
    specs = stored_specs()
    warm = {spec["name"]: spec["warm_start"] for spec in specs if "warm_start" in spec}
    if not untouched():
        warm = {}
    for spec in specs:
        if spec["name"] in warm:
            spawn(spec, warm[spec["name"]]["argv"])
    for spec in specs:
        if running(spec["name"]) is None:
            launch(spec, wait=False, env=warm.get(spec["name"], {}).get("env"))
    seconds = {}
    for spec in specs:
        ended = partial(_exit_code, spec["name"])
        if not becomes_healthy(spec.get("healthy"), spec["timeout_s"], ended):
            fail_start(spec, 0, None)
        settle(spec, check=False)
        seconds[spec["name"]] = round(time.monotonic() - began, 3)
    return {"changed": True, "changes": [], "seconds": seconds}


def stop_all(timeout_s: float) -> dict[str, Any]:
    """Stop every stored program by stage."""
    changes = []
    for name in (spec["name"] for spec in stored_specs()):
        with exclusive(name):
            if end(name, "TERM", timeout_s):
                changes.append(f"stop {name}")
    return {"changed": bool(changes), "changes": changes}


def _exit_code(name: str) -> int | None:
    """None while a program runs, some number when it does not."""
    return 1 if running(name) is None else None


def launch(spec: dict[str, Any], *, wait: bool, env: dict[str, str] | None = None) -> int:
    """Start the program when what it needs is there, and wait until it is healthy.

    Args:
        spec: The program.
        wait: Whether to wait for its health.
        env: Added to the environment of the spec.
    """
    for need in spec.get("needs", []):
        if not becomes_healthy(need, NEED_S_MAX):
            message = f"{spec['name']} was not started: for {NEED_S_MAX:g} s "
            raise LaunchError(message + described(need))
    offset = os.path.getsize(spec["log"]) if os.path.exists(spec["log"]) else 0
    process = spawn(spec, spec["argv"], env)
    remember(spec, process.pid)
    if wait and not becomes_healthy(spec.get("healthy"), spec["timeout_s"], process.poll):
        fail_start(spec, offset, process.poll())
    return process.pid


def fail_start(spec: dict[str, Any], offset: int, code: int | None) -> NoReturn:
    """Say why a program did not become healthy, with the end of what it wrote since its start."""
    name = spec["name"]
    if code is None and running(name) is None:
        what = f"{name} ended after its start"
    elif code is None:
        what = f"{name} runs but was not healthy within {spec['timeout_s']:g} s "
        what += f"({described(spec.get('healthy'))})"
    elif code < 0:
        what = f"{name} was killed by {signal.Signals(-code).name} after its start"
    else:
        what = f"{name} exited with status {code} after its start"
    raise LaunchError(f"{what}; log: {spec['log']}", tail(spec["log"], offset))


def settle(spec: dict[str, Any], *, check: bool) -> list[str]:
    """Bring what a program keeps behind its own interface to what the spec says.

    ``settings`` are sent where what their URL answers does not contain them; ``apply`` is a
    command that does as much itself and prints ``{"changes": [...]}`` or ``{"error": ...}``.
    """
    changes = []
    for setting in spec.get("settings", []):
        if not contains(parsed(fetch(setting["url"])[1]), setting["value"]):
            changes.append(f"set {setting['url']}")
            if not check:
                send(spec["name"], setting)
    if "apply" in spec:
        changes += apply(spec, check=check)
    return changes


def send(name: str, setting: dict[str, Any]) -> None:
    """Send one setting; a program that is healthy may still be too busy to take it at once."""
    data = json.dumps(setting["value"]).encode()
    deadline = time.monotonic() + SETTING_S_MAX
    code, answer = fetch(setting["url"], setting["method"], data)
    while code == 503 and time.monotonic() < deadline:
        time.sleep(POLL_S_MAX)
        code, answer = fetch(setting["url"], setting["method"], data)
    if code != 200:
        text = answer.decode(errors="replace").strip()
        message = f"{name}: {setting['method']} {setting['url']} answered {code}: {text}"
        raise LaunchError(message)


def apply(spec: dict[str, Any], *, check: bool) -> list[str]:
    """Run a spec's ``apply`` command."""
    command = spec["apply"]
    done = subprocess.run(
        command["argv"] + (["--check"] if check else []),
        input=command.get("stdin", "").encode(),
        env={**BASE_ENV, **command.get("env", {})},
        capture_output=True,
        check=False,
    )
    answer = parsed(done.stdout)
    if not isinstance(answer, dict):
        text = (done.stderr or done.stdout).decode(errors="replace").strip()
        message = f"{spec['name']}: `{' '.join(command['argv'])}` ended with {done.returncode}"
        raise LaunchError(message, text)
    if "error" in answer:
        raise LaunchError(f"{spec['name']}: {answer['error']}")
    return [str(change) for change in answer["changes"]]


def status(name: str) -> dict[str, Any]:
    """Whether a stored program runs, under which pid, and whether it is healthy."""
    spec, pid = stored(name), running(name)
    return {
        "name": name,
        "pid": pid,
        "stage": spec.get("stage", 0),
        # Asked for a moment: HAProxy's statistics show no result while a check is under way.
        "healthy": pid is not None and becomes_healthy(spec.get("healthy"), STATUS_S),
    }


def stored_names() -> list[str]:
    """The programs that were ever asked for on this node."""
    files = os.listdir(STORED) if os.path.isdir(STORED) else []
    return sorted(file.removesuffix(".json") for file in files if file.endswith(".json"))


def stored_specs() -> list[dict[str, Any]]:
    """What is stored on this node, by stage."""
    return sorted(map(stored, stored_names()), key=lambda spec: int(spec.get("stage", 0)))


def stored(name: str) -> dict[str, Any]:
    """The spec stored on the node."""
    spec = parsed(read(f"{STORED}/{name}.json") or "")
    if not isinstance(spec, dict):
        known = ", ".join(stored_names()) or "none"
        raise LaunchError(f"{name} was never provisioned on this node (known: {known})")
    return spec


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
        what = f"{error.filename or 'the system'}: {error.strerror}"
        reply = {"failed": True, "msg": what, "log_tail": ""}
    json.dump(reply, sys.stdout)
    return 1 if reply.get("failed") else 0
