"""The pages in a real browser: readable at every width, in dark and light, by keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from testbed.report.audit_file import write_audit
from testbed.report.page import style
from testbed.report.report_file import write_suite_reports
from tests.live.report.browser import HEIGHT, WIDTHS, chromium, opened
from tests.unit.drill.scene import scene
from tests.unit.report.recording import ONE_WAY_MS, Recording, Story, link_lag
from tests.unit.report.test_audit import run_of

pytestmark = pytest.mark.live

STRICT = {"replication": "synchronous_strict"}
PAGES = ("broken", "held", "suite", "audit")

OVERFLOW = """() => [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1
                   && !one.closest('.scroll') && one.getClientRects().length)
    .map(one => one.outerHTML.slice(0, 120))"""
"""Elements that stick out of the window; tables scroll within their own box."""

BEYOND = """() => [...document.querySelectorAll('.scroll')]
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => `${one.scrollWidth} of ${one.clientWidth}: ${one.innerText.slice(0, 80)}`)"""
"""What has to be scrolled sideways: on a phone nobody sees that there is more."""

CLIPPED = """() => [...document.querySelectorAll('svg.figure')]
    .filter(figure => figure.getClientRects().length)
    .flatMap(figure => [...figure.querySelectorAll('text')].filter(text => {
        const box = text.getBBox(), whole = figure.viewBox.baseVal;
        return box.x < -1 || box.x + box.width > whole.width + 1
            || box.y < -1 || box.y + box.height > whole.height + 1;
    }).map(text => text.textContent))"""
"""Words of figures that are cut off at the figure's edge."""

FAINT = """() => {
    const channel = value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(one => channel(one / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = one => {
        for (; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (!/^rgba.*, 0\\)$/.test(colour)) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const written = one => [...one.childNodes]
        .some(node => node.nodeType === 3 && node.data.trim());
    return [...document.querySelectorAll('body *')]
        .filter(one => !one.closest('svg') && written(one) && one.getClientRects().length)
        .map(one => {
            const pair = [light(getComputedStyle(one).color), light(behind(one))].sort();
            return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), one.outerHTML];
        })
        .filter(([ratio]) => ratio < 4.5)
        .map(([ratio, html]) => ratio.toFixed(2) + ' ' + html.slice(0, 120));
}"""
"""Text with less contrast than WCAG 2.1 asks for (AA: 4.5 to 1)."""

WORDS = """() => Object.fromEntries([...document.querySelectorAll('#map text')].map(one => {
    const box = one.getBoundingClientRect();
    return [one.textContent, [box.left, box.right]];
}))"""
"""What the map of a drill says, and where it begins and ends."""

GROUND = """() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"""
"""The page's own colour: red, green, blue."""

FOCUS = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect();
    const style = getComputedStyle(one), next = one.nextElementSibling;
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const marked = next && getComputedStyle(next).outlineStyle !== 'none';
    return {tag: one.tagName, top: box.top + scrollY, left: box.left, shown: outlined || !!marked};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def log(run: Path) -> None:
    """What two nodes might say around the cut at 10 s, with a word that is wider than a phone."""
    (run / "ending.json").write_text('{"clock_zero_s": 1740830400.0}')
    for node in ("eu-west-db1", "us-east-db1"):
        (run / "logs" / node).mkdir(parents=True)
        (run / "logs" / node / "patroni.log").write_text(
            "".join(
                f"2025-03-01 12:00:{second:02} UTC WARNING: {'x' * second * 9} of {node}\n"
                for second in range(9, 14)
            )
        )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind, by name."""
    suite = tmp_path_factory.mktemp("suite")
    runs = suite / "runs"
    log(Recording(Story(rate_ops_s=10.0)).write(runs / "lane0-001"))
    held = Recording(Story(rate_ops_s=10.0, variables=STRICT, reads=0.3))
    lags = [link_lag("heartbeats", *link, floor_ms) for link, floor_ms in ONE_WAY_MS.items()]
    held.verdict["measures"]["lag"] = {"worst_ms": 4321.5, "links": lags}
    held.write(runs / "lane0-002")
    Recording(Story(rate_ops_s=10.0, variables=STRICT, cut_s=None)).write(runs / "lane0-003")
    write_suite_reports(suite)
    audit = next(one for one in write_audit(run_of(tmp_path_factory.mktemp("audit")))
                 if one.suffix == ".html")  # fmt: skip
    return {
        "broken": runs / "lane0-001" / "report.html",
        "held": runs / "lane0-002" / "report.html",
        "suite": suite / "index.html",
        "audit": audit,
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable(
    browser: Browser, pages: dict[str, Path], name: str, width: str
) -> None:
    with opened(browser, pages[name], width=WIDTHS[width]) as found:
        page = found.page
        assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS[width]
        assert page.evaluate(OVERFLOW) == []
        assert page.evaluate(CLIPPED) == []
        if width == "phone":
            assert page.evaluate(BEYOND) == []
        assert page.evaluate(FAINT) == []
        light = page.evaluate(GROUND)
        page.emulate_media(color_scheme="dark")
        assert sum(page.evaluate(GROUND)) < 150 < 600 < sum(light)
        assert page.evaluate(FAINT) == []
        assert found.requests == [pages[name].as_uri()]
        assert found.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_rooms_page_shows_every_region_and_link(
    browser: Browser, tmp_path: Path, width: str
) -> None:
    templates = resources.files("testbed.drill") / "templates"
    page_text = (templates / "room.html").read_text().replace("/*STYLE*/", str(style()))
    picture = scene(tmp_path)
    page = browser.new_page(viewport={"width": WIDTHS[width], "height": HEIGHT})
    try:
        page.route(
            "http://room/", lambda way: way.fulfill(body=page_text, content_type="text/html")
        )
        page.route("**/room.js", lambda way: way.fulfill(path=str(templates / "room.js")))
        page.route("**/picture.json", lambda way: way.fulfill(json=picture))
        page.goto("http://room/")
        page.locator("#map text").first.wait_for()
        # The page draws itself anew twice a second: all words of one drawing at once.
        shown = page.evaluate(WORDS)
        told = "\n".join(shown)
        assert all(f"{one['name']} · " in told for one in picture["regions"])
        assert all(f"{one['source']} → {one['target']}: " in told for one in picture["links"])
        ends = shown.values()
        assert all(left >= 0 and right <= WIDTHS[width] for left, right in ends), shown
    finally:
        page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_one_size_of_each_figure_is_shown(
    browser: Browser, pages: dict[str, Path], width: str
) -> None:
    kinds = {"phone": "narrow", "tablet": "middle", "desktop": "wide"}
    with opened(browser, pages["broken"], width=WIDTHS[width]) as found:
        shown = {kind: found.page.locator(f"svg.{kind}:visible").count() for kind in kinds.values()}
        assert shown.pop(kinds[width]) >= 4
        assert set(shown.values()) == {0}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "Broken: 1 of 6 promises"),
        ("held", "All 6 promises held"),
        ("suite", "failover: 3 runs, 1 broken, 2 held"),
        ("audit", "Where personal data is, and was: broken"),
    ],
)
def test_the_verdict_is_read_first(
    browser: Browser, pages: dict[str, Path], name: str, words: str
) -> None:
    with opened(browser, pages[name]) as found:
        heading = found.page.get_by_role("heading", level=1)
        assert words in heading.inner_text()
        box = heading.bounding_box()
        assert box is not None
        assert box["y"] < 100
        assert found.page.title()[0] in "✓✗?"


def stops(page: Page) -> list[dict[str, object]]:
    """Where the focus goes by the Tab key, from the page's beginning to its end."""
    found: list[dict[str, object]] = []
    for _ in range(200):
        page.keyboard.press("Tab")
        stop: dict[str, object] = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            return found
        found.append(stop)
    pytest.fail("the focus never leaves the page")


@pytest.mark.parametrize("name", ["broken", "suite"])
def test_the_focus_goes_from_top_to_bottom_and_is_seen(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    with opened(browser, pages[name], width=WIDTHS["phone"]) as found:
        places = stops(found.page)
        assert len(places) > 5
        assert all(place["shown"] for place in places), places
        order = [(place["top"], place["left"]) for place in places]
        # Along a line of links and buttons, then to the next one.
        assert all(
            later[0] > earlier[0] - 30  # type: ignore[operator]
            for earlier, later in pairwise(order)
        )


def test_a_part_is_reached_by_keys(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["broken"]) as found:
        link = found.page.get_by_role("navigation").get_by_role("link", name="Regions")
        link.focus()
        found.page.keyboard.press("Enter")
        top = found.page.locator("#regions").bounding_box()
        assert top is not None
        assert -1 <= top["y"] < 200
        assert found.requests[1:] in ([], [f"{pages['broken'].as_uri()}#regions"])


def test_what_is_folded_opens_by_keys(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["broken"]) as found:
        summary = found.page.locator("details > summary").first
        summary.focus()
        found.page.keyboard.press("Enter")
        assert found.page.locator("details").first.get_attribute("open") is not None


def test_logs_stand_beside_what_happened(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["broken"], width=WIDTHS["phone"]) as found:
        rows = found.page.locator(".logs .row:visible")
        told = rows.all_inner_texts()
        cut = next(place for place, text in enumerate(told) if "region-cut" in text)
        assert any("9.00 s" in text for text in told[:cut])
        assert any("11.00 s" in text for text in told[cut:])


def test_filters_work_by_keys_and_together(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["suite"]) as found:
        page = found.page
        shown = page.locator(".runs tbody tr:visible")
        assert shown.count() == 3
        page.locator("#verdict-all").focus()
        page.keyboard.press("ArrowRight")
        assert shown.count() == 1
        assert "broken" in shown.inner_text()
        page.keyboard.press("ArrowRight")
        assert shown.count() == 2
        page.get_by_label("no fault").check(force=True)
        assert shown.count() == 1
        page.get_by_role("button", name="Show all").press("Enter")
        assert shown.count() == 3


def test_a_run_is_opened_from_the_list(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["suite"]) as found:
        found.page.locator(".runs a").first.press("Enter")
        found.page.wait_for_url("**/report.html")
        assert "Broken" in found.page.get_by_role("heading", level=1).inner_text()
