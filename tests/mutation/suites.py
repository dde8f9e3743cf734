"""Which tests belong to a module: those beside which a mutant of it has to fail."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_ALONE = {
    "checkers": ("checkers/*.py", "measures/*.py"),
    "collections": ("checkers/collections/*.py", "checkers/test_planted_anomalies.py"),
    "linearizability": ("checkers/linearizability/*.py", "checkers/test_planted_anomalies.py"),
    "transactions": ("checkers/transactions/*.py", "checkers/test_planted_anomalies.py"),
    "measures": ("measures/*.py", "checkers/*.py"),
    "history": ("history/*.py",),
}


_ELSEWHERE = {"partition": "linearizability"}
"""Modules that are tested with another package."""


def modules(words: list[str]) -> list[Path]:
    """The modules that words name: a module, or a package with all of its modules.

    Args:
        words: ``bank`` is the first that is found; ``linearizability/zones`` is exact;
            ``transactions`` is a package.

    Raises:
        LookupError: There is no such module.
    """
    found: list[Path] = []
    for word in words:
        inside = ROOT / "testbed"
        hits = sorted(inside.glob(f"**/{word}.py"), key=lambda path: (len(path.parts), path))[:1]
        for folder in sorted(inside.glob(f"**/{word}")):
            hits += sorted(folder.glob("*.py")) if folder.name in _ALONE else []
        if not hits:
            raise LookupError(f"there is no module or package {word!r} below {inside}")
        found += [path for path in hits if path.read_text().strip() and path not in found]
    return found


def suite(module: Path) -> tuple[str, ...]:
    """The unit and property tests of a module's package; which of them reach it is seen."""
    tests = ROOT / "tests"
    package = _ELSEWHERE.get(module.stem, module.parent.name)
    return tuple(
        str(path.relative_to(ROOT))
        for kind in ("unit", "property")
        for pattern in _ALONE[package]
        for path in sorted((tests / kind).glob(pattern))
        if path.name.startswith("test_")
    )
