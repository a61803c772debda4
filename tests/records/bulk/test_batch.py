from __future__ import annotations

import numpy as np
from tabled import batch_of, framed


def test_what_is_kept_of_a_batch_is_so_in_every_column() -> None:
    batch = batch_of([framed(bytes([n] * n), n, more=n) for n in range(5)])
    kept = batch.kept(np.array([False, True, False, True, False]))
    assert (len(batch), len(kept)) == (5, 2)
    assert kept.captured.tolist() == [1, 3] and kept.wire.tolist() == [2, 6]
    assert kept.numbers.tolist() == [2, 4] and kept.time_ns.tolist() == [1, 3]
    assert [kept.data[at] for at in kept.starts.tolist()] == [1, 3]
