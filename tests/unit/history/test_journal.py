from __future__ import annotations

import gzip
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.history.appender import Appender
from testbed.history.journal import Journal, JournalError, read
from testbed.history.operation import Operation
from testbed.history.problem import HistoryError

ADD = Operation(time=1, process=0, type="invoke", f="add", value=100000001, region="eu-west")
ADDED = Operation(time=2, process=0, type="ok", f="add", node="eu-west-db1", term=3)


def write(path: Path, *operations: Operation) -> Path:
    with Journal(path) as journal:
        for operation in operations:
            journal.append(operation)
    return path


def refused(path: Path) -> HistoryError:
    with pytest.raises(HistoryError) as caught:
        read(path)
    return caught.value


def test_lines_are_compact_and_carry_no_empty_field(tmp_path: Path) -> None:
    path = write(tmp_path / "history.jsonl", ADD, ADDED)
    assert path.read_bytes() == (
        b'{"time":1,"process":0,"type":"invoke","f":"add","value":100000001,"region":"eu-west"}\n'
        b'{"time":2,"process":0,"type":"ok","f":"add","node":"eu-west-db1","term":3}\n'
    )


def test_a_run_stays_under_200_bytes_an_operation(tmp_path: Path) -> None:
    """A minute of load as a run has it: a fifth counts, some late, some unknown, final reads."""
    regions = ("eu-west", "eu-central", "us-east")
    path = tmp_path / "history.jsonl"
    added: list[int] = []
    with Journal(path) as journal:
        for number in range(3000):
            time, process = 60_000_000_000 + number * 20_000_000, number % 400
            f = "count" if number % 5 == 4 else "add"
            value = 100 * number + 3 if f == "add" else None
            late = time - 7_000_000 if number % 20 == 0 else None
            region = regions[number % 3]
            journal.append(Operation(time, process, "invoke", f, value, region=region, due=late))
            unknown = number % 40 == 0
            journal.append(
                Operation(
                    time + 19_000_000,
                    process,
                    "info" if unknown else "ok",
                    f,
                    number if f == "count" and not unknown else None,
                    node="eu-west-db1",
                    error="timeout" if unknown else None,
                    term=None if unknown or f == "count" else 12,
                )
            )
            if value is not None:
                added.append(value)
        for process in range(3):
            journal.append(Operation(130_000_000_000, process, "ok", "read", added, node="a"))
    assert path.stat().st_size / 3003 < 200


def test_a_journal_read_back_is_what_was_written(tmp_path: Path) -> None:
    history = read(write(tmp_path / "h.jsonl", ADD, ADDED))
    [pair] = history.pairs()
    assert (pair.outcome, pair.value, pair.region, pair.node) == (
        "ok",
        100000001,
        "eu-west",
        "eu-west-db1",
    )
    assert history.truncation is None
    assert [line.index for line in history] == [1, 2]


def test_a_gzipped_journal_is_read_the_same(tmp_path: Path) -> None:
    plain = write(tmp_path / "h.jsonl", ADD, ADDED)
    packed = tmp_path / "h.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed).operations == read(plain).operations


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    plain = write(tmp_path / "h.jsonl", ADD, ADDED)
    packed = tmp_path / "h.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-12])
    assert "damaged" in str(refused(packed))


def test_a_cut_last_line_is_left_out_and_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", ADD, ADDED)
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        history = read(path)
        assert len(history) == 1
        assert history.truncation is not None
        assert (history.truncation.line, history.pairs()[0].outcome) == (2, "info")


def test_a_cut_in_the_middle_of_a_character_is_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_bytes('{"time":1,"process":0,"type":"info","f":"é'.encode()[:-1])
    assert read(path).truncation is not None


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", ADD, ADDED)
    path.write_bytes(path.read_bytes()[:-1])
    history = read(path)
    assert (len(history), history.truncation) == (2, None)


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (b"nonsense\n", "2:1", "JSON object"),
        (b"[1]\n", "2:1", "not list"),
        (b'{"time":12\n', "2:11", "the rest"),
        (b'{"time":NaN}\n', "2:9", "JSON"),
        (b"\n", "2:1", "JSON object"),
        (b'{"time":1.5,"process":3,"type":"ok","f":"add"}\n', "2:2", "'time'"),
        (b'{"time":1,"process":true,"type":"invoke","f":"add"}\n', "2:11", "'process'"),
        (b'{"time":1,"process":3,"type":"done","f":"add"}\n', "2:23", "'type'"),
        (b'{"time":1,"process":3,"type":["ok"],"f":"add"}\n', "2:23", "'type'"),
        (b'{"time":1,"process":3,"type":"invoke","f":7}\n', "2:39", "'f'"),
        (b'{"time":1,"process":3,"type":"invoke","f":"add","color":1}\n', "2:49", "'color'"),
        (b'{"time":1,"process":3,"type":"invoke"}\n', "2:1", "'f'"),
        (b'{"time":3,"process":9,"type":"ok","f":"add"}\n', "2", "completes nothing"),
        (b'{"time":3,"process":0,"type":"invoke","f":"add"}\n', "2", "before its last"),
        (b'{"time":3,"process":0,"type":"ok","f":"read"}\n', "2", "invoked 'add'"),
        (b'{"time":0,"process":0,"type":"ok","f":"add"}\n', "2", "before it was invoked"),
        (b'{"time":3,"process":"faults","type":"ok","f":"region-cut"}\n', "2", "'info'"),
        (b'{"time":3,"process":0,"type":"ok","f":"add","index":1}\n', "2:1", "index"),
        (b"[" * 5000 + b"\n", "2:", "JSON"),
        (b'{"time":1,"f":"\xff\xfe"}\n', "2:1", "UTF-8"),
    ],
)
def test_anything_else_is_refused_with_its_place(
    tmp_path: Path, line: bytes, place: str, words: str
) -> None:
    path = write(tmp_path / "h.jsonl", ADD)
    path.write_bytes(path.read_bytes() + line)
    message = str(refused(path))
    assert f"{path}:{place}" in message
    assert words in message


def test_a_process_that_goes_on_after_an_info_is_refused(tmp_path: Path) -> None:
    info = Operation(time=2, process=0, type="info", f="add", error="timeout")
    again = Operation(time=3, process=0, type="invoke", f="add", value=2)
    assert "retired" in str(refused(write(tmp_path / "h.jsonl", ADD, info, again)))


def test_all_problems_are_listed_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_bytes(b"{}\n" * 10)
    error = refused(path)
    assert (error.total, len(error.problems)) == (40, 20)
    assert "and 20 more problems" in str(error)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refused(tmp_path / "absent.jsonl"))


def test_a_full_disk_is_said_with_what_was_lost() -> None:
    with Journal(Path("/dev/full")) as journal, pytest.raises(JournalError) as caught:
        journal.append(ADD)
    message = str(caught.value)
    assert "No space left" in message
    assert "Nothing before it was lost" in message
    assert "100000001" in message


def test_a_short_write_leaves_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    program = f"""
import pathlib, resource, signal
from testbed.history.journal import Journal, JournalError
from testbed.history.operation import Operation
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, {resource.RLIM_INFINITY}))
journal = Journal(pathlib.Path({str(path)!r}))
journal.append(Operation(time=1, process=0, type="invoke", f="add", value=1))
try:
    journal.append(Operation(time=2, process=0, type="ok", f="add", error="x" * 60))
except JournalError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, ({resource.RLIM_INFINITY}, {resource.RLIM_INFINITY}))
journal.append(Operation(time=3, process=0, type="ok", f="add"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "bytes were taken" in done.stdout
    assert [line.time for line in read(path)] == [1, 3]


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    with Journal(path), pytest.raises(JournalError, match="another process"):
        Journal(path)


def test_a_cut_journal_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_bytes(b'{"time":1')
    with pytest.raises(JournalError, match="cut"):
        Journal(path)


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "absent" / "h.jsonl")


def test_what_is_not_json_is_not_recorded(tmp_path: Path) -> None:
    appender = Appender(tmp_path / "evidence.jsonl")
    with pytest.raises(JournalError, match="not plain JSON"):
        appender.append({"value": object()})
    appender.append({"value": 1})
    appender.close()
    with pytest.raises(JournalError, match="closed"):
        appender.append({"value": 2})
    assert (tmp_path / "evidence.jsonl").read_bytes() == b'{"value":1}\n'


def test_a_process_says_its_region_once(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Journal(path) as journal:
        for time, region in ((1, "eu-west"), (3, None)):
            journal.append(Operation(time, 5, "invoke", "add", value=time, region=region))
            journal.append(Operation(time + 1, 5, "ok", "add"))
        journal.append(Operation(9, 6, "invoke", "add", value=9))
    regions = [pair.region for pair in read(path).pairs()]
    assert regions == ["eu-west", "eu-west", None]
