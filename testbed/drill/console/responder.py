"""The responder's console: what an operator sees in production, a prompt, and a shell."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input

from testbed.drill.console import panels
from testbed.drill.console.console import LEFT, Console

WORDS = (
    ("detected [WORDS]", "something is wrong"),
    ("cause WORDS", "this is why"),
    ("mitigated [WORDS]", "clients are served again"),
    ("note WORDS", "for the debrief"),
    ("shell NODE", "a shell on a node; also F5"),
    ("leave", "leave the drill"),
)


class ResponderConsole(Console):
    """Watches as an operator would, and declares what is found."""

    TITLE = "testbed drill: responder"
    PROMPT = "detected, cause WORDS, mitigated, note WORDS, shell NODE"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "declare('detected')", "Detected", priority=True),
        Binding("f3", "begin('cause ')", "Cause ...", priority=True),
        Binding("f4", "declare('mitigated')", "Mitigated", priority=True),
        Binding("f5", "shell", "Shell", priority=True),
        Binding("f10", "leave", "Leave", priority=True),
    ]

    def on_mount(self) -> None:
        """The prompt has the keys."""
        self.query_one(Input).focus()

    def draw_side(self) -> None:
        """Briefing, complaints, and the words of the prompt."""
        side = Text(f"{self.picture['briefing']}\n\n")
        side.append_text(panels.problems(self.picture)).append("\n\n")
        for word, meaning in WORDS:
            side.append(f"{word:18}", "bold").append(f" {meaning}\n", "dim")
        self._put("#side", side)

    def action_declare(self, what: str) -> None:
        """Declare without further words."""
        self.wish(do="declare", what=what)

    def action_begin(self, text: str) -> None:
        """Begin a line at the prompt."""
        prompt = self.query_one(Input)
        prompt.value = text
        prompt.cursor_position = len(text)
        prompt.focus()

    def entered(self, text: str) -> None:
        """The words of the prompt."""
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if word in ("detected", "cause", "mitigated"):
            self.wish(do="declare", what=word, text=rest)
        elif word == "note":
            self.wish(do="note", text=rest)
        elif word == "shell":
            self._shell(rest)
        elif word in ("leave", "quit", "exit"):
            self.exit(LEFT)
        else:
            known = ", ".join(one.split()[0] for one, _ in WORDS)
            self.say(f"'{word}' is none of {known}")

    def _shell(self, node: str) -> None:
        nodes = [one["name"] for region in self.picture["regions"] for one in region["nodes"]]
        if not node:
            self.action_shell()
        elif node in nodes:
            self.open_shell(node)
        else:
            self.say(f"there is no node '{node}'; nodes: {', '.join(nodes)}")
