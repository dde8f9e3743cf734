"""Files of a node: read leniently, written by rename."""

# Loading pathlib takes longer than all that is done with paths here.
# ruff: noqa: PTH101, PTH103, PTH105, PTH112, PTH116, PTH120, PTH123

from __future__ import annotations

import os
from typing import Any


def read(path: str) -> str | None:
    """A file's text, or None when there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None


def write(path: str, content: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    Args:
        path: Its folder is made if need be.
        content: The whole text.
        mode: Its permission bits.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = f"{path}.new"
    with open(partial, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(partial, mode)
    os.replace(partial, path)


def outdated(spec: dict[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    """What on disk differs from a spec, as sentences and as Ansible's diff entries."""
    changes = [f"create {path}" for path in spec.get("dirs", []) if not os.path.isdir(path)]
    diff = []
    for path, file in sorted(spec.get("files", {}).items()):
        before = read(path)
        if before != file["content"]:
            changes.append(f"write {path}")
            diff.append(
                {
                    "before_header": path,
                    "after_header": path,
                    "before": before or "",
                    "after": file["content"],
                }
            )
        elif os.stat(path).st_mode & 0o7777 != _mode(file):
            changes.append(f"chmod {path}")
    return changes, diff


def bring_up_to_date(spec: dict[str, Any]) -> None:
    """Make a spec's folders and write those of its files that differ."""
    for path in spec.get("dirs", []):
        os.makedirs(path, exist_ok=True)
    for path, file in sorted(spec.get("files", {}).items()):
        if read(path) != file["content"] or os.stat(path).st_mode & 0o7777 != _mode(file):
            write(path, file["content"], _mode(file))


def tail(path: str, offset: int, lines_max: int = 15) -> str:
    """The last lines that a log has gained since an offset, without the frames of tracebacks.

    Args:
        path: The log.
        offset: In bytes.
        lines_max: How many lines.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").splitlines()
    kept: list[str] = []
    in_traceback = False
    for line in lines:
        in_traceback = line.startswith("Traceback ") or (in_traceback and line.startswith(" "))
        if not in_traceback:
            kept.append(line)
    return "\n".join(kept[-lines_max:])


def _mode(file: dict[str, Any]) -> int:
    return int(str(file.get("mode", "0644")), 8)
