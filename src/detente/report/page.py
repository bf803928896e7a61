"""`render`: a page from what was computed. A pure function: the same data, the same bytes."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from detente.report import model, results, survives, words
from detente.report.data import ReportData
from detente.report.observed import believed, observed
from detente.report.parts import Page, Points, Section
from detente.report.turning import takes, turning
from detente.report.world_words import brief
from detente.text import shown


def render(data: ReportData) -> str:
    """The whole page as one HTML document, with its style sheet, charts and tables in it.

    It loads nothing: no scripts, no fonts, no pictures from elsewhere. The only links that lead
    out of it are the addresses of evidence.
    """
    return to_html(assemble(data))


def assemble(data: ReportData) -> Page:
    """The parts of the page, in the order in which they are read."""
    extra: list[words.Point] = []
    if data.thresholds:
        asked = words.clause(data.scenario, data.question)
        which = "this" if len(data.thresholds) == 1 else "one of these"
        lead = f"Even odds that {asked} would take {which}, all else unchanged:"
        extra.append(("What it would take", (lead, *takes(data))))
    if data.track is not None:
        extra.append(("What moves have told", believed(data.track)))
    if data.worlds is not None:
        extra.append(("What survives", brief(data, data.worlds)))
    return Page(
        title=data.scenario.title,
        about=data.scenario.about,
        question=words.question(data),
        answer=Points(words.answer(data, extra=extra)),
        sections=tuple(section for section in _sections(data) if section is not None),
        foot=(data.scenario.source,) if data.scenario.source else (),
    )


def _sections(data: ReportData) -> list[Section | None]:
    return [
        results.outcomes(data),
        results.policies(data),
        results.beliefs(data),
        None if data.track is None else observed(data.track),
        turning(data),
        results.decides(data),
        *survives.sections(data),
        *model.sections(data),
    ]


def to_html(page: Page) -> str:
    """A page as HTML; every text is escaped."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_unbroken,
    )
    template = environment.get_template("page.html")
    return template.render(page=page, style=_template("style.css")).lstrip()


def _unbroken(value: object) -> object:
    """A number and its sign of per cent stay on one line, and nothing hidden in a text acts."""
    if not isinstance(value, str):
        return value
    told = value.replace(" %", "\N{NO-BREAK SPACE}%")
    return type(value)(shown(told)) if isinstance(value, Markup) else shown(told)


def _template(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")
