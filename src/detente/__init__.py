"""Detente: the computation of coercive diplomacy.

    import detente

    scenario = detente.load("pyeongchang-2018")
    game = detente.compile_game(scenario)
    solution = detente.solve(game)
    result = detente.forecast(solution)

The names below are imported when they are first used, so that reading a scenario does not wait
for the numerical libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detente.analysis.announce import announce as announce
    from detente.analysis.audit import audit as audit
    from detente.analysis.bayes_factor import bayes_factor as bayes_factor
    from detente.analysis.compare import compare as compare
    from detente.analysis.compare import compare_forecasts as compare_forecasts
    from detente.analysis.comparison_audit import audit_comparison as audit_comparison
    from detente.analysis.credibility import credibility as credibility
    from detente.analysis.diff import diff as diff
    from detente.analysis.enforcement_cost import hold_cost as hold_cost
    from detente.analysis.grid_refinement import forecast_within as forecast_within
    from detente.analysis.implications import implies as implies
    from detente.analysis.other_equilibria import search as search
    from detente.analysis.query import Query as Query
    from detente.analysis.range_ends import solve_ends as solve_ends
    from detente.analysis.sensitivity import sensitivity as sensitivity
    from detente.analysis.signal_value import signal_value as signal_value
    from detente.analysis.threshold import threshold as threshold
    from detente.analysis.threshold_map import threshold_map as threshold_map
    from detente.ensembles.explore.explore import explore as explore
    from detente.ensembles.request import Draws as Draws
    from detente.ensembles.results import open_ensemble as open_ensemble
    from detente.ensembles.run import ensemble as ensemble
    from detente.estimation.fit import FitOptions as FitOptions
    from detente.estimation.fit import fit as fit
    from detente.estimation.fitted import fitted_text as fitted_text
    from detente.estimation.profile_likelihood import profile_likelihood as profile_likelihood
    from detente.estimation.recovery import recover as recover
    from detente.game.compile import compile_game as compile_game
    from detente.game.compile import with_values as with_values
    from detente.game.export import to_efg as to_efg
    from detente.scenario.chronology import read_chronology as read_chronology
    from detente.scenario.codebook import code_chronology as code_chronology
    from detente.scenario.codebook import draft_codebook as draft_codebook
    from detente.scenario.codebook import read_codebook as read_codebook
    from detente.scenario.loader import load as load
    from detente.scenario.loader import loads as loads
    from detente.scenario.observations import parse_record as parse_record
    from detente.scenario.observations import read_record as read_record
    from detente.simulation.forecast import forecast as forecast
    from detente.simulation.sample import sample as sample
    from detente.simulation.sample import sample_batches as sample_batches
    from detente.simulation.track import track as track
    from detente.solver.options import SolveOptions as SolveOptions
    from detente.solver.solve import solve as solve
    from detente.solver.start import read_start as read_start

_HOMES = {
    "Draws": "detente.ensembles.request",
    "FitOptions": "detente.estimation.fit",
    "Query": "detente.analysis.query",
    "SolveOptions": "detente.solver.options",
    "announce": "detente.analysis.announce",
    "audit": "detente.analysis.audit",
    "audit_comparison": "detente.analysis.comparison_audit",
    "bayes_factor": "detente.analysis.bayes_factor",
    "code_chronology": "detente.scenario.codebook",
    "compare": "detente.analysis.compare",
    "compare_forecasts": "detente.analysis.compare",
    "compile_game": "detente.game.compile",
    "credibility": "detente.analysis.credibility",
    "diff": "detente.analysis.diff",
    "draft_codebook": "detente.scenario.codebook",
    "ensemble": "detente.ensembles.run",
    "explore": "detente.ensembles.explore.explore",
    "fit": "detente.estimation.fit",
    "fitted_text": "detente.estimation.fitted",
    "forecast": "detente.simulation.forecast",
    "forecast_within": "detente.analysis.grid_refinement",
    "hold_cost": "detente.analysis.enforcement_cost",
    "implies": "detente.analysis.implications",
    "load": "detente.scenario.loader",
    "loads": "detente.scenario.loader",
    "open_ensemble": "detente.ensembles.results",
    "parse_record": "detente.scenario.observations",
    "profile_likelihood": "detente.estimation.profile_likelihood",
    "read_chronology": "detente.scenario.chronology",
    "read_codebook": "detente.scenario.codebook",
    "read_record": "detente.scenario.observations",
    "read_start": "detente.solver.start",
    "recover": "detente.estimation.recovery",
    "sample": "detente.simulation.sample",
    "sample_batches": "detente.simulation.sample",
    "search": "detente.analysis.other_equilibria",
    "sensitivity": "detente.analysis.sensitivity",
    "signal_value": "detente.analysis.signal_value",
    "solve": "detente.solver.solve",
    "solve_ends": "detente.analysis.range_ends",
    "threshold": "detente.analysis.threshold",
    "threshold_map": "detente.analysis.threshold_map",
    "to_efg": "detente.game.export",
    "track": "detente.simulation.track",
    "with_values": "detente.game.compile",
}

_EXTRAS = {
    "Draws": "ensemble",
    "ensemble": "ensemble",
    "explore": "ensemble",
    "hold_cost": "analysis",
    "open_ensemble": "ensemble",
    "threshold": "analysis",
    "threshold_map": "analysis",
}
"""The extra that brings the packages which only these need."""

__version__ = "0.1.0"

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'detente' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as missing:
        if name in _EXTRAS and missing.name is not None:
            from detente.extras import how_to_install

            missing.add_note(f"to install it: {how_to_install(_EXTRAS[name], [missing.name])}")
        raise


def __dir__() -> list[str]:
    return __all__
