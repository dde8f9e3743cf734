"""A drill file is read whole, or refused with every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.drill.drill import SIGNALS
from testbed.drill.drill_file import _KNOWN, DrillFileError, load_drill
from testbed.drill.preflight import ITEMS

SHIPPED = Path(__file__).parents[3] / "experiments" / "drills"
FIRST = SHIPPED / "primary-region-loss.yml"


def changed(tmp_path: Path, change: Any) -> Path:
    document = yaml.safe_load(FIRST.read_text())
    change(document)
    path = tmp_path / "changed.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def problems(path: Path, *, control: bool = False) -> list[str]:
    with pytest.raises(DrillFileError) as refused:
        load_drill(path, control=control)
    assert refused.value.exit_code == 64
    return list(refused.value.problems)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yml")), ids=lambda path: path.stem)
def test_every_shipped_drill_is_good_and_so_is_its_control(path: Path) -> None:
    drill, deployment = load_drill(path)
    assert drill.injects
    assert drill.name == path.stem
    assert {role for role, text in drill.roles.items() if text} == set(drill.roles)
    control, weakened = load_drill(path, control=True)
    assert control.settings != drill.settings
    assert weakened.variables != deployment.variables


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        del document["questions"]
        document["colour"] = "red"
        document["objective"]["promises"] = "hope"
        document["injects"][0] |= {"fault": "region-cuts", "at_s": -1}
        document["stop_conditions"][0]["must_hold"] = {"mood_min": 1}
        document["set"]["replication"] = "sometimes"

    text = "\n".join(problems(changed(tmp_path, spoil)))
    for expected in ("questions: is missing", "colour: is not known", "'hope'", "at_s", "mood_min"):
        assert expected in text
    assert "sometimes" in text


def test_a_fault_that_nobody_knows_is_named_with_the_nearest(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["injects"][0]["fault"] = "region-cuts"

    assert any("did you mean 'region-cut'" in one for one in problems(changed(tmp_path, spoil)))


def test_what_reaches_beyond_the_blast_radius_is_refused(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["injects"].append(
            {"name": "more", "fault": "region-cut", "target": "us-east", "at_s": 5, "for_s": 400}
        )

    text = "\n".join(problems(changed(tmp_path, spoil)))
    assert "outside the blast radius" in text
    assert "2 overlap" in text
    assert "take 405 s" in text


def test_a_drill_without_a_stop_condition_is_refused(tmp_path: Path) -> None:
    found = problems(changed(tmp_path, lambda document: document.update(stop_conditions=[])))
    assert any(one.startswith("stop_conditions: there is none") for one in found)


def test_a_workload_that_the_promises_cannot_judge_is_refused(tmp_path: Path) -> None:
    found = problems(changed(tmp_path, lambda doc: doc["load"].update(workload="sessions")))
    assert any("cannot be judged" in one for one in found)


def test_a_control_that_is_not_there_cannot_be_played(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda document: document.pop("control"))
    assert any("control" in one for one in problems(path, control=True))


@pytest.mark.parametrize("text", ["- a list", "a: [", "", "\x00", "[" * 9000])
def test_what_is_no_mapping_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(text)
    assert len(problems(path)) == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "none.yml")[0]


REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "drills.md"


def test_the_reference_names_every_field_signal_and_item_and_no_other() -> None:
    text = REFERENCE.read_text()
    cells = {
        word
        for line in text.partition("## Signals")[0].splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].replace("`", "").replace(",", " ").split()
    }
    known = {
        f"{place}{'[]' if place in ('injects', 'stop_conditions') else ''}.{name}".lstrip(".")
        for place, (required, optional) in _KNOWN.items()
        for name in (*required, *optional)
    }
    assert cells == known - set(_KNOWN)
    assert all(f"| `{signal}` |" in text for signal in SIGNALS)
    assert all(f"| {item} |" in text for item in ITEMS)
