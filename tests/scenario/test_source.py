"""YAML by the rules of version 1.2, with places."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from detente.errors import Place, ScenarioError
from detente.scenario.source import LARGEST, Source, Written, read_bytes, read_file, resolve


def read(text: str) -> Source:
    return read_bytes(text.encode(), "file.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1", -1),
        ("+1", "+1"),
        ("+0.5", "+0.5"),
        ("12:30", "12:30"),
        ("0..4", "0..4"),
        ("2018-02", "2018-02"),
        ("2018-02-15", "2018-02-15"),
        ("1_000", "1_000"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("1" * 5000, math.inf),
        ("nan", "nan"),
        ("a b", "a b"),
    ],
)
def test_plain_scalars(text: str, value: Any) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)
    assert read(f"key: {text}").value == {"key": value}


def test_quoted_scalars_are_text() -> None:
    assert read('["1", \'true\', ""]').value == ["1", "true", ""]


def test_keys_are_text() -> None:
    assert read("{1: a, true: b, 1.50: c}").value == {"1": "a", "true": "b", "1.50": "c"}


def test_places() -> None:
    source = read("a: 1\nb:\n  - x\n  - 'y z'\nc: >\n  folded\n  text\n")
    assert source.value == {"a": 1, "b": ["x", "y z"], "c": "folded text\n"}
    assert source.place(("a",)) == Place("file.yaml", 1, 4)
    assert source.place(("b", 1)) == Place("file.yaml", 4, 5)
    assert source.key(("b",)) == Place("file.yaml", 2, 1)
    assert source.place(("b", 7, "deeper")) == source.place(("b",))
    assert source.key(("b", 1)) == source.place(("b", 1))
    assert source.place(("nowhere",)) == Place("file.yaml")
    assert source.written[("a",)] == Written("1", 0)
    assert source.written[("b", 1)] == Written("y z", 1)
    assert source.written[("c",)].offset is None


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_bytes("\ufeffa: 1".encode(), "f").value == {"a": 1}


def test_the_hash_is_that_of_the_bytes() -> None:
    one, other = read("a: 1"), read("a: 1 ")
    assert len(one.sha256) == 64
    assert one.sha256 != other.sha256


def test_the_largest_file(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    head = b"a: 1\n#"
    path.write_bytes(head + b"x" * (LARGEST - len(head)))
    assert read_file(path, "f").value == {"a": 1}
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ScenarioError, match="too-large"):
        read_file(path, "f")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"error\[file\]"):
        read_file(tmp_path, "f")


def test_many_aliases_make_nothing_large() -> None:
    text = "a: &a [x, x]\n" + "".join(f"b{k}: [*a, *a]\n" for k in range(100))
    source = read(text)
    assert len(source.problems) == 201
    assert source.value["b7"] == [None, None]
