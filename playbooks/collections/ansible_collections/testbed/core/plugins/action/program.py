"""Bring one program of a node to the state that a task asks for, in one round trip."""

# ruff: noqa: INP001 - found by Ansible, not imported as a package

from __future__ import annotations

import json
import shlex
import sys
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from testbed.provision.launcher import BOOTSTRAP, framed

REQUIRED = frozenset({"name", "argv", "log"})
OPTIONAL = frozenset(
    {
        "dirs",
        "files",
        "env",
        "cwd",
        "needs",
        "warm_start",
        "healthy",
        "settings",
        "apply",
        "stage",
        "timeout_s",
        "patience_s",
        "stop_signal",
        "stop_timeout_s",
    }
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """Sends the launcher and the program's spec to the node and reports the launcher's reply."""

    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the launcher on the node of the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        spec = self._spec()
        interpreter = (task_vars or {}).get("ansible_python_interpreter", sys.executable)
        python = self._templar.template(interpreter)
        request = {"verb": "ensure", "spec": spec, "check": self._task.check_mode}
        command = f"{shlex.quote(str(python))} -I -S -c {shlex.quote(BOOTSTRAP)}"
        done = self._low_level_execute_command(
            command, in_data=framed(request), sudoable=False, executable="/bin/sh"
        )
        result.update(reply(done, str(spec["name"])))
        if not self._task.diff:
            result.pop("diff", None)
        return result

    def _spec(self) -> dict[str, Any]:
        """The task's arguments as a spec, all mistakes reported at once."""
        arguments = dict(self._task.args)
        missing = sorted(REQUIRED - arguments.keys())
        unknown = sorted(arguments.keys() - REQUIRED - OPTIONAL)
        problems = [f"missing {name}" for name in missing] + [f"unknown {name}" for name in unknown]
        if problems:
            raise AnsibleActionFail("testbed.core.program: " + ", ".join(problems))
        return {"timeout_s": 30.0, **arguments}


def reply(done: dict[str, Any], name: str) -> dict[str, Any]:
    """The launcher's reply as a task result."""
    try:
        answer = json.loads(done["stdout"])
    except ValueError:
        return {
            "failed": True,
            "msg": f"{name}: the launcher did not run (status {done['rc']})",
            "log_tail": (done.get("stderr") or done["stdout"]).strip(),
        }
    if not isinstance(answer, dict):
        return {"failed": True, "msg": f"{name}: unexpected reply {answer!r}", "log_tail": ""}
    if answer.get("failed"):
        answer["changed"] = False
    return answer
