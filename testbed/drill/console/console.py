"""What both consoles share: pictures come in, wishes go out, a shell on a node is a key away."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, OptionList, Static

from testbed.drill.channel import Caller
from testbed.drill.console import listing, panels
from testbed.drill.console import map as world_map
from testbed.drill.console.terminal import reclaim

LOG_LINES, LOG_LINES_SHORT, TALL = 10, 3, 36
"""Lines of the log in a terminal that is at least so tall, and in a shorter one."""

BORDERS = 2

ENDED, LEFT = "ended", "left"
"""How a console ends: with its drill, or because whoever sat at it left."""


class NodeChoice(ModalScreen[str | None]):
    """Asks which node is meant.

    Args:
        nodes: Their names.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "back", "Back")]
    DEFAULT_CSS = """
    NodeChoice { align: center middle; }
    NodeChoice Vertical { width: 46; height: auto; border: round $accent; padding: 0 1; }
    NodeChoice OptionList { height: auto; max-height: 14; border: none; }
    """

    def __init__(self, nodes: list[str]) -> None:
        super().__init__()
        self._names = nodes

    def compose(self) -> ComposeResult:
        """A list of the nodes."""
        with Vertical():
            yield Label("A shell on which node? Enter opens it, Esc goes back.")
            yield OptionList(*self._names)

    def action_back(self) -> None:
        """None was meant."""
        self.dismiss(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """One was chosen."""
        self.dismiss(self._names[event.option_index])


class Console(App[str]):
    """A terminal that watches a drill.

    Args:
        caller: Joined already.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave", "Leave", show=False, priority=True)
    ]
    PROMPT: ClassVar[str]
    """What the prompt says while nothing is typed."""

    CSS = """
    Screen { layout: vertical; }
    #headline { height: 1; background: $panel; }
    #middle { layout: horizontal; height: 1fr; }
    #map { width: 3fr; height: 100%; border: round $primary; text-wrap: nowrap; }
    #side { width: 2fr; height: 100%; border: round $primary; overflow-y: auto; }
    #log { border: round $primary; text-wrap: nowrap; text-overflow: ellipsis; }
    #signals, #people, #answer { height: 1; }
    #answer { color: $warning; }
    Input { height: 3; }
    """

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller
        self.picture: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Map and what stands beside it, the log below, a prompt."""
        yield Static(id="headline")
        with Horizontal(id="middle"):
            yield Static(id="map")
            yield Static(id="side")
        yield Static(id="signals")
        yield Static(id="log")
        yield Static(id="people")
        yield Static(id="answer")
        yield Input(placeholder=self.PROMPT, id="prompt")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to receive."""
        self._receive()

    def on_resize(self) -> None:
        """The log is as long as a terminal of this height can spare; the map takes the rest."""
        self.query_one("#log").styles.height = self._log_lines + BORDERS
        self.call_after_refresh(self.draw)

    @work
    async def _receive(self) -> None:
        while (message := await self._caller.receive()) is not None:
            if "phase" in message:
                self.picture = message
                self.draw()
            elif message.get("answer"):
                self.say(str(message["answer"]))
        self.exit(ENDED)

    @property
    def _log_lines(self) -> int:
        return LOG_LINES if self.size.height >= TALL else LOG_LINES_SHORT

    def draw(self) -> None:
        """Show the latest picture."""
        if not self.picture or isinstance(self.screen, ModalScreen):
            return
        self._put("#headline", panels.headline(self.picture))
        box = self.query_one("#map", Static)
        size = box.content_size
        fits = world_map.fits(self.picture["regions"], size.width, size.height)
        drawn = world_map.draw(self.picture, size.width, size.height) if fits else None
        self._put("#map", drawn or listing.draw(self.picture))
        self._put("#signals", panels.signals(self.picture))
        self._put("#log", panels.log(self.picture["log"], self._log_lines))
        self._put("#people", panels.people(self.picture))
        self.draw_side()

    def draw_side(self) -> None:
        """Show what stands beside the map; each console has its own."""

    def _put(self, where: str, what: Any) -> None:
        self.query_one(where, Static).update(what)

    def say(self, text: str) -> None:
        """A line for whoever sits here."""
        self._put("#answer", text)

    def wish(self, **message: Any) -> None:
        """Send what is wanted."""
        self.say("")
        self._caller.send(message)

    def action_leave(self) -> None:
        """Leave; the drill goes on."""
        self.exit(LEFT)

    def action_shell(self) -> None:
        """Choose a node and open a shell on it."""
        nodes = [node["name"] for one in self.picture.get("regions", ()) for node in one["nodes"]]
        if nodes:
            self.push_screen(NodeChoice([*nodes]), self.open_shell)

    def open_shell(self, node: str | None) -> None:
        """Give the terminal to a shell on a node, and take it back when that ends."""
        if node is None:
            return
        world = str(self.picture.get("world", ""))
        with self.suspend():
            print(f"A shell on {node}; `exit` leads back to the console.", flush=True)
            command = [sys.executable, "-m", "testbed.cli.main", "shell", node, "--world", world]
            code = subprocess.call(command)
            reclaim()
            if code == 3:
                input("Enter leads back to the console.")
        self.refresh()
        self._caller.send({"do": "note", "text": f"was in a shell on {node}"})

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A line was entered at the prompt."""
        text = event.value.strip()
        event.input.value = ""
        if text:
            self.entered(text)

    def entered(self, text: str) -> None:
        """What a line at the prompt means; each console has its own words."""
        self.wish(do="note", text=text)
