"""Every option of a scenario's variants is looked at under every policy."""

from __future__ import annotations

import detente
from detente.errors import Severity
from detente.game.forms import compile_forms

GAME = """\
title: Forms of a game
calendar: {period: round, horizon: 2}
actors: {A: {precision: 1}, B: {precision: 1}}
state: {x: {levels: 0..2, start: 0}}
turns: [A, B]
actions:
  A:
    up: {when: x < 2, set: {x: +1}}
    wait: {}
  B: {leave: {}, wait: {}}
payoffs: {A: {flow: x}, B: {flow: -x}}
terms:
  calm: {binds: A, forbids: up, when: x > 5}
policies: {open: [], calm: [calm]}
outcomes:
  high: {when: x == 2}
  never: {when: x < 0}
  split: {when: x < 0 or x > 9}
"""


def variants(*options: str) -> str:
    lines = [f"      o{at}: {{{option}}}\n" for at, option in enumerate(options)]
    return f"{GAME}variants:\n  v:\n    options:\n      first: {{}}\n{''.join(lines)}"


def found(text: str) -> list[str]:
    _, told = compile_forms(detente.loads(text, file="f"))
    assert list(told) == sorted(told, key=lambda one: one.place)
    return [str(one) for one in told]


def test_sizes_by_form_and_policy() -> None:
    text = variants("change: {turns: [B, A]}", "change: {actions: {A: {up: {set: {x: +2}}}}}")
    forms, told = compile_forms(detente.loads(text.replace("x < 2", "x == 0")))
    assert list(forms) == ["", "v = o0", "v = o1"]
    assert all(list(sizes) == ["open", "calm"] for sizes in forms.values())
    assert forms["v = o1"]["open"] == (2, 4)
    assert {one.severity for one in told} == {Severity.WARNING}


def test_without_variants_it_is_what_is_found_under_all_policies() -> None:
    forms, told = compile_forms(detente.loads(GAME))
    assert list(forms) == [""]
    under_all = detente.game.compile.compile_policies(detente.loads(GAME))[1]
    only_here = {one.code for one in told if one not in under_all}
    assert set(under_all) <= set(told)
    assert only_here == {"duplicate-action", "no-about"}  # what `game.doubts` finds besides


def test_a_mistake_of_an_option_is_told_where_it_stands() -> None:
    text = variants(
        "change: {actions: {A: {up: {set: {x: +3}}}}}", "change: {turns: [A, B, A]}",
        "change: {actions: {A: {jump: {set: {x: +3}}}}}",
    )  # fmt: skip
    errors = [line for line in found(text) if "error" in line]
    lines = text.splitlines()
    assert [line.split(": ")[1] for line in errors] == [
        "error[leaves-levels]",
        "error[leaves-levels]",
    ]
    own, other = errors
    assert own.startswith(f"f:{len(lines) - 2}:")
    assert other.startswith(f"f:{len(lines)}:")


def test_a_mistake_that_shows_elsewhere_says_with_which_option() -> None:
    text = variants("change: {turns: [A, A, B]}").replace("when: x < 2, set", "set")
    text = text.replace("horizon: 2", "horizon: 1").replace("levels: 0..2", "levels: 0..1")
    (error,) = (line for line in found(text) if "error" in line)
    assert error.startswith("f:8:")
    assert "where `v` is `o0`: " in error


def test_a_mistake_of_the_file_is_told_once() -> None:
    text = variants("change: {turns: [B, A]}", "change: {turns: [A]}").replace("x < 2", "x < 3")
    text = text.replace("turns: [A]}", "turns: [A, B, A]}").replace("horizon: 2", "horizon: 3")
    errors = [line for line in found(text) if "error" in line]
    assert len(errors) == 1
    assert "where" not in errors[0].splitlines()[0]


def test_what_holds_with_an_option_is_not_doubtful() -> None:
    told = found(GAME)
    assert sum("never" in line for line in told) >= 3
    text = variants("change: {state: {x: {levels: -1..2}}, actions: {B: {leave: {set: {x: -1}}}}}")
    text = text.replace("{leave: {}, wait: {}}", "{leave: {when: x == 0}, wait: {}}")
    left = found(text)
    assert len(left) == len(told) - 2  # both conditions on x < 0 hold at last
    assert any("calm" in line for line in left)
