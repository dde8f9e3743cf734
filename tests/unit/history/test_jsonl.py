"""JSON lines and sessions: what is refused, with its place."""

from __future__ import annotations

import io
from typing import Any

import pytest

from testbed.history.operation_table import NULL, Tag
from testbed.history.problem import HistoryError
from testbed.history.reading import read_operations, read_transactions
from testbed.history.source import Source
from testbed.history.transaction_table import NEVER, Access, Outcome, Read


def source_of(text: str | bytes) -> Source:
    data = text if isinstance(text, bytes) else text.encode()
    return Source(io.BytesIO(data), "h")


def refusal(text: str | bytes, form: str = "jsonl", lists: bool | None = None) -> list[str]:
    single = lists is None and form != "sessions"
    read: Any = read_operations if single else read_transactions
    with pytest.raises(HistoryError) as caught:
        read(source_of(text), form, **({} if single else {"lists": bool(lists)}))
    return [str(problem) for problem in caught.value.problems]


INVOKE = '{"process": 0, "type": "invoke", "f": "read"}\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5\n", "1:1: expected a JSON object, not 5"),
        (INVOKE + '{"type": "ok"', "2:14: expected JSON: unexpected end of data"),
        (INVOKE.replace("invoke", "start"), "1:24: expected 'type' as one of"),
        (INVOKE.replace('"read"', "7"), "1:39: expected 'f' as the name of a function, not 7"),
        (INVOKE.replace("0", "1.5"), "1:13: expected 'process' as a number from 0 or a name"),
        (INVOKE.replace("0", "true"), "1:13: expected 'process'"),
        (INVOKE.replace("}", ', "time": "now"}'), "1:55: expected 'time' as a whole number"),
        (INVOKE.replace("}", ', "value": NaN}'), "1:56: expected JSON: "),
        (INVOKE.encode().replace(b"read", b"r\xe9"), "1:41: expected UTF-8, not the byte 0xe9"),
        (INVOKE.replace("}", f', "value": {"[" * 2000}'), "expected JSON: "),
        (INVOKE * 2, "2:1: process 0 invokes 'read' before 'read' of line 1 completed"),
        (INVOKE.replace("invoke", "ok"), "1:1: 'ok' of process 0 completes nothing"),
        (
            INVOKE + INVOKE.replace("invoke", "ok").replace("read", "write"),
            "2:1: process 0 completes 'write' but invoked 'read'",
        ),
        (
            INVOKE + INVOKE.replace("invoke", "info") + INVOKE,
            "3:1: process 0 invokes 'read' after an 'info', which retired it",
        ),
        (
            INVOKE.replace("}", ', "index": 3}')
            + INVOKE.replace("}", ', "index": 3}').replace("0", "1"),
            "2:1: expected an index above 3, not 3",
        ),
        (INVOKE + '{"type": "ok", "f": "read"}', "2:1: expected the field 'process' on every"),
        (INVOKE.replace("}", ', "untimed": true}'), "expected lines in the order of time"),
        ("[" + INVOKE + ",5]", "2:2: expected a JSON object, not 5"),
        ("[" + INVOKE, "2:1: expected ',' or ']' after an operation"),
        ("[] x", "1:4: expected nothing after the array of operations"),
        ("[" + "[" * 100_000, "1:2: expected less nesting"),
    ],
)
def test_what_is_refused(text: str | bytes, problem: str) -> None:
    problems = refusal(text)
    assert any(problem in found for found in problems), problems


def test_all_problems_up_to_a_bound() -> None:
    with pytest.raises(HistoryError) as caught:
        read_operations(source_of("5\n" * 50), "jsonl")
    assert len(caught.value.problems) == 20
    assert caught.value.total == 50


def test_values_and_what_is_passed_over() -> None:
    lines = [
        '{"process": "nemesis", "type": "info", "f": "kill", "value": {}}',
        '{"process": 7, "type": "invoke", "f": "w", "value": [1, null], "key": "k", "op-index": 3}',
        "",
        '{"process": 7, "type": "ok", "f": "w", "value": [1, 2, 3]}',
        '{"process": 8, "type": "invoke", "f": "w", "value": 1}',
        '{"process": 8, "type": "info", "f": "w", "value": 1.0, "error": ["x"]}',
        '{"process": 9, "type": "invoke", "f": "w", "value": 36893488147419103232}',
    ]
    table = read_operations(source_of("\r\n".join(lines)), "jsonl")
    assert [table.value(row) for row in range(5)] == [[1, None], [1, 2, 3], 1, 1.0, 2**65]
    assert table.tag.tolist() == [Tag.PAIR, Tag.LIST, Tag.INTEGER, Tag.OTHER, Tag.OTHER]
    assert table.pairs.tolist() == [[1, NULL]]
    assert table.line.tolist() == [2, 4, 5, 6, 7]
    assert table.partner.tolist() == [1, 0, 3, 2, -1]
    assert list(table.keys) == ["k"]
    assert table.key.tolist() == [0, 0, -1, -1, -1]
    assert table.errors == {3: '["x"]'}
    assert table.time_ns is None


TXN = '{"process": 0, "type": "%s", "value": %s}\n'


def test_transactions() -> None:
    text = (
        TXN % ("invoke", '[["append", "x", 1], ["r", "x", null]]')
        + TXN % ("ok", '[["append", "x", 1], ["r", "x", [1]]]')
        + TXN % ("invoke", '[["r", "y", null], ["append", "x", 2]]')
        + TXN % ("info", "null")
    )
    table = read_transactions(source_of(text), "jsonl", lists=True)
    assert table.outcome.tolist() == [Outcome.OK, Outcome.INFO]
    assert table.access.tolist() == [Access.APPEND, Access.READ, Access.READ, Access.APPEND]
    assert table.value.tolist() == [0, 0, Read.UNSEEN, 1]
    assert table.list_items.tolist() == [0]
    assert (table.start.tolist(), table.end.tolist()) == ([0, 2], [1, 3])
    assert list(table.values) == [1, 2]
    open_ended = read_transactions(source_of(TXN % ("invoke", "[]")), "jsonl", lists=True)
    assert open_ended.end.tolist() == [NEVER]


@pytest.mark.parametrize(
    ("invoked", "completed", "problem"),
    [
        ('[["w", 1, 2]]', None, "1:1: micro-operation 1: expected 'r' or 'append' for this model"),
        ("7", None, "1:1: expected the micro-operations of 'x' as a list, not 7"),
        ('[["append", 1, null]]', None, "expected the value of 'append', not null"),
        ('[["cas", 1, 2]]', None, "expected 'r', 'w' or 'append', not 'cas'"),
        ('[["r", null, 2]]', None, "expected a key, not null"),
        ('[["r", 1, null]]', '[["r", 1, 5]]', "2:1: micro-operation 1: expected the list"),
        ('[["r", 1, null]]', '[["r", 2, []]]', "2:1: expected the micro-operations that line 1"),
        ('[["append", 1, 1]]', '[["append", 1, 2]]', "2:1: expected the micro-operations"),
        ('[["append", 1, 1]]', "[]", "2:1: expected the micro-operations"),
        ('[["append", 1, 1]]', "null", "2:1: expected the micro-operations of 'x' as a list"),
    ],
)
def test_transactions_that_are_refused(invoked: str, completed: str | None, problem: str) -> None:
    line = '{"process": 0, "type": "%s", "f": "x", "value": %s}\n'
    text = line % ("invoke", invoked)
    text += line % ("ok", completed) if completed is not None else ""
    assert any(problem in found for found in refusal(text, lists=True))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", '1:1: expected an object {"sessions": [...]}'),
        ('{"sessions": [7]}', "1:15: expected a session as a list of transactions, not 7"),
        ('{"sessions": [[\n {"committed": 1, "ops": []}]]}', "2:16: expected 'committed' as true"),
        ('{"sessions": [[{"committed": true}]]}', "1:16: expected 'ops' as a list, not null"),
        ('{"sessions": [[{"committed": true, "ops": [["w", 1]]}]]}', '1:44: expected ["r" or "w"'),
        (
            '{"sessions": [[{"committed": true, "ops": [["a", 1, 2]]}]]}',
            "1:44: expected 'r' or 'w'",
        ),
        ('{"sessions": [], "more": 1}', "1:26: unknown field 'more'"),
        ('{"sessions": [', "1:15: expected JSON"),
    ],
)
def test_sessions_that_are_refused(text: str, problem: str) -> None:
    assert any(problem in found for found in refusal(text, "sessions"))


def test_sessions() -> None:
    text: Any = (
        '{"sessions": [[{"committed": true, "ops": [["w", "x", 1], ["r", "x", null]]},'
        '{"committed": false, "ops": [["r", "x", 1]]}], [{"committed": true, "ops": []}]]}'
    )
    table = read_transactions(source_of(text), "sessions", lists=False)
    assert not table.timed
    assert table.process.tolist() == [0, 0, 1]
    assert table.outcome.tolist() == [Outcome.OK, Outcome.FAIL, Outcome.OK]
    assert table.first.tolist() == [0, 2, 3, 3]
    assert table.value.tolist() == [0, Read.NOTHING, Read.UNSEEN]
