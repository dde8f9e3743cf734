"""The auditor's report on an erasure: whose data, how, what is left, where and until when."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from testbed.checkers.erasure import until
from testbed.checkers.residency import explained
from testbed.checkers.territory import place_of
from testbed.history.erasure_record import ERASURE_FILE, read_erasure
from testbed.history.residency import AtRest

_LISTED_MAX = 500


def erasure_of(folder: Path) -> dict[str, Any] | None:
    """The erasure of a run as plain data; None when nobody was erased.

    Raises:
        RecordError: Its record is damaged.
    """
    path = folder / ERASURE_FILE
    if not path.exists():
        return None
    record = read_erasure(path)
    known = {canary.token: canary for canary in record.canaries}
    left = [
        {
            **explained(known[finding.canary], finding),
            "until": until(record.erasure.kept, finding),
        }
        for finding in record.after.findings
        if finding.canary in known
    ]
    before = [one for one in record.before.findings if isinstance(one.where, AtRest)]
    return {
        "subject": record.erasure.subject,
        "method": record.method,
        "done_s": round(record.erasure.done_ns / 1e9, 3),
        "canaries": len(record.canaries),
        "found_before": len(before),
        "found_before_on": dict(Counter(place_of(finding) for finding in before)),
        "found_after": len(left),
        "left": left[:_LISTED_MAX],
        "kept": dict(record.erasure.kept),
        "problem": record.problem,
        "seconds": dict(record.seconds),
    }
