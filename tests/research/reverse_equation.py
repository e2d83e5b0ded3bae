"""Integrators of the reverse stochastic equation, in sigma."""

import torch


def euler_maruyama(model, x, sigmas):
    """Right, though not exact on a point: a step of Euler and Maruyama."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        score = (model(x, now) - x) / now**2
        x = x + (now**2 - then**2) * score
        if then > 0:
            x = x + (now**2 - then**2).sqrt() * torch.randn_like(x)
    return x


def half_the_drift(model, x, sigmas):
    """Wrong: the drift of the probability flow, with the noise of the reverse equation."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        score = (model(x, now) - x) / now**2
        x = x + (now**2 - then**2) / 2 * score
        if then > 0:
            x = x + (now**2 - then**2).sqrt() * torch.randn_like(x)
    return x


def clipped(model, x, sigmas):
    """A sampler that holds the data between -1 and 1: no affine function of them."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        x_hat = model(x, now).clamp(-1, 1)
        x = x_hat + then / now * (x - x_hat)
    return x


def flow(model, x, sigmas):
    """Right: a step of Euler of the probability flow."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        x = x + (then - now) * (x - model(x, now)) / now
    return x
