"""`detente fit`: what is printed, written and refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import detente
from detente.cli.main import main
from detente.estimation.model import Model
from tests.estimation.conftest import folder as folder  # the fixture

FIT = ("one.yaml", "records.csv", "--units", "units.csv")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    """Runs `detente fit` in the folder of the panel."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("detente.solver.ready.missing", lambda game: [])

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["detente", "fit", *words])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_tables_for_people_and_for_programs(run: Run, folder: Path) -> None:
    code, out, _ = run(*FIT, "--free", "worth,more", "--csv", "tables")
    assert code == 0
    assert "2 parameters, 60 units, 60 observations" in out
    assert (folder / "tables" / "estimates.csv").exists()
    code, out, _ = run(*FIT, "--free", "worth,more", "--json")
    data = json.loads(out)
    assert (data["status"], data["miscoded"]) == ("CONVERGED", 0.0)
    code, out, _ = run(*FIT, "--free", "worth,more", "--miscoded", "0.05")
    assert (code, "may be another one, with 5 %" in out) == (0, True)
    assert [row["parameter"] for row in data["estimates"]] == ["worth", "more"]


def test_the_likelihood_along_a_parameter(run: Run, folder: Path) -> None:
    words = (*FIT, "--free", "worth,more")
    code, out, _ = run(*words, "--profile", "more", "--plot", "more.svg", "-o", "fitted.yaml")
    assert code == 0
    assert "How far the records let more go" in out
    assert (folder / "more.svg").stat().st_size > 1000
    assert detente.load(folder / "fitted.yaml").parameters["more"].estimated
    code, out, _ = run(*words, "--profile", "more", "--json")
    data = json.loads(out)
    assert data["low"] < data["estimate"] < data["high"]
    assert len(data["values"]) > 7
    code, _, err = run(*words, "--profile", "most")
    assert (code, "--profile: error[unknown-name]: `most` is not a free" in err) == (2, True)


def test_the_fitted_scenario_is_one(run: Run, folder: Path) -> None:
    code, _, err = run(*FIT, "--free", "worth", "-o", "fitted.yaml")
    assert (code, "Wrote fitted.yaml." in err) == (0, True)
    assert detente.load(folder / "fitted.yaml").parameters["worth"].estimated
    code, _, err = run(*FIT, "--free", "worth", "-o", "one.yaml")
    assert (code, "would be lost" in err) == (2, True)


def test_what_is_not_identified_ends_with_1(run: Run) -> None:
    code, out, err = run(*FIT, "--free", "worth,double")
    assert code == 1
    assert "not identified apart from double" in " ".join(out.split())
    assert "not identified" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no parameter is free"),
        (("--free", "worth", "--all"), "--free names parameters already"),
        (("--free", "nothing"), "is not a parameter"),
        (("--free", "worth", "--prior", "flat"), "there is no prior `flat`"),
        (("--free", "worth", "--cluster", "regio"), "no column `regio`"),
        (("--free", "worth", "--miscoded", "0.7"), "less than or equal to 0.5"),
        (("--all",), "only their product can be known"),
    ],
)
def test_what_is_asked_wrongly(run: Run, words: tuple[str, ...], message: str) -> None:
    code, _, err = run(*FIT, *words)
    assert code == 2
    assert message in err


def test_an_interruption_keeps_the_best_point(
    run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    evaluate, calls = Model.at, [0]

    def interrupted(self: Model, *given: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return evaluate(self, *given, **options)

    monkeypatch.setattr(Model, "at", interrupted)
    code, out, _ = run(*FIT, "--free", "worth,more", "--checkpoint", "point.json")
    assert code in (1, 130)
    assert "interrupted" in out
    monkeypatch.setattr(Model, "at", evaluate)
    code, out, _ = run(*FIT, "--free", "worth,more", "--checkpoint", "point.json")
    assert code == 0
