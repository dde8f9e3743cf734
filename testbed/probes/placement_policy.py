"""The placement policy of the deployment that an inspection looks at."""

from __future__ import annotations

from testbed.topology.model import Deployment
from testbed.topology.placement import Policy
from testbed.world.protocol import WorldError


def policy_of(deployment: Deployment) -> Policy:
    """The policy.

    Raises:
        WorldError: The deployment has none.
    """
    if deployment.policy is None:
        raise WorldError(
            f"deployment {deployment.name} has no placement policy: run this on one with"
            " group_vars/policy.yml, for example data-placement"
        )
    return deployment.policy
