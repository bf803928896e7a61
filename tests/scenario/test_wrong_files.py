"""Wrong files beside the diagnostics they must give, word for word.

A file that is only doubtful has its warnings there. After a change that is meant, look at the
difference that the failing test shows, and put the new text into the `.expected` file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from detente.errors import ScenarioError
from detente.scenario.loader import load

FOLDER = Path(__file__).parent.parent / "wrong"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", FILES)
def test_tells_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    try:
        told = load(f"{name}.yaml").warnings
    except ScenarioError as error:
        told = error.diagnostics
    expected = Path(f"{name}.expected").read_text(encoding="utf-8")
    assert "".join(f"{diagnostic}\n" for diagnostic in told) == expected
    assert list(told) == sorted(told, key=lambda diagnostic: diagnostic.place)


def test_there_are_many_and_none_is_left_over() -> None:
    assert len(FILES) >= 40
    assert {path.stem for path in FOLDER.glob("*.expected")} == set(FILES)


def test_one_file_shows_many_kinds_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        load(FOLDER / "everything-at-once.yaml")
    assert len({diagnostic.code for diagnostic in caught.value.diagnostics}) >= 15
