"""EDN, value by value and mistake by mistake."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.history import edn as module
from testbed.history.edn import Reader
from testbed.history.edn_atoms import EdnError
from testbed.history.edn_entries import entries_of_text
from testbed.history.edn_text import same
from testbed.history.edn_values import (
    BigDecimal,
    Character,
    IntegerKey,
    Keyword,
    Ratio,
    Set,
    Symbol,
)
from testbed.history.entry import Entry
from testbed.history.operations_of import operations_of
from testbed.history.pairing import Complaints


def value_of(text: str) -> Any:
    reader = Reader(text)
    value = reader.next_value()
    assert reader.at_end()
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nil", None),
        (" ,true, ; comment", True),
        ("-12", -12),
        ("+7", 7),
        ("99999999999999999999N", 99999999999999999999),
        ("-1.5e3", -1500.0),
        ("1.50M", BigDecimal("1.50M")),
        ("-1/2", Ratio("-1/2")),
        (":a/b", Keyword("a/b")),
        ("sym.bol", Symbol("sym.bol")),
        ("-", Symbol("-")),
        (r'"a\"\n\u00e4\ud83d\ude00"', 'a"\nä😀'),
        (r"[\a \newline \u0041]", [Character("a"), Character("\n"), Character("A")]),
        ("(1 [2] #{3})", [1, [2], Set([3])]),
        ("{:a 1, 2 nil}", {Keyword("a"): 1, IntegerKey("2"): None}),
        ("[1 #_ 2 #_ #_ 3 4 5]", [1, 5]),
        ("#_ 1 #_ [2 3] 4", 4),
        ('#inst "2020"', {Symbol("#inst"): "2020"}),
        ("#a #_ 1 #b 2", {Symbol("#a"): {Symbol("#b"): 2}}),
        ("#knossos.op.Op{:f :read}", {Keyword("f"): Keyword("read")}),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert same(value_of(text), value)


@pytest.mark.parametrize(
    ("text", "position", "why"),
    [
        ("[1 2", 4, "expected ']' before the end of the file"),
        ("(1 ]", 3, "expected ')', not ']'"),
        ("]", 0, "expected a value, not ']'"),
        ("{:a}", 0, "expected a value for every key of the map"),
        ("{:a 1 :a 2}", 6, "expected each key once, 'a' came before"),
        ('["a', 1, "expected the string to end before the file does"),
        (r'"a\q"', 2, r"expected no escape '\q'"),
        ("[##NaN]", 1, "expected a number, not ##NaN"),
        ("1e999", 0, "expected a number that fits 64 bits"),
        ("01", 0, "expected a value, not '01'"),
        ("1x", 0, "expected a value, not '1x'"),
        ("@a", 0, "expected a value, not '@a'"),
        ("[#_]", 1, "expected a value after '#_'"),
        ("#a", 0, "expected a value after '#a'"),
        ("#jepsen.history.Op 1", 0, "expected a map after '#jepsen.history.Op'"),
        ("9" * 1001, 0, "expected numbers of at most 1000 digits"),
        ("[" * 500, 200, "expected at most 200 levels of nesting"),
    ],
)
def test_mistakes(text: str, position: int, why: str) -> None:
    with pytest.raises(EdnError) as caught:
        value_of(text)
    assert (caught.value.position, caught.value.why) == (position, why)


def entries_of(text: str) -> tuple[list[Entry], list[str]]:
    complaints = Complaints("h")
    found = list(entries_of_text(text, complaints))
    return found, [str(problem) for problem in complaints.first]


@pytest.mark.parametrize("form", ["{0} {1}", "[{0}\n {1}]", "({0} {1}) ; end", "#_x [{0} #_y {1}]"])
def test_operations_however_they_are_put_together(form: str) -> None:
    one = "{:process 3, :type :invoke, :f :read, :value nil, :index 0}"
    two = "[3 :ok :read 5 :late]"
    entries, problems = entries_of(form.format(one, two))
    assert not problems
    assert [(entry.process, entry.type, entry.f, entry.value) for entry in entries] == [
        (3, "invoke", "read", None),
        (3, "ok", "read", 5),
    ]
    assert entries[1].error == "late"


def test_tuples_a_line_and_independent_keys() -> None:
    entries, problems = entries_of(
        "[0 :invoke :write #jepsen.independent/tuple [:k 1]]\n[:ok 0 :write [:k 1]]"
    )
    assert not problems
    assert [(entry.key, entry.value) for entry in entries] == [("k", 1), (None, ["k", 1])]


def test_places_of_mistakes() -> None:
    _, problems = entries_of(
        '[{:process 0\n  :type :go :f :read}\n 7 {:type :ok :f "r" :process -1}'
    )
    assert problems == [
        "1:9: expected 'type' as one of invoke, ok, fail, info, not 'go'",
        "3:2: expected an operation as a map, not 7",
        "3:31: expected 'process' as a number from 0 or a name, not -1",
        "3:34: expected ']' before the end of the file",
    ]


@pytest.mark.parametrize(("one", "two"), [(":x", '"x"'), ("1/2", '"1/2"'), ("#{:x}", '{:a "x"}')])
def test_two_spellings_of_a_value_are_refused(one: str, two: str) -> None:
    text = f"[{{:process 0 :type :invoke :f :w :value {one}}} [0 :ok :w {two}]]"
    _, problems = entries_of(text)
    assert len(problems) == 1
    assert "expected one spelling of" in problems[0]


def test_what_stands_after_a_key_is_no_part_of_it() -> None:
    (name,) = Reader("{[1 2] #_ discarded ; a comment\n :x}").next_value()
    assert name == "[1 2]"


@pytest.mark.parametrize(
    "value",
    [
        '"' + "a" * 60 + '"',
        '"' + r"\"" * 30 + '"',
        ":" + "k" * 61,
        "[" + "1 " * 30 + "]",
        "[ ;" + "c" * 57 + "\n]",
        "[#_ [ " + "1 " * 27 + "]]",
    ],
)
@pytest.mark.parametrize("text", ["{}", "{}\n{} [", "#_ [] ; above\n {}"])
@pytest.mark.parametrize("measured_from", [0, 20, 1000])
def test_a_value_has_a_bound(
    value: str, text: str, measured_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(value) == 62
    monkeypatch.setattr(module, "MEASURED_FROM", measured_from)
    before = text.index("{}")
    text = text.replace("{}", value)
    monkeypatch.setattr(module, "LENGTH_MAX", 62)
    Reader(text, before).next_value()
    for bound in (2, 31, 61):
        monkeypatch.setattr(module, "LENGTH_MAX", bound)
        with pytest.raises(EdnError, match=f"expected a value of at most {bound} char") as long:
            Reader(text, before).next_value()
        assert long.value.position == before


@pytest.mark.parametrize("item", ["1 ", "[1] ", '"]" ', "\\] ", ";]\n1 ", "#{} ", "#_ [] "])
def test_a_value_that_is_too_long_is_refused_before_it_is_made(
    item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LENGTH_MAX", 10_000)
    monkeypatch.setattr(module, "MEASURED_FROM", 100)
    text = "{:value [" + item * 9_000 + "]} {}"
    reader = Reader(text)
    with pytest.raises(EdnError, match="expected a value of at most 10000 characters") as long:
        reader.next_value()
    assert long.value.position == 0
    assert reader.position < 110
    fits = "{:value [" + item * (9_000 // len(item)) + "]}"
    reader = Reader(fits + " {}" + " " * 20_000)
    reader.next_value()
    assert reader.position == len(fits)


def test_the_place_of_a_value_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LENGTH_MAX", 60)
    sound = "{:process 0, :type :invoke, :f :write, :value 1}"
    found = Complaints("h")
    long = sound.replace("1", '"' + "a" * 30 + '"')
    assert len(list(entries_of_text(f"[{sound}\n {long}\n {sound}]", found))) == 1
    assert [str(problem) for problem in found.first] == [
        "2:2: expected a value of at most 60 characters"
    ]
    unended = Complaints("h")
    assert not list(entries_of_text(f'{{:value "{"a" * 100}', unended))
    assert "expected the string to end" in str(unended.first[0])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ('{:type :timeout, "x" {:y 1}}', '{"type":"timeout","x":{"y":1}}'),
        ("[99999999999999999999N]", "[99999999999999999999]"),
        ("[\\ud800]", '["\ud800"]'),
        (":timeout", "timeout"),
    ],
)
def test_an_error_is_kept_as_text(error: str, text: str) -> None:
    complaints = Complaints("")
    entries = entries_of_text(f"[0 :invoke :read nil] [0 :info :read nil {error}]", complaints)
    assert operations_of(entries, complaints).errors == {1: text}
