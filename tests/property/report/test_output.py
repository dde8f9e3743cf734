"""Whatever a run holds: every output is well-formed, obeys nothing, is not green by mistake."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import orjson
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from testbed.report.comparison import Compared
from testbed.report.document import document_schema, render_document
from testbed.report.html import render_html
from testbed.report.judgement import Outcome
from testbed.report.junit import render_junit
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite
from testbed.report.suite_index import render_index
from testbed.report.terminal import console_for, print_suite
from testbed.report.visible import visible
from tests.property.report.strategies import runs, texts

SHAPE = xmlschema.XMLSchema(Path(__file__).parents[2] / "unit" / "report" / "junit.xsd")
SCHEMA = jsonschema.Draft202012Validator(document_schema())
TAGS = """
    html head meta title style body nav a section header div span p h1 h2 h3 ul ol li dl dt dd pre
    code strong br time table thead tbody tr th td details summary svg defs pattern rect line path
    text
"""
LIST_TAGS = "a main form fieldset legend label input button"
suites = st.builds(
    Suite, texts, st.lists(runs, max_size=3).map(tuple), st.none() | st.floats(0, 1e6), texts
)


@given(runs)
def test_the_page_is_well_formed_and_holds_our_elements_alone(run: RecordedRun) -> None:
    page = render_html(run)
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert {element.tag for element in root.iter()} <= set(TAGS.split())
    for element in root.iter():
        assert not any(name.startswith("on") or name == "src" for name in element.attrib)
        assert element.get("href", "#").startswith("#")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)
    assert len(page.encode()) < 1_000_000


@given(st.lists(st.builds(Compared, texts, suites), min_size=1, max_size=2))
def test_the_list_of_runs_is_well_formed(suites: list[Compared]) -> None:
    page = render_index(suites, Path("/somewhere"))
    root = ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert {element.tag for element in root.iter()} <= {*TAGS.split(), *LIST_TAGS.split()}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)


@given(suites)
def test_junit_is_well_formed_and_green_only_if_all_is_valid(suite: Suite) -> None:
    text = render_junit(suite)
    SHAPE.validate(text)
    root = ET.fromstring(text.encode())
    green = not list(root.iter("failure")) and not list(root.iter("error"))
    if green:
        assert suite.outcome is Outcome.VALID


@given(suites)
def test_the_document_fits_its_schema(suite: Suite) -> None:
    document = orjson.loads(render_document(suite))
    SCHEMA.validate(document)
    assert document["exit_code"] == suite.outcome.exit_code


@given(suites, st.integers(10, 120))
def test_a_log_has_no_control_character_and_keeps_its_width(suite: Suite, columns: int) -> None:
    stream = io.StringIO()
    print_suite(console_for(stream, {"COLUMNS": str(columns)}), suite)
    text = stream.getvalue()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)


@given(texts)
def test_what_was_made_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)
