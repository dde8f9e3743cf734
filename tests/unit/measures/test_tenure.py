from __future__ import annotations

from testbed.measures.tenure import acknowledged_writes, overlaps, tenures
from tests.histories import MS, Scribe


def test_a_tenure_is_bounded_by_what_its_writes_prove() -> None:
    scribe = Scribe()
    scribe.call("add", 0, 50 * MS, node="a", term=1)
    scribe.call("add", 10 * MS, 20 * MS, node="a", term=1)
    scribe.call("add", 40 * MS, 60 * MS, node="b", term=2)
    first, second = tenures(acknowledged_writes(scribe.history(), {"add"}))
    assert (first.name, first.begun_ns, first.ongoing_ns, first.acknowledged) == (
        "a (term 1)",
        20 * MS,
        10 * MS,
        2,
    )
    assert (second.begun_ns, second.ongoing_ns) == (60 * MS, 40 * MS)
    assert overlaps((first, second)) == ()


def test_an_overlap_says_from_when_to_when_both_were_primary() -> None:
    scribe = Scribe()
    for at, node, term in ((0, "a", 1), (100, "b", 2), (300, "a", 1), (500, "b", 2)):
        scribe.call("add", at * MS, (at + 1) * MS, node=node, term=term)
    [overlap] = overlaps(tenures(acknowledged_writes(scribe.history(), {"add"})))
    assert (overlap.old.node, overlap.new.node) == ("a", "b")
    assert (overlap.from_ns, overlap.to_ns, overlap.duration_ms) == (101 * MS, 300 * MS, 199.0)


def test_without_an_order_of_terms_both_must_have_begun() -> None:
    scribe = Scribe()
    for at, node in ((0, "a"), (100, "b"), (300, "a"), (500, "b")):
        scribe.call("add", at * MS, (at + 1) * MS, node=node, term=2)
    [overlap] = overlaps(tenures(acknowledged_writes(scribe.history(), {"add"})))
    assert (overlap.from_ns, overlap.to_ns) == (101 * MS, 300 * MS)
