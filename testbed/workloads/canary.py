"""Canaries: markers of high entropy, each for one data class, subject, row and version.

A token is the run's magic, 8 characters, and 16 random ones, all of base 62 in ASCII: 95 random
bits, so that one which is found was written by this run and for this purpose. Its twins carry the
same in the types that PostgreSQL stores otherwise than as text.
"""

from __future__ import annotations

import random
import string
import uuid

from testbed.history.residency import Canary

ALPHABET = string.ascii_letters + string.digits
MAGIC_LENGTH = 8
TAIL_LENGTH = 16

FOREIGN = "foreign"
"""Purpose of a control: a canary that may be abroad, and must be found there and on the wire."""


class Canaries:
    """A generator of canaries; the same seed gives the same ones in the same order.

    Args:
        seed: Of the run; another one has another magic and no token in common.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"canaries {seed}")  # noqa: S311 - reproducible, not secret
        self.magic = self._text(MAGIC_LENGTH)

    def make(
        self,
        data_class: str,
        subject: str,
        row: str,
        *,
        jurisdiction: str,
        version: int = 1,
        purpose: str = "row",
    ) -> Canary:
        """The next canary.

        Args:
            data_class: The class of data in the placement policy.
            subject: The data subject.
            row: What it is written as.
            jurisdiction: Where it belongs.
            version: Number of the write to that row, from 1.
            purpose: Why it is written.
        """
        return Canary(
            token=self.magic + self._text(TAIL_LENGTH),
            data_class=data_class,
            subject=subject,
            row=row,
            version=version,
            jurisdiction=jurisdiction,
            purpose=purpose,
            uuid=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            bigint=self._bigint(),
            numeric=self._numeric(),
            bytea=self._random.randbytes(16).hex(),
        )

    def _text(self, length: int) -> str:
        return "".join(self._random.choice(ALPHABET) for _ in range(length))

    def _bigint(self) -> int:
        """At least 10^17, below 2^63, with no group of four zeros at its end."""
        return self._random.randrange(10**13, 9 * 10**14) * 10**4 + self._group()

    def _numeric(self) -> str:
        """Six groups of four digits; neither end is dropped as a group of zeros."""
        whole = "".join(f"{self._random.randrange(10**4):04d}" for _ in range(4))
        return f"{self._group()}{whole}.{self._group()}"

    def _group(self) -> int:
        return self._random.randrange(1000, 10**4)
