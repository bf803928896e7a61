"""The numerical core: a layer's strategies and values, the mass that goes through it, the adjoint.

What is computed
    A layer is a turn in a period. Given the values of the next layer, float64 [x', c, b], each
    state x is solved by itself: what follows every action (`stage.look_ahead`), what movers expect
    of it (`stage.expect`), the stage problem, in which strategies and posteriors have to agree, and
    the values that this gives (`stage.add_values`). The belief b is the last axis of every array,
    so that inner loops run along memory and become vector code; but of mass, which goes from node
    to node: there profiles stand side by side and are moved together (`forward`, `side_by_side`).

One operation
    `lottery`: where an action leads the belief about who took it, as vertices of a cell of the grid
    and weights. Applied it interpolates values (`stage`), transposed it moves mass (`forward`),
    differentiated it serves Newton's method (`general`, `simplex`) and the adjoint (`adjoint`).
    Forward and backward share it, and that is why payoffs counted forward equal values.

Which stage problem goes where
    ======================== ============================================ ====================
    turn                     certain to have one solution                 not certain
    ======================== ============================================ ====================
    chance, one type         the logit (`kernels.backward`)               –
    one mover, two types     `two_type`: Newton's method on whole lines   `two_type_branch` and
                                                                          `_fold`, `homotopy`
    one mover, more types    `simplex`: the same on the simplex           `homotopy`
    several movers           `general.newton`, node by node               `homotopy`
    ======================== ============================================ ====================

    Certainty comes from `two_type_unique` and `contraction`. `homotopy` follows the principal
    branch from λ = 0 past folds, forks and kinks, `two_type_fold` past folds and kinks; where types
    gain alike from every action it runs along a kink, and `pooling` holds their posterior there.

Reference behaviour and shocks
    Reference behaviour w multiplies the exponentials of a response. The log odds of `general` are
    against it, so that 0 solves every stage problem at λ = 0. Where choices come from shocks to
    payoffs, `stage.control_cost` comes off the movers' values, and nothing else changes.

What calls what
    `kernels.backward`, `forward` and `adjoint` have the kernels that Python calls; all else is
    called by them. A kernel is compiled when a game first needs it, and kept on disk (`jit`,
    `cache`): change any file here, and all are compiled anew. Scratch is made in Python and passed
    in.

How to change it
    `tests/solver/test_stage.py` holds single stage problems against plain NumPy,
    `test_reference.py` whole games against a slow solver of its own, `test_gradient.py` derivatives
    against differences.
    The traps of the compiler stand in `jit`; `python -m benchmarks --only stage` times a change.
"""
