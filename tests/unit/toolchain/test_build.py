"""The build with a script in the place of Go; the real one is built by a live test."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from testbed.toolchain.build import Builder
from testbed.toolchain.cache import ProgramCache
from testbed.toolchain.error import ToolchainError
from testbed.toolchain.go import Go
from testbed.toolchain.programs import Toolchain
from testbed.toolchain.progress import LineProgress
from testbed.toolchain.versions import requirement

WANTED = requirement("toxiproxy-server")

LISTS = """
case "$1" in
env) echo {modules}; exit 0;;
list) echo "go: downloading a.b/c v1.0.0" >&2; echo a.b/c; echo a.b/d; exit 0;;
esac
"""
BUILDS = """
echo a.b/c >&2
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho toxiproxy-server version {version}\\n' >"$2"
chmod +x "$2"
"""


@pytest.fixture
def builder(script, tmp_path):
    """Makes a builder around a script in the place of Go."""

    def make(body: str) -> Builder:
        lists = LISTS.format(modules=tmp_path / "modules")
        path = script(tmp_path / "bin" / "go", lists + body)
        cache = ProgramCache(tmp_path / "cache" / "programs")
        cache.folder.mkdir(parents=True, exist_ok=True)
        go = Go(path, "1.26", own=False, scratch=tmp_path / "scratch")
        return Builder(go, cache, LineProgress(io.StringIO()), {"PATH": os.defpath})

    return make


def entry_of(builder: Builder):
    return Toolchain({}, builder.cache).entry(WANTED)


def test_a_build_ends_in_a_sound_entry(builder):
    builder = builder(BUILDS.format(version="2.12.0"))
    builder.build(WANTED, entry_of(builder))
    entry = entry_of(builder)
    assert entry.problem() is None
    manifest = entry.manifest()
    assert manifest is not None
    assert (manifest.version, manifest.built_with) == ("2.12.0", "go 1.26")
    assert [path.name for path in builder.cache.folder.iterdir()] == [entry.folder.name]


def test_the_log_holds_commands_and_output(builder):
    builder = builder(BUILDS.format(version="2.12.0"))
    builder.build(WANTED, entry_of(builder))
    log = builder.log(WANTED).read_text()
    assert "$ go list -deps" in log
    assert "go: downloading a.b/c v1.0.0" in log
    assert "$ go build -v" in log


def test_a_failure_names_the_cause_the_log_and_the_way_out(builder):
    builder = builder('echo "dial tcp: lookup x: no such host" >&2; exit 1')
    with pytest.raises(ToolchainError) as error:
        builder.build(WANTED, entry_of(builder))
    for part in ("exit code 1", "no such host", "no network", "TESTBED_TOXIPROXY_SERVER"):
        assert part in str(error.value)
    assert str(builder.log(WANTED)) in str(error.value)
    assert list(builder.cache.folder.iterdir()) == []


def test_a_failure_keeps_what_was_built_before(builder):
    good = builder(BUILDS.format(version="2.12.0"))
    good.build(WANTED, entry_of(good))
    with pytest.raises(ToolchainError):
        builder("exit 1").build(WANTED, entry_of(good))
    assert entry_of(good).problem() is None


def test_another_version_than_asked_for_is_refused(builder):
    builder = builder(BUILDS.format(version="2.11.0"))
    with pytest.raises(ToolchainError, match=r"says that it is 2\.11\.0"):
        builder.build(WANTED, entry_of(builder))
    assert list(builder.cache.folder.iterdir()) == []


def test_a_result_that_does_not_run_is_refused(builder):
    builder = builder('while [ "$1" != -o ]; do shift; done; echo junk >"$2"')
    with pytest.raises(ToolchainError, match="noexec"):
        builder.build(WANTED, entry_of(builder))


def test_a_compiler_that_was_killed_is_named(builder):
    builder = builder("kill -9 $$")
    with pytest.raises(ToolchainError, match="killed by signal 9"):
        builder.build(WANTED, entry_of(builder))


def test_too_little_space_is_refused_before_anything_is_fetched(builder, monkeypatch):
    builder = builder("echo started >&2; exit 1")
    space = os.statvfs_result((4096, 4096, 10**9, 10**4, 10**4, 0, 0, 0, 0, 255))
    monkeypatch.setattr("os.statvfs", lambda _path: space)
    with pytest.raises(ToolchainError, match=r"takes about 700 MB.*40 MB free"):
        builder.build(WANTED, entry_of(builder))
    assert not builder.log(WANTED).exists()


def test_no_go_to_run_is_explained(builder, tmp_path):
    builder = builder("exit 0")
    builder.go.path.write_text("no program")
    with pytest.raises(ToolchainError):
        builder.build(WANTED, entry_of(builder))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_leaves_no_compiler_and_no_half_build(script, tmp_path, number):
    pid_file = tmp_path / "pid"
    lists = LISTS.format(modules=tmp_path / "modules")
    go = script(tmp_path / "bin" / "go", f"{lists}\necho $$ >{pid_file}\nsleep 600 &\nwait")
    program = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        # A shell starts what runs in its background with this signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from testbed.toolchain.build import Builder
        from testbed.toolchain.cache import ProgramCache
        from testbed.toolchain.go import Go
        from testbed.toolchain.programs import Toolchain
        from testbed.toolchain.progress import LineProgress
        from testbed.toolchain.versions import requirement
        cache = ProgramCache(Path({str(tmp_path / "cache")!r}))
        wanted = requirement("toxiproxy-server")
        go = Go(Path({str(go)!r}), "1.26", own=False, scratch=Path({str(tmp_path)!r}))
        builder = Builder(go, cache, LineProgress(), os.environ)
        builder.build(wanted, Toolchain({{}}, cache).entry(wanted))
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    compiler = _written(pid_file)
    process.send_signal(number)
    process.wait(30)
    _until(lambda: not Path(f"/proc/{compiler}").exists() or _is_zombie(compiler))
    if number == signal.SIGINT:
        assert list((tmp_path / "cache").iterdir()) == []


def _written(path) -> int:
    _until(lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in 30 s"
        time.sleep(0.02)
