"""`detente threshold`: what it would take."""

from __future__ import annotations

import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from detente.cli import console
from detente.cli.inputs import (
    Beliefs,
    Horizon,
    Json,
    Memory,
    Policy,
    Set,
    Source,
    Threads,
    announce_kernels,
    load_scenario,
    memory_limit,
    refuse,
)

if TYPE_CHECKING:
    import pandas as pd

    from detente.analysis.threshold import Threshold
    from detente.analysis.threshold_map import ThresholdMap

FORMATS = (".svg", ".png", ".pdf")
WIDTH = 40
"""Columns of the terminal's curve."""


def threshold(
    source: Source,
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter", "-p", help="The parameter that changes; give it twice for a map of two."
        ),
    ],
    outcome: Annotated[
        str | None, typer.Option(help="The outcome whose probability is asked about.")
    ] = None,
    payoff: Annotated[str | None, typer.Option(help="Or the actor whose payoff is.")] = None,
    prefer: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="POLICY POLICY", help="Or two policies: which is preferred?"),
    ] = None,
    actor: Annotated[
        str | None, typer.Option("--for", metavar="ACTOR", help="Whose preference.")
    ] = None,
    at: Annotated[
        float | None, typer.Option(help="The level to be crossed: 0.5 for 50 %; 0 with --prefer.")
    ] = None,
    within: Annotated[
        int | None, typer.Option(min=1, help="Periods within which it comes about; all by default.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="ACTOR=TYPE", help="Condition on a true type (may be repeated)."),
    ] = None,
    low: Annotated[
        list[float] | None,
        typer.Option("--from", help="Where to begin, instead of the range's end; one for each."),
    ] = None,
    high: Annotated[list[float] | None, typer.Option("--to", help="Where to end.")] = None,
    points: Annotated[int, typer.Option(help="Values of each parameter, evenly spaced.")] = 9,
    tolerance: Annotated[
        float | None, typer.Option(help="Width to which a jump is narrowed.")
    ] = None,
    slopes: Annotated[
        bool, typer.Option("--slopes", help="Use exact derivatives at all values, too.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it into FILE.svg, .png or .pdf (needs matplotlib).")
    ] = None,
    values: Set = None,
    horizon: Horizon = None,
    policy: Policy = None,
    beliefs: Beliefs = None,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Find what it takes: where a probability is crossed, or a preference flips."""
    if len(parameter) > 2:
        refuse("--parameter", "too-many", "a curve has one parameter, a map two, not more")
    starts, ends = _ends("--from", low, parameter), _ends("--to", high, parameter)
    types = dict(_given(text) for text in given or ())
    _check_plot(plot)
    if tolerance is not None and not tolerance > 0:
        refuse("--tolerance", "out-of-range", f"the tolerance is positive, not {tolerance:g}")
    scenario = load_scenario(source, values, horizon)
    announce_kernels()
    from detente.analysis import threshold as one
    from detente.analysis import threshold_map as two

    question: dict[str, Any] = {
        "outcome": outcome,
        "payoff": payoff,
        "prefer": prefer,
        "actor": actor,
        "at": at,
        "within": within,
        "types": types,
        "policy": policy,
        "points": points,
        "beliefs": beliefs,
        "threads": threads,
        "memory_limit": memory_limit(memory),
    }
    found: Threshold | ThresholdMap
    try:
        with console.progress("Solving at one value after the other") as report:
            if len(parameter) == 2:
                found = two.threshold_map(
                    scenario,
                    (parameter[0], parameter[1]),
                    low=(starts[0], starts[1]),
                    high=(ends[0], ends[1]),
                    progress=report,
                    **question,
                )
            else:
                found = one.threshold(
                    scenario,
                    parameter[0],
                    low=starts[0],
                    high=ends[0],
                    tolerance=tolerance,
                    slopes=slopes,
                    progress=report,
                    **question,
                )
    except (one.Interrupted, two.MapInterrupted) as stopped:
        found = stopped.found
    table = found.map if isinstance(found, two.ThresholdMap) else found.curve
    if as_json:
        json.dump(_data(found), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
        print()
    elif isinstance(found, two.ThresholdMap):
        _print_map(found)
    else:
        _print_curve(found)
    if not found.complete:
        raise typer.Exit(130)
    if plot is not None:
        from detente.analysis.threshold_plot import save

        try:
            save(found, plot)
        except OSError as error:
            refuse(str(plot), "cannot-write", f"cannot be written: {error.strerror}")
        print(f"Wrote {plot}.", file=sys.stderr)
    if not table["solved"].all():
        raise typer.Exit(1)


# ---- what is asked


def _ends(place: str, given: list[float] | None, parameters: list[str]) -> list[float | None]:
    """One end for each parameter; none given is that of its range."""
    if not given:
        return [None] * len(parameters)
    if len(given) != len(parameters):
        message = f"{len(given)} given for {len(parameters)} parameters"
        refuse(place, "wrong-number", message, "give one for each --parameter, in the same order")
    return [*given]


def _given(text: str) -> tuple[str, str]:
    actor, equals, kind = text.partition("=")
    if not equals:
        message = f"`{text}` does not give a type to an actor"
        refuse("--given", "wrong-type", message, "write it as --given DPRK=sincere")
    return actor.strip(), kind.strip()


def _check_plot(plot: Path | None) -> None:
    """Refuse early what could not be drawn after all the work."""
    if plot is None:
        return
    if plot.suffix not in FORMATS:
        message = f"`{plot.name}` does not say in which format"
        refuse("--plot", "wrong-type", message, f"let it end with {', '.join(FORMATS)}")
    if not plot.parent.is_dir():
        refuse("--plot", "cannot-write", f"there is no folder `{plot.parent}`")
    if find_spec("matplotlib") is None:
        message = "drawing needs matplotlib, which is not installed"
        refuse("--plot", "not-installed", message, "python3 -m pip install 'detente[report]'")


# ---- what is told


def _print_curve(found: Threshold) -> None:
    from detente.analysis import wording

    _print_question(found)
    if found.crossings:
        for one in found.crossings:
            sentence = wording.crossing(found, one)
            console.print_text(f"{sentence[0].upper()}{sentence[1:]}.", indent=2)
        rest = wording.rest(found)
    else:
        rest = found.verdict
    console.print_text(rest, indent=2)
    console.print_heading("The curve")
    _print_rows(found)
    about = {
        name: parameter.about
        for parameter in found.scenario.parameters.values()
        for name in parameter.names()
    }
    for k, one in enumerate(found.crossings):
        moves = found.moves[found.moves["crossing"] == k].head(5)
        if not len(moves):
            continue
        console.print_heading(f"What moves the crossing at {wording.known(one.value, one.error)}")
        rows = [
            [
                r.parameter,
                f"{r.value:g}",
                f"{r.derivative:+.3g}",
                "" if math.isnan(r.swing) else f"{r.swing:+.3g}",
                about[r.parameter],
            ]
            for r in moves.itertuples()
        ]
        console.print_table(["assumption", "value", "for each 1", "x range", ""], rows, numbers=1,
                            text=4)  # fmt: skip


def _print_question(found: Threshold | ThresholdMap) -> None:
    from detente.analysis import wording

    console.print_text(found.scenario.title)
    if found.scenario.overrides:
        changed = ", ".join(f"{k} = {v:g}" for k, v in found.scenario.overrides.items())
        console.print_text(f"changed: {changed}")
    about = f"{found.about[0].upper()}{found.about[1:]}"
    console.print_heading(f"{about}: where is it {wording.level(found.kind, found.at)}?")


def _print_rows(found: Threshold) -> None:
    """A row for each value: the number, and a dot on a scale with the level marked."""
    from detente.analysis import wording

    table, jumps = found.curve, {v for c in found.crossings if c.jump for v in (c.low, c.high)}
    if found.crossings:  # values on the way to a crossing would only crowd it
        table = table[table["error"].notna() | table["value"].isin(jumps)]
    low = min(float(table["number"].min()), found.at)
    high = max(float(table["number"].max()), found.at)
    crossed = {one.value for one in found.crossings}

    def place(number: float) -> int:
        return round((number - low) / ((high - low) or 1.0) * (WIDTH - 1))

    rows = []
    for r in table.itertuples():
        line = [" "] * WIDTH
        line[place(found.at)] = "|"
        line[place(r.number)] = "o"
        mark = "crossing" if r.value in crossed else "now" if r.value == found.present else ""
        known = not math.isnan(r.error)
        number = f"{100 * r.number:.2f} %" if found.kind == "probability" else f"{r.number:.4f}"
        error = f"{100 * r.error:.2g}" if found.kind == "probability" else f"{r.error:.2g}"
        slope = "" if math.isnan(r.derivative) else f"{r.derivative:+.3g}"
        row = [f"{r.value:.5g}", number, error if known else "", slope, "".join(line), mark]
        rows.append(row if r.solved else [*row[:-1], "not solved"])
    ends = [wording.level(found.kind, number) for number in (low, high)]
    scale = f"{ends[0]}{' ' * max(WIDTH - len(ends[0]) - len(ends[1]), 1)}{ends[1]}"
    number = "difference" if found.kind == "difference" else found.short
    header = [found.parameter, number, "error", "slope", scale, ""]
    if not (table["derivative"].notna()).any():
        rows, header = [row[:3] + row[4:] for row in rows], header[:3] + header[4:]
    console.print_table(header, rows, numbers=0, text=len(header) - 2)


def _print_map(found: ThresholdMap) -> None:
    _print_question(found)
    console.print_text(found.verdict, indent=2)
    console.print_heading(
        f"The map: {found.parameters[0]} from left to right, {found.parameters[1]} upwards; "
        "[ ] at least the level, ~ cannot be told"
    )
    scale, digits = (100.0, 0) if found.kind == "probability" else (1.0, 2)
    x, y, numbers = found.grid()
    errors = found.map.pivot(index="second", columns="first", values="error").to_numpy()
    rows = []
    for b in range(len(y) - 1, -1, -1):
        row = [f"{y[b]:.4g}"]
        for number, error in zip(numbers[b], errors[b], strict=True):
            text = "" if math.isnan(number) else f"{scale * number:.{digits}f}"
            if text and abs(number - found.at) <= error:
                text = f"~{text}~"
            elif text and number >= found.at:
                text = f"[{text}]"
            row.append(text if text[-1:] in ("~", "]") else f"{text} ")
        rows.append(row)
    console.print_table(["", *(f"{value:.4g}" for value in x)], rows, numbers=0)


def _data(found: Threshold | ThresholdMap) -> dict[str, Any]:
    """Everything, ready for JSON."""
    from detente.analysis.threshold_map import ThresholdMap

    scenario = found.scenario
    common: dict[str, Any] = {
        "scenario": scenario.name,
        "sha256": scenario.sha256,
        "overrides": dict(scenario.overrides),
        "about": found.about,
        "kind": found.kind,
        "at": found.at,
        "verdict": found.verdict,
        "complete": found.complete,
    }
    if isinstance(found, ThresholdMap):
        return {
            **common,
            "parameters": list(found.parameters),
            "beliefs": found.beliefs,
            "contours": [line.tolist() for line in found.contours],
            "off": None if math.isnan(found.off) else found.off,
            "map": _records(found.map),
        }
    crossings = [
        {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__}
        for one in found.crossings
    ]
    return {
        **common,
        "parameter": found.parameter,
        "present": found.present,
        "from": found.low,
        "to": found.high,
        "spacing": found.spacing,
        "crossings": crossings,
        "curve": _records(found.curve),
        "moves": _records(found.moves),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return console.records(table)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
