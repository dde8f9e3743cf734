from __future__ import annotations

import json

from testbed.cli.main import main


def test_this_machine_can_run_worlds(capsys):
    code = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    failed = [check for check in document["checks"] if check["state"] == "failed"]
    assert failed == []
    assert code == 0
    tried = {check["name"] for check in document["checks"]}
    assert {"namespaces", "packet filter", "overlay file systems", "consul", "worlds"} <= tried
