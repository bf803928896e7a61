"""Files that load well and are wrong at some state that play can reach, beside what must be told.

A file that is only doubtful has its warnings there. After a change that is meant, look at the
difference that the failing test shows, and put the new text into the `.expected` file.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from detente import compile_game
from detente.errors import Diagnostic, ScenarioError, Severity
from detente.scenario.loader import load

FOLDER = Path(__file__).parent.parent / "wrong_at_play"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def told(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Diagnostic, ...]:
    monkeypatch.chdir(FOLDER)
    scenario = load(f"{name}.yaml")  # there is nothing wrong with the file by itself
    try:
        return compile_game(scenario).warnings
    except ScenarioError as error:
        return error.diagnostics


@pytest.mark.parametrize("name", FILES)
def test_tells_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(name, monkeypatch)
    expected = Path(f"{name}.expected").read_text(encoding="utf-8")
    assert "".join(f"{diagnostic}\n" for diagnostic in found) == expected
    assert list(found) == sorted(found, key=lambda diagnostic: diagnostic.place)
    for diagnostic in found:
        assert diagnostic.place.file == f"{name}.yaml"
        assert diagnostic.place.line > 0
        assert diagnostic.place.column > 0
        doubtful = diagnostic.code in ("never-holds", "never-binds", "ends-at-start")
        assert diagnostic.severity is (Severity.WARNING if doubtful else Severity.ERROR)


def test_there_are_many_and_none_is_left_over() -> None:
    assert len(FILES) >= 20
    assert {path.stem for path in FOLDER.glob("*.expected")} == set(FILES)


@pytest.mark.slow
def test_too_many_states_are_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.process_time()
    assert [diagnostic.code for diagnostic in told("too-many-states", monkeypatch)] == ["too-large"]
    assert time.process_time() - start < 20


def test_the_limit_on_states(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load("bargaining-rounds")
    most = max(states.size for states in compile_game(scenario).structure.sets)
    monkeypatch.setattr("detente.game.turns.MAX_STATES", most)
    assert compile_game(scenario).final.size <= most
    monkeypatch.setattr("detente.game.turns.MAX_STATES", most - 1)
    with pytest.raises(ScenarioError, match=f"at most {most - 1} are taken"):
        compile_game(scenario)
