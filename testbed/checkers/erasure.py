"""After an erasure, nothing of the subject is left anywhere.

Every canary of the subject counts, wherever its class may be: at home, on replicas, in backups,
logs and the write-ahead log. What is known to remain for a time (a backup until it is rotated)
must have been said beforehand, with its end; anything else that is found is a broken promise. What
crossed the wan before the erasure was complete does not count; what crossed later does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from testbed.checkers.residency import explained
from testbed.checkers.territory import place_of
from testbed.checkers.verdict import Validity, Verdict
from testbed.history.residency import AtRest, Canary, Erasure, Finding, Found

NAME = "erasure"
PROMISE = "After an erasure nothing of the data subject is found anywhere."


def check(
    erasure: Erasure,
    canaries: Iterable[Canary],
    before: Found,
    after: Found,
    nodes: Iterable[str],
) -> Verdict:
    """Judge a search that was made after an erasure.

    Args:
        erasure: Whose data, since when, and what was said to remain until when.
        canaries: Everything that was written.
        before: A search made before the erasure: the positive control.
        after: The search made after it.
        nodes: Every node of the topology; each must have been searched.

    Returns:
        A violation with each place where the subject's data still is; unknown when the search
        before did not find it either, or a node was not searched; valid otherwise, with what
        remains and until when.
    """
    own = {one.token: one for one in canaries if one.subject == erasure.subject}
    left = [
        (own[finding.canary], finding)
        for finding in after.findings
        if finding.canary in own
        and (isinstance(finding.where, AtRest) or finding.time_ns > erasure.done_ns)
    ]
    broken = [pair for pair in left if until(erasure.kept, pair[1]) is None]
    numbers = {
        "canaries": float(len(own)),
        "found_before": float(sum(finding.canary in own for finding in before.findings)),
        "found_after": float(len(left)),
        "remaining_unsaid": float(len(broken)),
    }
    if broken:
        places = ", ".join(sorted({place_of(finding) for _, finding in broken}))
        reason = (
            f"{len({canary.token for canary, _ in broken})} of {len(own)} canaries of "
            f"{erasure.subject} are still on {places}"
        )
        return _verdict(
            Validity.VIOLATION, reason, numbers, tuple(explained(*pair) for pair in broken)
        )
    doubts = list(_doubts(own, before, after, nodes))
    if doubts:
        return _verdict(Validity.UNKNOWN, "; ".join(doubts), numbers)
    remaining = tuple({**explained(*pair), "until": until(erasure.kept, pair[1])} for pair in left)
    reason = f"none of {len(own)} canaries of {erasure.subject} is left"
    if remaining:
        ends = sorted({str(one["until"]) for one in remaining})
        reason += (
            f" but {len(remaining)} findings in what was said to remain until {', '.join(ends)}"
        )
    return _verdict(Validity.VALID, reason, numbers, remaining)


def until(kept: Mapping[str, str], finding: Finding) -> str | None:
    """Until when a finding is known to remain; None when nobody said so."""
    if not isinstance(finding.where, AtRest):
        return None
    for beginning, end in kept.items():
        if finding.where.file == beginning or finding.where.file.startswith(
            beginning.rstrip("/") + "/"
        ):
            return end
    return None


def _doubts(
    own: Mapping[str, Canary], before: Found, after: Found, nodes: Iterable[str]
) -> Iterable[str]:
    seen = {finding.canary for finding in before.findings if isinstance(finding.where, AtRest)}
    missed = own.keys() - seen
    if not own:
        yield "nothing was written of this subject"
    if missed:
        yield f"{len(missed)} canaries of the subject were not found before the erasure either"
    looks = [one for one in after.searched if one.kind == "at rest"]
    read = {one.place for one in looks if one.files and one.bytes}
    for node in nodes:
        if node not in read:
            yield f"{node} was not searched after the erasure"
    for one in looks:
        for hidden in one.unsearchable:
            yield f"{hidden.where} on {one.place} could not be searched: {hidden.reason}"


def _verdict(
    validity: Validity, reason: str, numbers: dict[str, float], shown: tuple[object, ...] = ()
) -> Verdict:
    return Verdict(NAME, PROMISE, validity, reason, shown, numbers)
