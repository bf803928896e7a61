"""A profile likelihood in words, as a table and as a curve."""

from __future__ import annotations

from detente.describe.blocks import Block, Described, Section, text
from detente.describe.charts import Curve, Picture, Pictures
from detente.describe.fit import number
from detente.describe.tables import Row, Table
from detente.describe.words import meanings
from detente.estimation.profile_likelihood import ROOT, ProfileLikelihood

HOW = (
    "At each value all other free parameters are fitted anew. The 95 % interval holds the values "
    "at which the log-likelihood is less than 1.92 below its maximum; that of the fit takes the "
    "likelihood for normal, and where the two differ the profile is to be preferred. The root, "
    "signed, of twice the fall is on a straight line where it is normal."
)


def describe_profile(profile: ProfileLikelihood) -> Described:
    """The interval, the likelihood along the parameter, and what others do there."""
    scenario, name = profile.fit.scenario, profile.parameter
    low, high = profile.wald
    lead = (
        f"{meanings(scenario)[name]} (`{name}`): {profile.estimate:.4g}, "
        f"95 % from {_end(profile.low)} to {_end(profile.high)}",
        f"From the curvature at the maximum alone: {number(low)} to {number(high)}",
    )
    blocks: list[Block] = [_curve(profile), _table(profile), text(HOW)]
    if profile.higher:
        blocks.insert(
            0,
            text(
                "A value was found with a higher likelihood than the fit's: there are "
                "several maxima, and the interval is not to be used. Try more starts."
            ),
        )
    data = {
        "scenario": scenario.name,
        "parameter": name,
        "estimate": profile.estimate,
        "low": profile.low,
        "high": profile.high,
        "wald": list(profile.wald),
        "log_likelihood": profile.fit.log_likelihood,
        "higher": profile.higher,
        "values": profile.table,
    }
    section = Section("profile", f"How far the records let {name} go", tuple(blocks))
    return Described(scenario.title, lead, (section,), data, ())


def _end(value: float) -> str:
    return number(value) or "beyond what was tried"


def _curve(profile: ProfileLikelihood) -> Pictures:
    table, top = profile.table, profile.fit.log_likelihood
    ends = ((profile.low, "low end"), (profile.high, "high end"))
    curve = Curve(
        title=f"Log-likelihood below its maximum along {profile.parameter}",
        parameter=profile.parameter,
        at=tuple(table["value"]),
        values=tuple(table["log_likelihood"] - top),
        errors=(0.0,) * len(table),
        slopes=(),
        smooth=True,
        probability=False,
        level=-(ROOT**2) / 2,
        now=profile.estimate,
        crossings=tuple((end, end, f"{word} {end:.4g}") for end, word in ends if end == end),
    )
    return Pictures((Picture(curve, "Where the curve is above the line is the 95 % interval"),))


def _table(profile: ProfileLikelihood) -> Table:
    others = list(profile.table.columns[3:])
    rows: list[Row] = []
    for each in profile.table.to_dict("records"):
        rest = [number(each[name]) for name in others]
        rows.append(
            (number(each["value"]), f"{each['log_likelihood']:.4f}", f"{each['root']:.2f}", *rest)
        )
    header = ("value", "log-likelihood", "root", *others)
    return Table(header, tuple(rows), range(len(header)))
