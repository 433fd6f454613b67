"""fpsolve: probability densities of stochastic dynamics, from the Fokker-Planck equation, right down to their tails.

    problem = fp.Problem(fp.Process(drift=..., diffusion=...), fp.Grid(x=(-3, 3, 400)))
    p = fp.stationary(problem)

A `Process` is physics, a `Grid` the domain, a `Problem` both; every question is a function of a problem and returns a
frozen value that prints, plots and saves itself.
"""

from fpsolve import measure, models
from fpsolve.axis import Axis
from fpsolve.compare import Comparison, compare
from fpsolve.convergence import Convergence, convergence
from fpsolve.current import Current, current, entropy_production
from fpsolve.distance import distance
from fpsolve.errors import (
    CorruptFile,
    DegenerateWarning,
    FpsolveError,
    FpsolveWarning,
    InvalidInput,
    MissingExtra,
    NotConverged,
    NotEnoughMemory,
    NotNormalizable,
    Reducible,
    ResolutionWarning,
    TruncationWarning,
)
from fpsolve.evolve import evolve
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.jumps import Stable
from fpsolve.ladder import Ladder, PlaneLadder, ladder
from fpsolve.methods.backward_euler import BackwardEuler
from fpsolve.methods.contour import Contour
from fpsolve.methods.fast_l1 import FastL1
from fpsolve.methods.krylov import Krylov
from fpsolve.methods.sdirk2 import SDIRK2
from fpsolve.methods.tr_bdf2 import TRBDF2
from fpsolve.models.regression import Moments, Regression
from fpsolve.particles.simulate import simulate
from fpsolve.passage import committor, exit_probability, mean_exit_time
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.quasi import quasi_stationary
from fpsolve.random_map import RandomMap
from fpsolve.refine import refined
from fpsolve.residual import strong_residual
from fpsolve.schemes import Accurate, Positive
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.multigrid import Multigrid
from fpsolve.spectrum import spectrum
from fpsolve.starts import Gaussian, Point
from fpsolve.stationary import components, stationary
from fpsolve.store import load, save
from fpsolve.survival import survival
from fpsolve.tails import hill, local_exponent
from fpsolve.transfer import ExactLaw, transfer
from fpsolve.transition import transition_rate
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field
from fpsolve.values.info import Info
from fpsolve.values.rate import TransitionRate
from fpsolve.values.spectrum import Spectrum
from fpsolve.values.survival import Survival
from fpsolve.values.swarm import Swarm
from fpsolve.version import __version__

__all__ = [
    "GTH",
    "SDIRK2",
    "TRBDF2",
    "Accurate",
    "Axis",
    "BackwardEuler",
    "Comparison",
    "Contour",
    "Convergence",
    "CorruptFile",
    "Current",
    "DegenerateWarning",
    "Density",
    "Evolution",
    "ExactDensity",
    "ExactLaw",
    "FastL1",
    "Field",
    "FpsolveError",
    "FpsolveWarning",
    "Gaussian",
    "Generator",
    "Grid",
    "Info",
    "InvalidInput",
    "Krylov",
    "Ladder",
    "MissingExtra",
    "Moments",
    "Multigrid",
    "NotConverged",
    "NotEnoughMemory",
    "NotNormalizable",
    "PlaneLadder",
    "Point",
    "Positive",
    "Problem",
    "Process",
    "RandomMap",
    "Reducible",
    "Regression",
    "ResolutionWarning",
    "SparseLU",
    "Spectrum",
    "Stable",
    "Survival",
    "Swarm",
    "TransitionRate",
    "TruncationWarning",
    "__version__",
    "committor",
    "compare",
    "components",
    "convergence",
    "current",
    "distance",
    "entropy_production",
    "evolve",
    "exit_probability",
    "generator",
    "hill",
    "ladder",
    "load",
    "local_exponent",
    "mean_exit_time",
    "measure",
    "models",
    "quasi_stationary",
    "refined",
    "save",
    "simulate",
    "spectrum",
    "stationary",
    "strong_residual",
    "survival",
    "transfer",
    "transition_rate",
]
