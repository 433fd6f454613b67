"""fpsolve: Fokker-Planck equations, solved so that the tails can be trusted."""

from fpsolve.axis import Axis
from fpsolve.errors import (
    CorruptFile,
    DegenerateWarning,
    FpsolveError,
    FpsolveWarning,
    InvalidInput,
    MissingExtra,
    NotConverged,
    NotNormalizable,
    Reducible,
    ResolutionWarning,
    TruncationWarning,
)
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.schemes import Accurate, Positive
from fpsolve.stationary import components, stationary
from fpsolve.values.density import Density
from fpsolve.values.info import Info
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field
