from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from testbed.toolchain.cache import Manifest, ProgramCache, digest


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_damage_to_a_program_is_noticed(content, data):
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        cache = ProgramCache(Path(folder))
        entry = cache.entry("thing", "1.0", "recipe")
        with cache.workspace("thing") as workspace:
            built = workspace / "thing"
            built.write_bytes(content)
            cache.store(entry, built, Manifest("1.0", digest(built), "recipe", "go", 1.0))
        assert entry.problem() is None
        damaged = bytearray(content)
        damaged[at] ^= flipped
        entry.path.write_bytes(damaged)
        assert entry.problem() is not None
