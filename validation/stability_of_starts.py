"""Starts: Xavier's weights bear a learning rate that loses two fifths of Kaiming's; a warm-up keeps nearly all."""

from cases import stability_of_starts as case
from fpsolve.claims import Exact

SOURCE = "measured; Ziyin, Wang, Li & Wu, arXiv 2402.07193, for the effect"

claims = [
    Exact(
        "Kaiming at 0.04: a warm-up keeps nearly all",
        case.trained,
        dict(start="kaiming", ramp=case.RAMP, learning_rate=0.04),
        case.lost,
        0.0,
        atol=0.06,
        wrong=dict(ramp=0),
        source=SOURCE,
    ),
    Exact(
        "Xavier at 0.04 needs none",
        case.trained,
        dict(start="xavier", ramp=0, learning_rate=0.04),
        case.lost,
        0.0,
        atol=0.03,
        wrong=dict(start="kaiming"),
        source=SOURCE,
    ),
]
