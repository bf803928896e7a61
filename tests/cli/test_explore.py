"""`detente explore`: what it prints of a real run, JSON, what it refuses."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

import detente
from detente.ensembles.results import Ensemble
from tests.cli.test_cli import Run, run  # noqa: F401 (a fixture)
from tests.ensembles.runs import a_manifest, solved_here
from tests.ensembles.texts import FAILING, SOUND


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return solved_here(tmp_path_factory.mktemp("sound") / "run", a_manifest(SOUND, draws=64))


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return solved_here(tmp_path_factory.mktemp("failing") / "run", a_manifest(FAILING, draws=24))


def test_all_is_told(run: Run, sound: Ensemble) -> None:  # noqa: F811
    told = run("explore", str(sound.folder))
    assert told.code == 0, told.err
    for part in (
        "64 draws, each solved under 2 policies; seed 0",
        "A    open (base)",
        "over the draws, from 5 % to 95 % of them",
        "Who prefers which policy: share of draws in which it is the best",
        "What a wrong choice costs: what is lost against the best policy of the same draw (regret)",
        "What a policy changes against A: the change in the same draw",
        "What decides how likely it is that",
        "quantities are within the noise",
        "The draws nearest to where",
        "share of draws with a smaller value",
    ):
        assert part in " ".join(told.out.split()) or part in told.out, part
    assert "not solved" not in told.out


def test_a_requirement_is_told(run: Run, sound: Ensemble) -> None:  # noqa: F811
    told = run("explore", str(sound.folder), "--requirement", "step >= 60 % and calm <= 40 %")
    heading = "What is required (step >= 60 % and calm <= 40 %): share of draws in which it is met"
    assert heading in told.out
    assert "the whole requirement" in told.out
    assert "Where “open” fails the requirement" in told.out
    assert "So it is in 100 % of 64 draws." in told.out


def test_json_has_everything(run: Run, sound: Ensemble) -> None:  # noqa: F811
    words = ("--json", "--requirement", "step >= 60 %", "--question", "step", "--policy", "promise")
    data = json.loads(run("explore", str(sound.folder), *words).out)
    assert data["policies"] == ["open", "promise"]
    assert data["draws"] == 64
    assert data["complete"] is True
    (one,) = data["influences"]
    assert (one["metric"], one["policy"], one["against"]) == ("step", "promise", None)
    assert {row["quantity"] for row in one["quantities"]} == set(sound.inputs.columns)
    assert {row["policy"] for row in data["preferences"]} == {"open", "promise"}
    assert len(data["satisficing"]) == 2
    assert data["discoveries"][0]["policy"] == "promise"
    found = detente.explore(sound, requirement="step >= 60 %", question="step", policy="promise")
    assert data["distributions"][0]["p50"] == found.distributions["p50"].iloc[0]


def test_conditions_on_types_and_periods(run: Run, sound: Ensemble) -> None:  # noqa: F811
    words = ("--given", "target=sincere", "--within", "1", "--json")
    given = json.loads(run("explore", str(sound.folder), *words).out)
    told = json.loads(run("explore", str(sound.folder), "--json").out)
    assert given["distributions"][0]["mean"] > told["distributions"][0]["mean"]


def test_failed_draws_are_told(run: Run, failing: Ensemble) -> None:  # noqa: F811
    told = run("explore", str(failing.folder))
    assert told.code == 0, told.err
    assert "not solved under at least one policy (INVALID" in told.out
    assert "INVALID" in told.out
    assert "left out" in told.out


def test_pictures_are_drawn(run: Run, sound: Ensemble) -> None:  # noqa: F811
    told = run("explore", str(sound.folder), "--plot", "all.svg")
    assert told.code == 0
    assert told.err == "Wrote all.svg.\n"
    assert "<svg" in Path("all.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--within", "9"), ("--within: error[out-of-range]", "it has those of")),
        (("--given", "target"), ("--given: error[wrong-type]", "DPRK=sincere")),
        (("--given", "target=sincer"), ("--given: error[unknown-name]", "target=sincere")),
        (("--policy", "opne"), ("--policy: error[unknown-name]", "did you mean `open`")),
        (("--question", "stp"), ("--question: error[unknown-name]", "did you mean `step`")),
        (("--requirement", "step"), ("--requirement: error[syntax]", "write it as")),
        (("--plot", "all.gif"), ("--plot: error[wrong-type]", ".png")),
        (("--plot", "no/all.png"), ("--plot: error[cannot-write]", "no folder")),
    ],
)
def test_mistakes_are_told(
    run: Run,  # noqa: F811
    sound: Ensemble,
    words: tuple[str, ...],
    parts: tuple[str, str],
) -> None:
    told = run("explore", str(sound.folder), *words)
    assert told.code == 2
    assert told.out == ""
    for part in parts:
        assert part in told.err


def test_no_results(run: Run) -> None:  # noqa: F811
    told = run("explore", "nowhere")
    assert told.code == 2
    assert "there is no such folder" in told.err


def test_missing_packages_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    real = importlib.util.find_spec
    gone = {"duckdb", "sklearn"}
    monkeypatch.setattr(
        "detente.cli.inputs.find_spec", lambda name: None if name in gone else real(name)
    )
    told = run("explore", "nowhere")
    assert told.code == 2
    assert "exploring needs duckdb and scikit-learn, which are not installed" in told.err
    assert "python3 scripts/env.py --with ensemble" in told.err
