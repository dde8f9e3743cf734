"""What an erasure says of backups that are still kept: in which folders, and until when."""

from __future__ import annotations

from testbed.checkers.erasure import until
from testbed.history.residency import AtRest, Finding
from testbed.history.residency_record import BASE, DUMP
from testbed.probes.erasure import remains
from testbed.probes.keepers import UNKNOWN

INTERVALS = {DUMP: 5.0, BASE: 60.0}
DUMPED = Finding("t", "utf-8", AtRest("store", "/srv/backup/dumps/eu-1.dump", 0))
COPIED = Finding("t", "utf-8", AtRest("store", "/srv/backup/base/eu-1/base/5/1", 0))
ARCHIVED = Finding("t", "utf-8", AtRest("store", "/srv/backup/wal/eu/" + "0" * 24, 0))


def test_an_old_dump_excuses_no_base_backup() -> None:
    kept = remains([("store", DUMP)], 3, INTERVALS)
    assert until(kept, DUMPED) == "store has 3 newer ones, of which it makes one in 5.0 s"
    assert until(kept, COPIED) is None
    assert until(kept, ARCHIVED) is None


def test_the_archive_is_kept_as_long_as_the_base_backup_that_needs_it() -> None:
    kept = remains([("store", BASE)], 2, INTERVALS)
    assert until(kept, COPIED) == until(kept, ARCHIVED)
    assert "60.0 s" in str(until(kept, ARCHIVED))
    assert until(kept, DUMPED) is None


def test_a_store_that_does_not_answer_may_have_anything() -> None:
    kept = remains([("store", UNKNOWN), ("other", DUMP)], 2, INTERVALS)
    assert None not in [until(kept, one) for one in (DUMPED, COPIED, ARCHIVED)]
    assert "store has" in str(until(kept, DUMPED))
    assert "other has" in str(until(kept, DUMPED))
    assert remains([], 2, INTERVALS) == {}
