"""Kinds of circles, and the anomalies that they are."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.checkers.transactions.circle import FAR
from testbed.checkers.transactions.graph import Edge

FORM_KINDS: dict[str, tuple[Edge, ...]] = {
    "": (),
    "-process": (Edge.PROCESS,),
    "-realtime": (Edge.PROCESS, Edge.REALTIME),
}
"""The edges that a form of an anomaly may use besides."""
_ALWAYS = (Edge.WW, Edge.WR)


@dataclass(frozen=True)
class Shape:
    """What makes a circle an anomaly: one edge of the kind ``seed``, and a way back.

    Args:
        anomaly: Name without a form.
        seed: The edge that closes the circle.
        ways: Edges of the way back, those of the form besides.
        longest: The most edges of the way back.
        after: Edges after which an RW may follow on the way back, those of the form besides; empty
            where the way is free to use what ``ways`` says.
    """

    anomaly: str
    seed: Edge
    ways: tuple[Edge, ...]
    longest: int = FAR
    after: tuple[Edge, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether such a circle has a missed write, and no two of them follow each other."""
        return self.seed == Edge.RW and self.anomaly not in {"G-update", "write-skew", "G2-item"}

    @property
    def certain(self) -> bool:
        """Whether a seed within a strongly connected component must have a way back."""
        return self.seed in self.ways and self.longest == FAR


SHAPES = (
    Shape("G0", Edge.WW, (Edge.WW,)),
    Shape("G1c", Edge.WR, _ALWAYS),
    Shape("fractured-read", Edge.RW, (Edge.WR,), longest=1),
    Shape("causal-violation", Edge.RW, (Edge.WR,)),
    Shape("G-monotonic", Edge.RW, _ALWAYS),
    Shape("G-single", Edge.RW, _ALWAYS),
    Shape("prefix-violation", Edge.RW, (*_ALWAYS, Edge.RW), after=(Edge.WR,)),
    Shape("G-MSR", Edge.RW, (*_ALWAYS, Edge.RW)),
    Shape("G-nonadjacent", Edge.RW, (*_ALWAYS, Edge.RW), after=_ALWAYS),
    Shape("G-update", Edge.RW, (*_ALWAYS, Edge.RW)),
    Shape("write-skew", Edge.RW, (Edge.RW,), longest=1),
    Shape("G2-item", Edge.RW, (*_ALWAYS, Edge.RW)),
)
"""G0 to G2 after Adya; G-nonadjacent is the acyclicity of (WR | WW) ; RW? that characterizes
snapshot isolation (Cerone and Gotsman, JACM 2018), prefix-violation that of (WR ; RW?) | WW.
G-monotonic, G-MSR and G-update are circles of other graphs, see
:mod:`testbed.checkers.transactions.list_unfold`."""
OF_VISIBILITY = ("fractured-read", "causal-violation")
"""Those that ask for any later version that was missed, not for the next one."""
OF_STEPS = ("G-monotonic", "G-MSR", "G-update")
"""Those that are looked for in transactions that are taken apart."""
SPECIAL = (*OF_VISIBILITY, "prefix-violation", *OF_STEPS, "write-skew")
"""Those that are a special case of one of Adya's or Elle's."""
WITHOUT_FORMS = ("write-skew",)
"""Those that no order of time can be a part of."""
NONADJACENT = next(shape for shape in SHAPES if shape.anomaly == "G-nonadjacent")
