"""``testbed check``: exit codes, output, usage."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from testbed.checkers.budget import OutOfBudgetError
from testbed.checkers.models import MODELS, Model, model_named
from testbed.checkers.request import Request, RequestError
from testbed.checkers.verdict import Levels, Validity, Verdict
from testbed.cli.main import main

VALID = [
    {"process": 0, "type": "invoke", "f": "write", "value": 1},
    {"process": 0, "type": "ok", "f": "write", "value": 1},
    {"process": 1, "type": "invoke", "f": "read", "value": None},
    {"process": 1, "type": "ok", "f": "read", "value": 1},
]
STALE = [*VALID[:3], {"process": 1, "type": "ok", "f": "read", "value": None}]
UNWRITTEN = [*VALID[:3], {"process": 1, "type": "ok", "f": "read", "value": 7}]


def lines_of(entries: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(entries: list[dict[str, Any]] | str, name: str = "history.jsonl") -> str:
        path = tmp_path / name
        path.write_text(entries if isinstance(entries, str) else lines_of(entries), "utf-8")
        return str(path)

    return write


def test_a_valid_history(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--model", "register", written(VALID)]) == 0
    assert capsys.readouterr().out.startswith("valid: ")


def test_a_violation_is_explained(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--model", "register", written(UNWRITTEN)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("violation: ")
    assert "7" in out


def test_a_violation_as_json(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(UNWRITTEN)
    assert main(["check", "--model", "register", "--json", path]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "violation"
    assert document["model"] == "register"
    assert document["history"] == path
    assert document["counterexample"]
    assert document["levels"] is None


def test_the_initial_value_counts(written: Any) -> None:
    path = written(VALID[2:])
    assert main(["check", "--model", "register", path]) == 1
    assert main(["check", "--model", "register", "--init", "1", path]) == 0


def test_an_empty_history_is_unknown(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--model", "register", written("")]) == 2
    assert capsys.readouterr().out.startswith("unknown: ")


def test_a_gzipped_file_and_the_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(lines_of(VALID).encode())
    path = tmp_path / "history.jsonl.gz"
    path.write_bytes(packed)
    assert main(["check", "--model", "register", str(path)]) == 0
    for data in (packed, lines_of(VALID).encode()):
        stdin = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert main(["check", "--model", "register", "--format", "jsonl", "-"]) == 0


def test_edn_by_the_name_of_the_file(written: Any) -> None:
    text = "{:process 0, :type :invoke, :f :read} {:process 0, :type :ok, :f :read, :value 3}"
    assert main(["check", "--model", "register", written(text, "h.edn")]) == 1
    assert main(["check", "--model", "register", "--init", "3", written(text, "h.edn")]) == 0


def test_a_malformed_history(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bad = lines_of(VALID) + '{"process": -1, "type": "done", "f": "read"}\n{"proc'
    path = written(bad)
    assert main(["check", "--model", "register", path]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{path}:5:25: expected 'type' as one of invoke, ok, fail, info, not 'done'",
        f"{path}:5:13: expected 'process' as a number from 0 or a name, not -1",
        f"{path}:6:7: expected JSON: unexpected end of data",
    ]
    assert main(["check", "--model", "register", "--json", path]) == 65
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "malformed"
    assert document["problems"][1]["column"] == 13
    assert document["problems_total"] == 3


def test_all_problems_of_a_request_at_once(
    written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--level", "serializable", "--params", '{"total": 1.5, "colour": 1}']
    words += ["--init", "{", "--timeout", "-1", "--memory", "many"]
    assert main(["check", "--model", "bank", *words, written(VALID)]) == 64
    err = capsys.readouterr().err
    for part in ("--init", "--timeout", "--memory", "'total'", "'colour'", "no levels"):
        assert part in err


@pytest.mark.parametrize("params", ["null", "[]", "3"])
def test_parameters_are_an_object(
    params: str, written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--model", "bank", "--params", params, written(VALID)]) == 64
    assert "expected --params as a JSON object" in capsys.readouterr().err


def test_unknown_models_and_files(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--model", "cas-registre", written(VALID)]) == 64
    assert "did you mean 'cas-register'?" in capsys.readouterr().err
    assert main(["check", "--model", "register", "/nowhere.jsonl"]) == 64
    assert "/nowhere.jsonl: cannot be read" in capsys.readouterr().err
    assert main(["check", "--model", "register", "-"]) == 64
    assert "expected --format" in capsys.readouterr().err
    assert main(["check", "--model", "register", "--format", "sessions", "-"]) == 64


def test_keys_are_split(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def set_of(key: str, read: Any) -> list[dict[str, Any]]:
        return [
            {"process": key, "type": kind, "f": f, "value": [key, value]}
            for f, asked, seen in (("add", 1, 1), ("read", None, read))
            for kind, value in (("invoke", asked), ("ok", seen))
        ]

    words = ["check", "--model", "set", "--params", '{"partition_by": "key"}']
    sound = [*set_of("a", [1]), *set_of("b", [1])]
    assert main([*words, written(sound)]) == 0
    assert "2 keys are valid" in capsys.readouterr().out
    lost = [*set_of("a", [1]), *set_of("b", [])]
    assert main([*words, written(lost)]) == 1
    assert "1 of 2 keys are violated, the first 'b'" in capsys.readouterr().out


def test_a_key_is_wanted_where_keys_are_split(
    written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check", "--model", "set", "--params", '{"partition_by": "key"}']
    add = [{"process": 0, "type": kind, "f": "add", "value": 1} for kind in ("invoke", "ok")]
    assert main([*words, written(add)]) == 65
    assert ":1:1: expected a 'key', or a value [key, value]" in capsys.readouterr().err


@pytest.fixture
def modelled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A model of the test's own, whose checker is a function."""

    def use(check: Any, table: Any = "operations") -> None:
        class Tried(Model):
            def checker(self) -> Any:
                return check

        monkeypatch.setitem(MODELS, "tried", Tried("tried", "", table))

    return use


def test_out_of_time_says_how_far(
    written: Any, modelled: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(history: Any, request: Request) -> Verdict:
        raise OutOfBudgetError("3 of 4 operations were judged")

    modelled(check)
    assert main(["check", "--model", "tried", "--timeout", "5", written(VALID)]) == 2
    out = capsys.readouterr().out
    assert out.startswith("unknown: the time of 5 s is over: 3 of 4 operations were judged")


def test_out_of_memory_says_how_far(
    written: Any, modelled: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(history: Any, request: Request) -> Verdict:
        request.budget.note("1 key was judged")
        raise MemoryError

    modelled(check)
    assert main(["check", "--model", "tried", written(VALID)]) == 2
    assert "memory does not suffice: 1 key was judged" in capsys.readouterr().out


def test_out_of_time_before_the_first_judgement_says_that_all_was_read(
    written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--model", "register", "--timeout", "1e-9", written(VALID)]) == 2
    out = capsys.readouterr().out
    assert "is over: 4 lines were read, nothing was judged yet\n" in out
    assert "promise" not in out


def test_counts_are_whole_numbers(written: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--model", "register", "--json", written(VALID)])
    numbers = json.loads(capsys.readouterr().out)["numbers"]
    assert numbers
    assert all(type(number) is int for number in numbers.values()), numbers


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict"])
def test_an_output_that_cannot_show_a_name_or_a_value_shows_the_rest(
    encoding: str, written: Any, tmp_path: Path
) -> None:
    entries = [
        {"process": 0, "type": "invoke", "f": "read", "value": None},
        {"process": 0, "type": "ok", "f": "read", "value": "\u00fc"},
    ]
    named = tmp_path / os.fsdecode(b"\xff.jsonl")
    Path(written(entries)).rename(named)
    for more in ([], ["--json"]):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "testbed.cli.main",
                "check",
                "--model",
                "register",
                *more,
                named,
            ],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 1, done.stderr
        assert not more or json.loads(done.stdout)["history"] == str(named)


def test_levels(written: Any, modelled: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []

    def check(history: Any, request: Request) -> Verdict:
        asked.append(request)
        levels = Levels(("read-atomic",), ("read-committed",))
        return Verdict("t", "promise", Validity.VIOLATION, "because", levels=levels)

    modelled(check, "transactions")
    txn = [
        {"process": 0, "type": kind, "f": "txn", "value": [["w", 1, 2]]}
        for kind in ("invoke", "ok")
    ]
    path = written(txn)
    assert main(["check", "--model", "tried", path]) == 1
    out = capsys.readouterr().out
    assert "violated  read-atomic" in out
    assert "allowed   read-committed" in out
    assert asked[-1].levels == ("strict-serializable",)
    main(["check", "--model", "tried", written([{**line, "untimed": True} for line in txn])])
    assert asked[-1].levels == ("serializable",)
    main(["check", "--model", "tried", "--level", "causal,read-atomic", path])
    assert asked[-1].levels == ("causal", "read-atomic")
    main(["check", "--model", "tried", "--level", "anomalies:G1a", path])
    assert asked[-1].levels == ()
    assert "G1a" in asked[-1].anomalies
    assert main(["check", "--model", "tried", "--level", "seriouslizable", path]) == 64
    sessions = '{"sessions": [[{"committed": true, "ops": [["w", 1, 2]]}]]}'
    main(["check", "--model", "tried", "--format", "sessions", written(sessions, "s")])
    assert asked[-1].levels == ("serializable",)


def test_every_model_has_a_checker() -> None:
    for name, model in MODELS.items():
        assert model.name == name
        assert callable(model.checker())
    with pytest.raises(RequestError):
        model_named("nothing")


def ended(*words: str, entries: int = 0) -> tuple[int, str, float]:
    """Run the command as a process of its own; exit code, output, seconds."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "testbed.cli.main", "check", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begun


def test_the_memory_is_watched(written: Any) -> None:
    code, out, _ = ended("--model", "register", "--memory", "1M", written(VALID * 20_000))
    assert code == 2, out
    assert out.startswith("unknown: the memory of 1 MB is used up: "), out


def test_small_histories_load_no_compiler(written: Any) -> None:
    program = (
        "import sys; from testbed.cli.main import main; "
        f"code = main(['check', '--model', 'register', {written(VALID)!r}]); "
        "heavy = {'numba', 'scipy', 'rustworkx', 'rich', 'psutil'} & set(sys.modules); "
        "print(heavy); sys.exit(code or len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_elements_that_come_late_are_violations_where_it_is_asked_for(written: Any) -> None:
    path = written(
        [
            {"process": 0, "type": kind, "f": f, "value": value if kind == "ok" else asked}
            for f, asked, value in (("add", 1, 1), ("read", None, []), ("read", None, [1]))
            for kind in ("invoke", "ok")
        ]
    )
    words = ["check", "--model", "set-full", "--params"]
    assert main([*words, '{"linearizable": false}', path]) == 0
    assert main([*words, '{"linearizable": true}', path]) == 1


@pytest.mark.parametrize("model", ["rw-register", "rw-register-unique-writes"])
def test_registers_of_transactions_have_an_initial_value(written: Any, model: str) -> None:
    def transaction(process: int, value: Any) -> list[dict[str, Any]]:
        return [{"process": process, "type": kind, "value": value} for kind in ("invoke", "ok")]

    path = written(transaction(0, [["w", "x", 1]]) + transaction(1, [["r", "x", 5]]))
    words = ["check", "--model", model, "--level", "serializable", "--init", "5"]
    assert main([*words, path]) == 0


def test_sessions_hold_no_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.sessions.json"
    path.write_text('{"sessions": []}', "utf-8")
    assert main(["check", "--model", "list-append", str(path)]) == 64
    assert "needs appends and lists, 'sessions' holds reads and writes" in capsys.readouterr().err


def test_a_transaction_of_a_session_has_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.sessions.json"
    ops = [[["w", "x", 1]], [["r", "x", None]]]
    session = [{"committed": True, "ops": each} for each in ops]
    path.write_text(json.dumps({"sessions": [session]}), "utf-8")
    level = ["--level", "strong-session-serializable"]
    assert main(["check", "--model", "rw-register", *level, str(path)]) == 1
    out = capsys.readouterr().out
    assert "(process 0, transaction 2, ok)" in out
    assert "line 0" not in out


@pytest.mark.parametrize("model", ["rw-register", "rw-register-unique-writes"])
@pytest.mark.parametrize("level", ["read-atomic", "serializable"])
def test_a_circle_of_sessions_is_whole_as_json(
    model: str, level: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each operation by its place in its session, each edge with its kind and why."""
    path = tmp_path / "h.sessions.json"
    failed = {"committed": False, "ops": [["w", "z", 9]]}
    writer = {"committed": True, "ops": [["w", "x", 1], ["w", "y", 2]]}
    reader = {"committed": True, "ops": [["r", "y", None], ["r", "x", 1]]}
    path.write_text(json.dumps({"sessions": [[failed, writer], [reader]]}), "utf-8")
    assert main(["check", "--model", model, "--level", level, "--json", str(path)]) == 1
    (shown,) = json.loads(capsys.readouterr().out)["counterexample"]
    places = {one["process"]: one["transaction"] for one in shown["operations"]}
    assert places == {0: 2, 1: 1}
    assert not any("line" in one for one in shown["operations"])
    assert all(edge["kind"] and edge["why"] for edge in shown["edges"])
    assert any(edge["why"] in line for edge in shown["edges"] for line in shown["text"])


def test_whole_numbers_beyond_the_floats(written: Any) -> None:
    number = "9" * 999
    text = "".join(
        f'{{"process": 0, "type": "{kind}", "f": "{f}", "value": {value}}}\n'
        for f, asked in (("write", number), ("read", "null"))
        for kind, value in (("invoke", asked), ("ok", number))
    )
    assert main(["check", "--model", "register", written(text)]) == 0
    assert main(["check", "--model", "register", written(text.replace(number, "1e999"))]) == 65
    long = text.replace(number, f"[1234567890123456789012, 1e999, {number}]")
    assert main(["check", "--model", "register", written(long)]) == 65


@pytest.mark.filterwarnings("error")
def test_many_keys_make_no_warnings(written: Any) -> None:
    entries = [{**entry, "key": key} for key in range(20) for entry in VALID]
    assert main(["check", "--model", "register", written(entries)]) == 0


def test_a_value_that_is_written_twice_is_told_with_its_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transaction = {"committed": True, "ops": [["w", "x", 1]]}
    other = {"committed": True, "ops": [["w", "y", 1]]}
    path = tmp_path / "twice.sessions.json"
    path.write_text(json.dumps({"sessions": [[transaction], [other, transaction]]}))
    assert main(["check", "--model", "rw-register-unique-writes", str(path)]) == 65
    assert capsys.readouterr().err == (
        f"{path}: expected every value to be written once, but key x is set to 1"
        " in transaction 1 of process 0 and in transaction 2 of process 1\n"
    )


def test_by_inference_such_a_value_leaves_it_unknown(
    written: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = [
        {"process": process, "type": kind, "f": "txn", "value": [["w", "x", 1]]}
        for process in (0, 1)
        for kind in ("invoke", "ok")
    ]
    assert main(["check", "--model", "rw-register", written(twice)]) == 2
    assert capsys.readouterr().out.startswith(
        "unknown: which write a read saw cannot be told: expected every value to be written once,"
        " but key x is set to 1 on line 1 and on line 3\n"
    )
