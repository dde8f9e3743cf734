"""The read-only page of a drill, for the people in the room."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import resources
from pathlib import Path
from typing import Any

from aiohttp import web

from testbed.drill.attach import joined
from testbed.drill.channel import Person
from testbed.report.page import style

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'"


class WebError(Exception):
    """The page can't be served; the message says why."""


def application(picture: dict[str, Any]) -> web.Application:
    """The page, its script, and the latest picture; nothing else, and nothing can be changed.

    Args:
        picture: Kept up to date by the caller.
    """
    templates = resources.files("testbed.drill") / "templates"
    page = (templates / "room.html").read_text("utf-8").replace("/*STYLE*/", str(style()))
    script = (templates / "room.js").read_text("utf-8")

    async def show(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": _POLICY}
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def act(_: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    async def tell(_: web.Request) -> web.Response:
        return web.json_response(picture, headers={"Cache-Control": "no-store"})

    found = web.Application()
    found.add_routes([web.get("/", show), web.get("/room.js", act), web.get("/picture.json", tell)])
    return found


async def serve(run: Path, person: Person, port: int) -> None:
    """Serve the page on loopback until the drill ends.

    Raises:
        NoDrillError: The drill can't be joined.
        WebError: The port is taken.
    """
    caller = await joined(run, person)
    picture: dict[str, Any] = {}
    runner = web.AppRunner(application(picture), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            raise WebError(f"port {port} cannot be used: {error.strerror}") from error
        while (message := await caller.receive()) is not None:
            if "phase" in message:
                picture.clear()
                picture.update(message)
        picture["phase"] = "ended"
        # Long enough for every browser to ask once more, and see that it has ended.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3)
    finally:
        caller.close()
        await runner.cleanup()
