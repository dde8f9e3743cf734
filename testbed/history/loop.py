"""A loop over arrays that runs compiled, by machine code that is kept on the disk."""

from __future__ import annotations

import hashlib
import os
import types
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed.history.argument_words import Words, kind_of, words_of
from testbed.history.compiled_folder import compiled_folder, forget, mark_used
from testbed.history.loop_digest import loop_digest

if TYPE_CHECKING:
    from testbed.history.object_code import LoadedCode


class Loop:
    """A function of arrays and numbers in the part of Python that numba compiles.

    It may call other loops by their global names. What is compiled is kept for each kind of
    arguments as long as neither the loop nor what it names changes; the compiler is only loaded
    for what was never seen. With ``NUMBA_DISABLE_JIT=1`` it runs as plain Python.

    Args:
        plain: The function.
        folder: Where its machine code is kept.
        options: Further ones of the compiler.
    """

    def __init__(
        self, plain: Any, folder: Callable[[], Path] = compiled_folder, **options: Any
    ) -> None:
        self.plain = plain
        self.options = options
        self._folder = folder
        self._loaded: dict[str, LoadedCode] = {}
        self.__name__ = plain.__name__
        self.__doc__ = plain.__doc__

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return LoopCall(self)(*arguments)

    @cached_property
    def _digest(self) -> str:
        return loop_digest(self.plain, self.options)

    @cached_property
    def dispatcher(self) -> Any:
        """What the compiler knows it as."""
        from testbed.history.compiling import part_of_others  # noqa: PLC0415

        function = self.plain
        inner = {
            name: getattr(value, "dispatcher", value)
            for name in function.__code__.co_names
            if (value := function.__globals__.get(name)) is not None and value is not self
        }
        bound = types.FunctionType(
            function.__code__,
            {**function.__globals__, **inner},
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        bound.__module__ = function.__module__
        bound.__qualname__ = function.__qualname__
        return part_of_others(bound, **self.options)

    def code_for(self, arguments: tuple[Any, ...]) -> LoadedCode:
        """The machine code for arguments of these kinds, compiled if it has to be."""
        kind = kind_of(arguments)
        loaded = self._loaded.get(kind)
        if loaded is None:
            loaded = self._loaded[kind] = self._load(kind, arguments)
        return loaded

    def _load(self, kind: str, arguments: tuple[Any, ...]) -> LoadedCode:
        from testbed.history import object_code  # noqa: PLC0415

        text = f"{self._digest} {kind} {object_code.machine_digest()}"
        entry = f"{self.__name__}_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        path = self._folder() / f"{entry}.code"
        code = object_code.kept_code(path)
        if code is None or not object_code.can_load(code):
            from testbed.history.compiling import object_code as compiled  # noqa: PLC0415

            code = compiled(self.dispatcher, arguments, entry)
            code.keep(path)
            forget(path.parent)
            object_code.can_load(code)
        else:
            mark_used(path)
        return object_code.LoadedCode(code)


class LoopCall:
    """A loop with its last arguments: one that is called often with mostly the same saves time.

    It holds on to them, and serves one thread.

    Args:
        loop: To be called.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._last: tuple[Any, ...] = ()
        self._places: list[int] = []
        self._code: LoadedCode | None = None
        self._words: Words | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        if os.environ.get("NUMBA_DISABLE_JIT") == "1":
            return self._loop.plain(*arguments)
        if len(arguments) != len(self._last):
            self._code = None
        changed = [at for at, value in enumerate(arguments) if not self._same(at, value)]
        if self._code is None or not all(self._number(at, arguments[at]) for at in changed):
            self._begin(arguments)
        else:
            assert self._words is not None
            for at in changed:
                self._words[self._places[at]] = arguments[at]
        self._last = arguments
        assert self._code is not None
        assert self._words is not None
        return self._code.run(self._words)

    def _same(self, at: int, value: Any) -> bool:
        return self._code is not None and self._last[at] is value

    def _number(self, at: int, value: Any) -> bool:
        return type(value) is int and type(self._last[at]) is int

    def _begin(self, arguments: tuple[Any, ...]) -> None:
        self._code = self._loop.code_for(arguments)
        self._words = self._code.words()
        self._places = []
        words: list[int] = []
        for argument in arguments:
            self._places.append(len(words))
            words += words_of(argument)
        self._words[: len(words)] = words
