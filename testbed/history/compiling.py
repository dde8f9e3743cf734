"""Compiles loops into object code that needs no compiler to run.

Importing this module loads the compiler, which takes more than half a second: import it late.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock

from testbed.history.lost_interrupts import interrupts_told
from testbed.history.object_code import ObjectCode

_WORD, _STATUS = ir.IntType(64), ir.IntType(32)


def part_of_others(function: Any, **options: Any) -> Any:
    """A function that compiled ones can call."""
    return numba.njit(function, nogil=True, **options)


def object_code(dispatcher: Any, arguments: tuple[Any, ...], entry: str) -> ObjectCode:
    """A function compiled for the kinds of some arguments.

    Args:
        dispatcher: Of :func:`part_of_others`.
        arguments: Like those that it will be called with.
        entry: What the entry is called.

    Raises:
        KeyboardInterrupt: The process was asked to end meanwhile.
    """
    typeof: Any = numba.typeof
    kinds = tuple(typeof(argument) for argument in arguments)
    with global_compiler_lock, interrupts_told():  # its callbacks swallow them
        dispatcher.compile(kinds)
        return _with_entry(dispatcher.overloads[kinds], entry)


def _with_entry(made: Any, entry: str) -> ObjectCode:
    """The object code of what the compiler made, with an entry that takes words."""
    context, described = made.target_context, made.fndesc
    library = context.codegen().create_library(entry)
    module = library.create_ir_module(entry)
    function = ir.Function(module, ir.FunctionType(_STATUS, [_WORD.as_pointer()]), entry)
    builder = ir.IRBuilder(function.append_basic_block())
    packer = context.get_arg_packer(described.argtypes)
    inputs = packer.argument_types
    values = [
        _from_word(builder, builder.load(_slot(builder, function, at)), wanted)
        for at, wanted in enumerate(inputs)
    ]
    status, result = context.call_conv.call_function(
        builder,
        context.declare_function(module, described),
        described.restype,
        described.argtypes,
        packer.from_arguments(builder, values),
    )
    with builder.if_then(status.is_error, likely=False):
        why = builder.load(status.excinfoptr)
        for at in (0, 1):
            word = _to_word(builder, builder.extract_value(why, at))
            builder.store(word, _slot(builder, function, len(inputs) + at))
    with builder.if_then(status.is_ok, likely=True):
        words: list[Any] = []
        described_result = _put_words(context, builder, described.restype, result, words)
        for at, word in enumerate(words):
            builder.store(word, _slot(builder, function, len(inputs) + at))
    builder.ret(builder.select(status.is_ok, _STATUS(0), _STATUS(1)))
    library.add_ir_module(module)
    library.add_linking_library(made.library)
    library.finalize()
    final = library._final_module  # noqa: SLF001 - numba has no other word for it
    return ObjectCode(
        entry,
        len(inputs),
        max(2, len(words)),
        described_result,
        [f.name for f in final.functions if f.is_declaration and not f.name.startswith("llvm.")],
        context.codegen()._tm.emit_object(final),  # noqa: SLF001 - as above
    )


def _slot(builder: Any, function: Any, at: int) -> Any:
    return builder.gep(function.args[0], [_WORD(at)])


def _from_word(builder: Any, word: Any, wanted: Any) -> Any:
    """A word as a number or a pointer of the wanted type."""
    if isinstance(wanted, ir.PointerType):
        return builder.inttoptr(word, wanted)
    if isinstance(wanted, ir.DoubleType):
        return builder.bitcast(word, wanted)
    return word if wanted.width == 64 else builder.trunc(word, wanted)


def _to_word(builder: Any, value: Any, *, signed: bool = True) -> Any:
    if isinstance(value.type, ir.PointerType):
        return builder.ptrtoint(value, _WORD)
    if isinstance(value.type, ir.DoubleType):
        return builder.bitcast(value, _WORD)
    if value.type.width == 64:
        return value
    return builder.sext(value, _WORD) if signed else builder.zext(value, _WORD)


def _put_words(context: Any, builder: Any, kind: Any, value: Any, words: list[Any]) -> Any:
    """Put the words of a result behind others; what says how to read them."""
    if isinstance(kind, types.NoneType):
        return ["none"]
    if isinstance(kind, types.BaseTuple):
        inner: Any = kind
        values = [(item, builder.extract_value(value, at)) for at, item in enumerate(inner.types)]
        return ["tuple", *(_put_words(context, builder, *item, words) for item in values)]
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        words += [_to_word(builder, array.meminfo), _to_word(builder, array.data)]
        for many in (array.shape, array.strides):
            words += [builder.extract_value(many, at) for at in range(kind.ndim)]
        dtype: Any = numba.np.numpy_support.as_dtype(kind.dtype)
        return ["array", dtype.str, kind.ndim]
    signed = bool(getattr(kind, "signed", False))
    words.append(_to_word(builder, value, signed=signed))
    if isinstance(kind, types.Boolean):
        return ["bool"]
    if isinstance(kind, types.Float):
        return ["float"]
    return ["signed" if signed else "unsigned"]
