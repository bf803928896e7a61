"""The page as HTML: what is known before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment

from detente.describe.ledger import ledger, page_ledger
from detente.describe.scenario import model
from detente.describe.tables import Cell, Table
from detente.render.page import environment, style_sheet, to_fragment
from detente.scenario.model import Scenario
from detente.scenario.policies import policy_name

STEPS = 200
"""Steps of a slider from one end of its range to the other."""

STATIC = {
    "workbench.css": "text/css",
    "main.js": "text/javascript",
    "state.js": "text/javascript",
    "connection.js": "text/javascript",
    "numbers.js": "text/javascript",
    "outcomes.js": "text/javascript",
    "sliders.js": "text/javascript",
    "analyses.js": "text/javascript",
}
"""Every file that a page may load, with its type; there is no way to any other."""


class Slider(NamedTuple):
    """A number of the scenario, as it can be moved; `low` is None where it has no range."""

    name: str
    kind: str
    value: float
    low: float | None
    high: float | None
    step: float | None
    about: str
    range: str
    support: Cell


class Group(NamedTuple):
    """A parameter: one slider, or one for each type."""

    key: str
    about: str
    sliders: tuple[Slider, ...]


def groups(scenario: Scenario) -> Iterator[Group]:
    """All parameters in the order of the file."""
    table = ledger(scenario)[0].blocks[0]
    assert isinstance(table, Table)
    rows = iter(table.rows)
    for parameter in scenario.parameters.values():
        sliders = []
        kinds = parameter.types or ("",)
        numbers = zip(parameter.names(), kinds, parameter.values, parameter.ranges, strict=True)
        for name, kind, value, limits in numbers:
            _, _, drawn, about, support = next(rows)
            assert isinstance(support, Cell)
            low, high = limits or (None, None)
            step = None if low is None or high is None else (high - low) / STEPS or None
            if step is not None and parameter.key in scenario.horizon.parameters:
                step = 1.0  # a number of periods
            sliders.append(
                Slider(name, kind, value, low, high, step, str(about), str(drawn), support)
            )
        about = sliders[0].about if sliders else parameter.about
        yield Group(parameter.key, about, tuple(sliders))


def whole_page(
    scenarios: list[Scenario],
    number: int,
    *,
    version: int,
    source: str,
    file: str,
    recorded: bool,
) -> str:
    """The page of one of the scenarios on the workbench; `recorded` moves are in the library."""
    scenario = scenarios[number]
    return (
        _templates()
        .get_template("bench.html")
        .render(
            scenario=scenario,
            others=[(k, other.title) for k, other in enumerate(scenarios)],
            number=number,
            question=_question(scenario),
            recorded=recorded,
            data=_data(scenario, number, version, source, file),
            **_model(scenario),
        )
    )


def model_fragment(scenario: Scenario) -> str:
    """The part of the page that follows from the file: sliders, policies, ledger."""
    return _templates().get_template("model.html").render(scenario=scenario, **_model(scenario))


def model_data(scenario: Scenario) -> dict[str, Any]:
    """What scripts know of a scenario."""
    numbers = {
        slider.name: {"value": slider.value, "low": slider.low, "high": slider.high}
        for group in groups(scenario)
        for slider in group.sliders
    }
    return {
        "numbers": numbers,
        "policy": scenario.policy,
        "policies": ["", *scenario.policies],
        "options": {key: next(iter(v.options)) for key, v in scenario.variants.items()},
        "outcomes": list(scenario.outcomes),
        "periods": scenario.periods,
        "name": scenario.name,
    }


def static(name: str) -> str:
    """The text of one of the `STATIC` files."""
    text = (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
    return style_sheet() + text if name == "workbench.css" else text


def _data(scenario: Scenario, number: int, version: int, source: str, file: str) -> dict[str, Any]:
    given = {"number": number, "version": version, "source": source, "file": file}
    return model_data(scenario) | given


def _model(scenario: Scenario) -> dict[str, Any]:
    sections = (model(scenario), page_ledger(scenario))
    return {
        "groups": tuple(groups(scenario)),
        "policies": [
            ("", policy_name(""), ""),
            *((k, k, p.about) for k, p in scenario.policies.items()),
        ],
        "explained": to_fragment((s for s in sections if s is not None), charts="m"),
    }


def _question(scenario: Scenario) -> str:
    """What the page answers, in the words of the report."""
    calendar = scenario.calendar
    periods = scenario.periods
    since = f" from {calendar.label(1)}" if calendar.start else ""
    if periods is None:
        return f"What will happen{since}, and what does it hang on?"
    unit = f"{calendar.unit}{'' if periods == 1 else 's'}"
    return f"What will happen in the {periods} {unit}{since}, and what does it hang on?"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    def read(name: str) -> str:
        return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")

    made = environment(read)
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": True, "sort_keys": False}
    return made
