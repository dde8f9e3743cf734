"""Runs the playbooks against a running world, through ansible-runner."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_runner import Runner, RunnerConfig

import testbed
from testbed.provision.error import Failure, ProvisionError
from testbed.provision.progress import Listener, Stopwatch
from testbed.provision.world_inventory import write_world_inventory
from testbed.toolchain.cache import explained, root
from testbed.topology.catalogue import Catalogue
from testbed.topology.inventory import catalogue_for
from testbed.topology.model import Deployment
from testbed.topology.shipped import playbooks
from testbed.world.protocol import World

MARKER = "TESTBED_PROVISION"
"""Environment variable by which the processes of one provisioning are told from all others."""


CONFIG = """\
[defaults]
# Ansible asks its workers this often, in seconds; by default it keeps a whole core busy with that.
internal_poll_interval = 0.01
"""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a provisioning did.

    Args:
        changed: How many tasks changed something, over all nodes.
        changes: What they changed, one sentence each, by node.
        seconds: How long it took.
        log: The folder that keeps Ansible's own output.
    """

    changed: int
    changes: Mapping[str, tuple[str, ...]]
    seconds: float
    log: Path


def provision(
    world: World,
    deployment: Deployment,
    programs: Mapping[str, str],
    *,
    check: bool = False,
    playbook: Path | None = None,
    listener: Listener | None = None,
) -> Provisioned:
    """Bring every program of a deployment into a world, or find that it is there.

    Args:
        world: A running world of the deployment's topology.
        deployment: Its inventory folder and variables.
        programs: Where the real programs are, as ``program_variables`` gives it.
        check: Change nothing, report what would be changed.
        playbook: ``site.yml`` of another set of playbooks.
        listener: Told of each task and node.

    Raises:
        ProvisionError: It failed; names the tasks, the nodes and the ends of the programs' logs.
        WorldError: A node has ended.
        ToolchainError: The log folder cannot be written.
    """
    if playbook is not None:
        played = [playbook]
    else:
        own = own_playbooks(deployment, catalogue_for(deployment.folder))
        played = [playbooks() / "site.yml", *own]
    folder = world.logs / "ansible"
    kind = f"{deployment.name}{'-check' if check else ''}"
    stopwatch = Stopwatch(root() / "durations" / f"{kind}.json", listener)
    ident = uuid.uuid4().hex[:12]
    with explained(folder):
        inventory = write_world_inventory(folder, world, deployment, programs)
        whole = _together(folder, played)
        config = _config(folder, ident, whole, [deployment.folder, inventory], check=check)
    watcher = _Watcher(stopwatch)
    runner = Runner(config=config, event_handler=watcher.handle)
    try:
        _, code = runner.run()
    except BaseException:
        end_processes(ident)
        raise
    if code != 0 or watcher.failures:
        end_processes(ident)
        raise _explained(deployment.name, code, watcher.failures, Path(config.artifact_dir))
    if not check:
        stopwatch.finish()
    changes = {node: tuple(sentences) for node, sentences in watcher.changes.items()}
    log = Path(config.artifact_dir)
    return Provisioned(watcher.changed, changes, stopwatch.elapsed_s(), log)


def own_playbooks(deployment: Deployment, catalogue: Catalogue) -> tuple[Path, ...]:
    """The playbooks that the groups of a deployment name in their declarations."""
    used = {group for node in deployment.topology.nodes for group in node.groups}
    found = (group.playbook for group in catalogue.groups.values() if group.name in used)
    return tuple(dict.fromkeys(path for path in found if path is not None))


def _together(folder: Path, played: Sequence[Path]) -> Path:
    """One playbook that plays several, one after the other, each with the roles beside it."""
    if len(played) == 1:
        return played[0]
    whole = folder / "together.yml"
    whole.write_text(
        json.dumps([{"ansible.builtin.import_playbook": str(path)} for path in played])
    )
    return whole


class _Watcher:
    """Turns Ansible's events into progress, changes and failures."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self.changed = 0
        self.changes: dict[str, list[str]] = {}
        self.failures: list[Failure] = []

    def handle(self, event: dict[str, Any]) -> bool:
        """One event; False says that it need not be written to a file."""
        data = event.get("event_data", {})
        kind, task, node = event["event"], data.get("task", ""), data.get("host", "")
        result = data.get("res") or {}
        if kind == "playbook_on_task_start":
            self._stopwatch.mark(task)
        elif kind == "runner_on_ok":
            self._stopwatch.mark(task, node)
            if result.get("changed"):
                self.changed += 1
                self.changes.setdefault(node, []).extend(result.get("changes", [task]))
        elif kind == "runner_on_failed" and not data.get("ignore_errors"):
            message = one_line(result.get("msg", "no message"))
            self.failures.append(Failure(task, node, message, result.get("log_tail", "")))
        elif kind == "runner_on_unreachable":
            message = one_line(result.get("msg", "no message"))
            self.failures.append(Failure(task, node, f"unreachable: {message}"))
        return False


def _config(
    folder: Path, ident: str, playbook: Path, inventories: list[Path], *, check: bool
) -> RunnerConfig:
    """Ansible-runner's configuration, with an environment that holds nothing of the caller's."""
    (folder / "project").mkdir(parents=True, exist_ok=True)
    # Instead of whatever ansible.cfg the user has.
    (folder / "ansible.cfg").write_text(CONFIG)
    binary = Path(sys.executable).parent / "ansible-playbook"
    if not binary.exists():
        raise ProvisionError(
            f"{binary} is missing", advice="Install the project's dependencies again."
        )
    base = {
        "PATH": f"{binary.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(Path(testbed.__file__).resolve().parent.parent),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": "",
        # For playbooks that do not stand beside it.
        "ANSIBLE_COLLECTIONS_PATH": str(playbooks() / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "",
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "ANSIBLE_FORKS": "32",
        "ANSIBLE_NOCOLOR": "1",
        MARKER: ident,
    }
    config = RunnerConfig(
        private_data_dir=str(folder),
        ident=ident,
        playbook=str(playbook),
        inventory=[str(path) for path in inventories],
        envvars=base,
        cmdline="--check --diff" if check else None,
        quiet=True,
    )
    config.prepare()
    config.env = {
        name: value
        for name, value in config.env.items()
        if name in base or os.environ.get(name) != value
    }
    return config


def _explained(
    deployment: str, code: int, failures: list[Failure], artifacts: Path
) -> ProvisionError:
    """The one error that a user sees; without a failed task it is what Ansible printed."""
    output = artifacts / "stdout"
    if not failures:
        text = plain(output.read_text(errors="replace") if output.exists() else "")
        failures = [Failure("", "", f"ansible-playbook ended with status {code}", errors_in(text))]
    return ProvisionError(
        f"provisioning {deployment} failed", failures, f"Ansible's whole output: {output}"
    )


def errors_in(output: str) -> str:
    """The lines of Ansible's output from the first error on; all of it when none says so."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith(("[ERROR]", "ERROR!", "fatal:", "Traceback")):
            return "\n".join(lines[number : number + 20])
    return "\n".join(lines[-20:])


def plain(text: str) -> str:
    """Text without a terminal's colours and carriage returns."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r", "")


def one_line(text: Any) -> str:
    """A message on one line."""
    return " ".join(str(text).split())


def end_processes(ident: str) -> None:
    """Kill what is left of one provisioning: ansible-runner leaves workers behind when cancelled.

    The programs that were started belong to the world and are not touched.

    Args:
        ident: The value of :data:`MARKER` in the environment of its processes.
    """
    wanted = f"{MARKER}={ident}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue  # gone, or somebody else's
