r"""The canonical form of a sampler that is affine in its state, the network outputs and the noise.

Over calls :math:`j = 0..N-1` the network is asked at
:math:`q_j = c_j \zeta + \sum_{i<j} H_{ji} y_i + w_j` and the output is :math:`q_N`, with :math:`w` jointly
normal of covariance :math:`W`. States are kept in the gauge :math:`z/\alpha` and network outputs as
:math:`\hat x`, so that two samplers that differ by gauge or prediction type alone have the same
matrices. Covariances are stored, never factors: no square roots, and no dependence on how
the draws are numbered or signed.
"""

from collections.abc import Sequence

import msgspec

from equiv.symbolic.decision import Decision, Domain, Equal, decide
from equiv.symbolic.expression import Expr, const

ZERO, ONE = const(0), const(1)


class AffineStep(msgspec.Struct, frozen=True, kw_only=True):
    r"""One step :math:`y_s = a\,y_t + b\,\hat x + w`, with :math:`y = z/\alpha` and w of that variance."""

    told: Expr  # the noise ratio sigma/alpha of the level that the network is told
    state: Expr
    output: Expr
    variance: Expr


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What determines the output for every network; row N is the output itself."""

    told: tuple[Expr, ...]  # N
    start: tuple[Expr, ...]  # c, N + 1
    outputs: tuple[tuple[Expr, ...], ...]  # H, N + 1 rows of N
    covariance: tuple[tuple[Expr, ...], ...]  # W, N + 1 square


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first entry in which two fingerprints are not known to agree."""

    entry: str
    decision: Decision


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """All entries agree, wherever these conditions hold."""

    conditions: tuple[str, ...]


def fingerprint(steps: Sequence[AffineStep]) -> Fingerprint:
    """Compose the steps of a one-step method into its matrices."""
    n = len(steps)
    start, outputs = [ONE], [[ZERO] * n]
    covariance = [[ZERO] * (n + 1) for _ in range(n + 1)]
    for j, step in enumerate(steps):
        start.append(step.state * start[j])
        row = [step.state * h for h in outputs[j]]
        row[j] = step.output
        outputs.append(row)
        for k in range(j + 1):
            covariance[j + 1][k] = covariance[k][j + 1] = step.state * covariance[j][k]
        covariance[j + 1][j + 1] = step.state * step.state * covariance[j][j] + step.variance
    return Fingerprint(
        told=tuple(s.told for s in steps),
        start=tuple(start),
        outputs=tuple(map(tuple, outputs)),
        covariance=tuple(map(tuple, covariance)),
    )


def difference(a: Fingerprint, b: Fingerprint, domain: Domain) -> Difference | Agreement:
    """The first entry not proved equal, in the order in which a sampler runs, or what the agreement rests on.

    Calls are compared one to one, so the levels told must be distinct within each sampler; that holds on
    a strictly decreasing grid.
    """
    if len(a.told) != len(b.told):
        raise ValueError(f"fingerprints need as many calls each; got {len(a.told)} and {len(b.told)}")
    n, conditions = len(a.told), dict[str, None]()
    for j in range(n + 1):
        pairs = [(f"c[{j}]", a.start[j], b.start[j])]
        pairs += [(f"H[{j},{i}]", a.outputs[j][i], b.outputs[j][i]) for i in range(j)]
        pairs += [(f"W[{j},{k}]", a.covariance[j][k], b.covariance[j][k]) for k in range(j + 1)]
        if j < n:
            pairs.insert(0, (f"level told at call {j}", a.told[j], b.told[j]))
        for entry, left, right in pairs:
            decision = decide(left, right, domain)
            if not isinstance(decision, Equal):
                return Difference(entry=entry, decision=decision)
            conditions |= dict.fromkeys(c.text for c in decision.conditions if not c.discharged)
    return Agreement(conditions=tuple(conditions))
