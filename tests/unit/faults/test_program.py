"""Which processes are a program's."""

from __future__ import annotations

from dataclasses import replace

from faults.program import PROGRAMS, Root, select
from tests.unit.faults.fakes import database, process


def test_postgres_is_known_by_its_command_whoever_its_parent_is() -> None:
    listed = database()
    patroni = listed[1]
    child = process("postgres", patroni.pid)
    roots = {"patroni": Root(patroni.inner, patroni.started)}
    assert len(select("postgres", [*listed, child], roots)) == 4
    helper = process("python", patroni.pid)
    assert select("patroni", [*listed, child, helper], roots) == (patroni, helper)


def test_a_later_process_of_the_same_number_is_not_the_program() -> None:
    consul = process("consul", started=50)
    assert select("consul", [consul], {"consul": Root(consul.inner, 50)}) == (consul,)
    assert select("consul", [consul], {"consul": Root(consul.inner, 49)}) == ()
    assert select("consul", [consul], {}) == ()


def test_what_has_ended_is_no_process() -> None:
    zombie = replace(process("postgres"), state="Z")
    assert select("postgres", [zombie], {}) == ()


def test_every_supervisor_is_a_program_of_the_same_nodes() -> None:
    for program in PROGRAMS.values():
        if program.supervisor:
            assert PROGRAMS[program.supervisor].groups == program.groups
