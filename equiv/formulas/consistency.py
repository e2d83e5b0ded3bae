r"""The boundary condition of consistency models: at time 0 the model gives back its input.

Source: Luo et al. 2023, arXiv:2310.04378 (latent consistency models).
"""

from equiv.number import N, sqrt


def skip_weight(t: N, b: N) -> N:
    r"""How much of the state is in the model's own data prediction.

    .. math:: c_{\mathrm{skip}} = \frac{b^2}{t^2 + b^2}
    """
    return b**2 / (t**2 + b**2)


def out_weight(t: N, b: N) -> N:
    r"""How much of the network's data prediction is in that of the model.

    .. math:: c_{\mathrm{out}} = \frac t{\sqrt{t^2 + b^2}}
    """
    return t / sqrt(t**2 + b**2)
