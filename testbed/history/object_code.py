"""Machine code from the disk, run without the compiler that made it.

The compiler takes more than half a second to load, its loader for object files a twentieth of that.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import pickle
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import binding

from testbed.history.argument_words import Words, result_of

_CALLERS = ("argument_words", "compiling", "object_code")
"""Modules that agree on what the words of arguments and results mean."""


@dataclass(frozen=True)
class ObjectCode:
    """An object file with one entry, a function of a pointer to words; it returns 0 if all is well.

    Args:
        entry: Its name, like no other's.
        inputs: Words of arguments; those of the result follow.
        outputs: Words of the result, or of an error.
        result: What the result is.
        needs: Functions from outside that it calls.
        machine: The object file.
    """

    entry: str
    inputs: int
    outputs: int
    result: Any
    needs: list[str]
    machine: bytes

    def keep(self, path: Path) -> None:
        """Write it to the disk; where that is not possible it is compiled again next time."""
        head = {name: value for name, value in asdict(self).items() if name != "machine"}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                digest = hashlib.sha256(self.machine).hexdigest()
                file.write(json.dumps({**head, "sha256": digest}).encode() + b"\n" + self.machine)
            Path(draft).replace(path)
        except OSError:
            return


def kept_code(path: Path) -> ObjectCode | None:
    """What was kept, None if there is nothing or it is damaged."""
    try:
        head, _, machine = path.read_bytes().partition(b"\n")
        fields = json.loads(head)
        digest = fields.pop("sha256")
        code = ObjectCode(machine=machine, **fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return code if digest == hashlib.sha256(machine).hexdigest() else None


class LoadedCode:
    """Machine code that can be run; it stays loaded as long as the process lives.

    Args:
        code: Loaded from here.
    """

    def __init__(self, code: ObjectCode) -> None:
        engine = _engine()
        engine.add_object_file(binding.ObjectFileRef.from_data(code.machine))
        engine.finalize_object()
        self.code = code
        # The interpreter's lock is released for the call, so that a budget can end it.
        function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
        self._run = function(engine.get_function_address(code.entry))

    def words(self) -> Words:
        """Room for one call's arguments and result."""
        return np.zeros(self.code.inputs + self.code.outputs + 1, np.int64)

    def run(self, words: Words) -> Any:
        """Run it.

        Args:
            words: Of the arguments, with room behind them.

        Raises:
            Exception: What the loop raised: that memory does not suffice.
        """
        failed = self._run(words.__array_interface__["data"][0])
        outputs = words[self.code.inputs :]
        if failed:
            place, size = outputs[:2].tolist()
            # The compiler put it into the code itself.
            error, texts, *_ = pickle.loads(ctypes.string_at(place, size))  # noqa: S301
            raise error(*texts)
        owned = _runtime()._MemInfo  # noqa: SLF001 - the name that it gives
        return result_of(self.code.result, outputs, owned)


def can_load(code: ObjectCode) -> bool:
    """Whether everything is there that the code calls."""
    _runtime()
    return all(binding.address_of_symbol(name) for name in code.needs)


@cache
def machine_digest() -> str:
    """Stands for what code is made for: the processor, the compiler, and those who call it."""
    digest = hashlib.sha256()
    for text in (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()):
        digest.update(text.encode())
    ours = (Path(__file__).with_name(f"{name}.py") for name in _CALLERS)
    for path in (_numba_file("_version.py"), *ours):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _engine() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


@cache
def _runtime() -> Any:
    """What compiled code gets memory by: the compiler's own, without the compiler."""
    name = "numba.core.runtime._nrt_python"
    if name in sys.modules:
        return sys.modules[name]
    path = _numba_file("core", "runtime", f"_nrt_python{EXTENSION_SUFFIXES[0]}")
    loader = ExtensionFileLoader("_nrt_python", str(path))
    spec = importlib.util.spec_from_loader("_nrt_python", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    for name, address in module.c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    return module


def _numba_file(*parts: str) -> Path:
    """A file of the compiler's, which is not imported for that."""
    spec = importlib.util.find_spec("numba")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*parts)
