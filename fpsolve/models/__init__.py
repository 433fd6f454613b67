"""The systems: each model of SGD gives its process, grid and problem, and what is known of it exactly.

`Regression` and `Moments` describe the data; `DiagonalNetwork` and its limit `InfiniteDepth` are trained on them.
"""

from fpsolve.models.diagonal_network import DiagonalNetwork, InfiniteDepth
from fpsolve.models.regression import Moments, Regression

__all__ = ["DiagonalNetwork", "InfiniteDepth", "Moments", "Regression"]
