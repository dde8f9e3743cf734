"""Certificates of the testbed's own: the same each time, and good for TLS in both directions."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from testbed.provision.certificates import Certificate, certificate_of


def context(
    folder: Path, one: Certificate, trusted: Certificate, *, server: bool
) -> ssl.SSLContext:
    """Shows the one, and asks the other end for the trusted one."""
    own = folder / "own.pem"
    own.write_text(one.certificate + one.key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.load_cert_chain(own)
    made.load_verify_locations(cadata=trusted.certificate)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def handshake(folder: Path, ours: Certificate, theirs: Certificate, name: str) -> None:
    """Both ends of one handshake, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(folder, ours, theirs, server=False).wrap_bio(
        to_client, to_server, server_hostname=name
    )
    server = context(folder, theirs, ours, server=True).wrap_bio(
        to_server, to_client, server_side=True
    )
    waiting = [client, server]
    while waiting:
        one = waiting.pop(0)
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(one)


def test_a_name_has_one_certificate() -> None:
    assert certificate_of("a") == certificate_of("a")
    assert certificate_of("a") != certificate_of("b")


def test_both_ends_accept_it_and_no_other(tmp_path: Path) -> None:
    one = certificate_of("a.internal")
    handshake(tmp_path, one, one, "a.internal")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(tmp_path, one, one, "b.internal")
