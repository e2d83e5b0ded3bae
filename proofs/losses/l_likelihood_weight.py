r"""Score matching weighted by g^2 is the loss with weight one.

Under uniform times, the square error of the score times g^2 is -lambda' times that of the noise, for
every schedule in every gauge; so its weighting is one at every log-SNR, and one half with the factor 1/2
of the bound on the likelihood. Weighted by sigma^2 instead, it is the plain error of the noise.

Not claimed: the bound on the likelihood itself; schedules whose log-SNR does not fall.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import score_from_x, x_from_eps
from equiv.formulas.weightings import mse_factor_score, weighting
from equiv.proofs._rates import diffusion_squared, fall, falling, total_rate
from equiv.proofs._symbols import eps_hat, now, z_t

CLAIM = Claim(
    id="l-likelihood-weight",
    title="Score matching weighted by g^2 has weight one",
    statement=r"g_t^2\, \lVert \hat s - s \rVert^2 = -\dot\lambda_t\, \lVert \hat\epsilon - \epsilon \rVert^2"
    r" \implies w(\lambda) = 1",
    source=Source(seed="003", section="Training", equation="implied: the weighting of the ELBO"),
    needs=("p-mse-table", "s-fg-from-alphasigma"),
)

eps = symbols("epsilon", real=True)


def _error_of_score() -> Any:
    hat, true = (score_from_x(z_t, x_from_eps(z_t, e, now), now) for e in (eps_hat, eps))
    return (hat - true) ** 2


def derivation() -> Derivation:
    of_noise = (eps_hat - eps) ** 2
    return Derivation(
        chains=(
            chain(
                "The diffusion by the log-SNR",
                diffusion_squared(),
                ("g^2 is (sigma^2)' - 2 f sigma^2", now.sigma**2 * fall()),
            ),
            chain(
                "The weighted error of the score",
                diffusion_squared() * _error_of_score(),
                ("s is -eps / sigma", diffusion_squared() / now.sigma**2 * of_noise),
                ("g^2 / sigma^2 is -lambda'", fall() * of_noise),
            ),
            chain(
                "The weighting",
                weighting(diffusion_squared() * mse_factor_score(now), fall()),
                ("divided by -lambda'", S.One),
            ),
            chain(
                "Weighted by sigma^2",
                now.sigma**2 * _error_of_score(),
                ("the error of the noise", of_noise),
            ),
        ),
        hypotheses=(falling(),),
    )


def false_variants() -> Iterable[Variant]:
    for name, factor in (
        ("weighted by g", diffusion_squared() ** Rational(1, 2)),
        ("weighted by sigma^2", now.sigma**2),
        ("weighted by the rate of sigma^2, as if f were zero", total_rate(now.sigma**2)),
        ("not weighted", S.One),
    ):
        yield Variant(
            name=name,
            left=weighting(factor * mse_factor_score(now), fall()),
            right=S.One,
            hypotheses=(falling(),),
        )
