"""`detente audit`: what of a forecast can be defended."""

from __future__ import annotations

from typing import Annotated

import typer

from detente.arguments import MOST_DRAWS
from detente.cli import console
from detente.cli.groups import with_groups
from detente.cli.inputs import Seed, Source
from detente.cli.options import ForecastOptions, PolicyOptions
from detente.cli.results import ResultOptions

DRAWS = 4096
"""As in `detente.analysis.noise`, which is not imported for the help."""


@with_groups
def audit(
    source: Source,
    *,
    draws: Annotated[
        int, typer.Option(min=1, max=MOST_DRAWS, metavar="N", help="Histories to draw.")
    ] = DRAWS,
    seed: Seed = 2018,
    setting: PolicyOptions,
    solving: ForecastOptions,
    output: ResultOptions,
) -> None:
    """Say what of a forecast rests on the precision, on noise, and on what is believed."""
    output.check([source])
    game = setting.compile(source)
    solving.prepare(game)
    import numpy as np

    from detente.analysis.audit import audit as examine
    from detente.describe.audit import describe_audit
    from detente.simulation.forecast import forecast

    solution = solving.solve(game, regret=False)
    with console.progress("Playing it forward") as report:
        result = forecast(
            solution, periods=solving.periods, threads=solving.threads, progress=report
        )
    with console.progress("Auditing the forecast") as report:
        rng = np.random.default_rng(seed)
        audited = examine(result, solving.options(report), draws=draws, rng=rng)
    output.show(describe_audit(audited), [source])
