"""Reach the nodes of a world that is made of Linux namespaces."""

# ruff: noqa: INP001 - found by Ansible, not imported as a package

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: namespace
author: The testbed's authors
version_added: "1.0.0"
short_description: Run tasks in a node of a testbed's world
description:
  - Enters the namespaces of an emulated node with C(nsenter) and runs the command there.
options:
  prefix:
    description:
      - The words before a command that make it run on the node. The testbed writes them into the
        inventory of a running world.
    type: list
    elements: str
    required: true
    vars:
      - name: testbed_node_prefix
"""


class Connection(ConnectionBase):  # type: ignore[misc]
    """Runs each command behind the node's prefix; keeps no state between commands."""

    transport = "testbed.core.namespace"
    has_pipelining = True

    def _connect(self) -> Connection:
        """Nothing to keep open; every command enters the node anew."""
        self._connected = True
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command on the node to its end."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._run(["/bin/sh", "-c", cmd], in_data)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller to the node."""
        super().put_file(in_path, out_path)
        content = Path(in_path).read_bytes()
        code, _, error = self._run(["/bin/sh", "-c", f"cat > {shlex.quote(out_path)}"], content)
        if code:
            raise AnsibleError(f"cannot write {out_path}: {error.decode(errors='replace').strip()}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the node to the controller."""
        super().fetch_file(in_path, out_path)
        code, content, error = self._run(["/bin/cat", in_path], None)
        if code:
            raise AnsibleError(f"cannot read {in_path}: {error.decode(errors='replace').strip()}")
        Path(out_path).write_bytes(content)

    def close(self) -> None:
        """Nothing is open."""
        self._connected = False

    def _run(self, command: list[str], content: bytes | None) -> tuple[int, bytes, bytes]:
        """Run a command behind the prefix; a node that cannot be entered is unreachable."""
        prefix = [str(word) for word in self.get_option("prefix")]
        try:
            done = subprocess.run(
                prefix + command, input=content or b"", capture_output=True, check=False
            )
        except OSError as error:
            raise AnsibleConnectionFailure(f"cannot run {prefix[0]}: {error.strerror}") from error
        problem = done.stderr.decode(errors="replace").strip()
        if done.returncode and problem.startswith("nsenter:"):
            raise AnsibleConnectionFailure(f"cannot enter the node: {problem}")
        return done.returncode, done.stdout, done.stderr
