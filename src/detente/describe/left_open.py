"""What a record leaves open of a forecast: bands over draws from a posterior."""

from __future__ import annotations

from detente.describe.blocks import Section, text
from detente.describe.charts import OverTime, Picture, Pictures, Series
from detente.describe.tables import Row, Table, code
from detente.estimation.left_open import LeftOpen
from detente.numbers import count, interval, percent
from detente.simulation.forecast import Forecast
from detente.text import capital

WORDS = (
    "The scenario is solved anew at draws from what records have left of the ranges of its "
    "parameters. Between the ends of a band lie 95 % of the draws. That is doubt about the "
    "parameters estimated, given the model: others, and the model itself, are not in it."
)


def left_open_section(left: LeftOpen, forecast: Forecast) -> Section:
    """Each outcome: as forecast, and where it lies over the draws."""
    final = forecast.final.frame().set_index("outcome")["happened"]
    scenario = forecast.solution.game.scenario
    rows: list[Row] = []
    pictures = []
    for key, own in left.table.groupby("outcome", sort=False):
        last, about = own.iloc[-1], scenario.outcomes[str(key)].about
        ends = f"{interval(last['low'], last['high'])} %"
        rows.append((code(str(key)), percent(final[key]), percent(last["mean"]), ends, about))
        line = Series("", *(tuple(own[name]) for name in ("mean", "low", "high")))
        title = f"Where the record leaves {key}"
        picture = OverTime(title, tuple(own["period"]), (line,))
        pictures.append(Picture(picture, capital(about or str(key))))
    lost = f" {capital(count(left.failed, 'draw'))} had no solution." if left.failed else ""
    header = ("by the end", "forecast", "mean over draws", "95 % of draws", "meaning")
    blocks = (
        text(f"{capital(count(left.solved, 'draw'))} from a posterior.{lost} {WORDS}"),
        Table(header, tuple(rows), range(1, 4)),
        Pictures(tuple(pictures)),
    )
    return Section("left-open", "What the record leaves open", blocks)
