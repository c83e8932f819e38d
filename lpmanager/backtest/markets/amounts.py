"""What swaps of a recorded market moved, as floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import Rows, differences, to_floats


def signed_floats(limbs: Rows) -> NDArray[np.float64]:
    """Rows of limbs in two's complement, as `to_floats` makes floats of unsigned ones."""
    negative = limbs[:, -1].view(np.int64) < 0
    magnitudes = np.where(negative[:, None], differences(np.zeros_like(limbs), limbs), limbs)
    return np.where(negative, -1.0, 1.0) * to_floats(magnitudes)
