"""Processes of a node belong to at most one program."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from faults.program import PROGRAMS, Root, select
from testbed.world.protocol import Process

COMMANDS = ["postgres", "consul", "python", "haproxy", "sh"]


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Process], dict[str, Root]]:
    """A forest of processes below process 1; the launcher started some of its roots."""
    size = draw(st.integers(0, 15))
    listed = [
        Process(
            pid=100 + number,
            inner=number + 2,
            parent=draw(st.sampled_from([1, *range(100, 100 + number)])),
            command=draw(st.sampled_from(COMMANDS)),
            argv=(),
            state=draw(st.sampled_from("SRTZ")),
            started=draw(st.integers(0, 50)),
            cpu_ticks=0,
        )
        for number in range(size)
    ]
    tops = [one for one in listed if one.parent == 1 and one.command != "postgres"]
    named = draw(st.permutations(["consul", "patroni", "haproxy", "observer"]))
    return listed, {
        name: Root(top.inner, top.started) for name, top in zip(named, tops, strict=False)
    }


@given(trees())
def test_programs_share_no_process(tree: tuple[list[Process], dict[str, Root]]) -> None:
    listed, roots = tree
    chosen = [process.pid for name in PROGRAMS for process in select(name, listed, roots)]
    assert len(chosen) == len(set(chosen))


@given(trees())
def test_a_program_is_its_living_root_and_what_descends_from_it(
    tree: tuple[list[Process], dict[str, Root]],
) -> None:
    listed, roots = tree
    by_pid = {process.pid: process for process in listed}

    def descends(process: Process, root: Root) -> bool:
        while process.state != "Z" and process.command != "postgres":
            if (process.inner, process.started) == (root.inner, root.started):
                return True
            if process.parent not in by_pid:
                return False
            process = by_pid[process.parent]
        return False

    for name, root in roots.items():
        wanted = {process.pid for process in listed if descends(process, root)}
        assert {process.pid for process in select(name, listed, roots)} == wanted
