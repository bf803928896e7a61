"""What is known of the units of a fit of games without end, each by itself."""

from __future__ import annotations

from dataclasses import dataclass

from detente.dtypes import Floats


@dataclass(frozen=True, eq=False)
class Account:
    """What is known of an optimum beside the parameters, by unit.

    log_likelihoods, residuals, smallest
        float64 [u]: of its counts; |v - Φ(v)|; the smallest singular value of I - dΦ/dv.
    given_states
        float64 [q]: standard errors from the information expected given the states.
    sigma
        float64 [u, g]: the choices.
    """

    log_likelihoods: Floats
    residuals: Floats
    smallest: Floats
    given_states: Floats
    sigma: Floats
