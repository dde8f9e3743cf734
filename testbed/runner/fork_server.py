"""Serves runs in processes of their own: ``python -m testbed.runner.fork_server MODULE``.

What a run imports takes longer than its start and its end together. So it is imported once, and
each run is played by a fork, which is as good as a process that was started for it: nothing of one
run is there in the next. The server itself runs nothing, has one thread, and serves one run after
the other; its caller is :class:`testbed.runner.drivers.Drivers`.

Each line of the standard input is a request, ``{"words": [...], "output": PATH}``. It is answered
by the number of the process that calls ``MODULE.main(words)``, as soon as that leads a session of
its own. The server ends with its input, and is killed with its caller; its forks die with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from testbed.runner.leash import die_with_parent

Play = Callable[[Sequence[str]], int]


def _play(play: Play, request: dict[str, Any], answers: int, server: int) -> int:
    """What a fork does; its exit code."""
    os.setsid()
    source = os.open(os.devnull, os.O_RDONLY)
    sink = os.open(request["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for opened, standard in ((source, 0), (sink, 1), (sink, 2)):
        os.dup2(opened, standard)
    die_with_parent(server)
    os.write(answers, b"%d\n" % os.getpid())
    os.close(answers)
    return play(request["words"])


def _fork(play: Play, request: dict[str, Any], answers: int) -> int:
    """Play a run in a fork; the process of it."""
    server = os.getpid()
    fork = os.fork()
    if fork:
        return fork
    code = 1
    try:
        code = _play(play, request, answers, server)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing is above a fork: it says what it can, and ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Whatever the server meant to do at its own end is not for its forks.
        os._exit(code)


def serve(play: Play, requests: BinaryIO, answers: int) -> None:
    """Serve one request after the other, until there are no more.

    Args:
        play: Called in a fork with the words of each.
        requests: Where they come from.
        answers: File descriptor for the numbers of the forks.
    """
    for line in requests:
        os.waitpid(_fork(play, json.loads(line), answers), 0)


def main() -> int:
    """Entry point of the server's process."""
    die_with_parent()
    play: Play = importlib.import_module(sys.argv[1]).main
    # What the imports made is the same in every fork: collecting there would only copy it.
    gc.collect()
    gc.freeze()
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(play, sys.stdin.buffer, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
