"""What people want of a drill: declarations and commands, done or refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from testbed.drill.book import DECLARATIONS, Book
from testbed.drill.channel import Person
from testbed.drill.timeline import DrillTimeline

TEXT_MAX = 500


class Wishes:
    """Takes what terminals send.

    Args:
        book: Gets what people say and do.
        timeline: What commands steer.
        phase: The phase that the drill is in.
        start: Begins it.
        halt: Halts it: why, and who wanted it.
    """

    def __init__(
        self,
        book: Book,
        timeline: DrillTimeline,
        *,
        phase: Callable[[], str],
        start: Callable[[], None],
        halt: Callable[[str, str], None],
    ) -> None:
        self.driver_came = asyncio.Event()
        self._book, self._timeline = book, timeline
        self._phase, self._begin, self._halt = phase, start, halt

    def take(self, person: Person, message: Mapping[str, Any]) -> str:
        """Do what a terminal wants; why not, if not."""
        what, text = message.get("do"), str(message.get("text", ""))[:TEXT_MAX].strip()
        if what == "join":
            return self._joined(person)
        if what == "declare":
            return self._declared(person, str(message.get("what")), text)
        if what == "note":
            self._book.note(
                "note", "note", text, who=person.name, secret=person.role != "responder"
            )
            return ""
        if person.role != "facilitator":
            return f"only the facilitator may do that, you are {person.role}"
        return self._commanded(person, str(what))

    def _joined(self, person: Person) -> str:
        if person.driver:
            if self.driver_came.is_set():
                return "there is a driver already: join as facilitator without being the driver"
            self.driver_came.set()
        self._book.note("joined", person.role, f"joined as {person.role}", who=person.name)
        return ""

    def _declared(self, person: Person, what: str, text: str) -> str:
        if person.role == "observer":
            return "an observer declares nothing"
        if what not in DECLARATIONS:
            return f"'{what}' is no declaration (known: {', '.join(DECLARATIONS)})"
        if self._phase() not in ("playing", "recovering"):
            return "there is nothing to declare: the drill is not being played"
        if what == "cause" and not text:
            return "say the cause in a few words: cause WORDS"
        self._book.note("declare", what, text, who=person.name)
        return ""

    def _commanded(self, person: Person, what: str) -> str:
        commands: Mapping[str, Callable[[], str]] = {
            "start": self._start,
            "inject": self._inject_now,
            "skip": self._skip,
            "hold": self._hold,
            "heal": self._heal,
            "abort": lambda: self._abort(person),
        }
        if what not in commands:
            return f"unknown command '{what}' (known: {', '.join(commands)})"
        line = self._timeline.next_line()
        problem = commands[what]()
        if not problem and what != "abort":
            about = line.inject.name if line is not None and what in ("inject", "skip") else ""
            self._book.note("command", self._done(what), about, who=person.name, secret=True)
        return problem

    def _done(self, what: str) -> str:
        """What a command did, in a word or two."""
        if what == "hold":
            return "held" if self._timeline.held else "goes on"
        words = {"start": "started", "inject": "injects now", "skip": "skips", "heal": "heals all"}
        return words[what]

    def _start(self) -> str:
        if self._phase() != "ready":
            return "it can be started when preflight is green and it has not begun"
        self._begin()
        return ""

    def _inject_now(self) -> str:
        line = self._timeline.next_line()
        if self._phase() != "playing" or line is None:
            return "nothing is planned that could be injected now"
        return self._timeline.fire(line)

    def _skip(self) -> str:
        line = self._timeline.next_line()
        if self._phase() != "playing" or line is None:
            return "nothing is planned that could be skipped"
        self._timeline.skip(line)
        return ""

    def _hold(self) -> str:
        if self._phase() != "playing":
            return "only a drill that is being played can be held"
        self._timeline.held = not self._timeline.held
        return ""

    def _heal(self) -> str:
        if self._phase() != "playing":
            return "nothing holds that could be healed"
        self._timeline.heal_all()
        return ""

    def _abort(self, person: Person) -> str:
        self._halt("aborted", person.name)
        return ""
