from __future__ import annotations

from typing import Any

import pytest

from testbed.topology.inventory import inspect, load
from testbed.topology.problem import InventoryError
from testbed.topology.settings import assignments
from testbed.topology.shipped import inventories

FOLDER = inventories() / "active-passive"


@pytest.mark.parametrize(
    ("name", "text", "typed"),
    [
        ("replication", "asynchronous", "asynchronous"),
        ("patroni_ttl_s", "30", 30),
        ("consul_cleanup_dead_servers", "true", True),
        ("consul_cleanup_dead_servers", "no", False),
        ("consul_session_checks", "none", "none"),
        ("synchronous_regions", "eu-west,eu-central", ("eu-west", "eu-central")),
        ("synchronous_regions", "[eu-west, eu-central]", ("eu-west", "eu-central")),
        ("synchronous_regions", "", ()),
        ("synchronous_regions", "[]", ()),
    ],
)
def test_text_and_typed_values_mean_the_same(name: str, text: str, typed: Any) -> None:
    from_text = load(FOLDER, {name: text}).variables
    from_plan = load(FOLDER, {name: list(typed) if isinstance(typed, tuple) else typed}).variables
    assert from_text[name] == from_plan[name] == typed
    assert type(from_text[name]) is type(typed)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"replicaton": "quorum"}, "--set: unknown variable replicaton; did you mean replication?"),
        ({"replication": "async"}, "none of its values; did you mean asynchronous?"),
        ({"replication": None}, "replication is null, which is none of its values"),
        ({"replication": ["quorum"]}, "replication is no single value"),
        ({"patroni_ttl_s": "30s"}, "counts seconds without a unit; write 30"),
        ({"patroni_ttl_s": "1min"}, "counts seconds without a unit; write 60"),
        ({"patroni_ttl_s": "10s"}, "without a unit; write a whole number of seconds from 20"),
        ({"patroni_ttl_s": True}, "patroni_ttl_s is true, no number"),
        ({"patroni_ttl_s": float("nan")}, "which is not finite"),
        ({"patroni_ttl_s": ""}, "patroni_ttl_s is empty, no number"),
        ({"patroni_ttl_s": {"a": 1}}, "no number"),
        ({"patroni_ttl_s": "1e400"}, "no number"),
        ({"patroni_ttl_s": "9" * 5000}, "no number"),
        ({"patroni_loop_wait_s": "0"}, "below its minimum 1"),
        ({"patroni_maximum_lag_bytes": "1MiB"}, "write 1048576"),
        ({"patroni_ttl_s": 20, "patroni_retry_timeout_s": 10}, "= 21 exceeds patroni_ttl_s 20"),
        ({"synchronous_regions": "eu-south"}, "names an unknown region, eu-south"),
        ({"consul_datacenter": "elsewhere"}, "consul_datacenter is stated per region"),
        ({"ansible_connection": "ssh"}, "unknown variable ansible_connection"),
        ({"links": "{}"}, "unknown variable links"),
    ],
)
def test_overrides_are_refused(overrides: dict[str, Any], problem: str) -> None:
    (found,) = inspect(FOLDER, overrides).problems
    assert problem in str(found)
    assert found.place.file == "--set"


def test_assignments() -> None:
    assert assignments(["a=b", " c = d=e", "f="]) == {"a": "b", "c": "d=e", "f": ""}
    assert assignments(["a=b", "a=b"]) == {"a": "b"}


def test_bad_assignments_are_all_listed() -> None:
    with pytest.raises(InventoryError) as caught:
        assignments(["replication", "=x", "", "a=1", "a=2"])
    assert [problem.message for problem in caught.value.problems] == [
        "replication sets nothing",
        "=x sets nothing",
        "(empty) sets nothing",
        "a is set twice, to 1 and to 2",
    ]
