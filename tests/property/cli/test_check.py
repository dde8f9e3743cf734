"""Whatever the history, ``testbed check`` ends in a verdict or a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.checkers.models import MODELS
from testbed.cli.main import main

FUNCTIONS: dict[str, list[str]] = {
    "register": ["read", "write"],
    "cas-register": ["read", "write", "cas"],
    "etcd-cas-register": ["read", "write", "cas"],
    "multi-register": ["txn", "read", "write"],
    "mutex": ["acquire", "release"],
    "stack": ["push", "pop"],
    "queue": ["enqueue", "dequeue"],
    "kv-append": ["append", "read", "get"],
    "total-queue": ["enqueue", "dequeue", "drain"],
    "set": ["add", "read"],
    "set-full": ["add", "read"],
    "unique-ids": ["generate"],
    "counter": ["add", "read"],
    "bank": ["transfer", "read"],
    "long-fork": ["txn", "read", "write"],
    "causal-reverse": ["read", "write"],
    "monotonic": ["read", "add", "inc"],
    "sequential": ["read", "write"],
}
NUMBER = st.integers(0, 3)
MICRO = st.tuples(
    st.sampled_from(["r", "w", "append", "read", "write"]),
    NUMBER | st.sampled_from(["x", "y"]),
    st.none() | NUMBER | st.lists(NUMBER, max_size=3),
).map(list)
VALUE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    NUMBER,
    st.lists(NUMBER, max_size=3),
    st.lists(MICRO, max_size=3),
    st.fixed_dictionaries({"from": NUMBER, "to": NUMBER, "amount": NUMBER}),
    st.dictionaries(st.sampled_from(["0", "1"]), st.none() | NUMBER),
    st.tuples(st.sampled_from(["x", 0]), st.sampled_from(["a", "ab", ["a"], 1, 1.5, True])).map(
        list
    ),
    st.sampled_from(["a", "", 1.5, -1, 2**63, 2**70, True, {"a": [1]}, [[1, 2]], [None], [2.5]]),
)


@st.composite
def histories(draw: st.DrawFn, model: str) -> str:
    lines = []
    pending: dict[int, tuple[str, Any]] = {}
    functions = FUNCTIONS.get(model, ["txn"])
    keyed = draw(st.booleans())
    # Mostly values that fit together, so that the checkers get to work.
    value = draw(st.sampled_from([NUMBER | st.none(), st.lists(MICRO, max_size=2), VALUE, VALUE]))
    retired = set()
    for _ in range(draw(st.integers(0, 10))):
        process = draw(st.integers(0, 2))
        if process in retired:
            continue
        line: dict[str, Any] = {"process": process}
        if process in pending:
            f, asked = pending.pop(process)
            kind = draw(st.sampled_from(["ok", "ok", "ok", "fail", "info"]))
            if kind == "info":
                retired.add(process)
            same = draw(st.booleans())
            line |= {"type": kind, "f": f, "value": asked if same else draw(value)}
        else:
            pending[process] = (draw(st.sampled_from(functions)), draw(value))
            line |= {"type": "invoke", "f": pending[process][0], "value": pending[process][1]}
            if keyed:
                line["key"] = draw(st.sampled_from([0, 1, "x"]))
        lines.append(json.dumps(line))
    return "\n".join(lines)


@pytest.mark.parametrize("model", list(MODELS))
@settings(
    max_examples=max(5, settings().max_examples // len(MODELS)),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_history_ends_in_a_verdict_or_a_refusal(
    model: str, data: st.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(data.draw(histories(model)), encoding="utf-8")
    code = main(["check", "--model", model, "--json", "--timeout", "60", str(path)])
    out, err = capsys.readouterr()
    words = {0: "valid", 1: "violation", 2: "unknown", 65: "malformed"}
    assert code in words, out + err
    document = json.loads(out)
    assert document["verdict"] == words[code]
    assert code != 1 or document["counterexample"], out
    assert (code == 65) == bool(err), err
