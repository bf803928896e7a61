"""What `check` doubts about actions and events, at all states that play can reach."""

from __future__ import annotations

import pytest

from detente import library
from detente.errors import Diagnostic
from detente.game.forms import compile_forms
from detente.scenario.loader import load, loads

HEAD = """\
title: a test
calendar: {period: round, horizon: 3}
actors:
  A: {precision: 1, about: moves}
  B: {name: Beta, types: {a: 0.5, b: 0.5}, precision: 1, judgement: a test}
state:
  x: {levels: 0..3, start: 1, edge: cut}
  s: {levels: [off, on], start: off}
parameters:
  fee: {value: 0, range: [0, 1], judgement: a test, about: a fee}
  own: {value: {a: -0.2, b: -0.1}, range: [-1, 1], judgement: a test, about: by type}
turns: [A, B, chance]
payoffs: {A: {flow: x}, B: {flow: x}}
outcomes: {on: {when: s == on, about: it is on}}
chance: {storm: {set: {x: 0}}}
"""


SAME = "have the same effects and costs"
EVERYWHERE = "wherever both are allowed"


def told(text: str) -> list[Diagnostic]:
    _, found = compile_forms(loads(text))
    return list(found)


def doubts(actions: str, head: str = HEAD) -> list[tuple[str, str]]:
    """Codes and messages for the actions of A, beside which B has one, and all can happen."""
    other = "  B: {up: {set: {x: +1, s: on}}}\n" if "  B:" not in actions else ""
    return [(one.code, one.message) for one in told(f"{head}actions:\n{actions}{other}")]


def test_what_is_the_same_everywhere() -> None:
    # What costs a fee that is 0 by an accident of its value is not the same.
    actions = "  A: {go: {set: {x: +1}}, wait: {}, sit: {set: {x: +0}}, pay: {cost: fee}}\n"
    assert doubts(actions) == [("duplicate-action", f"`wait` and `sit` of A {SAME} {EVERYWHERE}")]
    more = actions.replace("sit:", "stay: {set: {}}, sit:")
    assert doubts(more) == [
        ("duplicate-action", f"`wait` and `{key}` of A {SAME} {EVERYWHERE}")
        for key in ("stay", "sit")
    ]


def test_what_is_the_same_at_the_ends_of_a_scale() -> None:
    head = HEAD.replace("storm: {set: {x: 0}}", "storm: {set: {x: -1}}")
    head = head.replace("horizon: 3", "horizon: 9")
    actions = "  A: {less: {set: {x: -1}}, hold: {}, more: {set: {x: +1}}}\n"
    other = "  B: {up: {when: x < 3, set: {x: +2, s: on}}, no: {}}\n"
    found = told(f"{head}actions:\n{actions}{other}")
    (one,) = found
    assert one.message == f"`less` and `hold` of A {SAME} where x is 0"
    assert one.hint.endswith(": give `less` the condition `x > 0`")
    followed = actions.replace("less: {", "less: {when: x > 0, ")
    assert doubts(followed + other, head) == []
    accepted = actions.replace("-1}", "-1}, accept: duplicate-action")
    assert doubts(accepted + other, head) == []


def test_costs_by_type_and_soft_terms_make_a_difference() -> None:
    actions = "  A: {one: {set: {x: 2}}}\n"
    actions += "  B: {one: {}, two: {cost: -own * (s == on)}, up: {set: {s: on}, cost: 1}}\n"
    assert doubts(actions) == [("duplicate-action", f"`one` and `two` of B {SAME} where s is off")]
    soft = "terms: {word: {binds: A, forbids: two, cost: 1}}\n"
    soft += "policies: {all: [word]}\npolicy: all\n"
    assert doubts("  A: {one: {}, two: {}}\n", HEAD + soft) == []
    hard = soft.replace(", cost: 1", "")
    assert doubts("  A: {one: {}, two: {}}\n", HEAD + hard) == [
        ("never-allowed", "`two` of A is allowed at no state of play")
    ]


def test_movers_at_the_same_time_are_compared_whatever_the_others_do() -> None:
    head = HEAD.replace("turns: [A, B,", "turns: [{who: [A, B]},")
    actions = "  A: {hold: {}, more: {set: {x: +1}}, set: {set: {x: 1}}}\n"
    # Where B sets x as well, A's setting it is overruled; where B does not, it is not.
    assert doubts(f"{actions}  B: {{put: {{set: {{x: 2, s: on}}}}}}\n", head) == [
        ("duplicate-action", f"`hold` and `set` of A {SAME} {EVERYWHERE}")
    ]
    both = "  B: {put: {set: {x: 2, s: on}}, leave: {set: {s: off}}, drop: {set: {x: -1}}}\n"
    assert doubts(actions + both, head) == [
        ("duplicate-action", f"`hold` and `set` of A {SAME} where x is 1")
    ]


def test_what_is_never_done() -> None:
    actions = "  A: {go: {}, dream: {when: x == 3 and s == off}}\n"
    head = HEAD.replace("storm: {set: {x: 0}}", "storm: {set: {x: 1}}, flood: {when: x > 5}")
    found = doubts(actions, head)
    assert found == [
        ("never-happens", "the event `flood` can happen at no state of play"),
        ("never-allowed", "`dream` of A is allowed at no state of play"),
    ]
    accepted = actions.replace("off}", "off, accept: never-allowed}")
    assert doubts(accepted, head.replace("x > 5}", "x > 5, accept: [never-happens]}")) == []


def test_months_that_no_period_starts_in() -> None:
    head = HEAD.replace("period: round", "start: 2018-01, period: quarter")
    head = head.replace("storm: {set: {x: 0}}", "storm: {when: month == 6, set: {x: 0}}")
    (one,) = told(f"{head}actions:\n  A: {{go: {{}}}}\n  B: {{up: {{set: {{s: on}}}}}}\n")
    assert one.code == "never-happens"
    assert one.hint.endswith("`month` is that in which a quarter starts: 1 or 4 or 7 or 10")


def test_an_action_of_one_policy_is_no_doubt() -> None:
    terms = "terms: {no: {binds: A, forbids: go}}\npolicies: {all: [no], none: []}\npolicy: all\n"
    assert doubts("  A: {go: {set: {x: 3}}, wait: {}}\n", HEAD + terms) == []


def test_costs_that_are_gains() -> None:
    actions = "  A: {go: {set: {x: 2}, cost: -fee - 0.1}, wait: {}, pay: {cost: {A: 1, B: -1}}}\n"
    assert doubts(actions) == [
        ("negative-cost", "the cost of `go` to A, `-fee - 0.1`, is below 0: a gain")
    ]
    assert doubts(actions.replace("0.1}", "0.1, accept: negative-cost}")) == []
    assert doubts("  A: {go: {cost: 1 - 2 * x}, wait: {set: {x: 2}}}\n") == []
    assert doubts("  A: {go: {cost: fee, set: {x: 2}}, wait: {}}\n") == []
    ((code, message),) = doubts("  A: {go: {set: {x: 2}}}\n  B: {up: {set: {s: on}, cost: own}}\n")
    assert (code, "`up` to B" in message) == ("negative-cost", True)


def test_play_that_is_over_before_it_starts() -> None:
    head = HEAD.replace("{when: s == on,", "{when: s == off, ends: true,")
    assert [code for code, _ in doubts("  A: {go: {}, never: {when: x > 9}}\n", head)] == [
        "ends-at-start"
    ]


def test_names_without_a_meaning() -> None:
    head = HEAD.replace(", about: a fee", "").replace(", about: it is on", "")
    assert doubts("  A: {go: {cost: fee}}\n", head) == [
        ("no-about", "`fee` has no `about`"),
        ("no-about", "`on` has no `about`"),
    ]
    twelve = [f"  p{k}: {{value: 1, range: [0, 2], judgement: a test}}\n" for k in range(12)]
    many = HEAD.replace("  fee:", f"{''.join(twelve)}  fee:")
    costs = " + ".join(f"p{k}" for k in range(12))
    ((code, message),) = doubts(f"  A: {{go: {{cost: {costs}}}}}\n", many)
    assert (code, message[:28]) == ("no-about", "12 of `parameters`, among th")
    nobody = HEAD.replace(", about: moves", "").replace("name: Beta, ", "")
    assert doubts("  A: {go: {}}\n", nobody) == [("no-about", "`A` and `B` have no `about`")]


def test_an_option_can_bring_doubts() -> None:
    variants = (
        "variants:\n  v:\n    judgement: a test\n    options:\n      as_is: {}\n"
        "      other: {change: {actions: {A: {go: {set: {x: +0}}}}}}\n"
    )
    ((code, message),) = doubts("  A: {go: {set: {x: 2}}, wait: {}}\n", HEAD + variants)
    assert code == "duplicate-action"
    assert message.endswith(
        "`go` and `wait` of A have the same effects and costs wherever both are allowed"
    )


@pytest.mark.parametrize("name", [name for name in library.names() if "pyeongchang" not in name])
def test_the_library_leaves_no_doubts(name: str) -> None:
    scenario = load(name)
    _, found = compile_forms(scenario)
    assert [*scenario.warnings, *found] == []
