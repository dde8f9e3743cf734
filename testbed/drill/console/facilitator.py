"""The facilitator's console: everything is seen, and keys steer the drill."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from testbed.drill.console import panels
from testbed.drill.console.console import Console


class FacilitatorConsole(Console):
    """Steers a drill."""

    TITLE = "testbed drill"
    PROMPT = "a note for the debrief; Esc leads back to the keys"
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "wish('start')", "Start"),
        Binding("i", "wish('inject')", "Inject"),
        Binding("k", "wish('skip')", "Skip"),
        Binding("h", "wish('hold')", "Hold"),
        Binding("e", "wish('heal')", "Heal"),
        Binding("A", "wish('abort')", "ABORT"),
        Binding("n", "note", "Note"),
        Binding("t", "shell", "Shell"),
        Binding("q", "leave", "Leave"),
    ]

    def on_mount(self) -> None:
        """The keys work from the start; the prompt is there when it is wanted."""
        self.query_one("#prompt", Input).display = False
        self.set_focus(None)

    def draw_side(self) -> None:
        """Preflight until it is green, then the timeline."""
        before = self.picture["phase"] in ("starting", "preflight", "ready")
        side = panels.preflight(self.picture) if before else panels.injects(self.picture)
        if self.picture["phase"] == "ready":
            side.append("\n").append_text(panels.injects(self.picture))
        self._put("#side", side)

    def action_wish(self, what: str) -> None:
        """Send a command."""
        self.wish(do=what)

    def action_note(self) -> None:
        """Write a note."""
        prompt = self.query_one("#prompt", Input)
        prompt.display = True
        prompt.focus()

    def entered(self, text: str) -> None:
        """A note; the keys work again after it."""
        super().entered(text)
        self._to_keys()

    def key_escape(self) -> None:
        """Back to the keys."""
        self._to_keys()

    def _to_keys(self) -> None:
        self.query_one("#prompt", Input).display = False
        self.set_focus(None)

    def action_leave(self) -> None:
        """Leave; of the driver's terminal that is an abort, so it has to be meant."""
        if self._caller.person.driver and self.picture.get("phase") != "ended":
            self.say("the drill hangs on this terminal: press A to abort it, or Ctrl-Q to go")
            return
        super().action_leave()
