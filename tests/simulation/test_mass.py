"""Where the mass of a forward pass stands: the same by profiles and in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from detente.simulation.mass import Blocks


@pytest.mark.parametrize("profiles", [1, 2, 3, 4, 6, 9])
@pytest.mark.parametrize("threads", [1, 2, 4, 16])
def test_blocks_lose_nothing(profiles: int, threads: int) -> None:
    blocks = Blocks.of(profiles, threads)
    assert 1 <= blocks.count <= min(profiles, threads)
    assert profiles <= blocks.count * blocks.each < profiles + blocks.each
    by_profile = np.random.default_rng(profiles).random((3, 2, profiles, 21))
    mass = np.ascontiguousarray(blocks.split(by_profile))
    assert mass.shape == (3, 2, blocks.count, 21, blocks.each)
    assert (blocks.joined(mass) == by_profile).all()
    assert mass.sum() == pytest.approx(by_profile.sum(), rel=1e-13)


@pytest.mark.parametrize("nodes", [1, 7, 8, 21, 64])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_sums_over_nodes(nodes: int, threads: int) -> None:
    """Of channels that are kept by themselves, in the same order however they are in blocks."""
    by_profile = np.random.default_rng(nodes).random((3, 2, 5, nodes))
    home = np.array([[0, 1], [0, 0], [0, -1]])
    kept = (home == [0, 1])[:, :, None]

    def total(threads: int) -> np.ndarray:
        blocks = Blocks.of(5, threads)
        return blocks.over_nodes(np.ascontiguousarray(blocks.split(by_profile)), home)

    wanted = np.where(kept, by_profile.sum(axis=3), 0.0)
    np.testing.assert_allclose(total(threads), wanted, rtol=1e-14)
    np.testing.assert_array_equal(total(threads), total(1))
