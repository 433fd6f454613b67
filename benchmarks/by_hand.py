"""What one writes today: a uniform grid, fluxes with values at the faces, and spsolve.

The baselines of the benchmarks: forty lines of numpy and scipy each, correct, and of second order; Scharfetter-Gummel
on a line, central finite volumes in two and three dimensions.
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


def _differences(cells, h):
    """One axis: mean and slope at the faces inside, and the divergence of fluxes through them."""
    mean = sparse.diags([0.5, 0.5], [0, 1], shape=(cells - 1, cells))
    slope = sparse.diags([-1.0 / h, 1.0 / h], [0, 1], shape=(cells - 1, cells))
    across = sparse.diags([-0.5 / h, 0.5 / h], [-1, 1], shape=(cells, cells)).tolil()
    across[0, :2] = across[-1, -2:] = [-1.0 / h, 1.0 / h]  # one-sided at the walls
    return mean, slope, across.tocsr(), -slope.T


def nine_point_by_hand(drift, diffusion, reach, cells):
    """Nodes and density of dX = A dt + sqrt(2 D) dW (Ito), two or three coordinates: central finite volumes, spsolve.

    The flux A_i p - d_j(D_ij p) through each face, with the mean of both cells for p, and central differences along
    the face for the mixed terms: nine points in the plane, second order, and no promise of a sign.
    """
    h = [2.0 * r / cells for r in reach]
    axes = [-r + (np.arange(cells) + 0.5) * step for r, step in zip(reach, h, strict=True)]
    mesh = np.meshgrid(*axes, indexing="ij")
    shape, dims = mesh[0].shape, len(reach)
    D = [[np.broadcast_to(part, shape).ravel() for part in row] for row in diffusion(*mesh)]
    one = [sparse.identity(cells)] * dims
    parts = [_differences(cells, step) for step in h]

    def along(*operators):  # one per axis, None for the identity
        whole = sparse.identity(1)
        for k, operator in enumerate(operators):
            whole = sparse.kron(whole, one[k] if operator is None else operator, format="csr")
        return whole

    L = sparse.csr_matrix((mesh[0].size, mesh[0].size))
    for i in range(dims):
        mean, slope, _, divergence = parts[i]
        faces = np.meshgrid(*(0.5 * (x[1:] + x[:-1]) if k == i else x for k, x in enumerate(axes)), indexing="ij")
        A = np.broadcast_to(drift(*faces)[i], faces[0].shape).ravel()
        flux = sparse.diags(A) @ along(*(mean if k == i else None for k in range(dims)))
        flux = flux - along(*(slope if k == i else None for k in range(dims))) @ sparse.diags(D[i][i])
        for j in set(range(dims)) - {i}:
            mixed = along(*(mean if k == i else parts[k][2] if k == j else None for k in range(dims)))
            flux = flux - mixed @ sparse.diags(D[i][j])
        L = L - along(*(divergence if k == i else None for k in range(dims))) @ flux
    middle = int(np.ravel_multi_index([cells // 2] * dims, shape))
    L = L.tolil()
    L[middle] = 0.0  # pin p there, in place of one equation, and normalise at the end
    L[middle, middle] = 1.0
    b = np.zeros(mesh[0].size)
    b[middle] = 1.0
    p = spsolve(L.tocsc(), b).reshape(shape)
    return axes, p / (p.sum() * np.prod(h))
