"""Every link in the documentation leads somewhere, and every page is reached from the README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code, whose brackets are no links."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """As written, the file that is meant, and the heading in it."""
    for written in _LINK.findall(prose(page)):
        if "://" in written or written.startswith("mailto:"):
            continue
        path, _, anchor = written.partition("#")
        yield written, (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return set(plain)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for written, target, anchor in links(page):
        assert target.exists(), written
        if anchor:
            assert anchor in anchors(target), written


def test_every_page_is_reached_from_the_readme() -> None:
    reached, left = set[Path](), [ROOT / "README.md"]
    while left:
        page = left.pop()
        reached.add(page)
        for _, target, _ in links(page):
            found = sorted(target.glob("*.md")) if target.is_dir() else [target]
            left += [one for one in found if one.suffix == ".md" and one not in reached]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []
