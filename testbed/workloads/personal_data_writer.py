"""What one region's clients write of personal data: operations with their rows and canaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from random import Random
from typing import Any

from testbed.clients.protocol import Invocation
from testbed.history.residency import Canary
from testbed.workloads.canary import Canaries
from testbed.workloads.data_subjects import Subjects

FREE = "ANY"
"""The residency of rows that belong to no jurisdiction: companies."""

_COPIED_ROWS = 4


class Writer:
    """Makes the operations of one region's clients and remembers what it wrote.

    Args:
        canaries: The region's own.
        jurisdictions: The region's, and then all others.
        subjects: Whom it writes about.
        random: Draws which of them.
    """

    def __init__(
        self,
        canaries: Canaries,
        jurisdictions: Sequence[str],
        subjects: Subjects,
        random: Random,
    ) -> None:
        self._canaries = canaries
        self._home, *abroad = jurisdictions
        self._abroad = tuple(abroad)
        self._random = random
        self._identities = subjects.own
        self._foreigners = subjects.foreign
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
