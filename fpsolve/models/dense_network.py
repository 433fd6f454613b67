"""Dense networks of small matrices under SGD as it really is: linear of any depth, two layers of neurons, normalised.

    loss |f(x) - y|^2,   w <- w - eta m,   m <- mu m + g + 2 gamma w,   g the minibatch's mean gradient, at most `clip`

Their charges, kept by gradient flow, move under SGD's noise alone, path by path: see fpsolve/models/architecture.py.
Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.checks import number, yes_or_no
from fpsolve.errors import InvalidInput
from fpsolve.kernels.train import ALL, FRESH, REPLACED, SHUFFLED
from fpsolve.models.architecture import Architecture
from fpsolve.models.network_start import NetworkStart, drawn_weights, network_weights
from fpsolve.models.samples import GaussianSamples, Samples
from fpsolve.particles.course import batch_size, decay_rate
from fpsolve.particles.rates import Rate
from fpsolve.particles.training import Rule, train_network
from fpsolve.progress import Progress
from fpsolve.values.swarm import Swarm

__all__ = ["DenseNetwork"]

Array = NDArray[np.float64]
OBSERVED = ("charges", "norms", "weights")


@dataclass(frozen=True, eq=False)
class DenseNetwork:
    """A network of dense layers, trained on samples.

    data: Samples, or GaussianSamples, drawn afresh for every step.  hidden: units of the hidden layers; () is linear
    regression.  activation: "linear", "tanh", "swish", "relu" or "leaky_relu" (slope `leak` below 0).
    normalised: None, "together" (Net-A: weights over the norm of all) or "each" (Net-B: each layer over its own).
    batch: samples a step; None is all of them, gradient descent.  weight_decay: gamma >= 0.  momentum: mu in [0, 1).
    clip: the longest minibatch gradient.

    Raises InvalidInput for arguments out of range, a batch beyond the data, and gradient descent of neurons on samples
    that are drawn afresh, whose mean gradient has no closed form.

    >>> fresh = GaussianSamples([[1.0, 0.0], [0.0, 2.0]], label_covariance=0.1)
    >>> net = DenseNetwork(fresh, hidden=(2,), learning_rate=0.02)
    >>> net
    DenseNetwork(2-2-2 linear; learning rate 0.02, batch 1; GaussianSamples(2 inputs, 2 outputs))
    >>> swarm = net.sgd(steps=500, n=4, seed=1, start="xavier")
    >>> swarm.names, [W.shape for W in net.layers(swarm)]
    (('C1[0,0]', 'C1[0,1]', 'C1[1,1]'), [(4, 2, 2), (4, 2, 2)])
    """

    data: Samples | GaussianSamples
    hidden: Sequence[int] = ()
    activation: str = "linear"
    learning_rate: float = 0.01
    batch: int | None = 1
    weight_decay: float = 0.0
    momentum: float = 0.0
    clip: float | None = None
    leak: float = 0.01
    normalised: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.data, (Samples, GaussianSamples)):
            raise InvalidInput(
                f"data is {type(self.data).__name__}; a network draws its minibatches from Samples(x, y) or "
                "GaussianSamples(teacher, ...)"
            )
        if not isinstance(self.hidden, (tuple, list)):
            raise InvalidInput(
                f"hidden is {shown(self.hidden)}; give the units of each hidden layer in a tuple, such as (8,)"
            )
        object.__setattr__(self, "hidden", tuple(self.hidden))
        _ = self.architecture
        if not number("learning_rate", self.learning_rate) > 0:
            raise InvalidInput(f"learning_rate is {self.learning_rate}; give a finite number > 0")
        decay_rate(self.weight_decay)
        if not 0 <= number("momentum", self.momentum) < 1:
            raise InvalidInput(f"momentum is {self.momentum}; give a number in [0, 1)")
        if self.clip is not None and not number("clip", self.clip) > 0:
            raise InvalidInput(f"clip is {self.clip}; give the longest gradient, > 0, or None")
        self._rule(True)

    @cached_property
    def architecture(self) -> Architecture:
        """Its layers and charges."""
        widths = (self.data.inputs, *self.hidden, self.data.outputs)
        return Architecture(widths, self.activation, self.leak, self.normalised)

    @property
    def temperature(self) -> float:
        """learning_rate/batch; 0 for gradient descent."""
        return 0.0 if self.batch is None else self.learning_rate / self.batch

    def layers(self, weights: ArrayLike | Swarm) -> list[Array]:
        """The matrices W_1, ..., W_L, each (n, outputs, inputs), of weights (n, size), or of a swarm at its end."""
        return self.architecture.layers(self._flat(weights))

    def outputs(self, weights: ArrayLike | Swarm, x: ArrayLike) -> Array:
        """f(x), shape (n, samples, outputs), of weights (n, size) and x (samples, inputs)."""
        return self.architecture.outputs(self._flat(weights), x)

    def charges(self, weights: ArrayLike | Swarm) -> Array:
        """What gradient flow conserves, (n, charges); named by `architecture.charge_names`."""
        return self.architecture.charges(self._flat(weights))

    def noether_gap(self, before: ArrayLike, after: ArrayLike, learning_rate: float | None = None) -> Array:
        """C(after) - keep^2 C(before) - C(after - keep before) of one step, keep = 1 - 2 eta gamma: (n, charges).

        0 to rounding, a few 1e-16 |w|^2, on every path of SGD: eta g does not see the symmetry.  Momentum breaks it.
        Raises InvalidInput for a learning rate (the network's own unless given) that is no number.
        """
        eta = self.learning_rate if learning_rate is None else number("learning_rate", learning_rate)
        keep, old, new = 1.0 - 2.0 * eta * self.weight_decay, np.asarray(before), np.asarray(after)
        return self.charges(new) - keep**2 * self.charges(old) - self.charges(new - keep * old)

    def loss(self, weights: ArrayLike | Swarm) -> Array:
        """The mean of |f(x) - y|^2 over the data (n,).  Raises InvalidInput for neurons on fresh samples."""
        if isinstance(self.data, Samples):
            return self._mean_square(weights, self.data.x, self.data.y)
        self._refuse_neurons("the mean loss")
        x, y = np.split(self.data.points, [self.data.inputs], axis=1)
        return self._mean_square(weights, x, y) + float(np.trace(self.data.label_covariance))

    def initial(self, kind: str, n: int, seed: int) -> Array:
        """Weights (n, size) drawn as "small", "kaiming", "xavier" or "large": fpsolve/models/network_start.py."""
        return drawn_weights(self.architecture, kind, n, seed)

    def sgd(
        self,
        steps: int,
        n: int | None = None,
        *,
        seed: int,
        start: NetworkStart = "kaiming",
        learning_rate: Rate | None = None,
        replacement: bool = True,
        record: Sequence[int] | None = None,
        observe: str = "charges",
        threads: int | None = None,
        progress: Progress = None,
        max_diverged: float = 0.01,
    ) -> Swarm:
        """Real SGD of n replicas; `.weights` are the weights (n, size), with momentum (n, 2, size): see `layers`.

        start: a kind of `initial`, weights (size,) or (n, size), the layers' matrices, or a Swarm to go on from.
        learning_rate: a function of the step or one value per step, in place of the network's own.
        replacement: minibatches drawn independently; False shuffles Samples anew for each epoch and replica.
        record: the step numbers to keep; the last is always kept.  observe: what positions are, "charges" (where there
        are none, "norms"), "norms", the layers' |W_l|^2, or "weights".  threads: 1 unless told, the same bits for any.
        max_diverged: the share of replicas that may diverge; NotConverged (its `best` is the swarm) where more do.
        """
        names, observed = self._observed(observe)
        return train_network(
            network_weights(self.architecture, start, n, seed, self.momentum > 0),
            self.architecture.wiring,
            self._rule(replacement),
            learning_rate=self.learning_rate if learning_rate is None else learning_rate,
            steps=steps,
            seed=seed,
            names=names,
            observe=observed,
            before=start if isinstance(start, Swarm) else None,
            record=record,
            threads=threads,
            progress=progress,
            max_diverged=max_diverged,
        )

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def _rule(self, replacement: bool) -> Rule:
        data, replacement = self.data, yes_or_no("replacement", replacement)
        if isinstance(data, Samples):
            rows, scale = np.hstack([data.x, data.y]), np.sqrt(np.mean(data.x**2) + np.mean(data.y**2))
            source = ALL if self.batch is None else REPLACED if replacement else SHUFFLED
            batch = data.n if self.batch is None else batch_size(self.batch, data.n)
        else:
            if not replacement:
                raise InvalidInput("replacement is False, but fresh samples are never repeated; leave it out")
            if self.batch is None:
                self._refuse_neurons("gradient descent")
            rows, scale = (data.points if self.batch is None else data.root), np.linalg.norm(data.root)
            source = ALL if self.batch is None else FRESH
            batch = len(rows) if self.batch is None else batch_size(self.batch, 2**31)
        clip = np.inf if self.clip is None else float(self.clip)
        return Rule(rows, source, batch, float(scale), float(self.weight_decay), float(self.momentum), clip)

    def _observed(self, observe: str) -> tuple[tuple[str, ...], Callable[[Array], Array]]:
        shape = self.architecture
        if observe not in OBSERVED:
            raise InvalidInput(f"observe is {observe!r}; use one of {', '.join(map(repr, OBSERVED))}")
        if observe == "weights":
            return shape.weight_names, np.array
        if observe == "charges" and shape.charge_names:
            return shape.charge_names, shape.charges
        return shape.norm_names, shape.norms

    def _flat(self, weights: ArrayLike | Swarm) -> Array:
        if not isinstance(weights, Swarm):
            return np.asarray(weights, dtype=float)
        if weights.weights is None:
            raise InvalidInput("the swarm has no weights; give one that SGD of this network returned")
        return weights.weights[:, 0] if self.momentum > 0 else weights.weights

    def _mean_square(self, weights: ArrayLike | Swarm, x: Array, y: Array) -> Array:
        return np.asarray(np.square(self.outputs(weights, x) - y).sum(axis=-1).mean(axis=-1))

    def _refuse_neurons(self, what: str) -> None:
        if self.activation != "linear":
            raise InvalidInput(
                f"{what} of {self.activation} neurons on fresh samples has no closed form; draw samples to keep: "
                "data.drawn(n, seed)"
            )

    def __repr__(self) -> str:
        widths = "-".join(map(str, self.architecture.widths))
        kind = self.activation + (f", normalised {self.normalised}" if self.normalised else "")
        how = "gradient descent" if self.batch is None else f"batch {self.batch}"
        extras = [
            f", {name.replace('_', ' ')} {getattr(self, name):g}"
            for name in ("weight_decay", "momentum", "clip")
            if getattr(self, name)
        ]
        pace = f"learning rate {self.learning_rate:g}, {how}{''.join(extras)}"
        return f"DenseNetwork({widths} {kind}; {pace}; {self.data!r})"
