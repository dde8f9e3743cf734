"""Personal data: rows about data subjects, each with canaries, written in every way clients write.

Every region's clients write what is at home in its jurisdiction, into the tables that
``testbed/topology/placement.py`` describes. Each operation carries the canaries that it writes, so
that the history says who wrote what, where, when and with which outcome.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.topology.model import Region
from testbed.workloads.canary import Canaries
from testbed.workloads.data_subjects import Subjects
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.personal_data_writer import Writer
from testbed.workloads.unique import REGIONS_MAX

WRITES = (
    "register", "import", "change", "enlarge", "forget", "reclassify", "arrive", "depart",
    "publish", "undo", "mistake", "misplace",
)  # fmt: skip
"""Every function that carries data, in the order of the module's description."""

_SHARES = MappingProxyType(
    {
        "imports_percent": "import",
        "changes_percent": "change",
        "large_percent": "enlarge",
        "deletes_percent": "forget",
        "reclassified_percent": "reclassify",
        "moves_percent": "arrive",
        "undone_percent": "undo",
        "mistakes_percent": "mistake",
        "misplaced_percent": "misplace",
        "sorts_percent": "sort",
    }
)
_DEFAULTS = (8, 14, 8, 6, 6, 8, 5, 5, 6, 4)


class PersonalDataWorkload:
    """Writes canaries in every way in which a client can bring personal data into a database.

    Functions: ``register`` (a subject with its pseudonym and an order, in one transaction),
    ``import`` (COPY), ``change`` (update of a row), ``enlarge`` (a large compressible value),
    ``forget`` (delete), ``reclassify`` (a company becomes a person by an update of its row),
    ``arrive`` and ``depart`` (a subject moves from one jurisdiction to another, with new canaries),
    ``publish`` (what may be everywhere: companies and products), ``undo`` (a transaction that is
    rolled back), ``mistake`` (a value of the wrong type, which the server's error message names),
    ``misplace`` (a row of another jurisdiction, which must be refused), ``sort`` (a sort that is
    larger than its memory, a prepared statement, a query with a literal), and ``rows`` (rows by
    residency, of every node directly, at the end).

    Args:
        given: Parameters by name.
        regions: The regions whose clients take part, in the topology's order.
        space: Number of the run, so that no two runs have a canary or a key in common.

    Raises:
        WorkloadError: With every problem of the parameters.
    """

    name: ClassVar[str] = "personal_data"
    parameters: ClassVar[Mapping[str, Parameter]] = MappingProxyType(
        {name: Parameter(d, 0, 60) for name, d in zip(_SHARES, _DEFAULTS, strict=True)}
    )
    writes: ClassVar[frozenset[str]] = frozenset({*WRITES, MARK})
    reads: ClassVar[frozenset[str]] = frozenset({"sort"})
    replica_reads: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        given: Mapping[str, Any],
        regions: Sequence[Region],
        space: int = 0,
    ) -> None:
        self._shares = resolved(given, self.parameters)
        check_shares(self._shares, tuple(_SHARES))
        self._regions = tuple(region.name for region in regions)
        self._jurisdictions = {region.name: region.jurisdiction for region in regions}
        self._space = space

    def setup(self) -> tuple[Invocation, ...]:
        """Nothing: the tables belong to the deployment."""
        return ()

    def stream(self, region: str, random: random.Random) -> Iterator[Invocation]:
        """One of each kind first, then a mix by the given shares."""
        if region not in self._jurisdictions:
            raise KeyError(region)
        number = self._regions.index(region)
        home = self._jurisdictions[region]
        abroad = [name for name in dict.fromkeys(self._jurisdictions.values()) if name != home]
        canaries = Canaries(self._space * (REGIONS_MAX + 1) + number)
        others = [
            place for place, name in enumerate(self._regions) if self._jurisdictions[name] != home
        ]
        subjects = Subjects(number, len(self._regions), others)
        writer = Writer(canaries, (home, *abroad), subjects, random)
        kinds: list[str] = ["register", "publish", *_SHARES.values()]
        weights = [*self._shares.values()]
        yield writer.make("register")
        yield from (writer.make(kind) for kind in kinds[1:] if self._given(kind))
        left = 100 - sum(weights)
        table = ("register", "publish", *_SHARES.values())
        while True:
            (kind,) = random.choices(table, (left * 0.7, left * 0.3, *weights))
            yield writer.make(kind)

    def _given(self, kind: str) -> bool:
        shares = {function: self._shares[name] for name, function in _SHARES.items()}
        return shares.get(kind, 1) > 0

    def final(self) -> tuple[Invocation, ...]:
        """Rows by residency."""
        return (Invocation("rows", endpoint="reader"),)
