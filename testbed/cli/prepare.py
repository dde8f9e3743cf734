"""``testbed prepare``: find every program, build once what has to be built."""

from __future__ import annotations

import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command."""
    parser = subparsers.add_parser(
        "prepare",
        help="find the programs, build once what has to be built",
        description="Finds every program that the testbed drives and says which it uses. Consul "
        "and Toxiproxy are built from source where none is on PATH; what is built is kept.",
    )
    parser.add_argument("--quiet", action="store_true", help="print only what is built")


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; raises ToolchainError when a program cannot be had."""
    from testbed.toolchain.display import progress
    from testbed.toolchain.preparation import prepare

    programs = prepare(progress())
    if not arguments.quiet:
        for program in programs:
            print(f"{program.name:17} {program.version:9} {program.path}  ({program.source})")
    return 0
