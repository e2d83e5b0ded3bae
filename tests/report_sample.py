"""A run made by hand: every verdict, every kind of evidence, hostile strings and unbounded numbers."""

import math
from collections.abc import Iterator
from typing import Any

from equiv.claim import Claim, Source
from equiv.evidence import (
    Condition,
    Conformance,
    Defect,
    Equality,
    Evidence,
    Experiment,
    Failure,
    Outcome,
    Proof,
    Rejected,
    Witness,
)
from equiv.result import Result, Run, Task
from equiv.verdict import judge

HOSTILE = '<script>alert("hostile")</script>'
UNREADABLE = r"\notacommand{x} + 1"
DIFFUSERS = {"diffusers": "0.42.1", "torch": "2.13.0"}


def sample_run() -> Run:
    """Every verdict, every kind of evidence."""
    results = (*claims(), *checks(), *experiments())
    return Run(
        started="2026-11-21T22:14:03Z",
        versions={"equiv": "0.1.0", "python": "3.11.7", **DIFFUSERS},
        results=results,
    )


def result(task: Task, title: str, *evidence: Evidence, **rest: Any) -> Result:
    return Result(task=task, title=title, verdict=judge(evidence), evidence=evidence, seconds=0.25, **rest)


def chain(title: str, left: str, *rest: tuple[str, str], unknown: str = "") -> tuple[Equality, ...]:
    lines = [left, *(right for right, _ in rest)]
    outcome = Outcome.UNKNOWN if unknown else Outcome.HOLDS
    return tuple(
        Equality(title=title, left=before, right=after, why=why, outcome=outcome, reason=unknown)
        for before, after, (_, why) in zip(lines, lines[1:], rest, strict=False)
    )


def rejected(name: str, expected: str, got: str, **inputs: str) -> Rejected:
    return Rejected(name=name, witness=Witness(inputs=inputs, expected=expected, got=got))


def claim(header: Claim, *evidence: Evidence) -> Result:
    return result(Task(kind="claim", id=header.id), header.title, *evidence, claim=header)


def claims() -> Iterator[Result]:
    positive = Condition(
        text="the levels are positive",
        kind="sign",
        latex=r"\alpha_s + \sigma_s > 0",
        discharged="z3, over the domain",
    )
    nonzero = Condition(
        text="the starting level has signal left", kind="denominator", latex=r"\alpha_t \ne 0"
    )
    cited = Condition(text="tower property, for means over states", kind="cited theorem")
    sign_turned = rejected("the velocity with its sign turned", "1/2", "1", x_hat="0", eps_hat="1")
    yield claim(
        Claim(
            id="f-ddim-is-fm",
            title="DDIM is Euler flow sampling",
            statement=r"\frac{z_s}{\alpha_s + \sigma_s} = \frac{z_t}{\alpha_t + \sigma_t}"
            r" + (\eta_s - \eta_t)\,\hat u, \qquad \eta = \frac{\sigma}{\alpha + \sigma}",
            source=Source(
                seed="003", section="Sampling", equation="third row of the reparametrisation table"
            ),
            needs=("p-conversions",),
        ),
        Proof(
            equalities=(
                *chain(
                    "one step in the flow gauge",
                    r"\frac{\alpha_{s} \hat{x} + \sigma_{s} \hat{\epsilon}}{\alpha_{s} + \sigma_{s}}",
                    (
                        (
                            r"\hat{x} + \frac{\sigma_{s}}{\alpha_{s} + \sigma_{s}}"
                            r" \left(\hat{\epsilon} - \hat{x}\right)"
                        ),
                        "split off the share of the noise",
                    ),
                    (r"\hat{x} + \eta_{s} \hat{u}", "eta and u, as defined"),
                    (
                        r"y_{t} + \left(\eta_{s} - \eta_{t}\right) \hat{u}",
                        "the state lies on the same line at time t",
                    ),
                ),
                *chain(
                    "the state at time t",
                    r"\frac{z_{t}}{\alpha_{t} + \sigma_{t}}",
                    (r"\hat{x} + \eta_{t} \hat{u}", "the state is made of the prediction"),
                ),
            ),
            conditions=(positive, cited),
            rejected=(sign_turned, rejected("uniform t on both sides", "0.2500", "0.2928932188", t="1/4")),
        ),
    )
    yield claim(
        Claim(
            id="p-conversions",
            title="Any prediction gives every other",
            statement=r"\hat x = \frac{z - \sigma\,\hat u}{\alpha + \sigma}, \qquad"
            r" \hat\epsilon = \frac{z + \alpha\,\hat u}{\alpha + \sigma}",
            source=Source(seed="003", section="Network outputs"),
        ),
        Proof(
            equalities=chain(
                "x from u",
                r"\alpha \hat{x} + \sigma \hat{\epsilon}",
                ("z", "the state is made of the prediction"),
            ),
            conditions=(positive, nonzero),
            rejected=(
                rejected(
                    "the VP inverse on the flow schedule", "1/2", "1/4", alpha="1/2", sigma="1/2", z="1"
                ),
            ),
        ),
    )
    yield claim(
        Claim(
            id="s-slider-vp",
            title="The variance-preserving end of the slider",
            statement=r"\alpha_t = \frac{1-t}{\sqrt{(1-t)^2 + t^2}}, \quad"
            r" \sigma_t = \frac{t}{\sqrt{(1-t)^2 + t^2}}"
            r" \;\Longrightarrow\; \alpha_t^2 + \sigma_t^2 = 1",
            as_written=r"\alpha_t = \frac{1-t}{(1-t)^2 + t^2}, \quad \sigma_t = \frac{t}{(1-t)^2 + t^2}"
            r" \;\Longrightarrow\; \alpha_t^2 + \sigma_t^2 = 1",
            erratum="E1",
            source=Source(seed="003", section="Sampling", equation="second comment"),
        ),
        Proof(about="as written", witness=Witness(inputs={"t": "1/2"}, expected="1", got="2")),
        Proof(
            equalities=chain(
                "variance", r"\alpha_{t}^{2} + \sigma_{t}^{2}", ("1", "one denominator, the same numerator")
            ),
            conditions=(positive,),
            rejected=(rejected("the slider at p = 1/4", "1", "0.707106781", t="1/2"),),
        ),
    )
    yield claim(
        Claim(
            id="x-unreadable",
            title="A statement that cannot be typeset",
            statement=UNREADABLE,
            source=Source(seed="000", section="Nowhere"),
        ),
        Proof(
            equalities=chain(
                "a chain",
                r"\sum_{i=1}^{n} a_{i}",
                (r"\int\limits_{0}^{t} g_{s}^{2}\, ds", "hope"),
                unknown="a residual is left",
            ),
            rejected=(sign_turned,),
        ),
    )
    yield claim(
        Claim(
            id="x-internal",
            title="Both proved and refuted",
            statement="a = b",
            source=Source(seed="000", section="Nowhere"),
        ),
        Proof(equalities=chain("a chain", "a", ("b", "unsound")), rejected=(sign_turned,)),
        Proof(witness=Witness(inputs={"a": "1", "b": "2"}, expected="1", got="2")),
    )


def checks() -> Iterator[Result]:
    for subject in ("diffusers.DDIMScheduler", "diffusers.EulerDiscreteScheduler"):
        for spacing in ("leading", "trailing", "linspace"):
            for prediction in ("epsilon", "v_prediction"):
                for steps in ("10", "13"):
                    config = {
                        "timestep_spacing": spacing,
                        "prediction_type": prediction,
                        "clip_sample": "False",
                        "steps": steps,
                    }
                    for owed, title in OBLIGATIONS.items():
                        yield check(owed, title, subject, config, wrong=(subject, spacing, owed) == WRONG)
    task = Task(kind="check", id="step-equals-formula", subject="./mine.py:step")
    yield result(
        task,
        f"Its step is {HOSTILE}",
        Failure(kind="time-out", reason=f"300 s, in {HOSTILE}", where="mine.py:3"),
    )
    task = Task(kind="check", id="step-equals-formula", subject=HOSTILE, config={HOSTILE: HOSTILE})
    snippet = f"print({HOSTILE!r})"
    witness = Witness(inputs={HOSTILE: HOSTILE}, expected=HOSTILE, got="inf", bound="nan")
    yield result(
        task,
        "One step equals the formula it names",
        Conformance(
            method="lifting",
            steps=1,
            witness=witness,
            reproduced=True,
            snippet=snippet,
            where=HOSTILE,
            expected=HOSTILE,
        ),
    )
    task = Task(kind="check", id="step-equals-formula", subject="./numpy_sampler.py:step")
    failure = Failure(
        kind="unsupported", reason="the state passes through numpy.asarray", where="numpy_sampler.py:41"
    )
    yield result(task, "One step equals the formula it names", failure)
    yield result(
        Task(kind="check", id="prediction-type", subject="./numpy_sampler.py:step"), "Nothing came of it"
    )


OBLIGATIONS = {
    "step-equals-formula": "One step equals the formula it names",
    "prediction-type": "The same denoiser in another prediction type gives the same sample",
    "next-level-is-listed": "A step ends at the next level listed",
}
WRONG = ("diffusers.DDIMScheduler", "linspace", "next-level-is-listed")


def check(owed: str, title: str, subject: str, config: dict[str, str], *, wrong: bool) -> Result:
    task = Task(kind="check", id=owed, subject=subject, config=config, seed=7)
    idealised = Condition(text="alphas_cumprod is read as exact", kind="idealised constant")
    branch = Condition(text="eta > 0 is false", kind="branch")
    if not wrong:
        return result(
            task,
            title,
            Conformance(method="lifting", steps=int(config["steps"]), conditions=(idealised, branch)),
            versions=DIFFUSERS,
        )
    refuted = Conformance(
        method="lifting",
        steps=3,
        expected="z_s = alpha_s x_hat + sigma_s eps_hat, with (alpha_s, sigma_s) listed for timesteps[i + 1]",
        witness=Witness(
            inputs={"timestep": "999", "sample": "1", "model_output": "0"},
            expected="2.4416 (level of timestep 888)",
            got="2.4705 (level of timestep 899)",
            bound="4.8e-07",
        ),
        reproduced=True,
        defect=Defect.WRONG_FORMULA,
        where="scheduling_ddim.py:412",
        snippet="import torch\nfrom diffusers import DDIMScheduler\n\n"
        'scheduler = DDIMScheduler(timestep_spacing="linspace")\n'
        "scheduler.set_timesteps(10)\nprint(scheduler.timesteps[:2])  # 999, 888\n"
        "print(scheduler.step(torch.zeros(1), 999, torch.ones(1)).prev_sample)",
    )
    return result(task, title, refuted, versions=DIFFUSERS)


def experiments() -> Iterator[Result]:
    variants = ("the velocity with its sign turned", "uniform t on both sides", "half a step in log-SNR")
    rows = {
        "float64": Experiment(
            worst=0.35, bound=1.0, cases=4096, rejected=variants, measure="error in units of its bound"
        ),
        "float32": Experiment(
            worst=0.41, bound=1.0, cases=4096, rejected=variants, measure="error in units of its bound"
        ),
        "bfloat16": Experiment(
            worst=0.22,
            bound=1.0,
            cases=4096,
            rejected=variants[:1],
            surviving_variants=variants[1:],
            measure="error in units of its bound",
        ),
        "float16": Experiment(
            worst=math.nan, bound=math.inf, cases=12, measure="error in units of its bound"
        ),
    }
    for dtype, evidence in rows.items():
        task = Task(kind="experiment", id="rescaled-schedules", seed=11, dtype=dtype, device="cpu")
        figures = {"rescaled-trajectories": trajectories()} if dtype == "float64" else {}
        yield result(task, "DDIM does not see a rescaled schedule", evidence, figures=figures)


def trajectories(steps: int = 8) -> dict[str, Any]:
    """DDIM and probability-flow Euler on the mixture of N(-1, 0.3^2) and N(1, 0.3^2)."""
    starts = [-1.6, -0.9, -0.35, 0.1, 0.6, 1.2, 1.9]
    panels = []
    for p, name in (
        (0.0, "p = 0, flow matching"),
        (0.25, "p = 1/4"),
        (0.5, "p = 1/2, variance preserving"),
        (1.0, "p = 1, as written"),
    ):
        series = [
            {"label": "DDIM", "paths": [path(z, p, steps, euler=False) for z in starts]},
            {"label": "probability-flow Euler", "paths": [path(z, p, steps, euler=True) for z in starts]},
        ]
        panels.append({"title": name, "series": series})
    return {
        "panels": panels,
        "x": "t",
        "y": "z",
        "title": "The rescaled schedules of the seed post",
        "caption": "DDIM ends at the same points in every panel; probability-flow Euler does not.",
    }


def level(t: float, p: float) -> tuple[float, float]:
    scale = ((1 - t) ** 2 + t**2) ** -p
    return (1 - t) * scale, t * scale


def path(z: float, p: float, steps: int, *, euler: bool) -> list[list[float]]:
    points = [[1.0, z]]
    for i in range(steps):
        t, s = 1 - i / steps, 1 - (i + 1) / steps
        (a, b), (a_s, b_s) = level(t, p), level(s, p)
        v = a * a * 0.09 + b * b
        logits = [-((z - a * m) ** 2) / (2 * v) for m in (-1, 1)]
        weights = [math.exp(x - max(logits)) for x in logits]
        x_hat = sum(
            w * (m + a * 0.09 / v * (z - a * m)) for w, m in zip(weights, (-1, 1), strict=True)
        ) / sum(weights)
        eps_hat = (z - a * x_hat) / b
        if euler:
            h = 1e-6
            da, db = ((level(t + h, p)[i] - level(t - h, p)[i]) / (2 * h) for i in (0, 1))
            z += (s - t) * (da * x_hat + db * eps_hat)
        else:
            z = a_s * x_hat + b_s * eps_hat
        points.append([s, z])
    return points
