"""An object that has a name twice is refused, with the place of the second; nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli.main import main
from testbed.history.strict_json import JsonError, loads

names = st.sampled_from(["a", "b", 'q"', "\\", ":", "é", "a:b", "{"]) | st.text(max_size=4)
scalars = st.none() | st.booleans() | st.integers() | names
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


class Pairs(list[tuple[str, Any]]):
    """An object as pairs, which may name one twice."""


def written(value: Any, *, escaped: bool) -> str:
    if isinstance(value, Pairs):
        told = (
            f"{json.dumps(name, ensure_ascii=escaped)} : {written(one, escaped=escaped)}"
            for name, one in value
        )
        return f"{{{', '.join(told)}}}"
    if isinstance(value, dict):
        return written(Pairs(value.items()), escaped=escaped)
    if isinstance(value, list):
        return f"[{', '.join(written(one, escaped=escaped) for one in value)}]"
    return json.dumps(value, ensure_ascii=escaped)


@given(value=values, escaped=st.booleans())
def test_what_repeats_no_name_is_read_as_it_is(value, escaped):
    text = written(value, escaped=escaped)
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert loads(text.encode()) == json.loads(text)


@given(around=st.lists(st.sampled_from("[{"), max_size=5), pairs=values, name=names)
def test_a_name_that_comes_twice_is_refused_at_its_second_place(around, pairs, name):
    value: Any = Pairs([("x" + name, pairs), (name, 1), ("y" + name, pairs), (name, 2)])
    for opening in around:
        value = [0, value] if opening == "[" else {"z": value}
    text = written(value, escaped=True)
    with pytest.raises(JsonError, match="came before") as caught:
        loads(text.encode())
    told = text[caught.value.column - 1 :]
    assert told.startswith(json.dumps(name))
    assert told.rstrip("}]").endswith(": 2")


DOUBLE = '{"process": 0, "type": "invoke", "f": "read", "value": null, "value": 3}\n'
NESTED = '{"process": 0, "type": "invoke", "f": "read", "value": {"k": 1, "\\u006b": 2}}\n'


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("one.jsonl", DOUBLE, ":1:62: "),
        ("two.jsonl", "\n" + NESTED, ":2:65: "),
        ("array.jsonl", "[" + DOUBLE + "]", ":1:63: "),
        (
            "s.json",
            '{"sessions": [[{"committed": true,\n "committed": false, "ops": []}]]}',
            ":2:2: ",
        ),
    ],
)
def test_the_command_refuses_it_with_its_place(tmp_path, capsys, name, text, place):
    path = tmp_path / name
    path.write_text(text)
    form = "sessions" if name == "s.json" else "jsonl"
    model = "rw-register" if form == "sessions" else "register"
    assert main(["check", "--model", model, "--format", form, str(path)]) == 65
    assert f"{path}{place}expected each name once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "column"), [("process", 34), ("node", 34), ("region", 34), ("a", 34), ("zones", 0)]
)
def test_a_long_file_is_refused_as_a_short_one(tmp_path, capsys, name, column):
    """The compiled scanner leaves what it does not know to the ordinary reader."""
    lines = [
        f'{{"process": {n % 5}, "type": "{kind}", "f": "write", "value": {n}, "node": "x", '
        f'"region": "r",  "nod": 1, "a":2, "zone": "y"}}'
        for n in range(15_000)
        for kind in ("invoke", "ok")
    ]
    lines[20_000] = lines[20_000].replace('"f"', f'"{name}": 9, "f"')
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(lines))
    code = main(["check", "--model", "register", str(path)])
    said = capsys.readouterr().err
    if not column:
        assert (code, said) == (0, "")
        return
    assert code == 65
    assert f"{path}:20001:" in said
    assert f"expected each name once, '{name}' came before" in said
