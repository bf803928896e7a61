"""NumPy arrays by what they hold; docstrings give the shapes, in the letters of `CompiledGame`."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
