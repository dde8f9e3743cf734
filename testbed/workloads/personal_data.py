"""Personal data: rows about data subjects, each with canaries, written in every way clients write.

Every region's clients write what is at home in its jurisdiction, into the tables that
``testbed/topology/placement.py`` describes. Each operation carries the canaries that it writes, so
that the history says who wrote what, where, when and with which outcome.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, ClassVar

from testbed.clients.protocol import Invocation
from testbed.history.residency import Canary
from testbed.topology.model import Region
from testbed.workloads.canary import Canaries
from testbed.workloads.marker import MARK
from testbed.workloads.parameter import Parameter, check_shares, resolved
from testbed.workloads.unique import REGIONS_MAX

WRITES = (
    "register", "import", "change", "enlarge", "forget", "reclassify", "arrive", "depart",
    "publish", "undo", "mistake", "misplace",
)  # fmt: skip
"""Every function that carries data, in the order of the module's description."""

FREE = "ANY"
"""The residency of rows that belong to no jurisdiction: companies."""

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
_COPIED_ROWS = 4


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
        foreigners = _foreigners(number, len(self._regions), others)
        identities = _Identities(number, foreigners)
        writer = _Writer(canaries, (home, *abroad), identities, random)
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


class _Identities:
    """Numbers of subjects: a region's own ones, and those of others that come to it."""

    def __init__(self, region: int, foreign: Iterator[int]) -> None:
        step = REGIONS_MAX + 1
        self.own = itertools.count(step + region, step)
        self.foreign = foreign


class _Writer:
    """Makes the operations of one region's clients and remembers what it wrote."""

    def __init__(
        self,
        canaries: Canaries,
        jurisdictions: Sequence[str],
        identities: _Identities,
        random: random.Random,
    ) -> None:
        self._canaries = canaries
        self._home, *abroad = jurisdictions
        self._abroad = tuple(abroad)
        self._random = random
        self._identities = identities.own
        self._foreigners = identities.foreign
        self._persons: list[int] = []
        self._companies: list[int] = []
        self._pseudonyms: dict[int, str] = {}
        self._departed: list[int] = []
        self._versions: dict[int, int] = {}

    def make(self, kind: str) -> Invocation:
        """The next operation of a kind, or one that it needs to have happened before."""
        makers: Mapping[str, Callable[[], Invocation]] = {
            "register": self._register,
            "publish": self._publish,
            "import": self._import,
            "change": lambda: self._changed("change"),
            "enlarge": lambda: self._changed("enlarge"),
            "forget": self._forget,
            "reclassify": self._reclassify,
            "arrive": self._arrive,
            "undo": lambda: self._registered("undo", self._home, next(self._identities)),
            "mistake": self._mistake,
            "misplace": self._misplace,
            "sort": self._sort,
        }
        return makers[kind]()

    def _canary(
        self, data_class: str, identity: int, table: str, purpose: str, residency: str = ""
    ) -> Canary:
        version = self._versions[identity] = self._versions.get(identity, 0) + 1
        return self._canaries.make(
            data_class,
            f"subject-{identity}",
            f"{table}/{identity}",
            jurisdiction=residency or self._home,
            version=version,
            purpose=purpose,
        )

    def _register(self) -> Invocation:
        identity = next(self._identities)
        self._persons.append(identity)
        return self._registered("register", self._home, identity)

    def _registered(self, f: str, residency: str, identity: int) -> Invocation:
        """A customer, the key to the pseudonym, and an order under the pseudonym."""
        own = residency.lower()
        person = self._canary(f"customers_{own}", identity, "customers", f, residency)
        secret = self._canary(f"pseudonyms_{own}", identity, "pseudonyms", f, residency)
        delivery = self._canary(f"deliveries_{own}", identity, "orders", f, residency)
        figures = self._canary("order_figures", identity, "orders", f, residency)
        if residency == self._home and f != "undo":
            self._pseudonyms[identity] = figures.uuid
        place = {"id": identity, "residency": residency}
        # Only the order's figures may cross: the pseudonym is theirs, wherever else it stands.
        pseudonyms = {
            "pseudonym": figures.uuid,
            "residency": residency,
            "customer_id": secret.bigint,
            "secret": secret.token,
        }
        order = {
            **place,
            "pseudonym": figures.uuid,
            "amount": figures.numeric,
            "delivery_address": f"{delivery.token} Street",
        }
        rows = (
            _row("customers", {**place, "pseudonym": figures.uuid, **_person(person)}),
            _row("pseudonyms", pseudonyms),
            _row("orders", order),
        )
        return _invocation(f, identity, rows, (person, secret, delivery, figures))

    def _publish(self) -> Invocation:
        identity = next(self._identities)
        self._companies.append(identity)
        company = self._canary("companies", identity, "customers", "foreign")
        product = self._canary("products", identity, "products", "foreign")
        rows = (
            _row("customers", {"id": identity, "residency": FREE, **_person(company)}),
            _row("products", {"id": identity, "name": product.token, "price": product.numeric}),
        )
        return _invocation("publish", identity, rows, (company, product))

    def _import(self) -> Invocation:
        found = []
        for _ in range(_COPIED_ROWS):
            identity = next(self._identities)
            self._persons.append(identity)
            canary = self._canary(f"customers_{self._home.lower()}", identity, "customers", "copy")
            place = {"id": identity, "residency": self._home}
            found.append((_row("customers", {**place, **_person(canary)}), canary))
        rows, canaries = zip(*found, strict=True)
        return _invocation("import", identity, rows, canaries)

    def _changed(self, f: str) -> Invocation:
        identity = self._random.choice(self._persons)
        canary = self._canary(f"customers_{self._home.lower()}", identity, "customers", f)
        row = _row("customers", _person(canary), {"id": identity, "residency": self._home})
        return _invocation(f, identity, (row,), (canary,))

    def _forget(self) -> Invocation:
        if len(self._persons) < 2:
            return self._register()
        # The first stays: others are written to after this.
        identity = self._persons.pop(self._random.randrange(1, len(self._persons)))
        row = _row("customers", {}, {"id": identity, "residency": self._home})
        return _invocation("forget", identity, (row,), ())

    def _reclassify(self) -> Invocation:
        """What was a company is a person from now on: no column keeps what crossed before."""
        if not self._companies:
            return self._publish()
        identity = self._companies.pop()
        self._persons.append(identity)
        canary = self._canary(
            f"customers_{self._home.lower()}", identity, "customers", "reclassify"
        )
        columns = {"residency": self._home, **_person(canary)}
        row = _row("customers", columns, {"id": identity, "residency": FREE})
        return _invocation("reclassify", identity, (row,), (canary,))

    def _arrive(self) -> Invocation:
        """A subject goes; or one that had gone comes back; or one of elsewhere comes."""
        draw = self._random.randrange(3)
        if draw == 0 and len(self._pseudonyms) > 1:
            return self._depart()
        if draw == 1 and self._departed:
            identity = self._departed.pop()
        else:
            identity = next(self._foreigners, 0) or next(self._identities)
        return self._registered("arrive", self._home, identity)

    def _depart(self) -> Invocation:
        identity = list(self._pseudonyms)[1]
        pseudonym = self._pseudonyms.pop(identity)
        self._departed.append(identity)
        if identity in self._persons:
            self._persons.remove(identity)
        place = {"id": identity, "residency": self._home}
        rows = (
            _row("customers", {}, place),
            _row("orders", {}, place),
            _row("pseudonyms", {}, {"pseudonym": pseudonym, "residency": self._home}),
        )
        return _invocation("depart", identity, rows, ())

    def _mistake(self) -> Invocation:
        identity = next(self._identities)
        canary = self._canary(f"customers_{self._home.lower()}", identity, "customers", "error")
        row = _row("customers", {"phone": canary.token})
        return _invocation("mistake", identity, (row,), (canary,))

    def _misplace(self) -> Invocation:
        if not self._abroad:
            return self._register()
        identity = next(self._identities)
        return self._registered("misplace", self._random.choice(self._abroad), identity)

    def _sort(self) -> Invocation:
        identity = self._persons[0]
        canary = self._canary(f"customers_{self._home.lower()}", identity, "customers", "query")
        row = _row("customers", {}, {"full_name": canary.token})
        return _invocation("sort", identity, (row,), (canary,))


def _foreigners(number: int, regions: int, others: Sequence[int]) -> Iterator[int]:
    """Identities of other jurisdictions' subjects; no two regions take the same one."""
    step = REGIONS_MAX + 1
    for turn in itertools.count():
        yield from (step * (turn * regions + number + 1) + other for other in others)
        if not others:
            return


def _person(canary: Canary) -> dict[str, Any]:
    """Every personal column of a customer, with the canary or one of its twins."""
    return {
        "full_name": canary.token,
        "email": f"{canary.token}@example.org",
        "national_id": canary.uuid,
        "phone": canary.bigint,
        "credit": canary.numeric,
        "photo": canary.bytea,
        "profile": {canary.token: canary.token},
        "notes": f"note {canary.token}",
    }


def _row(
    table: str, columns: Mapping[str, Any], key: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A row to be written; with a key, the row that is there already."""
    return {"table": table, "columns": dict(columns), **({"key": dict(key)} if key else {})}


def _invocation(
    f: str, identity: int, rows: Sequence[dict[str, Any]], canaries: Sequence[Canary]
) -> Invocation:
    value = {"rows": list(rows), "canaries": [asdict(canary) for canary in canaries]}
    return Invocation(f, value, key=identity)
