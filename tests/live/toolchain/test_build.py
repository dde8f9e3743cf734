"""Builds the real Toxiproxy from its pinned source, and damages it."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap

import pytest

from testbed.toolchain.cache import ProgramCache
from testbed.toolchain.preparation import prepare
from testbed.toolchain.programs import Toolchain
from testbed.toolchain.progress import LineProgress


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A cache of its own with a Toxiproxy that was just built, and what was said meanwhile."""
    cache = ProgramCache(tmp_path_factory.mktemp("cache") / "programs")
    said = io.StringIO()
    (program,) = prepare(LineProgress(said), ["toxiproxy-server"], Toolchain(None, cache))
    return cache, program, said.getvalue()


def again(cache: ProgramCache):
    said = io.StringIO()
    (program,) = prepare(LineProgress(said), ["toxiproxy-server"], Toolchain(None, cache))
    return program, said.getvalue()


def test_it_is_built_and_runs(built):
    _, program, said = built
    assert (program.version, program.source) == ("2.12.0", "built here")
    assert "Building toxiproxy-server 2.12.0" in said
    printed = subprocess.run(
        [program.path, "--version"], capture_output=True, text=True, check=True
    )
    assert "2.12.0" in printed.stdout


def test_a_second_start_builds_nothing(built):
    cache, program, _ = built
    assert again(cache) == (program, "")


def test_a_damaged_copy_is_built_again_with_a_sentence(built):
    cache, program, _ = built
    with program.path.open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    repaired, said = again(cache)
    assert "does not match the checksum recorded at its build" in said
    assert repaired == program
    assert subprocess.run([program.path, "--version"], check=True, capture_output=True).stdout


def test_two_at_once_build_once(tmp_path):
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from testbed.toolchain.cache import ProgramCache
        from testbed.toolchain.preparation import prepare
        from testbed.toolchain.programs import Toolchain
        from testbed.toolchain.progress import LineProgress
        tools = Toolchain(None, ProgramCache(Path({str(tmp_path / "programs")!r})))
        print(prepare(LineProgress(), ["toxiproxy-server"], tools)[0].path)
        """
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len({path for path, _ in outputs}) == 1
    assert sum("done in" in said for _, said in outputs) == 1
