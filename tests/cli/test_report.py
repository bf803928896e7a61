"""`detente report`: where the page goes, and what is refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import detente
from detente.cli import inputs
from detente.cli.main import main
from detente.ensembles.request import new_manifest
from tests.ensembles.runs import a_request, solved_here
from tests.report.markup import Markup

ROUNDS = ("report", "bargaining-rounds", "--horizon", "1", "--beliefs", "5")


def told(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["detente", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_it_writes_a_page_and_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(monkeypatch, *ROUNDS) == 0
    assert capsys.readouterr().out == "bargaining-rounds.html\n"
    assert (tmp_path / "bargaining-rounds.html").read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["bargaining-rounds.html"]


def test_a_missing_package_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "find_spec", lambda name: None if name == "jinja2" else object())
    assert told(monkeypatch, *ROUNDS) == 2
    err = capsys.readouterr().err
    assert "needs jinja2, which is not installed" in err
    assert "hint: python3 scripts/env.py --with report" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "no/such/page.html"), "there is no folder no/such"),
        (("-o", "."), "it is a folder"),
        (("--outcome", "first_stp"), "there is no outcome 'first_stp'"),
        (("--policies", "trust"), "no policy 'trust'"),
        (("--moves", "no-such.csv"), "no-such.csv"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(monkeypatch, *ROUNDS, *words) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_old_page_stays_where_the_new_one_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    assert told(monkeypatch, *ROUNDS, "-o", str(page), "--force") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_draws_need_their_own_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    absent = {"duckdb", "sklearn"}
    monkeypatch.setattr(inputs, "find_spec", lambda name: None if name in absent else object())
    assert told(monkeypatch, *ROUNDS, "--ensemble", "draws") == 2
    err = capsys.readouterr().err
    assert "needs duckdb and scikit-learn, which are not installed" in err
    assert "hint: python3 scripts/env.py --with ensemble" in err


def test_draws_that_are_not_there_and_a_requirement_without_any_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(monkeypatch, *ROUNDS, "--ensemble", "draws") == 2
    assert "draws" in capsys.readouterr().err
    assert told(monkeypatch, *ROUNDS, "--requirement", "relief >= 10 %") == 2
    assert "--ensemble" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_line_in_the_record_makes_the_page_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = (Path(detente.__file__).parent / "library" / "bargaining-rounds.yaml").read_text()
    (tmp_path / "my $(own).yaml").write_text(scenario)
    words = ("my $(own).yaml", "--set", "prior=0.4", "--policies", "")
    assert told(monkeypatch, "report", *words, *ROUNDS[2:], "-o", "page.html") == 0
    page = (tmp_path / "page.html").read_bytes()
    line = shlex.split(Markup(page.decode()).code[-1])
    assert line[:3] == ["detente", "report", "my $(own).yaml"]
    assert told(monkeypatch, *line[1:], "-o", "again.html") == 0
    assert (tmp_path / "again.html").read_bytes() == page


@pytest.mark.slow
def test_a_page_has_its_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = detente.load("bargaining-rounds").with_horizon(1)
    solved_here(tmp_path / "draws", new_manifest(scenario, a_request(checked=1)))
    words = ("--ensemble", "draws", "--requirement", "relief >= 10 %")
    assert told(monkeypatch, *ROUNDS, *words) == 0
    page = (tmp_path / "bargaining-rounds.html").read_text("utf-8")
    assert "8 draws from the ranges of" in page
    assert "--ensemble draws --requirement &#39;relief &gt;= 10 %&#39;" in page
    capsys.readouterr()
    assert told(monkeypatch, "report", "bargaining-rounds", "--ensemble", "draws") == 2
    assert "were solved with the horizon 1" in capsys.readouterr().err
