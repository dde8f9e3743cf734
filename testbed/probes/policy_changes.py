"""Which versions of a placement policy were in force in a run, as its history has them."""

from __future__ import annotations

from testbed.history.fault_window import fault_windows
from testbed.history.history import History
from testbed.history.policy_change import PolicyChange
from testbed.history.residency_record import canaries_in
from testbed.topology.placement import Policy
from testbed.topology.placement_edits import EDITS, reach


def policy_changes(history: History, policy: Policy) -> tuple[PolicyChange, ...]:
    """The edits of the policy that operators made, in order.

    Args:
        history: Of a run whose faults are healed.
        policy: By which the deployment was made.

    Raises:
        HistoryError: A line of a fault is damaged.
    """
    homes = {region: name for name, one in policy.jurisdictions.items() for region in one.regions}
    found = []
    for window in fault_windows(history):
        name = str(window.details.get("parameters", {}).get("work", ""))
        home = homes.get(window.resolved or window.title.split()[-1])
        if name not in EDITS or home is None:
            continue
        found.append(
            PolicyChange(
                name=name,
                begun_ns=window.inject_ns,
                in_force_ns=window.effect_ns if window.effect_shown else None,
                lifting_ns=window.heal_ns,
                lifted_ns=window.healed_ns,
                reach=reach(policy, EDITS[name](policy, home)),
            )
        )
    return tuple(found)


def written_ns(history: History) -> dict[str, int]:
    """When each canary was sent, by token."""
    return {
        canary.token: operation.time for operation in history for canary in canaries_in(operation)
    }
