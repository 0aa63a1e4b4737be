import numpy as np

from layerkit.compiler.allocate import ALIGNMENT, Lifetime, allocate


def test_what_lives_together_does_not_overlap_and_the_rest_shares():
    rng = np.random.default_rng(0)
    lives = []
    for at in range(200):
        first = int(rng.integers(0, 100))
        lives.append(Lifetime(at, int(rng.integers(0, 5000)), first, first + int(rng.integers(0, 20))))
    offsets, total = allocate(lives)
    for a in lives:
        assert offsets[a.buffer] % ALIGNMENT == 0 and offsets[a.buffer] + a.nbytes <= total
        for b in lives:
            together = a is not b and a.first <= b.last and b.first <= a.last
            if together and a.nbytes and b.nbytes:
                apart = (
                    offsets[a.buffer] + a.nbytes <= offsets[b.buffer]
                    or offsets[b.buffer] + b.nbytes <= offsets[a.buffer]
                )
                assert apart
    assert total < sum(life.nbytes for life in lives) / 3
