"""The systems: each model of SGD gives its process, grid and problem, and what is known of it exactly.

`Regression` and `Moments` describe the data; `DiagonalNetwork` and its limit `InfiniteDepth`, the two unbalanced layers
of `RescalingPair`, and `NearlySymmetric`, whose symmetry is broken, are trained on them.  `RankOneFactorisation` draws
samples of its own; `ScaleInvariant` has any loss of the angle, or a `NormalisedRegression`'s.  `LinearGaussian` is SGD
near a minimum, and every other linear process.
"""

from fpsolve.models.diagonal_network import DiagonalNetwork, InfiniteDepth
from fpsolve.models.linear_gaussian import LinearGaussian
from fpsolve.models.nearly_symmetric import NearlySymmetric
from fpsolve.models.normalised import NormalisedRegression
from fpsolve.models.rank_one import RankOneFactorisation
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.rescaling_pair import RescalingPair
from fpsolve.models.scale_invariant import ScaleInvariant

__all__ = [
    "DiagonalNetwork",
    "InfiniteDepth",
    "LinearGaussian",
    "Moments",
    "NearlySymmetric",
    "NormalisedRegression",
    "RankOneFactorisation",
    "Regression",
    "RescalingPair",
    "ScaleInvariant",
]
