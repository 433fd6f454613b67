"""Noise as it is measured: from the gradients of the data, and from trajectories.

`gradient_covariance`, `sample_covariance` and `increment_covariance` give a covariance, whose `anisotropy` and
`alignment` with a Hessian follow; `gradient_third_cumulant` and `third_cumulant` its skewness.  `tail_index` tells
heavy tails from none, `autocorrelation` memory from none, `mean_square_displacement` its exponent; `kramers_moyal` and
`kramers_moyal_plane` give drift and diffusion back.  Every result has its standard error.
"""

from fpsolve.measure.alignment import Alignment, Anisotropy, alignment, anisotropy
from fpsolve.measure.autocorrelation import Autocorrelation, autocorrelation
from fpsolve.measure.covariance import (
    NoiseCovariance,
    gradient_covariance,
    increment_covariance,
    sample_covariance,
)
from fpsolve.measure.cumulants import ThirdCumulant, gradient_third_cumulant, third_cumulant
from fpsolve.measure.displacement import Displacement, mean_square_displacement
from fpsolve.measure.kramers_moyal import KramersMoyal, kramers_moyal
from fpsolve.measure.kramers_moyal_plane import KramersMoyalPlane, kramers_moyal_plane
from fpsolve.measure.tail_index import TailIndex, tail_index

__all__ = [
    "Alignment",
    "Anisotropy",
    "Autocorrelation",
    "Displacement",
    "KramersMoyal",
    "KramersMoyalPlane",
    "NoiseCovariance",
    "TailIndex",
    "ThirdCumulant",
    "alignment",
    "anisotropy",
    "autocorrelation",
    "gradient_covariance",
    "gradient_third_cumulant",
    "increment_covariance",
    "kramers_moyal",
    "kramers_moyal_plane",
    "mean_square_displacement",
    "sample_covariance",
    "tail_index",
    "third_cumulant",
]
