from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from testbed.report.document import document_schema, render_document
from testbed.report.recorded import RecordedRun
from testbed.report.suite import Suite

RUNS = ["broken", "valid", "unknown", "failed", "unjudged"]


def rendered(*runs: RecordedRun, problem: str = "") -> dict[str, Any]:
    text = render_document(Suite("failover", runs, 12.5, problem))
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    document: dict[str, Any] = orjson.loads(text)
    jsonschema.validate(document, document_schema())
    return document


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_fits_the_schema(name: str, request: pytest.FixtureRequest) -> None:
    rendered(request.getfixturevalue(name))


def test_the_schema_knows_every_field(broken: RecordedRun) -> None:
    document, schema = rendered(broken), document_schema()
    assert set(document) == set(schema["properties"])
    (run,) = document["runs"]
    assert set(run) == set(schema["$defs"]["run"]["properties"])
    assert set(run["plan"]) == set(schema["$defs"]["plan"]["properties"])
    assert set(run["promises"][0]) == set(schema["$defs"]["promise"]["properties"])


def test_it_has_the_outcome_the_exit_code_and_the_figures(broken: RecordedRun) -> None:
    document = rendered(broken)
    assert (document["outcome"], document["exit_code"]) == ("violation", 1)
    (run,) = document["runs"]
    assert len(run["rpo"]["lost"]) == 184
    assert run["rpo"]["fits"] is True
    assert [each["rto_s"] for each in run["rto"]] == [27.55, 9.1, 9.25]
    assert run["faults"][0]["resolved"] == "eu-west"
    assert run["replay"] == ["testbed", "replay", str(broken.folder)]


@pytest.mark.parametrize(
    ("names", "problem", "exit_code"),
    [
        (["valid"], "", 0),
        (["valid", "broken", "failed", "unknown"], "", 1),
        (["valid", "unknown"], "", 2),
        (["valid", "unknown", "failed"], "", 3),
        (["valid"], "no nft", 3),
        (["broken"], "no nft", 1),
        ([], "", 2),
        ([], "no nft", 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    names: list[str], problem: str, exit_code: int, request: pytest.FixtureRequest
) -> None:
    runs = [request.getfixturevalue(name) for name in names]
    assert rendered(*runs, problem=problem)["exit_code"] == exit_code


def test_problems_name_what_is_missing(unjudged: RecordedRun) -> None:
    (run,) = rendered(unjudged)["runs"]
    assert {each["file"] for each in run["problems"]} == {
        "verdict.json",
        "roles.jsonl",
        "history.jsonl",
    }


def test_a_folder_whose_name_is_no_text_is_no_obstacle(broken: RecordedRun) -> None:
    rendered(replace(broken, folder=Path("/tmp/caf\udce9")))
