"""Plants changes in checkers and says which ones no test notices.

Not part of any test run::

    nice -n 19 .venv/bin/python -m tests.mutation bank durability linearizability/zones

Ends with 0 if every survivor has a reason in ``survivors.toml``, else with 1.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from tests.mutation.mutant import Mutant, mutants_of
from tests.mutation.outcome import Outcome
from tests.mutation.reasons import Reasons
from tests.mutation.suites import ROOT, modules, suite
from tests.mutation.tally import Tally
from tests.mutation.trials import Trials, prepare

HERE = Path(__file__).parent


def main(argv: list[str]) -> int:
    """Run it; the exit code."""
    arguments = _parser().parse_args(argv)
    prepare(arguments.examples)
    reasons = Reasons.read(HERE / "survivors.toml")
    by_suite: dict[tuple[str, ...], list[Path]] = {}
    for module in modules(arguments.modules):
        by_suite.setdefault(suite(module), []).append(module)
    unexplained = 0
    for tests, tested in by_suite.items():
        for tally in _tallies(tested, tests, arguments, reasons):
            say(tally.line())
            unexplained += len(tally.unexplained)
    return 1 if unexplained else 0


def say(line: str) -> None:
    """Print to where it is seen also while pytest has the standard output."""
    print(line, file=sys.__stdout__, flush=True)


def _tallies(
    tested: list[Path], tests: tuple[str, ...], arguments: argparse.Namespace, reasons: Reasons
) -> list[Tally]:
    """What became of the mutants of modules that have the same tests."""
    every = {module: mutants_of(module) for module in tested}
    tallies = {module: Tally(_name(module), len(every[module])) for module in tested}

    def tell(module: Path, mutant: Mutant, outcome: Outcome) -> None:
        name = _name(module)
        reason = reasons.of(name, mutant.name)
        tallies[module].add(mutant, outcome, reason)
        if arguments.verbose or (outcome.survives and reason is None):
            line = mutant.lines[0] if mutant.lines else 0
            say(f"  {outcome.value} {name}.py:{line} [{mutant.kind}] {mutant.name}")

    some = {module: _sample(_name(module), every[module], arguments) for module in tested}
    Trials(some, tell, arguments.seconds).run(list(tests))
    for module in tested:
        names = {mutant.name for mutant in every[module]}
        for stale in reasons.unknown(_name(module), names):
            say(f"  {_name(module)} has no such mutant any more: {stale}")
    return list(tallies.values())


def _sample(name: str, mutants: list[Mutant], arguments: argparse.Namespace) -> list[Mutant]:
    named = [mutant for mutant in mutants if arguments.only in mutant.name]
    if arguments.again:
        survived = _survivors(arguments.again)
        named = [mutant for mutant in named if (name, mutant.name) in survived]
    chosen = random.Random(arguments.seed).sample(named, min(arguments.most, len(named)))
    return sorted(chosen, key=lambda mutant: mutant.number)


def _survivors(output: Path) -> set[tuple[str, str]]:
    """The modules and names of the mutants that a former run has told."""
    lines = [line for line in output.read_text().splitlines() if line.startswith("  ")]
    words = [line.partition("] ") for line in lines]
    return {(before.split()[1].partition(".py:")[0], name) for before, _, name in words if name}


def _name(module: Path) -> str:
    return str(module.relative_to(ROOT / "testbed").with_suffix(""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="a module or a package")
    parser.add_argument("--examples", type=int, default=50, help="of each property (50)")
    parser.add_argument("--most", type=int, default=400, help="mutants of one module (400)")
    parser.add_argument("--seed", type=int, default=0, help="chooses them if there are more (0)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="for each test beside its own (2)"
    )
    parser.add_argument("--only", default="", help="only mutants with this in their names")
    parser.add_argument("--again", type=Path, help="only the survivors in this output of before")
    parser.add_argument("--verbose", action="store_true", help="print each mutant's outcome")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
