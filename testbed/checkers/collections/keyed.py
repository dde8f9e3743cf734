"""Collections by key: what one key holds is no other's."""

from __future__ import annotations

from functools import wraps

import numpy as np

from testbed.checkers.partition import check_by_key
from testbed.checkers.request import OperationModel, Request
from testbed.checkers.verdict import Verdict
from testbed.history.operation_table import Kind, OperationTable


def by_key(check: OperationModel) -> OperationModel:
    """Judge each key on its own where every operation has one and there are several."""

    @wraps(check)
    def checked(history: OperationTable, request: Request) -> Verdict:
        keys = history.key[history.kind == Kind.INVOKE]
        if len(keys) and keys.min() >= 0 and np.any(keys != keys[0]):
            return check_by_key(check, history, request)
        return check(history, request)

    return checked
