from __future__ import annotations

from types import TracebackType
from typing import Self

from testbed.report.watch import watch
from testbed.runner.progress import Event, Log, Phase, encode


class Collector:
    """A view that keeps what it is fed."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def feed(self, event: Event) -> None:
        self.events.append(event)


def test_events_are_fed_and_other_output_is_given_back() -> None:
    events = [Event(1.0, 0, Phase("load", 0.5)), Event(2.0, 1, Log("hello"))]
    lines = [encode(events[0]), b"Traceback \xff\n", b'{"event":"newer"}\n', encode(events[1])]
    view = Collector()
    assert watch(lines, view) == ["Traceback \ufffd\n"]
    assert view.events == events
