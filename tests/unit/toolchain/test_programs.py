from __future__ import annotations

import pytest

from testbed.toolchain.cache import Manifest, ProgramCache, digest
from testbed.toolchain.error import ProgramMissingError, ToolchainError
from testbed.toolchain.programs import Toolchain, locate
from testbed.toolchain.versions import Requirement, requirement


@pytest.fixture
def place(tmp_path):
    """A folder on PATH, a cache, and a toolchain that sees nothing else."""

    class Place:
        path = tmp_path / "bin"
        cache = ProgramCache(tmp_path / "cache" / "programs")

        def toolchain(self, **variables: str) -> Toolchain:
            return Toolchain({"PATH": str(self.path), **variables}, self.cache)

        def build(self, name: str) -> None:
            entry = self.toolchain().entry(requirement(name))
            with self.cache.lock("build", lambda: None), self.cache.workspace(name) as workspace:
                built = workspace / name
                built.write_text("#!/bin/sh\necho built\n")
                sha256 = digest(built)
                self.cache.store(entry, built, Manifest("1.14.11", sha256, entry.recipe, "go", 1))

    return Place()


def test_the_variable_comes_first(place, script, tmp_path):
    script(place.path / "consul", "echo v1.15.0")
    place.build("consul")
    named = script(tmp_path / "mine" / "my-consul", "echo v1.16.0")
    found = place.toolchain(TESTBED_CONSUL=str(named)).locate("consul")
    assert (found.path, found.version, found.source) == (named, "1.16.0", "TESTBED_CONSUL")


def test_the_variable_may_name_a_folder(place, script, tmp_path):
    named = script(tmp_path / "mine" / "consul", "echo v1.16.0")
    found = place.toolchain(TESTBED_CONSUL=str(named.parent)).locate("consul")
    assert found.path == named
    assert found.folder == named.parent


def test_a_program_of_somebody_else_is_found_by_what_is_required_of_it(place, script, tmp_path):
    wanted = Requirement("mydb", (3,), (4,))
    script(place.path / "mydb", "echo mydb 3.2.1")
    found = place.toolchain().find(wanted)
    assert (found.name, found.version, found.source) == ("mydb", "3.2.1", "PATH")
    other = script(tmp_path / "other" / "mydb", "echo mydb 4.0")
    with pytest.raises(ToolchainError, match=r"has version 4\.0"):
        place.toolchain(TESTBED_MYDB=str(other)).find(wanted)


@pytest.mark.parametrize(
    ("body", "why"),
    [("echo v0.9.3", "has version 0.9.3"), ("exit 1", "failed when asked for its version")],
)
def test_a_variable_that_names_the_wrong_thing_is_an_error(place, script, tmp_path, body, why):
    script(place.path / "consul", "echo v1.15.0")
    named = script(tmp_path / "consul", body)
    with pytest.raises(ToolchainError, match=why) as error:
        place.toolchain(TESTBED_CONSUL=str(named)).locate("consul")
    assert "TESTBED_CONSUL" in str(error.value)
    assert "at least 1.14" in str(error.value)


def test_a_variable_that_names_nothing_is_an_error(place, tmp_path):
    with pytest.raises(ToolchainError, match="cannot be read"):
        place.toolchain(TESTBED_CONSUL=str(tmp_path / "nothing")).locate("consul")


def test_path_comes_before_what_was_built(place, script):
    place.build("consul")
    script(place.path / "consul", "echo v1.15.0")
    found = place.toolchain().locate("consul")
    assert (found.path, found.source) == (place.path / "consul", "PATH")


def test_what_was_built_is_used_where_path_has_nothing_that_will_do(place, script):
    place.build("consul")
    script(place.path / "consul", "echo v0.9.3")
    found = place.toolchain().locate("consul")
    assert (found.version, found.source) == ("1.14.11", "built here")


def test_the_next_folder_of_path_is_tried(place, script, tmp_path):
    script(place.path / "consul", "echo v0.9.3")
    second = script(tmp_path / "second" / "consul", "echo v1.14.0")
    toolchain = Toolchain({"PATH": f"{place.path}:{second.parent}"}, place.cache)
    assert toolchain.locate("consul").path == second


def test_what_is_not_built_yet_says_how_to_get_it(place, script):
    script(place.path / "consul", "echo v0.9.3")
    with pytest.raises(ProgramMissingError) as error:
        place.toolchain().locate("consul")
    for part in ("not been built", "0.9.3", "testbed prepare", "TESTBED_CONSUL"):
        assert part in str(error.value)


def test_a_damaged_copy_is_not_used(place):
    place.build("consul")
    place.toolchain().entry(requirement("consul")).path.write_text("#!/bin/sh\necho evil\n")
    with pytest.raises(ProgramMissingError, match="checksum"):
        place.toolchain().locate("consul")


@pytest.mark.parametrize("name", ["haproxy", "postgres", "patroni"])
def test_the_wheel_of_the_lock_comes_before_path(place, script, name):
    script(place.path / name, "echo 18.0 4.1.0 2.9.0")
    assert place.toolchain().locate(name).source.startswith("wheel ")


def test_the_variable_comes_before_the_wheel(place, script, tmp_path):
    named = script(tmp_path / "haproxy", "echo HAProxy version 3.0.1")
    assert place.toolchain(TESTBED_HAPROXY=str(named)).locate("haproxy").version == "3.0.1"


def test_a_system_program_is_found_outside_an_ordinary_path(place):
    assert place.toolchain().locate("nft").path.parent.name == "sbin"


def test_a_system_program_that_is_missing_names_its_package(place, script, monkeypatch):
    monkeypatch.setattr("testbed.toolchain.programs._SYSTEM_FOLDERS", ())
    script(place.path / "nft", "echo nftables v0.9.0")
    with pytest.raises(ToolchainError, match="apt-get install nftables") as error:
        place.toolchain().locate("nft")
    assert "has version 0.9.0, wanted is at least 1.0" in str(error.value)


def test_an_unknown_program_is_refused():
    with pytest.raises(KeyError):
        locate("mysql")
