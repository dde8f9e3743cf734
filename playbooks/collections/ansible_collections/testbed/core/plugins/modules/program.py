"""Documentation of the action plugin of the same name, which does the work."""

# ruff: noqa: INP001 - found by Ansible, not imported as a package

from __future__ import annotations

DOCUMENTATION = r"""
module: program
short_description: Bring one program of a node to the state that is asked for
version_added: "0.1.0"
description:
  - Writes the program's files, starts it in a session of its own or restarts it when its files or
    its command line changed, and waits until it is healthy.
  - A program that runs as asked for and is healthy is left alone. One that died is started again.
  - Fails with the end of the program's log when it exits or does not become healthy.
options:
  name:
    description: Name of the program, unique on the node.
    type: str
    required: true
  argv:
    description: The command line.
    type: list
    elements: str
    required: true
  log:
    description: The file that gets the program's standard output and error.
    type: str
    required: true
  dirs:
    description: Folders to make.
    type: list
    elements: str
  files:
    description: Files to write, by path, each with C(content) and perhaps C(mode).
    type: dict
  env:
    description: The program's environment, added to a small fixed one.
    type: dict
  cwd:
    description: The program's working folder.
    type: str
  needs:
    description:
      - What must hold before the program is started, each as in O(healthy).
    type: list
    elements: raw
  warm_start:
    description:
      - How a start from a snapshot differs. C(argv) is a command that is run first of all and
        brings up what the program would find running after a restart of its own; C(env) is added
        to the program's environment.
    type: dict
  healthy:
    description:
      - What must hold for the program to count as healthy. Either C(argv), a command that exits
        with 0; or C(url) with C(status) (200) and perhaps C(any_of), a list of JSON values one of
        which the answer must contain; or C(either), a list of such checks one of which must hold,
        where a text stands for a file that exists or a URL that answers with 200.
    type: dict
  settings:
    description:
      - Settings behind the program's HTTP interface. Each has C(url), C(method) and C(value); the
        value is sent when what the URL answers does not contain it.
    type: list
    elements: dict
  apply:
    description:
      - A command that brings to date what the program keeps behind an interface of its own. It has
        C(argv), perhaps C(stdin) and C(env), and prints a JSON object with C(changes) or C(error).
        In check mode it is run with C(--check).
    type: dict
  stage:
    description: When the program is started with others from a snapshot, lower ones come first.
    type: int
  timeout_s:
    description: How long a started program may take to become healthy, in seconds.
    type: float
  patience_s:
    description: How long a running program may be unhealthy before it is restarted, in seconds.
    type: float
  stop_signal:
    description: The signal that asks the program to end, without C(SIG).
    type: str
  stop_timeout_s:
    description: How long it may take to end before it is killed, in seconds.
    type: float
author:
  - The testbed's authors (@testbed)
"""

EXAMPLES = r"""
- name: Run Consul
  testbed.core.program:
    name: consul
    dirs: [/srv/consul/data]
    files:
      /srv/consul/consul.json:
        content: "{{ lookup('ansible.builtin.template', 'consul.json.j2') }}"
    argv: [/usr/bin/consul, agent, -config-file=/srv/consul/consul.json]
    log: /srv/log/consul.log
    healthy:
      url: http://127.0.0.1:8500/v1/operator/autopilot/configuration
"""

RETURN = r"""
changes:
  description: What was changed, one sentence each.
  type: list
  elements: str
  returned: success
pid:
  description: The program's process id on the node.
  type: int
  returned: when it runs
elapsed_s:
  description: How long it took, in seconds.
  type: float
  returned: success
log_tail:
  description: The end of the program's log since its start.
  type: str
  returned: failure
"""
