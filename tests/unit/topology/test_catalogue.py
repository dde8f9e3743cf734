from __future__ import annotations

from pathlib import Path

import pytest

from testbed.topology.catalogue import catalogue_of, read_catalogue
from testbed.topology.problem import Problem

GOOD = """\
group: db
description: A database
wan_ports: [1]
variables:
  db_pause_ms:
    type: integer
    unit: ms
    minimum: 1
    maximum: 10
    default: 5
    description: A pause.
"""


def problems_of(folder: Path, text: str) -> list[str]:
    (folder / "db.yml").write_text(text)
    problems: list[Problem] = []
    read_catalogue(folder, problems)
    return [f"{problem.place.line}: {problem.message}" for problem in problems]


def test_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "db.yml").write_text(GOOD)
    problems: list[Problem] = []
    group = read_catalogue(tmp_path, problems).groups["db"]
    assert problems == []
    assert group.wan_ports == (1,)
    assert group.variables[0].values == "a whole number of milliseconds from 1 to 10"
    assert group.variables[0].default == 5


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("type: integer", "type: integre", "6: db_pause_ms: unknown type integre"),
        ("unit: ms", "unit: s", "6: db_pause_ms: the name does not end in its unit s"),
        ("unit: ms", "unit: weeks", "6: db_pause_ms: unknown unit weeks"),
        ("default: 5", "default: 50", "10: db_pause_ms is 50, above its maximum 10"),
        ("    default: 5\n", "", "6: db_pause_ms has no default"),
        ("    description: A pause.\n", "", "6: db_pause_ms: no description"),
        ("minimum", "minimun", "8: unknown field minimun"),
        ("type: integer", "type: choice", "6: db_pause_ms: a choice without choices"),
        ("unit: ms", "scope: planet", "6: db_pause_ms: unknown scope planet"),
        ("unit: ms", "used_by: nobody", "6: db_pause_ms: unknown user nobody"),
        ("group: db", "group: other", "1: the file's group is not db"),
    ],
)
def test_a_bad_one(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert problems_of(tmp_path, GOOD.replace(old, new, 1)) == [problem]


def test_no_mapping(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "- a\n") == ["1: no mapping"]
    assert problems_of(tmp_path, "group: db\ndescription: D\nvariables: {a_s: 1}\n") == [
        "3: a_s is no mapping"
    ]


def test_none_at_all(tmp_path: Path) -> None:
    problems: list[Problem] = []
    assert read_catalogue(tmp_path, problems).groups == {}
    assert [problem.message for problem in problems] == ["no catalogue of variables here"]


def test_a_group_names_its_playbook_from_where_it_is_declared(tmp_path: Path) -> None:
    text = GOOD.replace("wan_ports", "playbook: ../db.yaml\nwan_ports", 1)
    folder = tmp_path / "variables"
    folder.mkdir()
    (missing,) = problems_of(folder, text)
    assert missing == f"3: the playbook {tmp_path / 'db.yaml'} does not exist"
    (tmp_path / "db.yaml").write_text("[]")
    assert problems_of(folder, text) == []
    assert read_catalogue(folder, []).groups["db"].playbook == tmp_path / "db.yaml"


def test_groups_beside_an_inventory_are_added_to_the_shipped_ones(tmp_path: Path) -> None:
    shipped, mine = tmp_path / "shipped" / "variables", tmp_path / "mine" / "variables"
    for folder, name, ports in ((shipped, "db", 1), (shipped, "lb", 1), (mine, "lb", 2)):
        folder.mkdir(parents=True, exist_ok=True)
        text = GOOD.replace("group: db", f"group: {name}").replace("[1]", f"[{ports}]")
        (folder / f"{name}.yml").write_text(text.replace("db_pause", f"{name}_pause"))
    problems: list[Problem] = []
    groups = catalogue_of(tmp_path / "mine" / "here", shipped, problems).groups
    assert problems == []
    assert {name: group.wan_ports for name, group in groups.items()} == {"db": (1,), "lb": (2,)}
    assert set(catalogue_of(tmp_path / "other" / "here", shipped, problems).groups) == {"db", "lb"}
