"""Absurd numbers get a sentence: every option of every command, and every argument in Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import detente
from detente.cli.main import app
from tests.cli.test_cli import SMALL, Told, run

__all__ = ["run"]  # the fixture

Run = Callable[..., Told]

WHOLE = ["-1", str(10**12), str(10**30), "1.5", "nan", "x", ""]
REAL = ["nan", "inf", "-inf", "x", ""]

BASE: dict[str, list[str]] = {
    "run": ["small.yaml"],
    "audit": ["small.yaml"],
    "show": ["small.yaml"],
    "implies": ["small.yaml"],
    "diff": ["small.yaml", "small.yaml"],
    "fit": ["small.yaml", "moves.csv", "--all"],
    "sensitivity": ["small.yaml", "--outcome", "given"],
    "code": ["moves.csv", "--scenario", "small.yaml"],
    "compare": ["small.yaml"],
    "announce": ["small.yaml"],
    "credibility": ["small.yaml", "--hold", "no_taking"],
    "value": ["secret-programme", "--signal", "inspection"],
    "ensemble": ["small.yaml", "-o", "results"],
    "explore": ["results"],
    "track": ["small.yaml", "moves.csv"],
    "sample": ["small.yaml"],
    "export": ["small.yaml"],
    "report": ["small.yaml"],
    "serve": ["small.yaml", "--no-browser"],
    "threshold": ["small.yaml", "-p", "price.firm", "--outcome", "given", "--at", "0.5"],
}
"""What commands with numbers among their options are given besides."""

SENSIBLE = {"--at": {"-1", str(10**12), str(10**30), "1.5"}, "--seed": {str(10**12), str(10**30)}}
"""Numbers that are not absurd there, or that are found to be wrong only by what is asked."""


def options() -> Iterator[tuple[str, str, str]]:
    """Every option that takes a number, with what makes no sense."""
    for command in app.registered_commands:
        function = command.callback
        assert function is not None
        name = command.name or function.__name__
        for key, hint in get_type_hints(function, include_extras=True).items():
            if get_origin(hint) is not Annotated:
                continue
            kind, told = get_args(hint)[:2]
            kinds = {kind, *get_args(kind)} & {int, float, list[float]}
            if not kinds:
                continue
            option = told.default if isinstance(told.default, str) else f"--{key}"
            option = option.replace("_", "-")
            for value in WHOLE if int in kinds else REAL:
                if value not in SENSIBLE.get(option, ()):
                    yield name, option, value


def test_the_table_has_all_commands_with_numbers() -> None:
    found = list(options())
    assert {name for name, _, _ in found} == set(BASE)
    assert len(found) > 300


@pytest.mark.parametrize("command", BASE)
def test_absurd_options_get_a_sentence(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def solved(*_: object, **__: object) -> None:
        raise AssertionError("it was solved")

    monkeypatch.setattr("detente.solver.solve._solve_on", solved)
    for name, option, value in options():
        if name != command:
            continue
        told = run(command, *BASE[command], f"{option}={value}")
        case = f"{command} {option}={value}: {told}"
        assert told.code == 2, case
        assert told.out == "", case
        assert option in told.err or "out-of-range" in told.err, case
        assert "Traceback" not in told.err, case
        assert told.err.count("Invalid value") + told.err.count("error[") == 1, case


CURVE = ("threshold", "small.yaml", "-p", "odds", "--outcome", "given", "--at", "0.5")


@pytest.mark.parametrize(
    "words",
    [
        ("sensitivity", "loop.yaml", "--outcome", "given", "--within", "9999"),
        ("threshold", "loop.yaml", *CURVE[2:], "--within", "9999"),
        ("run", "loop.yaml", "--periods", "9999"),
        ("run", "small.yaml", "--set", "odds=nan"),
        ("run", "small.yaml", "--set", "odds=1e400"),
        ("threshold", "small.yaml", "-p", "price.firm", "--outcome", "given", "--at", "7"),
        (*CURVE, "--from", "0.3", "--to", "0.2"),
        ("credibility", "small.yaml", "--hold", "no_taking", "--probability", "1.5"),
        (
            "threshold",
            "small.yaml",
            "-p",
            "odds",
            "--outcome",
            "given",
            "--at=.5",
            "--tolerance=-1",
        ),
        ("run", "small.yaml", "--accuracy", "0"),
    ],
    ids=lambda words: " ".join(words),
)
def test_what_makes_no_sense_for_a_scenario(run: Run, words: tuple[str, ...]) -> None:
    loop = (
        SMALL.replace("horizon: 2", "horizon: forever")
        .replace("start: 2018-02, period: month", "start: 2018, period: year")
        .replace("precision: 2", "precision: 2, discount: 0.9")
    )
    loop = loop.replace("B: {terminal: 2 * x}", "B: {flow: 2 * x}")
    Path("loop.yaml").write_text(loop, encoding="utf-8")
    told = run(*words)
    assert told.code == 2, told
    assert "error[" in told.err
    assert "Traceback" not in told.err


@pytest.fixture(scope="module")
def solution() -> Any:
    return detente.solve(
        detente.compile_game(detente.loads(SMALL)), detente.SolveOptions(beliefs=5)
    )


RNG = np.random.default_rng(1)
MIB = 2**20


@pytest.mark.parametrize(
    "ask",
    [
        lambda s, v: detente.solve(s.game, detente.SolveOptions(beliefs=v)),
        lambda s, v: detente.solve(s.game, detente.SolveOptions(threads=v)),
        lambda s, v: detente.solve(s.game, checked=v),
        lambda s, v: detente.solve(s.game, detente.SolveOptions(memory_limit=v)),
        lambda s, v: detente.forecast(s, threads=v),
        lambda s, v: detente.forecast(s, periods=v),
        lambda s, v: detente.sample(s, draws=v, rng=RNG),
        lambda s, v: detente.sample(s, draws=1, rng=RNG, periods=v),
        lambda s, v: detente.search(detente.forecast(s), starts=v, rng=RNG),
        lambda s, v: detente.search(
            detente.forecast(s), detente.SolveOptions(threads=v), starts=1, rng=RNG
        ),
        lambda s, v: detente.forecast_within(s.game, v or -1.0),
        lambda s, v: detente.forecast_within(s.game, 0.1, detente.SolveOptions(threads=v)),
        lambda s, v: detente.sensitivity(s, detente.Query(outcome="given", within=v)),
        lambda s, v: detente.sensitivity(s, detente.Query(outcome="given"), threads=v),
        lambda s, v: detente.to_efg(s.game, max_nodes=v),
        lambda s, v: detente.compare(s.game.scenario, options=detente.SolveOptions(beliefs=v)),
        lambda s, v: detente.compare(s.game.scenario, options=detente.SolveOptions(threads=v)),
        lambda s, v: detente.announce(
            s.game.scenario, who="A", options=detente.SolveOptions(threads=v)
        ),
        lambda s, v: detente.credibility(s.game.scenario, options=detente.SolveOptions(threads=v)),
        lambda s, v: detente.hold_cost(s.game.scenario, "no_taking", v),
        lambda s, v: detente.ensemble(s.game.scenario, draws=v),
        lambda s, v: detente.ensemble(s.game.scenario, draws=detente.Draws(seed=v)),
        lambda s, v: detente.ensemble(s.game.scenario, options=detente.SolveOptions(threads=v)),
        lambda s, v: detente.ensemble(s.game.scenario, draws=detente.Draws(checked=v)),
        lambda s, v: detente.ensemble(s.game.scenario, periods=v),
        lambda s, v: curve(s, points=v),
        lambda s, v: curve(s, threads=v),
        lambda s, v: curve(s, within=v),
        lambda s, v: curve(s, beliefs=v),
        lambda s, v: curve(s, at=v if isinstance(v, float) and not math.isfinite(v) else "x"),
        lambda s, v: curve(s, tolerance=v),
        lambda s, v: detente.threshold_map(
            s.game.scenario,
            ("odds", "price.firm"),
            detente.Query(outcome="given"),
            at=0.5,
            points=v,
        ),
        lambda s, v: s.game.scenario.with_horizon(v),
    ],
)
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "x"])
def test_absurd_arguments_raise_with_a_sentence(
    solution: Any, ask: Callable[[Any, Any], object], value: object
) -> None:
    with pytest.raises((ValueError, TypeError, detente.errors.ScenarioError)) as caught:
        ask(solution, value)
    said = str(caught.value)
    assert len(said) > 20
    if not isinstance(caught.value, detente.errors.ScenarioError):
        assert "--" not in said
        assert " is " in said or " are " in said


def curve(solution: Any, *, within: Any = None, at: Any = 0.5, **options: Any) -> object:
    query = detente.Query(outcome="given", within=within)
    solving = detente.SolveOptions(options.pop("beliefs", None), options.pop("threads", None))
    scenario = solution.game.scenario
    return detente.threshold(scenario, "price.firm", query, at=at, options=solving, **options)


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: detente.solve(s.game, detente.SolveOptions(beliefs=9.0)),
        lambda s: detente.solve(s.game, detente.SolveOptions(threads=True)),
        lambda s: detente.sample(s, draws=2.0, rng=RNG),
        lambda s: s.game.scenario.with_horizon(2.5),
    ],
)
def test_numbers_that_are_not_whole_are_of_the_wrong_type(
    solution: Any, ask: Callable[[Any], object]
) -> None:
    with pytest.raises(TypeError, match=r"` is a whole number, not (9\.0|True|2\.0|2\.5)$"):
        ask(solution)


def test_numpys_whole_numbers_will_do(solution: Any) -> None:
    assert len(detente.sample(solution, draws=np.int64(2), rng=RNG)["draw"].unique()) == 2
