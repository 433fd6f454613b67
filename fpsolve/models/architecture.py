"""The shape of a dense network, and what follows from it alone: its layers, its outputs, its conserved charges.

    z_l = W_l a_(l-1),   a_l = phi(z_l) below the last layer,   f = z_L;    a_0 = x

A symmetry of every sample's loss, theta -> exp(lambda A) theta, gives g'A theta = 0 for every gradient g, so that
C = theta' A theta is kept by gradient flow, and by one step theta' = keep theta - eta g of SGD changes to

    C(theta') = keep^2 C(theta) + C(eta g)             (keep = 1 - 2 eta gamma; any batch, any clipping)

| network | charges |
|---|---|
| linear | the matrix W_(l+1)' W_(l+1) - W_l W_l' of each hidden layer |
| ReLU, leaky ReLU | its diagonal: what leaves a neuron less what enters it |
| tanh, swish | none |
| normalised together, or each layer | |theta|^2, or each layer's |W_l|^2 |

Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput
from fpsolve.kernels.dense import LEAKY, LINEAR, SWISH, TANH
from fpsolve.particles.training import Wiring

__all__ = ["ACTIVATIONS", "NORMALISED", "Architecture"]

Array = NDArray[np.float64]
ACTIVATIONS = {"linear": LINEAR, "tanh": TANH, "swish": SWISH, "relu": LEAKY, "leaky_relu": LEAKY}
NORMALISED = (None, "together", "each")


@dataclass(frozen=True, eq=False)
class Architecture:
    """Layers of `widths` units, inputs first, without biases.

    activation: "linear", "tanh", "swish", "relu" or "leaky_relu" of slope `leak` below 0.  normalised: None;
    "together", computing with theta/|theta| (Net-A), or "each", with W_l/|W_l| of every layer (Net-B).

    Raises InvalidInput for widths below 1, fewer than two of them, and words that are not among these.

    >>> shape = Architecture((3, 2, 1), "leaky_relu")
    >>> shape.size, shape.charge_names
    (8, ('C1[0]', 'C1[1]'))
    """

    widths: tuple[int, ...]
    activation: str = "linear"
    leak: float = 0.01
    normalised: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(whole("widths", width, 1) for width in self.widths))
        if len(self.widths) < 2:
            raise InvalidInput(f"widths is {self.widths}; give the inputs, the hidden units if any, and the outputs")
        if self.activation not in ACTIVATIONS:
            raise InvalidInput(f"activation is {self.activation!r}; use one of {', '.join(map(repr, ACTIVATIONS))}")
        if self.normalised not in NORMALISED:
            raise InvalidInput(f"normalised is {self.normalised!r}; use None, 'together' or 'each'")
        number("leak", self.leak)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(outputs, inputs) of each layer."""
        return tuple(zip(self.widths[1:], self.widths[:-1], strict=True))

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each layer's weights begin, and the end."""
        return (0, *np.cumsum([rows * columns for rows, columns in self.shapes]).tolist())

    @property
    def size(self) -> int:
        """How many weights."""
        return self.offsets[-1]

    @cached_property
    def wiring(self) -> Wiring:
        """The same for the kernel."""
        groups = {None: (0,), "together": (0, self.size), "each": self.offsets}[self.normalised]
        leak = self.leak if self.activation == "leaky_relu" else 0.0
        return Wiring(np.array(self.widths), ACTIVATIONS[self.activation], float(leak), np.array(groups))

    def layers(self, weights: ArrayLike) -> list[Array]:
        """The matrices W_1, ..., W_L, each (..., outputs, inputs), of weights (..., size)."""
        flat = np.asarray(weights, dtype=float)
        if flat.ndim == 0 or flat.shape[-1] != self.size:
            raise InvalidInput(f"weights has shape {flat.shape}; this network has {self.size}: give (..., {self.size})")
        ends = zip(self.offsets[:-1], self.offsets[1:], strict=True)
        parts = [flat[..., begin:end] for begin, end in ends]
        return [part.reshape(*flat.shape[:-1], *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def outputs(self, weights: ArrayLike, x: ArrayLike) -> Array:
        """f(x), shape (..., samples, outputs), of weights (..., size) and x (samples, inputs)."""
        layers = self._computing(self.layers(weights))
        a = np.asarray(x, dtype=float)
        for W in layers[:-1]:
            a = self._activate(a @ np.swapaxes(W, -1, -2))
        return np.asarray(a @ np.swapaxes(layers[-1], -1, -2))

    @cached_property
    def charge_names(self) -> tuple[str, ...]:
        """C1[i,j] for hidden layer 1 and its units i <= j, C1[i] where only the diagonal is conserved; or the norms."""
        if self.normalised == "together":
            return ("|theta|^2",)
        if self.normalised == "each":
            return self.norm_names
        pairs = self._pairs()
        if self.activation == "linear":
            return tuple(
                f"C{layer}[{i},{j}]" for layer, (rows, columns) in pairs for i, j in zip(rows, columns, strict=True)
            )
        return tuple(f"C{layer}[{i}]" for layer, (rows, _) in pairs for i in rows)

    def charges(self, weights: ArrayLike) -> Array:
        """The conserved charges theta' A theta, (..., len(charge_names)), of weights (..., size)."""
        if self.normalised == "together":
            return np.sum(np.square(weights), axis=-1, keepdims=True)
        if self.normalised == "each":
            return self.norms(weights)
        layers = self.layers(weights)
        parts = [np.empty((*np.shape(weights)[:-1], 0))]
        for layer, (rows, columns) in self._pairs():
            into, out = layers[layer - 1], layers[layer]
            leaving = np.einsum("...kp,...kp->...p", out[..., rows], out[..., columns])
            parts.append(leaving - np.einsum("...pk,...pk->...p", into[..., rows, :], into[..., columns, :]))
        return np.concatenate(parts, axis=-1)

    @cached_property
    def weight_names(self) -> tuple[str, ...]:
        """W1[0,0], ..., in the order of the weights."""
        return tuple(
            f"W{layer}[{o},{i}]"
            for layer, (rows, columns) in enumerate(self.shapes, start=1)
            for o in range(rows)
            for i in range(columns)
        )

    @cached_property
    def norm_names(self) -> tuple[str, ...]:
        """|W1|^2, ..."""
        return tuple(f"|W{layer + 1}|^2" for layer in range(len(self.shapes)))

    def norms(self, weights: ArrayLike) -> Array:
        """The squared norms of the layers, (..., layers)."""
        return np.stack([np.sum(W * W, axis=(-2, -1)) for W in self.layers(weights)], axis=-1)

    def _pairs(self) -> list[tuple[int, tuple[NDArray[np.intp], NDArray[np.intp]]]]:
        """Each hidden layer with the pairs of its units whose charge is conserved."""
        if self.activation not in ("linear", "relu", "leaky_relu"):
            return []
        hidden = enumerate(self.widths[1:-1], start=1)
        if self.activation == "linear":
            return [(layer, np.triu_indices(units)) for layer, units in hidden]
        return [(layer, (np.arange(units), np.arange(units))) for layer, units in hidden]

    def _computing(self, layers: list[Array]) -> list[Array]:
        """What the network multiplies with: the weights, or their directions."""
        if self.normalised is None:
            return layers
        squares = [np.sum(W * W, axis=(-2, -1), keepdims=True) for W in layers]
        total = sum(squares)
        return [
            W / np.sqrt(total if self.normalised == "together" else own) for W, own in zip(layers, squares, strict=True)
        ]

    def _activate(self, z: Array) -> Array:
        if self.activation == "tanh":
            return np.tanh(z)
        if self.activation == "swish":
            with np.errstate(over="ignore"):  # the quotient is 0 there
                return np.asarray(z / (1.0 + np.exp(-z)))
        if self.activation == "linear":
            return z
        return np.where(z >= 0, z, self.wiring.leak * z)
