from __future__ import annotations

import pytest

from testbed.toolchain.probe import Probe, ProbeError, ask
from testbed.toolchain.versions import requirement

CONSUL = requirement("consul")
TOXIPROXY = requirement("toxiproxy-server")


def test_the_version_comes_from_running_it(script, tmp_path):
    path = script(tmp_path / "consul", 'test "$1" = version && echo Consul v1.14.11')
    assert ask(CONSUL, path) == (1, 14, 11)


def test_what_goes_to_standard_error_counts(script, tmp_path):
    assert ask(CONSUL, script(tmp_path / "consul", "echo Consul v1.15.0 >&2")) == (1, 15, 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo shim: no such version >&2; exit 127", "failed when asked.*no such version"),
        ("echo hello", "printed no version but 'hello'"),
    ],
)
def test_a_program_without_a_version_is_refused(script, tmp_path, body, message):
    with pytest.raises(ProbeError, match=message):
        ask(CONSUL, script(tmp_path / "consul", body))


def test_what_cannot_be_run_is_refused(tmp_path):
    path = tmp_path / "consul"
    path.write_bytes(b"\x7fELF of another machine")
    path.chmod(0o755)
    with pytest.raises(ProbeError, match="cannot be run"):
        ask(CONSUL, path)


def test_the_build_information_of_go_is_read_where_the_program_says_git(script, tmp_path):
    path = script(
        tmp_path / "toxiproxy-server",
        "echo toxiproxy-server version git; exit 0\n"
        "mod\tgithub.com/Shopify/toxiproxy/v2\tv2.9.1\th1:abc=",
    )
    assert ask(TOXIPROXY, path) == (2, 9, 1)


def test_an_answer_is_remembered_until_the_file_changes(script, tmp_path):
    asked = tmp_path / "asked"
    memory = tmp_path / "cache" / "versions.json"
    path = script(tmp_path / "consul", f"echo x >>{asked}; echo v1.14.1")
    assert Probe(memory).version(CONSUL, path) == (1, 14, 1)
    assert Probe(memory).version(CONSUL, path) == (1, 14, 1)
    assert asked.read_text().count("x") == 1
    script(path, f"echo x >>{asked}; echo v1.14.2")
    assert Probe(memory).version(CONSUL, path) == (1, 14, 2)
    assert asked.read_text().count("x") == 2


@pytest.mark.parametrize("damage", [b"", b"[1, 2]", b"{", b'{"consul /x": 7}'])
def test_a_damaged_memory_is_only_forgotten(script, tmp_path, damage):
    memory = tmp_path / "versions.json"
    memory.write_bytes(damage)
    path = script(tmp_path / "consul", "echo v1.14.1")
    assert Probe(memory).version(CONSUL, path) == (1, 14, 1)


def test_a_memory_that_cannot_be_written_costs_only_time(script, tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = script(tmp_path / "consul", "echo v1.14.1")
    assert Probe(tmp_path / "file" / "versions.json").version(CONSUL, path) == (1, 14, 1)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ProbeError, match="cannot be read"):
        Probe(tmp_path / "versions.json").version(CONSUL, tmp_path / "nothing")


def test_no_draft_of_the_memory_stays(script, tmp_path):
    memory = tmp_path / "cache" / "versions.json"
    Probe(memory).version(CONSUL, script(tmp_path / "consul", "echo v1.14.1"))
    assert [path.name for path in memory.parent.iterdir()] == ["versions.json"]
