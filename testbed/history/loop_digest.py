"""What a compiled loop is made of, as a number: the same number, the same machine code.

A loop is its own instructions and what they name: other loops, and constants. A file that changes
elsewhere changes neither, so nothing is compiled again for it; a callee or a constant of another
file that changes does. (The compiler's own cache looks at the file of a function alone: after an
update it would run old code where only a callee changed.)
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_PLAIN = (int, float, str, bytes, bool, type(None), type(...), np.generic)


def loop_digest(function: FunctionType, options: Mapping[str, Any]) -> str:
    """The number of a loop.

    Args:
        function: The plain function.
        options: The compiler's for it.

    Raises:
        TypeError: It names something that no number can be found for.
    """
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for part in _function(function, options, set()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _function(
    function: FunctionType, options: Mapping[str, Any], seen: set[FunctionType]
) -> Iterator[str]:
    if function in seen:
        yield f"again {function.__qualname__}"
        return
    seen.add(function)
    if function.__closure__:
        raise TypeError(f"{function.__qualname__} is a closure: a loop names what it needs")
    yield f"{function.__qualname__} {sorted(options.items())} {function.__defaults__}"
    yield from _code(function.__code__, function.__globals__, seen)


def _code(code: CodeType, names: Mapping[str, Any], seen: set[FunctionType]) -> Iterator[str]:
    """The instructions, and what is named by them; not where in the file they stand."""
    yield f"{code.co_code.hex()} {code.co_varnames} {code.co_argcount} {code.co_names}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant, names, seen)
        else:
            yield from _value(constant, seen)
    for name in code.co_names:
        if name in names:
            yield f"{name} is"
            yield from _value(names[name], seen)


def _value(value: Any, seen: set[FunctionType]) -> Iterator[str]:
    plain = getattr(value, "plain", value)
    if isinstance(plain, FunctionType):
        yield from _function(plain, getattr(value, "options", {}), seen)
    elif isinstance(value, ModuleType) and hasattr(value, "__version__"):
        yield f"{value.__name__} {value.__version__}"
    elif isinstance(value, type):
        yield f"{value.__module__}.{value.__qualname__} {getattr(value, '_fields', ())}"
        for name, constant in sorted(vars(value).items()):
            if isinstance(constant, int):  # of an enumeration, too
                yield f"{name} {constant:d}"
    elif isinstance(value, tuple):
        yield f"{len(value)} values"
        for one in value:
            yield from _value(one, seen)
    elif isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value!r}"
    else:
        raise TypeError(f"a loop can name constants, loops and numpy, but not {value!r:.100}")
