from __future__ import annotations

import pytest

from testbed.toolchain.versions import REQUIREMENTS, Requirement, parse, requirement, show


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("Consul v1.14.11\nBuild Date 1970-01-01T00:00:01Z", (1, 14, 11)),
        ("toxiproxy-server version 2.12.0", (2, 12, 0)),
        ("HAProxy version 2.8.25-5cf5d0683 2026/06/26 - https://haproxy.org/", (2, 8, 25)),
        ("postgres (PostgreSQL) 18.6", (18, 6)),
        ("postgres (PostgreSQL) 18.6 (Debian 18.6-1.pgdg120+1)", (18, 6)),
        ("postgres (PostgreSQL) 18beta1", None),
        ("patroni 4.1.5", (4, 1, 5)),
        ("patronictl version 4.1.5", (4, 1, 5)),
        ("nftables v1.0.6 (Lester Gooch #5)", (1, 0, 6)),
        ("ip utility, iproute2-6.1.0, libbpf 1.1.2", (6, 1, 0)),
        ("toxiproxy-server version git", None),
        ("", None),
    ],
)
def test_versions_are_read_from_what_programs_print(printed, version):
    assert parse(printed) == version


def test_the_range_has_a_first_and_excludes_its_end():
    wanted = Requirement("thing", (2, 6), (4,))
    assert wanted.accepts((2, 6))
    assert wanted.accepts((3, 99, 1))
    assert not wanted.accepts((2, 5, 9))
    assert not wanted.accepts((4, 0))
    assert wanted.range == "at least 2.6, below 4"


def test_an_open_range_has_no_end():
    assert Requirement("thing", (1,), None).accepts((99,))


def test_what_is_built_is_accepted():
    for one in REQUIREMENTS:
        if one.recipe is not None:
            built = parse(one.recipe.version)
            assert built is not None
            assert one.accepts(built)


def test_variables_are_named_after_programs():
    assert requirement("toxiproxy-server").variable == "TESTBED_TOXIPROXY_SERVER"


def test_an_unknown_program_is_refused():
    with pytest.raises(KeyError):
        requirement("mysql")


def test_show_is_dotted():
    assert show((1, 14, 11)) == "1.14.11"
