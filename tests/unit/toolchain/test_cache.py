from __future__ import annotations

import errno
import os
import threading

import pytest

from testbed.toolchain.cache import Manifest, ProgramCache, digest, explained, root
from testbed.toolchain.error import ToolchainError


def manifest(path, recipe="r1") -> Manifest:
    return Manifest("1.0", digest(path), recipe, "go 1.26", 2.0)


def stored(cache: ProgramCache, content: bytes = b"program", recipe: str = "r1"):
    """Put a program into the cache as a build does."""
    entry = cache.entry("thing", "1.0", recipe)
    with cache.lock("build", lambda: None), cache.workspace("thing") as workspace:
        built = workspace / "thing"
        built.write_bytes(content)
        cache.store(entry, built, manifest(built, recipe))
    return entry


@pytest.fixture
def cache(tmp_path):
    return ProgramCache(tmp_path / "programs")


def test_what_was_stored_is_sound(cache):
    entry = stored(cache)
    assert entry.problem() is None
    assert entry.path.read_bytes() == b"program"
    assert os.access(entry.path, os.X_OK)
    assert entry.manifest() == manifest(entry.path)


def test_nothing_but_the_entry_stays(cache):
    entry = stored(cache)
    visible = [path for path in cache.folder.iterdir() if path.suffix != ".lock"]
    assert visible == [entry.folder]
    assert sorted(path.name for path in entry.folder.iterdir()) == ["manifest.json", "thing"]


def test_what_was_not_built_says_so(cache):
    assert cache.entry("thing", "1.0", "r1").problem() == "has not been built yet"


def test_one_changed_byte_is_noticed(cache):
    entry = stored(cache)
    entry.path.write_bytes(b"pr0gram")
    assert "checksum" in (entry.problem() or "")


def test_a_truncated_program_is_noticed(cache):
    entry = stored(cache)
    os.truncate(entry.path, 3)
    assert "checksum" in (entry.problem() or "")


def test_a_lost_program_is_noticed(cache):
    entry = stored(cache)
    entry.path.unlink()
    assert "cannot be read" in (entry.problem() or "")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": "1.0"}'])
def test_a_damaged_record_is_noticed(cache, text):
    entry = stored(cache)
    (entry.folder / "manifest.json").write_text(text)
    assert "record" in (entry.problem() or "")


def test_a_program_that_cannot_be_executed_is_noticed(cache):
    entry = stored(cache)
    entry.path.chmod(0o644)
    assert "executable" in (entry.problem() or "")


def test_other_sources_ask_for_another_build(cache):
    stored(cache, recipe="r1")
    assert "other sources" in (cache.entry("thing", "1.0", "r2").problem() or "")


def test_a_new_build_takes_the_place_of_a_damaged_one(cache):
    entry = stored(cache)
    entry.path.write_bytes(b"broken")
    assert stored(cache, b"again").problem() is None
    assert entry.path.read_bytes() == b"again"


def test_a_workspace_is_gone_after_an_interrupt(cache):
    cache.folder.mkdir()

    def interrupted():
        with cache.workspace("thing") as workspace:
            (workspace / "half").write_bytes(b"half a build")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(cache.folder.iterdir()) == []


def test_what_a_killed_build_left_is_removed_by_the_next(cache):
    left = cache.folder / ".thing.building-killed"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half a build")
    with cache.workspace("thing"):
        assert not left.exists()


def test_the_second_waits_for_the_first_and_says_so(cache):
    waiting, entered = threading.Event(), threading.Event()

    def second():
        with cache.lock("build", waiting.set):
            entered.set()

    with cache.lock("build", lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_a_folder_that_cannot_be_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = ProgramCache(tmp_path / "file" / "programs")
    with (
        pytest.raises(ToolchainError, match="XDG_CACHE_HOME"),
        cache.lock("build", lambda: None),
    ):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(tmp_path, number):
    with pytest.raises(ToolchainError, match="disk is full"), explained(tmp_path):
        raise OSError(number, os.strerror(number))


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert root() == tmp_path / "testbed"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_an_unusable_variable_is_ignored(monkeypatch, tmp_path, value):
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert root() == tmp_path / ".cache" / "testbed"
