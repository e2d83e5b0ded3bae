"""Code that no reader sees into, probed: what JAX and torch's own compiler make of samplers.

``nox -s compiled`` brings JAX; without it, and without a C++ compiler, these are skipped.
"""

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from equiv.evidence import Conformance, Outcome
from equiv.formulas.dpm_solver import dpm_solver_pp_1
from equiv.formulas.levels import Level
from equiv.formulas.predictions import TO_X
from equiv.formulas.steps import ddim_step
from equiv.lifting.reading import Given, read
from equiv.probing import SHAPE, Affine, Budget, NotAffine, hold, probe
from equiv.symbolic.expression import Expr, const, literal, symbol

jax = pytest.importorskip("jax", reason="JAX comes with nox -s compiled")
jax.config.update("jax_enable_x64", True)

Step = Callable[..., Any]  # of a module of functions, and arrays of that module
SIGMAS = (0.875, 0.5, 0.25, 0.0625)
BUDGET = Budget(roundings=128, growth=64)
OUTPUTS = tuple(f"net_{k}" for k in range(len(SIGMAS) - 1))


def alpha(sigma: float) -> float:
    return float((1 - sigma**2) ** 0.5)


def ddim(m: Any, z: Any, net_0: Any) -> Any:
    x_hat = (z - SIGMAS[0] * net_0) / alpha(SIGMAS[0])
    return alpha(SIGMAS[1]) * x_hat + SIGMAS[1] * net_0


def solver(m: Any, z: Any, net_0: Any) -> Any:
    ratio = m.asarray(SIGMAS[1] * alpha(SIGMAS[0]) / (SIGMAS[0] * alpha(SIGMAS[1])), dtype=m.float64)
    return SIGMAS[1] / SIGMAS[0] * z - alpha(SIGMAS[1]) * m.expm1(m.log(ratio)) * net_0


def euler_run(m: Any, z: Any, *nets: Any) -> Any:
    """Three steps; a flow."""
    for now, then, net in zip(SIGMAS, SIGMAS[1:], nets, strict=False):
        z = z + (then - now) * net
    return z


def heun(m: Any, z: Any, net_0: Any, net_1: Any) -> Any:
    first = (z - net_0) / SIGMAS[0]
    ahead = z + first * (SIGMAS[1] - SIGMAS[0])
    return z + (first + (ahead - net_1) / SIGMAS[1]) / 2 * (SIGMAS[1] - SIGMAS[0])


STEPS: dict[str, tuple[Step, int]] = {
    "ddim": (ddim, 1),
    "solver": (solver, 1),
    "heun": (heun, 2),
    "run": (euler_run, 3),
}


def by_jax(step: Step) -> Callable[..., Any]:
    compiled = jax.jit(lambda *given: step(jax.numpy, *given))
    return lambda **given: np.asarray(compiled(*given.values()))


def by_scan(step: Step) -> Callable[..., Any]:
    """The flow as one loop of XLA's."""

    def run(z: Any, *nets: Any) -> Any:
        gaps = jax.numpy.diff(jax.numpy.asarray(SIGMAS))
        return jax.lax.scan(lambda x, at: (x + at[0] * at[1], None), z, (gaps, jax.numpy.stack(nets)))[0]

    compiled = jax.jit(run)
    return lambda **given: np.asarray(compiled(*given.values()))


def by_torch(step: Step) -> Callable[..., Any]:
    if shutil.which("g++") is None:
        pytest.skip("torch compiles with g++, which is not there")
    torch._dynamo.reset()
    compiled = torch.compile(lambda *given: step(torch, *given))
    return lambda **given: compiled(*map(torch.from_numpy, given.values())).numpy()


def by_numpy(step: Step) -> Callable[..., Any]:
    return lambda **given: step(np, *given.values())


def lifted(step: Step, outputs: int) -> tuple[Expr, dict[str, Expr]]:
    chance = torch.Generator().manual_seed(0)

    def drawn() -> torch.Tensor:
        return torch.randn(SHAPE, dtype=torch.float64, generator=chance)

    given = {"z": Given(drawn())} | {name: Given(drawn(), "network") for name in OUTPUTS[:outputs]}
    read_ = read(lambda **tensors: step(torch, *tensors.values()), given)
    return read_.element, {"z": symbol("z"), **{n: symbol(n, "network") for n in OUTPUTS[:outputs]}}


def probed(code: Callable[..., Any], outputs: int) -> Affine:
    return probe(code, ("z", *OUTPUTS[:outputs]), BUDGET)


def held(found: Affine, expected: Expr, inputs: dict[str, Expr]) -> Conformance:
    return hold(found, expected, inputs, {}, "as read")


COMPILERS = {"numpy": by_numpy, "jax": by_jax, "torch": by_torch}


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", STEPS)
def test_what_is_compiled_has_the_coefficients_that_are_read(name: str, compiler: str) -> None:
    step, outputs = STEPS[name]
    expected, inputs = lifted(step, outputs)
    found = probed(COMPILERS[compiler](step), outputs)
    assert held(found, expected, inputs).outcome is Outcome.HOLDS
    for wrong in (expected * (1 + const(2) ** -30), expected + inputs["z"] * const(2) ** -30, -expected):
        assert held(found, wrong, inputs).outcome is Outcome.FAILS


def test_a_loop_of_xla_is_probed() -> None:
    expected, inputs = lifted(euler_run, 3)
    assert held(probed(by_scan(euler_run), 3), expected, inputs).outcome is Outcome.HOLDS


def test_what_is_compiled_is_held_against_the_textbook() -> None:
    now, then = (Level(literal(alpha(s)), literal(s)) for s in SIGMAS[:2])
    z, net = symbol("z"), symbol("net_0", "network")
    inputs = {"z": z, "net_0": net}
    right = ddim_step(z, TO_X["eps"](z, net, now), now, then)
    assert held(probed(by_jax(ddim), 1), right, inputs).outcome is Outcome.HOLDS
    assert (
        held(probed(by_jax(solver), 1), dpm_solver_pp_1(z, net, now, then), inputs).outcome is Outcome.HOLDS
    )
    assert held(probed(by_jax(solver), 1), right, inputs).outcome is Outcome.FAILS


NOT_AFFINE: dict[str, Step] = {
    "square": lambda m, z, net: z * z,
    "clip": lambda m, z, net: m.clip(z, -1, 1),
    "mean": lambda m, z, net: z - z.mean(),
    "noise": lambda m, z, net: z + m.asarray(jax.random.normal(jax.random.key(0), SHAPE)),
    "narrow": lambda m, z, net: (z * 0.1).astype(m.float32),
    "narrow inside": lambda m, z, net: (z * 0.1).astype(m.float32).astype(m.float64),
}


@pytest.mark.parametrize("step", NOT_AFFINE.values(), ids=NOT_AFFINE)
def test_what_is_not_affine_is_refused(step: Step) -> None:
    with pytest.raises(NotAffine):
        probed(by_jax(step), 1)
