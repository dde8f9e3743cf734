"""The catalogue of models: what a history can be checked against, and by which checker."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from testbed.checkers.request import OperationModel, Param, RequestError, TransactionModel

TableKind = Literal["operations", "transactions"]

STRICT_SERIALIZABLE = "strict-serializable"
SERIALIZABLE = "serializable"


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Args:
        name: Its name on the command line.
        module: The module of its checker, imported when it is needed.
        table: Which columns the checker reads.
        params: Names of the parameters that it takes.
        init: Whether an initial value may be given.
        keyed: Whether the checker itself keeps keys apart.
        lists: Whether reads of its transactions see lists.
    """

    name: str
    module: str
    table: TableKind = "operations"
    params: tuple[str, ...] = ()
    init: bool = False
    keyed: bool = False
    lists: bool = False

    @property
    def leveled(self) -> bool:
        """Whether levels of isolation can be asked for."""
        return self.table == "transactions"

    def checker(self) -> OperationModel | TransactionModel:
        """The checker of the model."""
        module = importlib.import_module(self.module)
        return cast("OperationModel | TransactionModel", module.check)

    def default_level(self, *, timed: bool) -> str | None:
        """The level that is meant when none is asked for; None where there are none."""
        if not self.leveled:
            return None
        return STRICT_SERIALIZABLE if timed else SERIALIZABLE


def _linear(
    name: str, module: str, *, keyed: bool = False, params: tuple[str, ...] = ("partition_by",)
) -> Model:
    path = f"testbed.checkers.linearizability.{module}"
    return Model(name, path, params=params, init=True, keyed=keyed)


def _collection(name: str, module: str, *params: str, init: bool = False) -> Model:
    path = f"testbed.checkers.collections.{module}"
    return Model(name, path, params=("partition_by", *params), init=init)


def _transactional(name: str, module: str, *params: str, lists: bool = False) -> Model:
    path = f"testbed.checkers.transactions.{module}"
    return Model(name, path, "transactions", params, init=not lists, lists=lists)


_KEY_ORDERS = ("linearizable_keys", "sequential_keys", "wfr_keys", "transaction_order")

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        _linear("register", "register", keyed=True),
        _linear("cas-register", "cas_register", keyed=True),
        _linear("etcd-cas-register", "etcd_cas_register", keyed=True),
        _linear("multi-register", "multi_register"),
        _linear("mutex", "mutex"),
        _linear("stack", "stack", keyed=True),
        _linear("queue", "queue", keyed=True),
        _linear("kv-append", "kv_append", keyed=True),
        _collection("total-queue", "total_queue"),
        _collection("set", "simple_set"),
        _collection("set-full", "set_full", "linearizable"),
        _collection("unique-ids", "unique_ids"),
        _collection("counter", "counter", init=True),
        _collection("bank", "bank", "total", "negative_balances"),
        _collection("long-fork", "long_fork", "group_size"),
        _collection("causal-reverse", "causal_reverse"),
        _collection("monotonic", "monotonic"),
        _collection("sequential", "sequential"),
        _transactional("list-append", "list_append", lists=True),
        _transactional("rw-register", "rw_register", *_KEY_ORDERS),
        _transactional("rw-register-unique-writes", "rw_unique"),
    )
}


def model_named(name: str) -> Model:
    """The model of a name.

    Raises:
        RequestError: There is none; the message names the nearest.
    """
    model = MODELS.get(name)
    if model is not None:
        return model
    near = difflib.get_close_matches(name, MODELS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(MODELS)}"
    raise RequestError([f"unknown model '{name}', {hint}"])


def params_of(model: Model, given: Any) -> dict[str, Any]:
    """The parameters of a model, checked.

    Raises:
        RequestError: With every name that the model does not take and every wrong value.
    """
    if not isinstance(given, dict):
        raise RequestError(["expected --params as a JSON object"])
    problems = []
    for name, value in given.items():
        if name not in model.params:
            known = ", ".join(model.params) or "none"
            problems.append(f"model '{model.name}' has no parameter '{name}', expected: {known}")
        elif (trouble := PARAMS[name].check(value)) is not None:
            problems.append(f"parameter '{name}': {trouble}")
    if problems:
        raise RequestError(problems)
    return dict(given)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "expected true or false"


def _whole(minimum: int | None) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if (
            type(value) is int
            and -(2**63) < value < 2**63
            and (minimum is None or value >= minimum)
        ):
            return None
        return "expected a whole number" + ("" if minimum is None else f" from {minimum}")

    return check


def _by_key(value: Any) -> str | None:
    return None if value == "key" else 'expected "key"'


PARAMS: Mapping[str, Param] = {
    "total": Param(_whole(None)),
    "negative_balances": Param(_flag),
    "linearizable": Param(_flag),
    "group_size": Param(_whole(2)),
    "partition_by": Param(_by_key),
    "linearizable_keys": Param(_flag),
    "sequential_keys": Param(_flag),
    "wfr_keys": Param(_flag),
    "transaction_order": Param(_flag),
}
