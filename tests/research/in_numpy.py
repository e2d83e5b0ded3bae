"""Weights of a two-step method by numpy, as scripts have them."""

import numpy as np


def sample(model, x, sigmas):
    """Right: DPM-Solver++(2M), its weights computed outside torch."""
    levels = sigmas.numpy()
    before = None
    for i, (now, then) in enumerate(zip(levels[:-1], levels[1:])):
        x_hat = model(x, sigmas[i])
        ahead = x_hat
        if before is not None and then > 0:
            part = np.log(levels[i - 1] / now) / np.log(now / then)
            ahead = x_hat + (x_hat - before) / (2 * part)
        x = float(then / now) * x + float(1 - then / now) * ahead
        before = x_hat
    return x


def doubled(model, x, sigmas):
    """Wrong: the same, with twice the weight of what was before."""
    levels = sigmas.numpy()
    before = None
    for i, (now, then) in enumerate(zip(levels[:-1], levels[1:])):
        x_hat = model(x, sigmas[i])
        ahead = x_hat
        if before is not None and then > 0:
            part = np.log(levels[i - 1] / now) / np.log(now / then)
            ahead = x_hat + (x_hat - before) / part
        x = float(then / now) * x + float(1 - then / now) * ahead
        before = x_hat
    return x


def forgetful(model, x, sigmas):
    """Wrong: what is kept of the state and what is taken of the data do not make one."""
    levels = sigmas.numpy()
    for i, (now, then) in enumerate(zip(levels[:-1], levels[1:])):
        x = float(then / now) * x + float(1 - np.sqrt(then / now)) * model(x, sigmas[i])
    return x
