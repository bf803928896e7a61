"""From text to a scenario: its values, its warnings, and errors for anything else."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente import library
from detente.errors import ScenarioError, Severity
from detente.scenario.formula.expression import Formula
from detente.scenario.loader import load, loads
from detente.scenario.model import Scenario
from tests.effort import examples
from tests.scenario.texts import FULL, PLAIN


def codes(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    return [problem.code for problem in caught.value.diagnostics]


def text_of(formula: Formula | None) -> str | None:
    return formula.text if formula else None


@pytest.fixture(scope="module")
def full() -> Scenario:
    return loads(FULL, file="full.yaml")


def test_plain_scenario_has_no_warnings() -> None:
    scenario = loads(PLAIN, file="some/plain.yaml")
    assert scenario.name == "plain"
    assert [warning.code for warning in scenario.warnings] == []


def test_texts(full: Scenario) -> None:
    assert (full.name, full.title, full.source) == ("full", "Every key", "nowhere")
    assert full.about == "A stand-off that has everything."
    assert full.notes == ("one", "two")
    assert full.policy == "hard, and soft"
    assert full.evidence["a-report"].url == "https://example.org"
    assert full.outcomes["deal"].ends
    assert not full.outcomes["contact"].ends


def test_calendar(full: Scenario) -> None:
    assert full.calendar.unit == "week"
    assert full.calendar.start == dt.date(2018, 2, 5)
    assert full.horizon.parameters == {"weeks"}


def test_actors(full: Scenario) -> None:
    us, _, rok = full.actors.values()
    assert us.name == "United States"
    assert us.types == ("trader", "hardliner")
    assert [prior.text for prior in us.priors.values()] == ["p_trader", "1 - p_trader"]
    assert us.evidence == ("a-report",)
    assert (us.concentration, rok.concentration) == (12, None)
    assert us.shares() == ("p_trader", None)
    assert rok.name == "ROK"
    assert (rok.types, rok.priors) == ((), {})
    assert rok.discount.evaluate({}) == 1


def test_variables(full: Scenario) -> None:
    steps, talks = full.variables.values()
    assert (steps.size, steps.low, steps.names, steps.start, steps.cut) == (5, -1, (), 1, True)
    assert (talks.size, talks.names, talks.start, talks.cut) == (
        *(3, ("none", "contact", "summit"), 1, False),
    )
    assert steps.label(0) == "-1"
    assert talks.label(2) == "summit"


def test_parameters(full: Scenario) -> None:
    cost = full.parameters["step_cost"]
    assert (cost.of, cost.types, cost.values) == ("DPRK", ("sincere", "stalling"), (0.2, 1.1))
    assert cost.ranges == ((0, 1), None)
    assert full.parameters["war_cost"].ranges == ((0, 3), (0, 3))
    assert full.parameters["sharp"].names() == ("sharp",)
    assert cost.names() == ("step_cost.sincere", "step_cost.stalling")
    weeks = full.parameters["weeks"]
    assert (weeks.draws, weeks.range_reason) == (("whole",), "a week at least")
    assert (cost.draws, cost.range_reason) == (("uniform", "uniform"), "")


def test_correlations_and_variants(full: Scenario) -> None:
    (one,) = full.correlations
    assert (one.between, one.rank) == (("sharp", "war_cost.trader"), -0.3)
    assert (one.about, one.judgement) == ("how so", "a guess")
    order = full.variants["order"]
    assert (order.about, order.judgement) == ("who moves first", "nobody knows")
    assert [(o.key, o.weight, o.changes) for o in order.options.values()] == [
        ("as_reported", 2, ()),
        ("washington_first", 1, ("turns",)),
        ("storms", 0.5, ("chance.storm.when", "chance.calm.set", "actions.DPRK.step")),
    ]
    assert full.options == {}
    assert (full.file, full.text) == ("full.yaml", FULL)


def test_turns(full: Scenario) -> None:
    assert [(turn.who, turn.events) for turn in full.turns] == [
        (("DPRK",), ()),
        (("US",), ()),
        (("US", "ROK"), ()),
        ((), ("storm",)),
        ((), ("storm", "calm")),
    ]
    assert text_of(full.turns[1].when) == "talks >= contact or t >= 3"
    assert full.turns[0].when is None


def test_actions(full: Scenario) -> None:
    step, test, wait = full.actions["DPRK"].values()
    assert [text_of(one.probability) for one in step.alternatives] == ["0.75", None]
    assert [(c.variable, c.shift, c.formula.text) for c in step.alternatives[0].changes] == [
        ("steps", True, "+1"),
        ("talks", False, "contact"),
    ]
    assert step.alternatives[1].changes == ()
    assert {key: cost.text for key, cost in step.costs.items()} == {
        **{"DPRK": "step_cost", "ROK": "0.5"}
    }
    assert [(c.shift, float(c.formula.evaluate({}))) for c in test.alternatives[0].changes] == [
        (False, -1),
        (True, -1),
    ]
    assert list(test.costs) == ["DPRK", "ROK"]
    assert (len(wait.alternatives), wait.alternatives[0].changes, wait.when) == (1, (), None)
    assert full.events["calm"].alternatives[1].changes[0].shift
    assert (test.also, wait.also, full.events["calm"].also) == (
        ("missile  launch", "a test"),
        (),
        (),
    )
    assert full.actions["US"]["ease"].also == ("relax",)


def test_payoffs(full: Scenario) -> None:
    us = full.payoffs["US"]
    assert {key: one.text for key, one in us.flow.items()} == {"": "-steps"}
    assert list(us.terminal) == ["deal", "war"]
    assert us.terminal["war"].actors == {"US"}
    assert (us.about, us.judgement) == ("wants steps", "a guess")
    assert list(full.payoffs["DPRK"].flow) == ["talk"]


def test_terms_and_policies(full: Scenario) -> None:
    patience, alone = full.terms.values()
    assert patience.forbids == (("US", "ease"), ("ROK", "aid"))
    assert patience.cost is None
    assert text_of(patience.unless) == "steps >= 1"
    assert alone.forbids == (("US", "ease"), ("ROK", "aid"), ("ROK", "wait"))
    assert text_of(alone.cost) == "war_cost"
    assert full.policies["hard, and soft"].terms == ("patience", "alone")
    assert full.announcement is not None
    assert (full.announcement.who, full.announcement.among) == (
        *("US", ("hard, and soft", "none at all")),
    )
    assert full.policies["none at all"].terms == ()


def test_the_places_of_formulas(full: Scenario) -> None:
    lines = FULL.splitlines()
    place = full.outcomes["deal"].when.place
    assert lines[place.line - 1][place.column - 1 :].startswith("steps == 3")


def test_a_scenario_cannot_change_and_can_be_copied(full: Scenario) -> None:
    with pytest.raises(TypeError):
        full.actors["US"] = full.actors["ROK"]  # type: ignore[index]
    assert pickle.loads(pickle.dumps(full)) == full
    assert copy.deepcopy(full) == full


# ---- loading by name


@pytest.mark.parametrize("name", library.names())
def test_the_library_loads_without_warnings(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.warnings == ()


def test_a_path_and_a_name_give_the_same(tmp_path: Path) -> None:
    name = library.names()[0]
    path = tmp_path / f"{name}.yaml"
    path.write_text(library.read_text(name), encoding="utf-8")
    assert load(path).sha256 == load(str(path)).sha256 == load(name).sha256


@pytest.mark.parametrize("source", ["pyongchang-2018", "nowhere.yaml", "a\0b", "x" * 5000, ""])
def test_what_is_not_there(source: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(source)
    (problem,) = caught.value.diagnostics
    if source == "pyongchang-2018":
        assert "did you mean `pyeongchang-2018`" in problem.hint
    if source:
        assert all(name in problem.hint for name in library.names())


def test_a_name_of_the_library_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        library.read_text("nowhere")


def test_loading_needs_neither_numba_nor_pandas() -> None:
    program = "import sys, detente.scenario.loader; print({'numba', 'pandas'} & {*sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


# ---- whatever the text


def test_a_mistake_in_one_entry_does_not_hide_or_make_others() -> None:
    text = PLAIN.replace("steps: {levels: 0..3", "steps: {levels: 0-3").replace(
        "trader: 0.4", "trader: x"
    )
    assert codes(text) == ["unknown-name", "wrong-type"]


@pytest.mark.parametrize("section", ["actors", "state", "parameters", "actions", "turns", "chance"])
def test_a_section_that_is_lost_makes_no_other_mistakes(section: str) -> None:
    lines = PLAIN.splitlines(keepends=True)
    start = next(k for k, line in enumerate(lines) if line.startswith(section))
    stop = next(k for k in range(start + 1, len(lines)) if not lines[k].startswith(" "))
    text = "".join([*lines[:start], f"{section}: 3\n", *lines[stop:]])
    assert codes(text) == ["wrong-type"]


def test_a_misspelt_section_makes_no_other_mistakes() -> None:
    for section in ("parameters", "chance", "terms", "policies"):
        text = PLAIN.replace(f"\n{section}:", f"\n{section}s:")
        assert codes(text) == ["unknown-key"]
    text = PLAIN.replace("\nactors:", "\nactor:")
    assert codes(text) == ["missing-key", "unknown-key"]


def test_a_title_is_one_line() -> None:
    assert codes(PLAIN.replace("title: A plain", "title: |\n  A\n  B\nabout: A")) == ["wrong-type"]


def test_surrogates_are_an_encoding_error() -> None:
    assert codes("title: \ud800") == ["encoding"]


def survives(text: str) -> None:
    """Loads, or tells what is wrong; anything else is a fault of Detente."""
    with contextlib.suppress(ScenarioError):
        assert all(one.severity is Severity.WARNING for one in loads(text).warnings)


SNIPPETS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["null", "{}", "[]", ": ", "- ", "1e999", "*a", "&a ", "!t ", "\n", "\n  ", "'", '"', "+1"]
    ),
    st.sampled_from(FULL.split()),
)


@settings(max_examples=examples(150))
@given(st.data())
def test_a_mutated_file_loads_or_is_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([PLAIN, FULL]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from([0, 0, 1, 5, 30]))
        text = text[:start] + data.draw(SNIPPETS) + text[start + cut :]
    survives(text)


@settings(max_examples=examples(100))
@given(st.binary(max_size=60))
def test_any_bytes_load_or_are_refused(data: bytes) -> None:
    survives(data.decode("utf-8", "surrogateescape"))


@settings(max_examples=examples(100))
@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(FULL.split())
        ),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["p", "set", "when", "types", "who", "levels"]), inner
            )
        ),
        max_leaves=6,
    ),
    st.sampled_from(["calendar", "actors", "state", "parameters", "turns", "actions", "payoffs"]),
)
def test_any_value_for_a_section_loads_or_is_refused(value: object, section: str) -> None:
    head, _, rest = PLAIN.partition(f"{section}:")
    rest = rest[rest.index("\n") + 1 :]
    while rest.startswith(" "):
        rest = rest[rest.index("\n") + 1 :]
    survives(f"{head}{section}: {flow(value)}\n{rest}")


def flow(value: object) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return repr(value)
