"""Residency and erasure against their definitions: what was found where, class by class."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers import erasure, residency
from testbed.checkers.residency import MISPLACED
from testbed.checkers.territory import Territory
from testbed.checkers.verdict import Validity
from testbed.history.residency import (
    LEAK,
    AtRest,
    Canary,
    Control,
    Erasure,
    Finding,
    Found,
    OnWire,
    Searched,
    Unsearchable,
)

pytestmark = pytest.mark.property

SEEDS = st.integers(0, 2**48)
NODES = {"eu1": "EU", "us1": "US"}
LINKS = {"eu->us": ("EU", "US"), "us->eu": ("US", "EU"), "us->us2": ("US", "US")}
ALLOWED: dict[str, frozenset[str] | None] = {
    "pinned": frozenset({"EU"}),
    "both": frozenset({"EU", "US"}),
    "free": None,
    "nowhere": frozenset(),
}
TERRITORY = Territory(ALLOWED, NODES, LINKS)


def canary(number: int, data_class: str, subject: str, purpose: str) -> Canary:
    token = f"token-{number}"
    return Canary(token, data_class, subject, token, 1, "EU", purpose, token, number, token, token)


def canaries(rng: random.Random) -> tuple[Canary, ...]:
    classes = rng.choice([("pinned",), ("both", "free"), (*ALLOWED, "unheard-of"), tuple(ALLOWED)])
    return tuple(
        canary(number, rng.choice(classes), f"s{rng.randint(1, 2)}", purpose)
        for number in range(rng.randint(0, 4))
        for purpose in [rng.choice(["row", "row", LEAK, MISPLACED])]
    )


def findings(rng: random.Random, tokens: list[str]) -> Iterator[Finding]:
    for _ in range(rng.randint(0, 4)):
        place = rng.choice([*NODES, *LINKS] * 3 + ["mars"])
        file = rng.choice(["/srv/f", "/srv/f/g", "/srv/fg"])
        if place in NODES or (place == "mars" and rng.random() < 0.5):
            where: AtRest | OnWire = AtRest(place, file, 0)
        else:
            where = OnWire(place, "tcp a->b", "client to server", 0)
        token = rng.choice([*tokens, *tokens, "strange"]) if tokens else "strange"
        yield Finding(token, "utf-8", where, how="file", time_ns=rng.randint(99, 101))


def searched(rng: random.Random) -> Iterator[Searched]:
    for place in (*NODES, *LINKS):
        for _ in range(rng.choices([0, 1, 2], [1, 30, 3])[0]):
            hidden = (Unsearchable("tcp", "TLS"),) if rng.random() < 0.02 else ()
            files, size, packets = (rng.choice([1] * 20 + [0]) for _ in range(3))
            kind = "at rest" if place in NODES else "in motion"
            yield Searched(
                place, kind, files=files, bytes=size, packets=packets, unsearchable=hidden
            )


def where(finding: Finding) -> str:
    return finding.where.node if isinstance(finding.where, AtRest) else finding.where.link


def forbidden(data_class: str, place: str) -> bool:
    ends = {NODES[place]} if place in NODES else set(LINKS[place])
    allowed = ALLOWED[data_class]
    return allowed is not None and bool(ends - allowed)


@given(SEEDS)
def test_residency_is_judged_as_by_definition(seed: int) -> None:
    rng = random.Random(seed)
    written = canaries(rng)
    known = {one.token: one for one in written}
    found = Found(tuple(findings(rng, list(known))), tuple(searched(rng)))
    controls = [Control("x", rng.random() < 0.95, "") for _ in range(rng.choice([0, 1, 2, 2, 2]))]
    leaked = [
        finding
        for finding in found.findings
        if (whose := known.get(finding.canary)) is not None
        and whose.data_class in ALLOWED
        and where(finding) != "mars"
        and forbidden(whose.data_class, where(finding))
        and whose.purpose != LEAK
        # A client abroad sent it to the wrong server: there, on its way to it, it is no leak.
        and not (whose.purpose == MISPLACED and where(finding) == "us->us2")
    ]
    classes = {one.data_class for one in written}
    doubtful = (
        not written
        or bool(classes - ALLOWED.keys())
        or any(where(one) == "mars" or one.canary not in known for one in found.findings)
        or not controls
        or not all(control.shown for control in controls)
    )
    for place in (*NODES, *LINKS):
        if any(forbidden(name, place) for name in classes & ALLOWED.keys()):
            looks = [one for one in found.searched if one.place == place]
            read = [one.files and one.bytes if place in NODES else one.packets for one in looks]
            doubtful = doubtful or not any(read) or any(one.unsearchable for one in looks)
    verdict = residency.check(TERRITORY, written, found, controls)
    expected = Validity.UNKNOWN if doubtful else Validity.VALID
    assert verdict.validity is (Validity.VIOLATION if leaked else expected)
    assert verdict.numbers["leaks"] == len(leaked)
    if leaked:
        assert [one["canary"] for one in verdict.counterexample] == [one.canary for one in leaked]


@given(SEEDS)
def test_erasure_is_judged_as_by_definition(seed: int) -> None:
    rng = random.Random(seed)
    written = canaries(rng)
    own = {one.token for one in written if one.subject == "s1"}
    every = [AtRest(node, "/srv/f", 0) for node in NODES]
    before = Found(
        tuple(
            Finding(one.token, "utf-8", rng.choice(every), how="file")
            for one in written
            if rng.random() < 0.9
        )
    )
    after = Found(tuple(findings(rng, [one.token for one in written])), tuple(searched(rng)))
    kept = {"/srv/f": "2030", "/srv/fgh": "2031"} if rng.random() < 0.5 else {}
    left = [
        finding
        for finding in after.findings
        if finding.canary in own and (isinstance(finding.where, AtRest) or finding.time_ns > 100)
    ]
    broken = [
        finding
        for finding in left
        if not (kept and isinstance(finding.where, AtRest) and finding.where.file != "/srv/fg")
    ]
    seen = {finding.canary for finding in before.findings}
    looks = [one for one in after.searched if one.kind == "at rest"]
    read = {one.place for one in looks if one.files and one.bytes}
    doubtful = not own or bool(own - seen) or read != set(NODES)
    doubtful = doubtful or any(one.unsearchable for one in looks)
    verdict = erasure.check(Erasure("s1", 100, kept), written, before, after, NODES)
    expected = Validity.UNKNOWN if doubtful else Validity.VALID
    assert verdict.validity is (Validity.VIOLATION if broken else expected)
    assert verdict.numbers == {
        "canaries": len(own),
        "found_before": sum(finding.canary in own for finding in before.findings),
        "found_after": len(left),
        "remaining_unsaid": len(broken),
    }
    if verdict.validity is not Validity.UNKNOWN:
        assert len(verdict.counterexample) == len(broken or left)
