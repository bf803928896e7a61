"""Other forms of a scenario: an option gives what the file with the change written in gives."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import Place, ScenarioError
from detente.scenario import loader, source
from detente.scenario.loader import load, loads
from detente.scenario.model import Scenario
from tests.effort import examples
from tests.scenario.test_loader import flow, survives
from tests.scenario.texts import FULL, PLAIN

# What an option says, what stands in the file, and what would have to stand there.
CHANGES: list[tuple[dict[str, Any], str, str]] = [
    ({"turns": "[US, DPRK, chance]"}, "turns: [DPRK, US, chance]", "turns: [US, DPRK, chance]"),
    (
        {"actions": {"DPRK": {"step": {"cost": "2 * step_cost"}}}},
        "cost: step_cost}",
        "cost: 2 * step_cost}",
    ),
    (
        {"actions": {"DPRK": {"step": {"effects": "[{p: 0.5, set: {steps: +1}}, {p: rest}]"}}}},
        "when: steps < 3, set: {steps: +1}",
        "when: steps < 3, effects: [{p: 0.5, set: {steps: +1}}, {p: rest}]",
    ),
    (
        {"actions": {"US": {"part": {"set": {"talks": "none"}}}}},
        "    hold: {}\n",
        "    hold: {}\n    part: {set: {talks: none}}\n",
    ),
    (
        {"chance": {"quarrel": {"set": {"steps": "0"}}}},
        '8)", set: {talks: none}',
        '8)", set: {talks: none, steps: 0}',
    ),
    ({"payoffs": {"US": {"terminal": "2 * steps"}}}, "terminal: steps", "terminal: 2 * steps"),
    ({"state": {"steps": {"edge": "cut"}}}, "start: 0}", "start: 0, edge: cut}"),
    (
        {"terms": {"patience": {"unless": "[steps >= 1]"}}},
        "unless: steps >= 1",
        "unless: [steps >= 1]",
    ),
]


def written(value: Any) -> str:
    """A change in YAML's flow style; text is YAML already."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(item)}' for key, item in value.items())}}}"
    return str(value)


def laid(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both changes together; they meet in mappings only."""
    both = dict(one)
    for key, value in other.items():
        both[key] = laid(both[key], value) if key in both else value
    return both


def variant(name: str, change: Mapping[str, Any]) -> str:
    options = f"{{options: {{as_reported: {{}}, other: {{change: {written(dict(change))}}}}}}}"
    return f"  {name}: {options}\n"


def bare(value: Any) -> Any:
    """A value of a scenario without what differs between files that say the same."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = {field.name for field in dataclasses.fields(value)}
        if isinstance(value, Scenario):
            names -= {"sha256", "text", "options", "variants", "warnings"}
        return {name: bare(getattr(value, name)) for name in names - {"place"}}
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, tuple) else value


@settings(max_examples=examples(40))
@given(st.sets(st.sampled_from(range(len(CHANGES)))), st.sets(st.sampled_from(range(len(CHANGES)))))
def test_an_option_is_the_file_with_the_change_written_in(first: set[int], more: set[int]) -> None:
    second = more - first
    text, by_hand, chosen = PLAIN + "variants:\n", PLAIN, {}
    for name, which in (("one", first), ("two", second)):
        change: dict[str, Any] = {}
        for at in sorted(which):
            change = laid(change, CHANGES[at][0])
            assert CHANGES[at][1] in PLAIN
            by_hand = by_hand.replace(CHANGES[at][1], CHANGES[at][2], 1)
        if which:
            text += variant(name, change)
            chosen[name] = "other"
    scenario = loads(text if chosen else PLAIN)
    assert bare(scenario) == bare(loads(PLAIN))
    assert bare(scenario.with_options(chosen)) == bare(loads(by_hand))
    assert scenario.with_options(chosen).options == chosen


@pytest.mark.parametrize("text", [FULL, PLAIN + "variants:\n" + variant("order", CHANGES[0][0])])
def test_the_first_option_is_the_file_as_it_stands(text: str) -> None:
    scenario = loads(text)
    first = scenario.with_options({"order": "as_reported"})
    assert first.options == {"order": "as_reported"}
    assert dataclasses.replace(first, options=scenario.options) == scenario
    other = next(key for key, one in scenario.variants["order"].options.items() if one.changes)
    assert bare(scenario.with_options({"order": other})) != bare(scenario)
    assert scenario.with_options({"order": other}).with_options({"order": "as_reported"}) == first


def test_values_and_horizon_are_kept() -> None:
    scenario = loads(FULL).with_values({"sharp": 2, "step_cost.sincere": 5}).with_horizon(7)
    other = scenario.with_options({"order": "storms"})
    assert other.overrides == {"sharp": 2, "step_cost.sincere": 5}
    assert other.parameters["sharp"].values == (2,)
    assert other.periods == 7
    assert other.horizon.place == Place(argument="horizon")
    assert "`step_cost.sincere`, 5," in other.warnings[-1].message
    again = loads(FULL).with_options({"order": "storms"})
    assert again.with_values(scenario.overrides).with_horizon(7) == other
    assert again.horizon == loads(FULL).horizon
    assert other.changed == {"order": "storms", "sharp": "2", "step_cost.sincere": "5"}


def test_an_option_may_not_go_with_a_value() -> None:
    change = {"actions": {"DPRK": {"wait": {"effects": "[{p: step_cots}, {p: rest}]"}}}}
    text = PLAIN.replace("parameters:\n", "parameters:\n  step_cots: {value: 0.5}\n")
    scenario = loads(text + "variants:\n" + variant("luck", change)).with_values({"step_cots": 2})
    with pytest.raises(ScenarioError, match=r"a probability of `wait` is 2"):
        scenario.with_options({"luck": "other"})


def test_two_options_may_not_go_together() -> None:
    more = {"state": {"talks": {"levels": "[none, contact, summit, peace]"}}}
    less = {"state": {"talks": {"levels": "[none, contact]"}}}
    use = {"payoffs": {"DPRK": {"flow": "'talks == summit'"}}}
    text = (
        PLAIN + "variants:\n" + variant("less", less) + variant("use", use) + variant("more", more)
    )
    scenario = loads(text)
    assert scenario.with_options({"use": "other", "more": "other"}).variables["talks"].size == 4
    with pytest.raises(ScenarioError, match="summit") as caught:
        scenario.with_options({"use": "other", "less": "other"})
    assert caught.value.diagnostics[0].place.line == len(PLAIN.splitlines()) + 3


def test_names_that_are_not_there() -> None:
    scenario = loads(FULL)
    with pytest.raises(ScenarioError) as caught:
        scenario.with_options({"ordre": "storms", "order": "storm"})
    told = [str(problem) for problem in caught.value.diagnostics]
    assert told[0].startswith("argument `values`: error[unknown-name]: `ordre` is not a variant")
    assert "did you mean `order`?" in told[0]
    assert told[1].startswith("argument `values`: error[unknown-name]: `storm` is not an option")
    assert "did you mean `storms`?" in told[1]
    with pytest.raises(ScenarioError, match="it is a variant: choose one of its options"):
        scenario.with_values({"order": 1})


def test_it_is_rebuilt_where_nothing_was_read_before(tmp_path: Any) -> None:
    """A worker gets a scenario as bytes, and no file."""
    path = tmp_path / "full.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    scenario = load(path)
    again = loads(scenario.text, file=scenario.file)
    assert (again, again.sha256, again.name) == (scenario, scenario.sha256, "full")
    path.unlink()
    sent = pickle.dumps(scenario)
    for cache in (loader._load, loader._formed, source.read_text):
        cache.cache_clear()
    received = pickle.loads(sent)
    assert received == scenario
    assert [turn.who for turn in received.with_options({"order": "washington_first"}).turns] == [
        *(("US",), ("DPRK",), ("ROK",), ())
    ]


def test_what_an_option_uses_is_used() -> None:
    text = PLAIN.replace(
        "parameters:\n", "parameters:\n  spare: {value: 1, range: [0, 2], judgement: so}\n"
    )
    assert [w.message for w in loads(text).warnings] == ["nothing uses the parameter `spare`"]
    change = {"actions": {"DPRK": {"step": {"cost": "spare"}}}}
    scenario = loads(text + "variants:\n" + variant("costs", change))
    assert scenario.warnings == scenario.with_options({"costs": "other"}).warnings == ()


WORDS = "turns actions chance payoffs state terms DPRK US step set effects steps talks patience"


@settings(max_examples=examples(100))
@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.sampled_from(FULL.split())),
        lambda inner: (
            st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
            | st.lists(inner, max_size=2)
        ),
        max_leaves=8,
    )
)
def test_any_change_loads_or_is_refused(change: Any) -> None:
    survives(f"{PLAIN}variants: {{v: {{options: {{a: {{}}, b: {{change: {flow(change)}}}}}}}}}\n")


def test_an_option_may_change_the_calendar() -> None:
    text = """
title: A deadline that may be put off
calendar: {period: month, horizon: 4, start: 2025-01}
actors: {A: {precision: 2}}
state: {x: {levels: [no, yes], start: no}}
turns: [A]
actions: {A: {go: {set: {x: yes}}, stay: {}}}
payoffs: {A: {terminal: x == yes}}
variants:
  deadline:
    judgement: it was put off before
    options:
      april: {}
      june: {change: {calendar: {horizon: 6}}}
      later: {change: {calendar: {start: 2025-03}}}
"""
    scenario = loads(text)
    assert scenario.periods == 4
    assert scenario.with_options({"deadline": "june"}).periods == 6
    later = scenario.with_options({"deadline": "later"})
    assert (later.periods, later.calendar.label(4)) == (4, "2025-06")
