from __future__ import annotations

import pytest

from testbed.toolchain.diagnosis import cause, tail


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("write /tmp/x.a: no space left on device", "disk is full"),
        ('Get "https://proxy/x": dial tcp: lookup proxy: no such host', "no network"),
        ('Get "https://proxy/x": dial tcp 10.0.0.1:443: connect: connection refused', "no network"),
        ("x509: certificate signed by unknown authority", "ca-certificates"),
        ("verifying x@v1: checksum mismatch", "do not use it"),
        ("compile: signal: killed", "memory"),
        ("mkdir /root/go: permission denied", "cannot be written"),
        ("x.go:1:1: undefined: y", "TESTBED_GO"),
        ("", "TESTBED_GO"),
    ],
)
def test_the_cause_is_read_from_the_output(printed, word):
    assert word in cause(printed)


def test_a_full_disk_outranks_the_errors_that_follow_it():
    printed = "write a: no space left on device\nGet x: unexpected EOF"
    assert "disk is full" in cause(printed)


def test_the_tail_leaves_out_what_went_well():
    printed = (
        "$ go build -v a.b/c\ngo: downloading a.b/c v1.0.0\na.b/c/d\ngithub.com/x/y\n"
        "# a.b/c\n./x.go:3:1: undefined: y\n\n"
    )
    assert tail(printed) == "# a.b/c\n./x.go:3:1: undefined: y"


def test_the_tail_is_short():
    assert tail("\n".join(f"error {n}: x" for n in range(100)), lines=2) == (
        "error 98: x\nerror 99: x"
    )
