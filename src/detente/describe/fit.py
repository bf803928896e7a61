"""A fit in words and tables: estimates, what is known of them, and where the climbs ended."""

from __future__ import annotations

from detente.describe.blocks import Block, Described, Section, text
from detente.describe.charts import Bars, Picture, Pictures
from detente.describe.tables import Row, Table, code
from detente.describe.words import meanings
from detente.estimation.climb import Status
from detente.estimation.posterior import Posterior
from detente.estimation.result import Fit
from detente.estimation.search import ENDED
from detente.estimation.side_by_side import summary_data
from detente.numbers import count, duration, percent
from detente.text import capital, sentence

HOW = (
    "s.e.: from the observed information, minus the second derivatives of the log-likelihood. "
    "95 %: in coordinates without bounds, so that a probability stays one. Where units are many, "
    "the outer product of scores and the sandwich estimate the same in other ways: if they are far "
    "from the first, the model or its independence is in doubt. Standard errors are given the "
    "model, its grid of beliefs and the branch of equilibria that is followed."
)


def describe_fit(fit: Fit) -> Described:
    """The estimates, how well the data tell them apart, and the climbs."""
    scenario = fit.scenario
    name = "log-posterior" if fit.prior else "log-likelihood"
    lead = [
        f"{count(len(fit.table), 'parameter')}, {count(fit.units, 'unit')}, "
        f"{count(fit.observed, 'observation')}; from {', '.join(fit.files)}",
        f"{capital(name)} {fit.log_posterior:.6f}; {sentence(fit.status.value)}",
    ]
    if fit.miscoded:
        lead.append(f"Each recorded move may be another one, with {percent(fit.miscoded)}")
    sections = [
        Section("estimates", "Estimates", tuple(_estimates(fit))),
        Section("identification", "What the data tell apart", tuple(_identification(fit))),
    ]
    if len(fit.starts) > 1:
        sections.append(Section("starts", "Where the climbs ended", (_starts(fit),)))
    if fit.equilibria is not None:
        sections.append(Section("equilibria", "The equilibria of units", tuple(_equilibria(fit))))
    sections.append(Section("reading", "How to read it", (text(HOW),)))
    data = {
        "scenario": scenario.name,
        "status": fit.status.name,
        "log_likelihood": fit.log_likelihood,
        "log_posterior": fit.log_posterior,
        "aic": fit.aic,
        "bic": fit.bic,
        "units": fit.units,
        "observations": fit.observed,
        "distance": fit.distance,
        "files": list(fit.files),
        "cluster": fit.cluster,
        "prior": "ranges" if fit.prior else "",
        "miscoded": fit.miscoded,
        "effective_sample_size": fit.posterior.effective if fit.posterior else None,
        "seconds": round(fit.seconds, 3),
        "date": fit.date.isoformat(),
        "estimates": fit.table,
        "covariance": fit.covariance.rename_axis("parameter").reset_index(),
        "identification": fit.identification,
        "starts": fit.starts,
        **summary_data(fit),
    }
    if fit.equilibria is not None:
        data |= {"equilibria": fit.equilibria, "choices": fit.choices}
    good = (*ENDED, Status.SEVERAL)
    unsolved = () if fit.status in good else (fit.status.value,)
    return Described(scenario.title, tuple(lead), tuple(sections), data, unsolved)


ADVICE = {
    Status.RUNS_AWAY: (
        "Where no observation speaks against more of it, no value of a parameter is the best one "
        "(separation). Take ranges as priors, hold such a parameter fixed, or join the units that "
        "it tells apart."
    ),
    Status.UNIDENTIFIED: (
        "Hold one of the parameters fixed that the table names together, leave out what the data "
        "say nothing of, or take ranges as priors."
    ),
}
"""What to do where a fit has come to no estimate."""


def number(value: float) -> str:
    """Four digits, or nothing for what is not known."""
    return "" if value != value else f"{value:.4g}"


def _estimates(fit: Fit) -> list[Block]:
    about = meanings(fit.scenario)
    shown = ("clustered", "sandwich", "outer", "given_states")
    kinds = [n for n in shown if n in fit.table and fit.table[n].notna().any()]
    learned = ["learned"] if fit.prior else []
    rows: list[Row] = []
    for r in fit.table.itertuples():
        interval = f"{number(r.low)} to {number(r.high)}" if r.low == r.low else ""
        others = [number(getattr(r, name)) for name in (*kinds, *learned)]
        meaning = about[r.parameter] + (f" ({r.note})" if r.note else "")
        numbers = (number(r.estimate), number(r.se), *others, number(r.z), interval)
        rows.append((code(r.parameter), *numbers, meaning))
    named = [name.replace("_", " ") for name in kinds]
    header = ("parameter", "estimate", "s.e.", *named, *learned, "z", "95 %", "meaning")
    table = Table(header, tuple(rows), range(1, len(header) - 1))
    blocks: list[Block] = [table]
    known = fit.table[fit.table["z"].notna()]
    if len(known):
        names, z = tuple(known["parameter"]), tuple(known["z"])
        texts = tuple(f"{value:.2g}" for value in z)
        bars = Bars("Estimates in standard errors from 0", names, z, texts)
        blocks.append(Pictures((Picture(bars, "Estimate divided by its standard error"),)))
    if fit.prior and fit.posterior is not None:
        blocks.append(text(_posterior(fit.posterior)))
    if fit.status in ADVICE:
        blocks.append(text(ADVICE[fit.status]))
    fits = f"AIC {fit.aic:.2f}, BIC {fit.bic:.2f}; it took {duration(fit.seconds)}."
    blocks.append(text(fits))
    return blocks


def _posterior(posterior: Posterior) -> str:
    """How good its draws are."""
    size = f"{posterior.effective:.0f} of {count(len(posterior.weights), 'draw')}"
    words = f"The posterior's effective sample size is {size} about its highest density."
    if posterior.poor:
        words += " It is far from normal: its draws are not to be relied on; ask for many more."
    return words


def _identification(fit: Fit) -> list[Block]:
    rows: list[Row] = [
        (f"{r.eigenvalue:.2g}", r.direction) for r in fit.identification.head(3).itertuples()
    ]
    words = (
        "Directions in which the data say least, of the information scaled to ones on its "
        "diagonal: an eigenvalue near 0 is a combination that they hardly tell apart."
    )
    return [text(words), Table(("eigenvalue", "direction"), tuple(rows), (0,))]


def _equilibria(fit: Fit) -> list[Block]:
    """How exact the units' equilibria are, and those that are nearest to a fold."""
    assert fit.equilibria is not None
    narrow = fit.equilibria.sort_values("smallest").head(3)
    rows: list[Row] = [
        (r.unit, f"{r.log_likelihood:.4g}", f"{r.smallest:.2g}") for r in narrow.itertuples()
    ]
    words = (
        f"Action values are those that play makes to {fit.equilibria['residual'].max():.0e}. An "
        "equilibrium ends in a fold, where the smallest singular value of I - dΦ/dv is 0; the "
        "units nearest to one are:"
    )
    given = (
        "given states: standard errors from the information that is expected given the states that "
        "were visited, as studies report it; s.e. has the curvature of the equilibria too."
    )
    header = ("unit", "log-likelihood", "smallest singular value")
    return [text(words), Table(header, tuple(rows), (1, 2)), text(given)]


def _starts(fit: Fit) -> Table:
    rows: list[Row] = [
        (f"{r.log_likelihood:.6f}", str(r.steps), f"{r.apart:.2g}", r.status.lower())
        for r in fit.starts.itertuples()
    ]
    header = ("log-likelihood", "steps", "s.e. from the best", "status")
    return Table(header, tuple(rows), range(3))
