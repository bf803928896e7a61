"""The principal branch of a stage problem, followed from λ = 0.

Pseudo-arclength continuation with a Newton corrector in (y, s), s from 0 to 1 (Allgower and Georg,
Numerical Continuation Methods, 1990, chapters 3, 6 and 8). The tangent is oriented by the sign of
the augmented determinant, so that folds are passed; where the branch runs through a bifurcation
that sign changes and it is continued straight on. Where several branches meet at once, as in games
with many symmetries, it need not: a number of the inverse of the augmented matrix, which passes
through infinity there, tells that they do (a test function; Allgower and Georg, chapter 8). Where a
posterior crosses from one cell of the belief grid to the next the branch has a kink, and is taken
up again just behind it.
"""

from __future__ import annotations

import math

import numpy as np

from detente.solver.kernels.elementary import eliminate
from detente.solver.kernels.general import (
    choose,
    differentiate,
    newton,
    respond,
    update_beliefs,
)
from detente.solver.kernels.jit import device
from detente.solver.kernels.pooling import find_pooled, part_types
from detente.solver.kernels.stage import FAILED, FOLDED, FORKED, TRACED, UNIQUE

MAX_STEPS = 4000
START = 1e-9  # s at which a branch begins: at s = 0 it is known, y = 0
CLOSE = 1e-7  # residual on the way; at its end the solution is found to full precision
LONGEST = 2.0  # step, but on straight stretches
SMALL = 1e-7  # steps shrink below this before a kink or a bifurcation only
TOGETHER = 1e-8  # posteriors that cross a wall so close to one another cross together
ATTEMPTS, SHORTER = 6, 3.0  # how often a branch is tried, and how much shorter steps are each time


@device
def augment(layout, stage, share, n_unknowns):
    """The augmented system: the Jacobian in (y, s) and the tangent; the last column is free."""
    differentiate(layout, stage, share, n_unknowns, stage.matrix)
    for c in range(n_unknowns + 1):
        stage.matrix[n_unknowns, c] = stage.tangent[c]


@device
def turn_tangent(layout, stage, share, n_unknowns, direction):
    """The unit tangent at the point of the last `respond`, oriented by `direction` times the sign
    of the determinant; gives the cosine of its angle with the one before (2 where it fails), and
    the test function of forks, which does not depend on the orientation."""
    augment(layout, stage, share, n_unknowns)
    for r in range(n_unknowns):
        stage.matrix[r, n_unknowns + 1] = 0.0
        stage.matrix[r, n_unknowns + 2] = math.cos(2.4 * r + 1.0)  # of no symmetry
    stage.matrix[n_unknowns, n_unknowns + 1] = 1.0
    stage.matrix[n_unknowns, n_unknowns + 2] = 0.0
    sign = eliminate(stage.matrix, n_unknowns + 1, n_unknowns + 3)
    if sign == 0.0:
        return 2.0, 0.0
    norm = 0.0
    for c in range(n_unknowns + 1):
        norm += stage.matrix[c, n_unknowns + 1] ** 2
    norm = direction * sign * math.sqrt(norm)
    if not abs(norm) < math.inf:
        return 2.0, 0.0
    cosine, test = 0.0, 0.0
    for c in range(n_unknowns + 1):
        new = stage.matrix[c, n_unknowns + 1] / norm
        cosine += new * stage.tangent[c]
        stage.tangent[c] = new
        test += math.sin(1.7 * c + 1.0) * stage.matrix[c, n_unknowns + 2]
    return cosine, test


@device
def correct(layout, stage, payoff, n_unknowns, target, close):
    """Newton's method in (y, s) from `target`, across the tangent, until the residual is below
    `close`; gives how far it moved it, -1 where it does not converge."""
    moved = 0.0
    for _ in range(8):
        share = target[n_unknowns]
        if share < START or share > 4.0:
            return -1.0
        for r in range(n_unknowns):
            stage.y[r] = target[r]
        residual, rounding = respond(layout, stage, payoff, share)
        if residual <= close + rounding:
            return moved
        augment(layout, stage, share, n_unknowns)
        for r in range(n_unknowns):
            stage.matrix[r, n_unknowns + 1] = stage.residual[r]
        stage.matrix[n_unknowns, n_unknowns + 1] = 0.0
        if eliminate(stage.matrix, n_unknowns + 1, n_unknowns + 2) == 0.0:
            return -1.0
        for c in range(n_unknowns + 1):
            target[c] -= stage.matrix[c, n_unknowns + 1]
            moved = max(moved, abs(stage.matrix[c, n_unknowns + 1]))
    return -1.0


@device
def cells(layout, stage):
    """A number that tells the cells of all posteriors from others."""
    code = np.int64(0)
    for m in range(stage.n_actions.shape[0]):
        for a in range(stage.n_actions[m]):
            for v in range(stage.lottery.vertices[m]):
                code = code * np.int64(1000003) + stage.lottery.vertex[m, a, v, 0]
    return code


@device
def cells_ahead(layout, stage, n_unknowns, direction, point):
    """The same at `direction` along the tangent from `point` [D + 1]."""
    for r in range(n_unknowns):
        stage.y[r] = point[r] + direction * stage.tangent[r]
    choose(layout, stage)
    update_beliefs(layout, stage)
    return cells(layout, stage)


@device
def shorten(layout, stage, n_unknowns, step, longest):
    """A step that was too long made shorter: just short of the next kink along the tangent, or by
    half where there is none within it. Where kinks are dense this may get nowhere: once the branch
    is tried again, with a smaller `longest`, always by half."""
    if longest < LONGEST:
        return 0.5 * step
    here = stage.point[0]
    behind = cells_ahead(layout, stage, n_unknowns, 0.0, here)
    if cells_ahead(layout, stage, n_unknowns, step, here) == behind:
        return 0.5 * step
    low, high = 0.0, step
    while high - low > 1e-3 * high and high > SMALL:
        middle = 0.5 * (low + high)
        if cells_ahead(layout, stage, n_unknowns, middle, here) == behind:
            low = middle
        else:
            high = middle
    return low


@device
def cross_kink(layout, stage, payoff, n_unknowns, direction):
    """Carry the branch over the kink ahead of point[0]; gives 1 where it went over it, -1 where
    the kink was a fork, and 0 where it did not get over.

    Where a posterior passes into another cell of the grid the Jacobian jumps, and the branch may
    turn by more than a corrector can follow. The point is set just behind the kink, and the
    tangent is that of the cell it leads into, oriented as before. Where one posterior crosses it
    leads on: both cells have the same derivatives along the wall between them. Where several cross
    together, as after actions that differ by a cost alone, the determinant may have changed its
    sign, and the oriented tangent leads back: other branches, on which the posteriors part, meet
    this one in the kink. It is continued straight on, with the other orientation.
    """
    here, exact = stage.point[0], stage.point[1]
    behind = cells_ahead(layout, stage, n_unknowns, 0.0, here)
    # What is left of the residual would part posteriors that cross together.
    for c in range(n_unknowns + 1):
        exact[c] = here[c]
    if correct(layout, stage, payoff, n_unknowns, exact, 0.0) >= 0.0:
        for c in range(n_unknowns + 1):
            here[c] = exact[c]
    low, high = 0.0, 2.0 * SMALL
    while cells_ahead(layout, stage, n_unknowns, high, here) == behind:
        low, high = high, 4.0 * high
        if high > 1e-3:
            return 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if high - low < 1e-13 or middle in (low, high):
            break
        if cells_ahead(layout, stage, n_unknowns, middle, here) == behind:
            low = middle
        else:
            high = middle
    high += 1e-10
    # So would rounding, which is magnified near a fork: they have crossed when all have.
    if cells_ahead(layout, stage, n_unknowns, high, here) != cells_ahead(
        layout, stage, n_unknowns, high + TOGETHER, here
    ):
        high += TOGETHER
    for c in range(n_unknowns + 1):
        here[c] += high * stage.tangent[c]
    for r in range(n_unknowns):
        stage.y[r] = here[r]
    respond(layout, stage, payoff, here[n_unknowns])
    if turn_tangent(layout, stage, here[n_unknowns], n_unknowns, direction)[0] == 2.0:
        return 0.0
    # The kink is just behind the point: one of the two ways leads back over it.
    far = 1e-12
    while far < 1e-3:
        if cells_ahead(layout, stage, n_unknowns, -far, here) == behind:
            return 1.0
        if cells_ahead(layout, stage, n_unknowns, far, here) == behind:
            for c in range(n_unknowns + 1):
                stage.tangent[c] = -stage.tangent[c]
            return -1.0
        far *= 2.0
    return 0.0


@device
def trace(layout, stage, payoff, n_unknowns, longest):
    """Follow the principal branch from λ = 0; gives TRACED, FOLDED, FORKED or FAILED.

    The solution is left in the stage; `longest` is the step where the branch bends.
    """
    here, target, kept = stage.point[0], stage.point[1], stage.point[2]
    method, direction = TRACED, 1.0
    for r in range(n_unknowns):
        stage.y[r] = 0.0
        stage.tangent[r] = 0.0
        here[r] = 0.0
    stage.tangent[n_unknowns] = 1.0
    respond(layout, stage, payoff, START)
    turn_tangent(layout, stage, START, n_unknowns, direction)
    # Posteriors begin at a node, which is a kink: the cells are those that they leave it for.
    for c in range(n_unknowns + 1):
        here[c] = START * stage.tangent[c] / stage.tangent[n_unknowns]
    for r in range(n_unknowns):
        stage.y[r] = here[r]
    respond(layout, stage, payoff, START)
    _, test = turn_tangent(layout, stage, START, n_unknowns, direction)
    step = 0.05 * longest
    cell = cells(layout, stage)
    for _ in range(MAX_STEPS):
        if step < SMALL:
            went = cross_kink(layout, stage, payoff, n_unknowns, direction)
            if went == 0.0:
                return FAILED
            if went < 0.0:
                direction = -direction
                method = max(method, FORKED)
            if stage.tangent[n_unknowns] < 0.0:
                method = max(method, FOLDED)
            step = 10.0 * SMALL
            cell, test = cells(layout, stage), 0.0
        for c in range(n_unknowns + 1):
            target[c] = here[c] + step * stage.tangent[c]
            kept[c] = stage.tangent[c]
        # Where steps are small the branch bends, and what is left of a residual would be seen.
        close = min(CLOSE, max(1e-5 * step, 1e-10))
        moved = correct(layout, stage, payoff, n_unknowns, target, close)
        if moved < 0.0 or moved > 0.2 * min(step, 0.5):
            step = shorten(layout, stage, n_unknowns, step, longest)
            continue
        if target[n_unknowns] >= 1.0:
            # Between the two points the branch crosses s = 1: solve there, near the chord.
            part = (1.0 - here[n_unknowns]) / (target[n_unknowns] - here[n_unknowns])
            for r in range(n_unknowns):
                stage.y[r] = here[r] + part * (target[r] - here[r])
                target[r] = stage.y[r]
            if newton(layout, stage, payoff, n_unknowns):
                away = 0.0
                for r in range(n_unknowns):
                    away = max(away, abs(stage.y[r] - target[r]))
                if away <= step:
                    # On the other side of a fork the determinant has the other sign, or the test
                    # function has.
                    cosine, other = turn_tangent(layout, stage, 1.0, n_unknowns, direction)
                    apart = cosine < 0.0 or other * test < 0.0
                    if not apart or cell != cells(layout, stage):
                        return method
                    if step <= 1e-3:
                        return max(method, FORKED) if cosine < 0.0 or abs(other) > 1.0 else method
                    for c in range(n_unknowns + 1):
                        stage.tangent[c] = kept[c]
            step *= 0.5
            continue
        there = cells(layout, stage)
        cosine, other = turn_tangent(layout, stage, target[n_unknowns], n_unknowns, direction)
        apart = cell == there and other * test < 0.0
        if apart and step <= 1e-3 and abs(other) > 1.0:  # not through 0, but through infinity
            method = max(method, FORKED)
        if cosine < -0.9 and step <= 1e-3 and cell == there:
            # No fold turns back within so short a step: the branch has run through a fork.
            for c in range(n_unknowns + 1):
                stage.tangent[c] = -stage.tangent[c]
            direction, cosine = -direction, -cosine
            method = max(method, FORKED)
        # Where a kink is behind, but the tangent leads back over it, the kink is a fork: those, and
        # all where the branch turns back, are left to `cross_kink`.
        wrong = cell != there and (
            cosine < 0.0
            or (
                cells_ahead(layout, stage, n_unknowns, step, target) == cell
                and cells_ahead(layout, stage, n_unknowns, -step, target) != cell
            )
        )
        if cosine > 1.5 or wrong or (cosine < 0.9 and step > 1e-5) or (apart and step > 1e-3):
            for c in range(n_unknowns + 1):
                stage.tangent[c] = kept[c]
            step = shorten(layout, stage, n_unknowns, step, longest)
            continue
        if stage.tangent[n_unknowns] < 0.0:
            method = max(method, FOLDED)
        cell, test = there, other
        far = 0.0
        for c in range(n_unknowns + 1):
            here[c] = target[c]
            far = max(far, abs(here[c]))
        # Far out on a straight stretch, where posteriors have all but reached 0 or 1, larger steps
        # are as safe as small ones: what the corrector moves is bounded all the same. Log odds may
        # have a long way to go there, in proportion to λ.
        most = longest if moved > 1e-6 else max(25.0 * longest, 0.1 * far)
        step = min(step * (2.0 if moved < 0.05 * step else 1.2), most)
    return FAILED


@device
def find(problem, n_unknowns, certain, anywhere):
    """Solve the stage problem at the present node; gives how.

    Newton's method goes on from where the stage is, where the solution is certain to be the only
    one, or where any is wanted; otherwise the branch is followed.
    """
    layout, stage, payoff = problem
    if (certain or anywhere) and newton(layout, stage, payoff, n_unknowns):
        return UNIQUE if certain else TRACED
    pooled = find_pooled(layout, stage, payoff)
    method, longest = FAILED, LONGEST
    for _ in range(ATTEMPTS):
        method = trace(layout, stage, payoff, n_unknowns, longest)
        if method != FAILED:
            break
        # Smaller steps meet folds and kinks at other places, one by one.
        longest /= SHORTER
    if pooled:
        method = part_types(layout, stage, payoff, n_unknowns, method)
    return method
