"""The systems: each model of SGD gives its process, grid and problem, and what is known of it exactly.

`Regression` and `Moments` describe the data; `DiagonalNetwork` and its limit `InfiniteDepth`, the two unbalanced layers
of `RescalingPair`, and `NearlySymmetric`, whose symmetry is broken, are trained on them.  `RankOneFactorisation` draws
samples of its own; `ScaleInvariant` has any loss of the angle, or a `NormalisedRegression`'s.  `LinearGaussian` is SGD
near a minimum, and every other linear process; `FromGradients` is SGD on a loss of one's own,
`FiniteRate` corrects the diffusion of a one-parameter model for the size of its steps, and `CentralFlow` is full-batch
descent of one at the edge of stability.
`DenseNetwork` is trained on `Samples`, or on `GaussianSamples` drawn afresh, whose `NoiseEquilibrium` is known.
"""

from fpsolve.models.central_flow import CentralFlow
from fpsolve.models.dense_network import DenseNetwork
from fpsolve.models.diagonal_network import DiagonalNetwork, InfiniteDepth
from fpsolve.models.finite_rate import FiniteRate
from fpsolve.models.from_gradients import FromGradients
from fpsolve.models.linear_gaussian import LinearGaussian
from fpsolve.models.nearly_symmetric import NearlySymmetric
from fpsolve.models.noise_equilibrium import NoiseEquilibrium
from fpsolve.models.normalised import NormalisedRegression
from fpsolve.models.rank_one import RankOneFactorisation
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.rescaling_pair import RescalingPair
from fpsolve.models.samples import GaussianSamples, Samples
from fpsolve.models.scale_invariant import ScaleInvariant

__all__ = [
    "CentralFlow",
    "DenseNetwork",
    "DiagonalNetwork",
    "FiniteRate",
    "FromGradients",
    "GaussianSamples",
    "InfiniteDepth",
    "LinearGaussian",
    "Moments",
    "NearlySymmetric",
    "NoiseEquilibrium",
    "NormalisedRegression",
    "RankOneFactorisation",
    "Regression",
    "RescalingPair",
    "Samples",
    "ScaleInvariant",
]
