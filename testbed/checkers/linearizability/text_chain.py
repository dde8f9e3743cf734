"""Texts that grow: the longest read says in which order the appends took effect.

A text never shrinks, so each read is the beginning of every later one, and the state before the
longest read is told by its length alone. If that read can be taken apart into appended texts in
only one way, each from one append, then the order of everything is known, and times are all there
is to check. Otherwise a search over lengths decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.linearizability.calls import NEVER


@dataclass(frozen=True, slots=True)
class TextCall:
    """An append or a read.

    Args:
        start: Row of the invocation.
        end: Row of the completion; ``NEVER`` for an indeterminate append.
        text: What was appended, or read.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class TextFinding:
    """What no order explains.

    Args:
        anomaly: Its name.
        reason: One sentence.
        rows: Rows of invocations of the operations that show it.
    """

    anomaly: str
    reason: str
    rows: tuple[int, ...]


def incompatible(reads: list[TextCall], initial: str) -> TextFinding | None:
    """A read that is not the beginning of the longest one, or loses what was there at first."""
    if not reads:
        return None
    longest = max(reads, key=lambda read: len(read.text))
    for read in reads:
        if not read.text.startswith(initial):
            reason = "a read lacks the text that was there at the beginning"
            return TextFinding("incompatible-order", reason, (read.start,))
        if not longest.text.startswith(read.text):
            reason = "neither of two reads is the beginning of the other"
            return TextFinding("incompatible-order", reason, (read.start, longest.start))
    return None


def taken_apart(
    text: str, initial: str, appends: list[TextCall]
) -> list[TextCall] | TextFinding | None:
    """The appends that make up a text, in order; what nobody appended; None if it is ambiguous."""
    by_text: dict[str, list[TextCall]] = {}
    for append in appends:
        by_text.setdefault(append.text, []).append(append)
    sizes = sorted({len(known) for known in by_text})
    chain: list[TextCall] = []
    at = len(initial)
    while at < len(text):
        pieces = [text[at : at + size] for size in sizes if at + size <= len(text)]
        fitting = [piece for piece in pieces if piece in by_text]
        if not fitting:
            near = text[at : at + 40]
            return TextFinding("unwritten-value", f"nobody appended what was read as {near!r}", ())
        if len(fitting) > 1 or len(by_text[fitting[0]]) > 1:
            return None
        chain.append(by_text[fitting[0]][0])
        at += len(fitting[0])
    return None if len({append.start for append in chain}) < len(chain) else chain


def out_of_time(
    chain: list[TextCall], reads: list[TextCall], appends: list[TextCall], initial: str
) -> TextFinding | None:
    """The first operation that comes too late in the only possible order.

    Each takes effect as early as it can: at its invocation or at a later one of what is before it.
    """
    by_length: dict[int, list[TextCall]] = {}
    for read in reads:
        by_length.setdefault(len(read.text), []).append(read)
    length, moment = len(initial), -1
    for append in [None, *chain]:
        if append is not None:
            if append.end < moment:
                reason = "an append completed before something that its text comes after began"
                return TextFinding("order", reason, (append.start, moment))
            length += len(append.text)
            moment = max(moment, append.start)
        here = by_length.pop(length, [])
        for read in here:
            if read.end < moment:
                reason = "a read saw an append that began after it completed, or came before others"
                return TextFinding("order", reason, (read.start, moment))
        moment = max([moment, *(read.start for read in here)])
    longest = max(reads, key=lambda read: len(read.text)).start
    return _left_over(chain, by_length, appends, moment, longest)


def _left_over(
    chain: list[TextCall],
    strays: dict[int, list[TextCall]],
    appends: list[TextCall],
    moment: int,
    longest: int,
) -> TextFinding | None:
    """Reads of a part of an append, and appends that the longest read ought to have."""
    for stray in strays.values():
        reason = "a read saw only a part of an append"
        return TextFinding("partial-append", reason, (stray[0].start,))
    inside = {append.start for append in chain}
    for append in appends:
        if append.start not in inside and append.end < moment:
            reason = "an append is in no read, though the longest one needs what began after it"
            return TextFinding("lost-append", reason, (append.start, moment, longest))
    return None


def without_effect(appends: list[TextCall], longest: str) -> list[TextCall]:
    """Appends that can matter: not indeterminate ones that the longest read has not."""
    return [
        append
        for append in appends
        if append.text and (append.end < NEVER or append.text in longest)
    ]
