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
        "`refined` extrapolates ln p badly where the scheme is first order (one-way transport with "
        "`Positive()`); refine the number that is wanted instead",
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
        "time-dependent coefficients in one dimension",
        "TR-BDF2 at rtol 1e-6 takes 16 s of CPU time for the annealed double well (300 cells, 13 600 steps): "
        "building each generator in numpy is most of it",
    ),
)
