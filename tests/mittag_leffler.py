"""Exact answers with memory: Mittag-Leffler functions of eigenvalues, and integrals with them."""

import math

import numpy as np
from pymittagleffler import mittag_leffler
from scipy.integrate import quad
from scipy.linalg import eigh_tridiagonal


def E(z, beta, second=1.0):
    """E_{beta, second}(z)."""
    return mittag_leffler(z, beta, second)


def eigenvectors(L):
    """(eigenvalues, eigenvectors, sqrt m) of the symmetric matrix that is similar to L, cells in a row."""
    up, down, diagonal = L.edges.up, L.edges.down, L.rates().diagonal()
    log_m = np.append(0.0, np.cumsum(np.log(up) - np.log(down)))
    beside = np.sqrt(up * down)
    values, vectors = eigh_tridiagonal(diagonal, beside)
    return np.minimum(values, 0.0), vectors, np.exp(0.5 * (log_m - log_m.max()))


def on_line(L, m0, beta, t, known=None):
    """E_beta(t^beta L) m0 of cells in a row."""
    values, vectors, root = known or eigenvectors(L)
    return [root * (vectors @ (E(values * s**beta, beta).real * (vectors.T @ (m0 / root)))) for s in np.atleast_1d(t)]


def of_any(L, m0, beta, t):
    """The same of any generator, from its complex eigenvectors."""
    values, vectors = np.linalg.eig(L.rates().toarray())
    values = np.where(np.abs(values) < 1e-10, 0.0, values)
    shares = np.linalg.solve(vectors, m0.astype(complex))
    return [(vectors @ (E(values * s**beta, beta) * shares)).real for s in np.atleast_1d(t)]


def interval(t, beta, D=0.5, terms=400):
    """(survival, exit density) of free diffusion from the middle of (-1, 1)."""
    n = 2 * np.arange(terms)[:, None] + 1
    rates, shares = D * (np.pi * n / 2) ** 2, 4 / (np.pi * n) * (-1.0) ** ((n - 1) // 2)
    left = np.sum(shares * E(-rates * t**beta, beta).real, axis=0)
    return left, np.sum(shares * rates * t ** (beta - 1) * E(-rates * t**beta, beta, beta).real, axis=0)


def driven_mean(t, beta, k, force, x0):
    """<x> under dx = (-k x + force(t)) dE_t.

    x0 E(-k t^beta) + int E(-k (t - s)^beta) force(s) s^(beta-1)/Gamma(beta) ds
    """

    def part(u):  # u = s^beta/beta
        s = (beta * u) ** (1.0 / beta)
        return float(E(-k * max(t - s, 0.0) ** beta, beta).real) * force(s) / math.gamma(beta)

    return x0 * float(E(-k * t**beta, beta).real) + quad(part, 0.0, t**beta / beta, limit=400, epsabs=1e-10)[0]
