"""PDQ, the perceptual hash of a photo, for all eight flips and turns from one transform."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

DIHEDRAL: Final[tuple[str, ...]]

def pdq_hash(grey: NDArray[np.uint8]) -> tuple[bytes, int]: ...
def pdq_dihedral(grey: NDArray[np.uint8]) -> tuple[tuple[bytes, ...], int]: ...
