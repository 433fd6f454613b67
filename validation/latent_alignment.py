"""Latent alignment of four activations: well above what gradient descent reaches from the same weights."""

from functools import cache, partial

from cases import latent_alignment as case
from fpsolve.claims import Exact

SOURCE = "a measured alignment: Ziyin, Wang, Li & Wu, arXiv 2402.07193"


@cache
def solved():
    return case.solve()


def reached(name, results):
    return case.late_alignment(results[name])


claims = [
    Exact(
        f"{activation}: cosine of W Sx W' and U' Se U under SGD, not under gradient descent",
        solved,
        {},
        partial(reached, activation),
        1.0,
        atol=0.2,
        wrong=partial(reached, f"{activation}, gradient descent"),
        source=SOURCE,
    )
    for activation in case.ACTIVATIONS
]
