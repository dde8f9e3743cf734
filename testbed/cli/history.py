"""``testbed history``: what can be done with a recorded history besides checking it."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

BAD_USAGE = 64
MALFORMED = 65


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "history",
        help="convert a recorded history to another format",
        description="Works on recorded histories.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    convert = actions.add_parser(
        "convert",
        help="write a history in another format",
        description="Writes a history in another format, without loss or not at all. Exit code: "
        "0 done, 64 bad usage or something would get lost, 65 malformed history.",
    )
    forms = ("jsonl", "sessions", "edn")
    convert.add_argument("--from", dest="form", choices=forms, help="by default told by the name")
    convert.add_argument("--to", dest="target", choices=forms, help="by default told by the name")
    convert.add_argument(
        "--without",
        metavar="WHAT,...",
        default="",
        help="what may get lost: order, times, errors, fields, faults, names",
    )
    convert.add_argument("source", metavar="IN", help="the history, may be gzipped; - for stdin")
    convert.add_argument("output", metavar="OUT", help="gzipped if it ends in .gz; - for stdout")


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code."""
    from testbed.history.convert import LOSSES, converted
    from testbed.history.formats import format_by_name
    from testbed.history.problem import HistoryError
    from testbed.history.source import open_source

    form: str | None = arguments.form or format_by_name(arguments.source)
    target: str | None = arguments.target or format_by_name(arguments.output)
    without = [word for word in arguments.without.split(",") if word]
    problems = [f"unknown word '{word}' in --without" for word in without if word not in LOSSES]
    if form is None:
        problems.append("expected --from, for the name of the file does not say it")
    if target is None:
        problems.append("expected --to, for the name of the file does not say it")
    if problems or form is None or target is None:
        for problem in problems:
            print(f"testbed history: {problem}", file=sys.stderr)
        return BAD_USAGE
    try:
        with open_source(arguments.source) as source, _opened(arguments.output) as output:
            for piece in converted(source, form, target, without=without):
                output.write(piece)
    except HistoryError as error:
        print(error, file=sys.stderr)
        return MALFORMED
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"testbed history: {arguments.output}: {error.strerror or error}", file=sys.stderr)
        return BAD_USAGE
    return 0


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """A file that is there when everything is in it, and not before."""
    folder = None if path == "-" else Path(path).absolute().parent
    handle, name = tempfile.mkstemp(prefix=".testbed-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            if path.endswith(".gz"):
                with gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield stream
        if path == "-":
            with Path(name).open("rb") as whole:
                shutil.copyfileobj(whole, sys.stdout.buffer)
        else:
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
