"""The ``testbed`` command: finds the verb's module, runs it, turns errors into exit codes."""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

import testbed.cli

ENVIRONMENT_FAILED = 3
BAD_USAGE = 64

_OURS = ("testbed", "faults", "experiments")


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints end in the exit code for bad usage."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(BAD_USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def verbs() -> tuple[str, ...]:
    """The names of all verbs: one module of ``testbed.cli`` each, this one excepted."""
    modules = pkgutil.iter_modules(testbed.cli.__path__)
    return tuple(
        module.name
        for module in modules
        if module.name != "main" and not module.name.startswith("_")
    )


def parsers(wanted: Sequence[str] | None = None) -> dict[str, argparse.ArgumentParser]:
    """The parser of every verb, or of those that are wanted, by name."""
    return _add_verbs(_Parser(prog="testbed"), verbs() if wanted is None else wanted)


def _add_verbs(
    parser: argparse.ArgumentParser, wanted: Sequence[str]
) -> dict[str, argparse.ArgumentParser]:
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in wanted:
        module: ModuleType = importlib.import_module(f"testbed.cli.{name}")
        module.register(subparsers)
        subparsers.choices[name].set_defaults(run=module.run)
    return dict(subparsers.choices)


def _parser(wanted: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the whole command, with the verbs that are wanted."""
    parser = _Parser(prog="testbed")
    if len(wanted) > 1:
        _describe(parser)
    _add_verbs(parser, wanted)
    return parser


def _describe(parser: argparse.ArgumentParser) -> None:
    """What only ``--help`` and ``--version`` show: reading it takes a tenth of the start-up."""
    from importlib import metadata

    parser.description = metadata.metadata("testbed")["Summary"]
    version = metadata.version("testbed")
    parser.add_argument("--version", action="version", version=f"testbed {version}")


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    """Ends like Ctrl-C, so that every verb cleans up the same way."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def _say_anything() -> None:
    """Let the output take any text: what its encoding lacks is written as an escape.

    Files have names, and histories have values, that no encoding but their own can show.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _tell(message: str) -> None:
    """Print to the standard error, where it can be written."""
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr)


def _give_up_output() -> None:
    """Let what is still to be written go nowhere: its failure would be reported once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(verb: str, error: Exception) -> int:
    """Print an error for people and choose its exit code.

    The project's own exceptions carry a message written for people, and ``exit_code`` where it is
    not 3. Anything else is a defect here: its traceback goes to a file, its place is named.
    """
    if type(error).__module__.partition(".")[0] in _OURS:
        _tell(f"testbed {verb}: {error}")
        return int(getattr(error, "exit_code", ENVIRONMENT_FAILED))
    import tempfile
    import traceback

    handle, name = tempfile.mkstemp(prefix="testbed-error-", suffix=".txt")
    os.close(handle)
    Path(name).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    _tell(
        f"testbed {verb}: {type(error).__name__}: {error}\n"
        f"This is a defect of the testbed. Please report it with the file {name}."
    )
    return ENVIRONMENT_FAILED


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: The command line after the program's name; that of the process by default.

    Returns:
        0 all promises held; 1 one was broken; 2 inconclusive; 3 the environment failed.

    Raises:
        SystemExit: With 64 on bad usage, 0 after ``--help`` and ``--version``.
    """
    _say_anything()
    words = list(sys.argv[1:] if argv is None else argv)
    names = verbs()
    # Importing one verb instead of all of them saves most of the start-up time.
    wanted = (words[0],) if words and words[0] in names else names
    arguments = _parser(wanted).parse_args(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Whoever started it with nohup wants it to outlive the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt as interrupt:
        how = str(interrupt) or "Ctrl-C"
        _tell(f"\ntestbed {arguments.verb}: ended by {how} before it was done.")
        return ENVIRONMENT_FAILED
    except BrokenPipeError:
        # The reader of our output went away (as with `| head`): nobody is left to tell.
        _give_up_output()
        return ENVIRONMENT_FAILED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _explain(arguments.verb, error)
        where = error.filename or "the output"
        _tell(
            f"testbed {arguments.verb}: {where} cannot be written: {error.strerror}. "
            "Make room and run it again."
        )
        _give_up_output()
        return ENVIRONMENT_FAILED
    except Exception as error:  # noqa: BLE001 - the last place before the user sees a traceback
        return _explain(arguments.verb, error)


if __name__ == "__main__":
    sys.exit(main())
