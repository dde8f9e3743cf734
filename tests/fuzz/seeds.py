"""What the fuzzers begin with."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

OPERATIONS = b"""{"process":0,"type":"invoke","f":"write","value":1,"key":"x","time":5,"index":0}
{"process":0,"type":"info","f":"write","value":1,"key":"x","time":6,"index":1,"error":"late"}
{"process":1,"type":"invoke","f":"cas","value":[1,-2]}
{"process":1,"type":"ok","f":"cas","value":[1,-2],"more":null}
{"process":"nemesis","type":"info","f":"kill","value":[1,null,3]}
"""
TRANSACTIONS = b"""{"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}
{"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[1,2.5]]],"time":5}
"""
UNTIMED = b"""{"untimed":true,"process":12345678,"type":"invoke","f":"txn","value":[["w",12345,6]]}
{"untimed":true,"process":12345678,"type":"fail","f":"txn","value":null}
"""
LISTS = b"""{"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}
{"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[1,2]]]}
"""
EDN = b'[{:process 0, :type :invoke, :f :w :value #{1 2N 1/2 \\a "s"}} #_x [0 :ok :w (#inst "a")]]'
SESSIONS = b'{"sessions": [[{"committed": true, "ops": [["r", 1, null], ["w", 2, 12345678]]}], []]}'
NAMED_SESSIONS = b'{"sessions": [[{"committed": true, "ops": [["r", 1, null], ["w", "x", 2]]}]]}'


def sow(inputs: Iterable[bytes]) -> None:
    """Write inputs into the first folder of the command line, if it names one.

    The fuzzer only builds on what lies there: with none it begins at nothing and, for a long time,
    tries no more than a few bytes.
    """
    folder = next((Path(each) for each in sys.argv[1:] if Path(each).is_dir()), None)
    if folder is not None:
        for number, each in enumerate(inputs):
            (folder / f"seed-{number}").write_bytes(each)
