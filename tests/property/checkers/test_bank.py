from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.checkers.bank import check
from testbed.checkers.verdict import Validity
from tests.histories import Scribe

pytestmark = pytest.mark.property


@given(st.integers(0, 2**40))
def test_a_real_bank_is_valid_and_a_torn_read_is_not(seed: int) -> None:
    rng = random.Random(seed)
    balances = {str(number): 10 for number in range(rng.randint(2, 4))}
    total = sum(balances.values())
    scribe, torn = Scribe(), Scribe()
    tears = False
    for number in range(rng.randint(1, 12)):
        source, target = rng.sample(sorted(balances), 2)
        amount = rng.randint(0, balances[source])
        half = {**balances, source: balances[source] - amount}
        balances = {**half, target: half[target] + amount}
        f = rng.choice(["read", "read-replica"])
        scribe.call(f, 10 * number, 10 * number + 5, result=balances)
        # The same run, had the reader seen some transfers half done.
        tear = rng.random() < 0.3
        tears = tears or (tear and amount > 0)
        torn.call(f, 10 * number, 10 * number + 5, result=half if tear else balances)
    assert check(scribe.history(), total).validity is Validity.VALID
    expected = Validity.VIOLATION if tears else Validity.VALID
    assert check(torn.history(), total).validity is expected
