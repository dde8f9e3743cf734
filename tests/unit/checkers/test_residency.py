from __future__ import annotations

import dataclasses

import pytest

from testbed.checkers import erasure, residency, territory
from testbed.checkers.residency_controls import TYPED, controls_of
from testbed.checkers.territory import Territory
from testbed.checkers.verdict import Validity, Verdict
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
from testbed.workloads.canary import FOREIGN, Canaries

TERRITORY = Territory(
    allowed={"customers": frozenset({"EU"}), "products": None},
    nodes={"eu-db1": "EU", "us-db1": "US"},
    links={"eu->us": ("EU", "US"), "us->eu": ("US", "EU"), "eu->eu2": ("EU", "EU")},
)
SOURCE = Canaries(1)
PINNED = SOURCE.make("customers", "anna", "1", jurisdiction="EU")
GLOBAL = SOURCE.make("products", "none", "2", jurisdiction="EU", purpose=FOREIGN)
PLANTED = SOURCE.make("customers", "nobody", "3", jurisdiction="EU", purpose=LEAK)
CANARIES = (PINNED, GLOBAL, PLANTED)
SHOWN = (Control("home", shown=True, detail=""),)


def at(node: str, canary: Canary, encoding: str = "utf-8") -> Finding:
    return Finding(canary.token, encoding, AtRest(node, "/srv/f", 8), how="log file")


def across(link: str, canary: Canary, kind: str = "tcp") -> Finding:
    where = OnWire(link, f"{kind} 10.77.1.10:1->10.77.3.10:2", "client to server", 0)
    return Finding(canary.token, "utf-8", where, how="PostgreSQL statement")


SEARCHED = (
    *(Searched(node, "at rest", files=3, bytes=100) for node in TERRITORY.nodes),
    *(Searched(link, "in motion", files=1, bytes=50, packets=4) for link in TERRITORY.links),
)
CLEAN = Found(
    (
        at("eu-db1", PINNED),
        at("eu-db1", GLOBAL),
        at("us-db1", GLOBAL),
        at("us-db1", PLANTED),
        across("eu->us", GLOBAL),
        across("us->eu", GLOBAL, "udp"),
        across("eu->eu2", PINNED),
        across("eu->us", PLANTED),
    ),
    SEARCHED,
)


def judged(found: Found, controls: tuple[Control, ...] = SHOWN) -> Verdict:
    return residency.check(TERRITORY, CANARIES, found, controls)


def test_clean_is_valid_and_says_what_was_searched() -> None:
    verdict = judged(CLEAN)
    assert verdict.validity is Validity.VALID
    assert verdict.numbers["files"] == 6
    assert verdict.numbers["packets"] == 12
    assert "6 files" in verdict.reason


@pytest.mark.parametrize(
    "leak", [at("us-db1", PINNED), across("eu->us", PINNED), across("us->eu", PINNED)]
)
def test_a_leak_is_a_violation_that_names_everything(leak: Finding) -> None:
    verdict = judged(CLEAN + Found((leak,)), controls=())
    assert verdict.validity is Validity.VIOLATION
    (shown,) = verdict.counterexample
    assert (shown["canary"], shown["data_class"], shown["subject"]) == (
        PINNED.token,
        "customers",
        "anna",
    )
    assert shown["how"] == leak.how
    assert territory.place_of(leak) in verdict.reason


def test_what_a_client_sends_to_the_wrong_place_is_its_own_doing_on_the_way() -> None:
    """A row of the US from a client of the EU: inside the EU, never stored, never carried on."""
    law = dataclasses.replace(TERRITORY, allowed={"customers": frozenset({"US"})})
    brought = dataclasses.replace(PINNED, jurisdiction="US", purpose="misplace")

    def leaks(finding: Finding, canary: Canary) -> int:
        return len(residency.leaks(law, {canary.token: canary}, Found((finding,))))

    assert leaks(across("eu->eu2", brought), brought) == 0
    assert leaks(across("eu->us", brought), brought) == 1
    assert leaks(at("eu-db1", brought), brought) == 1
    assert leaks(across("eu->eu2", PINNED), PINNED) == 1


@pytest.mark.parametrize(
    ("found", "controls", "why"),
    [
        (CLEAN, (), "no positive control"),
        (CLEAN, (Control("leak", shown=False, detail="x"),), "the control leak was not shown"),
        (Found(CLEAN.findings, SEARCHED[:1]), SHOWN, "us-db1 was not searched"),
        (
            Found(CLEAN.findings, (*SEARCHED[:2], *SEARCHED[3:])),
            SHOWN,
            "eu->us was not searched",
        ),
        (
            Found(CLEAN.findings, (*SEARCHED, Searched("us->eu", "in motion", packets=1,
                  unsearchable=(Unsearchable("tcp a->b", "TLS"),)))),
            SHOWN,
            "TLS",
        ),
        (CLEAN + Found((at("mars", PINNED),)), SHOWN, "mars"),
        (
            CLEAN + Found((dataclasses.replace(at("us-db1", PINNED), canary="strange"),)),
            SHOWN,
            "nobody",
        ),
    ],
)  # fmt: skip
def test_doubt_is_never_clean(found: Found, controls: tuple[Control, ...], why: str) -> None:
    verdict = judged(found, controls)
    assert verdict.validity is Validity.UNKNOWN
    assert why in verdict.reason


@pytest.mark.parametrize("place", range(2))
def test_a_place_where_nothing_was_read_is_not_clean(place: int) -> None:
    empty = tuple(
        dataclasses.replace(one, files=0, bytes=0, packets=0) if one.place == name else one
        for one in SEARCHED
        for name in [("us-db1", "eu->us")[place]]
    )
    assert judged(Found(CLEAN.findings, empty)).validity is Validity.UNKNOWN


def test_of_several_searches_of_a_place_one_that_read_something_is_enough() -> None:
    for place, kind in (("us-db1", "at rest"), ("eu->us", "in motion")):
        found = Found(CLEAN.findings, (*SEARCHED, Searched(place, kind)))
        assert judged(found).validity is Validity.VALID
    half = tuple(
        dataclasses.replace(one, bytes=0) if one.place == "us-db1" else one for one in SEARCHED
    )
    assert "no file was read on us-db1" in judged(Found(CLEAN.findings, half)).reason


def test_without_links_no_leak_in_motion_has_to_be_shown() -> None:
    alone = dataclasses.replace(TERRITORY, links={})
    at_rest = Found(tuple(one for one in CLEAN.findings if isinstance(one.where, AtRest)), ())
    names = [control.name for control in controls_of(alone, CANARIES, at_rest)]
    assert "leak" in names
    assert "leak in motion" not in names


def test_five_doubts_are_told_and_the_rest_counted() -> None:
    doubts = tuple(Control(f"number {number}", shown=False, detail="x") for number in range(7))
    assert judged(CLEAN, doubts[:5]).reason.count("number") == 5
    assert "more" not in judged(CLEAN, doubts[:5]).reason
    for count in (6, 7):
        reason = judged(CLEAN, doubts[:count]).reason
        assert reason.count("number") == 5
        assert reason.endswith(f"; and {count - 5} more")


def test_a_leak_is_told_with_the_ways_that_are_known() -> None:
    known, silent = at("us-db1", PINNED), dataclasses.replace(at("us-db1", PINNED), how="")
    assert "canaries on us-db1 (log file), the first" in judged(CLEAN + Found((known,))).reason
    assert "canaries on us-db1, the first" in judged(CLEAN + Found((silent,))).reason


def test_nothing_written_and_unknown_classes_are_not_clean() -> None:
    assert residency.check(TERRITORY, (), CLEAN, SHOWN).validity is Validity.UNKNOWN
    other = dataclasses.replace(PINNED, data_class="orders")
    verdict = residency.check(TERRITORY, (other,), Found((), SEARCHED), SHOWN)
    assert "does not know the data class orders" in verdict.reason


def test_controls_are_shown_by_a_search_that_works() -> None:
    controls = controls_of(TERRITORY, CANARIES, CLEAN)
    assert all(control.shown for control in controls)
    assert {control.name for control in controls} == {
        "home",
        "foreign at rest",
        "foreign in motion",
        "foreign in a stream",
        "leak",
        "leak in motion",
    }


@pytest.mark.parametrize(
    ("lost", "name"),
    [
        (0, "home"),
        (2, "foreign at rest"),
        (3, "leak"),
        (4, "foreign in motion"),
        (4, "foreign in a stream"),
        (5, "foreign in motion"),
        (7, "leak in motion"),
    ],
)
def test_a_control_fails_when_its_finding_is_lost(lost: int, name: str) -> None:
    findings = tuple(one for number, one in enumerate(CLEAN.findings) if number != lost)
    controls = controls_of(TERRITORY, CANARIES, Found(findings, SEARCHED))
    assert any(control.name == name and not control.shown for control in controls)


def test_home_wants_every_encoding() -> None:
    controls = controls_of(TERRITORY, CANARIES, CLEAN, {"customers": TYPED})
    (home,) = [one for one in controls if one.name == "home" and "customers" in one.detail]
    assert not home.shown
    assert home.detail.endswith("; not found as " + ", ".join(TYPED[1:]))


REQUEST = Erasure("anna", done_ns=100)


def erased(after: Found, request: Erasure = REQUEST, before: Found = CLEAN) -> Verdict:
    return erasure.check(request, CANARIES, before, after, TERRITORY.nodes)


def test_erasure() -> None:
    assert erased(Found((), SEARCHED)).validity is Validity.VALID
    left = erased(Found((at("eu-db1", PINNED),), SEARCHED))
    assert left.validity is Validity.VIOLATION
    assert left.counterexample[0]["where"]["node"] == "eu-db1"


def test_erasure_lets_stay_only_what_was_said_to() -> None:
    found = Found((at("eu-db1", PINNED),), SEARCHED)
    kept = erased(found, Erasure("anna", 100, {"/srv/f": "2030-01-01"}))
    assert kept.validity is Validity.VALID
    assert kept.counterexample[0]["until"] == "2030-01-01"
    assert kept.reason.endswith(
        "is left but 1 findings in what was said to remain until 2030-01-01"
    )
    assert erased(Found((), SEARCHED)).reason.endswith("is left")
    other = erased(found, Erasure("anna", 100, {"/srv/fi": "2030-01-01", "/sr": "2030-01-01"}))
    assert other.validity is Validity.VIOLATION


def test_erasure_of_what_was_never_seen_proves_nothing() -> None:
    assert erased(Found((), SEARCHED), before=Found()).validity is Validity.UNKNOWN
    assert erased(Found((), SEARCHED[:1])).validity is Validity.UNKNOWN
    assert erased(Found((), SEARCHED), Erasure("bob", 1)).validity is Validity.UNKNOWN


def test_what_crossed_before_an_erasure_does_not_count() -> None:
    early = dataclasses.replace(across("eu->eu2", PINNED), time_ns=50)
    late = dataclasses.replace(early, time_ns=150)
    assert erased(Found((early,), SEARCHED)).validity is Validity.VALID
    assert erased(Found((late,), SEARCHED)).validity is Validity.VIOLATION


def test_what_could_not_be_searched_after_an_erasure_may_hide_it() -> None:
    hidden = (Unsearchable("/srv/locked", "encrypted"),)
    looks = tuple(
        dataclasses.replace(one, unsearchable=hidden) if one.place == "us-db1" else one
        for one in SEARCHED
    )
    verdict = erased(Found((), looks))
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == "/srv/locked on us-db1 could not be searched: encrypted"


def test_nothing_on_its_way_after_an_erasure_was_said_to_remain() -> None:
    late = dataclasses.replace(across("eu->eu2", PINNED), time_ns=150)
    kept = erased(Found((late,), SEARCHED), Erasure("anna", 100, {"/srv": "2030-01-01"}))
    assert kept.validity is Validity.VIOLATION
