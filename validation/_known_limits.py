"""What is known not to work, or not as well as one would wish, each with the figure that was measured."""

limits = (
    (
        "walls and strong anisotropy",
        "densities that do not vanish at a wall are second order up to tensors of condition about 35; at "
        "condition 100 they are first order (L1 5.3e-2 at 64 x 64 cells)",
    ),
    (
        "strong currents beside condition 100",
        "rotating noise of condition 100 with a current as large as the gradient flow is not resolved by 256 "
        "x 256 cells: ResolutionWarning gives the distance to half the cells",
    ),
    (
        "refined densities of first order",
        "`refined` extrapolates ln p badly in the tails where the scheme is first order (one-way transport "
        "with `Positive()`), and warns with the error; refine the number that is wanted instead",
    ),
    (
        "distances in several coordinates",
        "`compare` by W1, W2 and MMD in several coordinates is refused (hundreds of transport plans); sliced "
        "distances work",
    ),
    (
        "skewed and tempered stable noise",
        "`Stable(skew=...)` is accepted by particles and refused by the density solver; there is no tempered "
        "stable noise",
    ),
    (
        "coefficients in motion with memory",
        "`FastL1` factors every step anew: about 1 ms a step at 400 cells in one dimension, slow in two",
    ),
    (
        "nonreversible generators with memory above .97",
        "contours that no eigenvalue can escape need 1000 solves and more; above .999 they are refused",
    ),
    (
        "skewed gradients",
        "with a skewness of 6 (breast cancer, worst radius) no diffusion is right: Ito's density is .15 from "
        "SGD's law in KS, the best by chance .06; the ladder says so",
    ),
    (
        "descent far beyond the edge of stability",
        "the central flow ends on the edge; gradient descent started half as far again beyond it leaps to a "
        "sharpness 40 % below",
    ),
    (
        "short kicks in time",
        "`TRBDF2` may step over a change of the coefficients that is much shorter than its steps (a kick of width 0.5 "
        "at t = 25 of 30, rtol 1e-3: off by 22 rtol); ask for a time within it, or give dt",
    ),
    (
        "jumps on planes",
        "on coarse planes the density is off without a warning (96 x 96 cells on +-20, alpha 1.5, `Positive()`: p(0) "
        "by 1 %); compare with half the cells, or use `refined`",
    ),
    (
        "pace of `TRBDF2`",
        "time-dependent coefficients cost a generator a step, 0.2 to 0.4 ms on 300 cells: the annealed double well at "
        "rtol 1e-6 takes 3200 steps and 3.2 s of CPU time",
    ),
)
