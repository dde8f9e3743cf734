"""The list of a suite's runs: what it links, what its filters choose by, and where it is read."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.report.comparison import Compared
from testbed.report.folder import RunFolderError
from testbed.report.judgement import Judgement, Outcome, Promise
from testbed.report.report_file import write_suite_reports
from testbed.report.suite import Suite
from testbed.report.suite_folder import is_suite, read_suites
from testbed.report.suite_index import render_index
from tests.unit.report.recording import Recording, Story

STRICT = {"replication": "synchronous_strict"}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that hold, one of them without a fault, and one that loses writes."""
    folder = tmp_path_factory.mktemp("suite")
    stories = (
        Story(rate_ops_s=5.0, variables=STRICT),
        Story(rate_ops_s=5.0),
        Story(rate_ops_s=5.0, variables=STRICT, cut_s=None),
    )
    for number, story in enumerate(stories, 1):
        Recording(story).write(folder / "runs" / f"lane0-{number:03d}")
    return folder


def page_of(folder: Path) -> str:
    return render_index(read_suites(folder), folder)


def parse(page: str) -> ET.Element:
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def rows_of(page: str) -> list[ET.Element]:
    (table,) = (one for one in parse(page).iter("table") if "runs" in one.get("class", ""))
    return table.findall("tbody/tr")


def test_the_worst_run_stands_first_and_every_run_links_its_report(suite: Path) -> None:
    write_suite_reports(suite)
    rows = rows_of(page_of(suite))
    assert [row.findtext("td/a") for row in rows] == ["example 3"] * 3
    links = [row.find("td/a") for row in rows]
    hrefs = [link.get("href", "") for link in links if link is not None]
    assert hrefs[0] == "runs/lane0-002/report.html"
    assert all((suite / href).exists() for href in hrefs)


def test_a_run_without_a_report_is_listed_without_a_link(tmp_path: Path) -> None:
    Recording(Story(rate_ops_s=5.0)).write(tmp_path / "runs" / "lane0-001")
    page = page_of(tmp_path)
    assert "href" not in page
    assert "(no report)" in page


def test_a_filter_hides_the_runs_that_lack_its_class(suite: Path) -> None:
    page = page_of(suite)
    classes = [row.get("class", "").split() for row in rows_of(page)]
    for label, wanted in (("broken", 1), ("held", 2), ("no fault", 1), ("durability", 1)):
        (key,) = re.findall(rf'id="([a-z]+-\d+)"/><span>{label} ', page)
        assert sum(key in those for those in classes) == wanted
        assert f"body:has(#{key}:checked) .runs tbody tr:not(.{key})" in page


def test_a_filter_with_nothing_to_choose_is_left_out(tmp_path: Path) -> None:
    Recording(Story(rate_ops_s=5.0, variables=STRICT)).write(tmp_path / "runs" / "lane0-001")
    assert "<fieldset>" not in page_of(tmp_path)


def leaking(found: Suite) -> Suite:
    """A suite whose first run was searched for personal data."""
    clean = Promise("residency", "at home", Outcome.VALID, numbers={"leaks": 0.0})
    first, *rest = found.runs
    judged = replace(first, judgement=Judgement(Outcome.VALID, promises=(clean,)))
    return replace(found, runs=(judged, *rest))


def test_the_values_of_a_variable_stand_side_by_side(suite: Path, tmp_path: Path) -> None:
    write_suite_reports(suite)
    for value in ("strict", "none"):
        shutil.copytree(suite, tmp_path / value)
    suites = read_suites(tmp_path)
    assert [one.value for one in suites] == ["none", "strict"]
    page = render_index(suites, tmp_path)
    assert 'id="variants"' in page
    # What the runs measured has a column, as in the terminal.
    assert ">Leaks</th>" not in page
    with_leaks = [replace(one, suite=leaking(one.suite)) for one in suites]
    assert ">Leaks</th>" in render_index(with_leaks, tmp_path)
    assert len(rows_of(page)) == 6
    assert 'href="none/runs/lane0-002/report.html"' in page


def test_an_empty_suite_is_no_pass(tmp_path: Path) -> None:
    empty = Suite("failover", (), 3.0, "lane 0 ended with code 3")
    page = render_index([Compared("", empty)], tmp_path)
    assert "failover: no run" in page
    assert "lane 0 ended with code 3" in page
    assert 'class="banner error"' in page
    unsaid = render_index([Compared("", replace(empty, problem=""))], tmp_path)
    assert 'class="banner unknown"' in unsaid


def test_only_the_last_try_of_a_plan_counts(suite: Path, tmp_path: Path) -> None:
    shutil.copytree(suite, tmp_path / "suite")
    again = tmp_path / "suite" / "runs" / "lane0-002-again"
    shutil.copytree(suite / "runs" / "lane0-001", again)
    (one,) = read_suites(tmp_path / "suite")
    assert [run.folder.name for run in one.suite.runs] == [
        "lane0-001",
        "lane0-002-again",
        "lane0-003",
    ]


@pytest.mark.parametrize("text", ["", '{"problem": "the bu', "[]", "null", "[" * 9000, "\xff"])
def test_a_damaged_suite_file_is_no_pass(tmp_path: Path, text: str) -> None:
    """It may have said that the suite failed before its end."""
    Recording(Story(rate_ops_s=5.0, variables=STRICT)).write(tmp_path / "runs" / "lane0-001")
    [whole] = read_suites(tmp_path)
    assert whole.suite.outcome is Outcome.VALID
    (tmp_path / "suite.json").write_text(text, encoding="latin-1")
    [damaged] = read_suites(tmp_path)
    assert damaged.suite.outcome is Outcome.ERROR
    assert damaged.suite.problem.startswith("suite.json ")


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    assert not is_suite(tmp_path)
    with pytest.raises(RunFolderError, match="neither a run nor a suite"):
        read_suites(tmp_path)


def test_names_do_nothing(tmp_path: Path) -> None:
    evil = "a<b>&\"'#?%20 c"
    shutil.copytree(
        Recording(Story(rate_ops_s=5.0)).write(tmp_path / "x"), tmp_path / "s" / "runs" / evil
    )
    write_suite_reports(tmp_path / "s")
    page = (tmp_path / "s" / "index.html").read_text()
    (link,) = (row.find("td/a") for row in rows_of(page))
    assert link is not None
    assert not set(link.get("href", "")) & set("<>&\"'#? ")
    assert "<script" not in page


def test_reports_are_the_same_again_byte_for_byte(suite: Path) -> None:
    write_suite_reports(suite)
    before = {path: path.read_bytes() for path in sorted(suite.glob("**/*.html"))}
    assert len(before) == 4
    for path in before:
        path.unlink()
    write_suite_reports(suite)
    assert {path: path.read_bytes() for path in sorted(suite.glob("**/*.html"))} == before
