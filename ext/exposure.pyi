"""How sharp and how well lit a photo is, from its grey image in one pass."""

import numpy as np
from numpy.typing import NDArray

def exposure(
    grey: NDArray[np.uint8], dark: int = 8, bright: int = 247
) -> tuple[float, float, float, float]: ...
