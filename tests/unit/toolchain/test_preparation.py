from __future__ import annotations

import io

import pytest

from testbed.toolchain.cache import ProgramCache
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.preparation import prepare
from testbed.toolchain.programs import Toolchain
from testbed.toolchain.progress import LineProgress


@pytest.fixture
def programs(script, tmp_path):
    """A toolchain that sees a Consul and a Toxiproxy on PATH."""
    script(tmp_path / "bin" / "consul", "echo v1.14.11")
    script(tmp_path / "bin" / "toxiproxy-server", "echo version 2.12.0")
    return Toolchain({"PATH": str(tmp_path / "bin")}, ProgramCache(tmp_path / "cache"))


def test_programs_come_in_the_order_asked_for(programs):
    names = ("toxiproxy-server", "consul")
    found = prepare(LineProgress(io.StringIO()), names, programs)
    assert tuple(program.name for program in found) == names


def test_nothing_is_built_when_everything_is_there(programs):
    stream = io.StringIO()
    names = ("consul", "toxiproxy-server", "postgres", "nft")
    prepare(LineProgress(stream), names, programs)
    assert stream.getvalue() == ""
    assert not [path for path in programs.cache.folder.iterdir() if path.is_dir()]


def test_every_problem_is_listed_at_once_and_before_a_build(tmp_path):
    nothing = str(tmp_path / "nothing")
    tools = Toolchain(
        {"PATH": "", "TESTBED_HAPROXY": nothing, "TESTBED_POSTGRES": nothing},
        ProgramCache(tmp_path / "cache"),
    )
    stream = io.StringIO()
    with pytest.raises(ToolchainError) as error:
        prepare(LineProgress(stream), ("consul", "haproxy", "postgres"), tools)
    assert "TESTBED_HAPROXY" in str(error.value)
    assert "TESTBED_POSTGRES" in str(error.value)
    assert stream.getvalue() == ""
