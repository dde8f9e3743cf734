from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cli import main as command


class RefusedError(Exception):
    exit_code = 64


RefusedError.__module__ = "testbed.topology"


class BrokenError(Exception):
    pass


BrokenError.__module__ = "testbed.world"


@pytest.fixture(autouse=True)
def _signals():
    before = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGHUP)]
    yield
    for number, handler in before:
        signal.signal(number, handler)


def run_with(monkeypatch, action) -> int:
    """Run the command with one verb that does the given action."""

    def parser(_wanted):
        result = command._Parser(prog="testbed")
        verb = result.add_subparsers(dest="verb", required=True).add_parser("probe")
        verb.set_defaults(run=lambda _arguments: action())
        return result

    monkeypatch.setattr(command, "_parser", parser)
    return command.main(["probe"])


def raiser(error: BaseException):
    def action():
        raise error

    return action


def test_the_verbs_are_the_modules_of_the_package():
    folder = Path(command.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "main"}
    assert set(command.verbs()) == {name for name in files if not name.startswith("_")}
    assert "doctor" in command.verbs()


@pytest.mark.parametrize("argv", [[], ["no-such-verb"], ["doctor", "--no-such-option"]])
def test_bad_usage_ends_in_64_and_says_where_help_is(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(argv)
    assert ended.value.code == 64
    assert "--help" in capsys.readouterr().err


def test_every_verb_registers_itself():
    parser = command._parser(command.verbs())
    subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    assert set(subparsers.choices) == set(command.verbs())


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_verb_decides_the_exit_code(monkeypatch, code):
    assert run_with(monkeypatch, lambda: code) == code


def test_our_own_errors_are_printed_as_they_are(monkeypatch, capsys):
    assert run_with(monkeypatch, raiser(BrokenError("no node db9; see testbed status"))) == 3
    assert capsys.readouterr().err == "testbed probe: no node db9; see testbed status\n"


def test_refused_input_ends_in_64(monkeypatch):
    assert run_with(monkeypatch, raiser(RefusedError("delay_ms must not be negative"))) == 64


def test_a_defect_ends_in_3_with_its_traceback_in_a_file(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_with(monkeypatch, raiser(ZeroDivisionError("division by zero"))) == 3
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    (file,) = tmp_path.iterdir()
    assert str(file) in shown
    assert "Traceback" in file.read_text()


def test_an_interrupt_is_never_a_pass(monkeypatch, capsys):
    assert run_with(monkeypatch, raiser(KeyboardInterrupt())) == 3
    assert "Ctrl-C" in capsys.readouterr().err


def test_a_termination_signal_ends_like_ctrl_c(monkeypatch, capsys):
    assert run_with(monkeypatch, lambda: signal.raise_signal(signal.SIGTERM)) == 3
    assert "SIGTERM" in capsys.readouterr().err


def test_a_hangup_ends_what_a_terminal_began_and_nothing_that_was_to_outlive_it(monkeypatch):
    def hang_up() -> int:
        signal.raise_signal(signal.SIGHUP)
        return 0

    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert run_with(monkeypatch, hang_up) == 3
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    assert run_with(monkeypatch, hang_up) == 0


def test_a_full_disk_under_the_output_is_said_without_a_traceback():
    command = [sys.executable, "-m", "testbed.cli.main", "doctor"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == (
        "testbed doctor: the output cannot be written: No space left on device. "
        "Make room and run it again.\n"
    )


def test_a_full_disk_under_the_complaints_is_no_verdict():
    command = [sys.executable, "-m", "testbed.cli.main", "doctor"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=full, check=False)
    assert done.returncode == 3
