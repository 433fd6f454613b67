"""What one writes today: a uniform grid, Scharfetter-Gummel fluxes with values at the faces, and spsolve.

The baseline of the benchmarks: forty lines of numpy and scipy, correct, and of second order.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve


def bernoulli(z):
    small = np.abs(z) < 1e-6
    safe = np.where(small, 1.0, z)
    with np.errstate(over="ignore"):
        return np.where(small, 1.0 - z / 2.0, safe / np.expm1(safe))


def stationary_by_hand(drift, diffusion, lo, hi, cells):
    """Nodes and density of dX = A dt + sqrt(2 D) dW (Ito) between two walls."""
    h = (hi - lo) / cells
    x = lo + (np.arange(cells) + 0.5) * h
    face = lo + np.arange(1, cells) * h
    D = diffusion(face)
    dD = (diffusion(face + 1e-6) - diffusion(face - 1e-6)) / 2e-6
    z = (drift(face) - dD) * h / D
    up, down = D * bernoulli(-z) / h**2, D * bernoulli(z) / h**2
    outflow = np.append(up, 0.0) + np.insert(down, 0, 0.0)
    middle = cells // 2  # pin p there, in place of one equation, and normalise at the end
    upper, lower, diagonal = down.copy(), up.copy(), -outflow
    diagonal[middle] = 1.0
    upper[middle : middle + 1] = 0.0
    lower[middle - 1] = 0.0
    b = np.zeros(cells)
    b[middle] = 1.0
    p = spsolve(sparse.diags([lower, diagonal, upper], [-1, 0, 1], format="csc"), b)
    return x, p / (p.sum() * h)
