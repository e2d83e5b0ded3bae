"""Heun's method with churn, as in Karras et al. 2022, written for a notebook."""

import torch


def sample(model, x, sigmas, churn=0.25):
    """Right: the trapezoidal rule, the last step to clean data by Euler."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        raised = now * (1 + churn)
        x = x + (raised**2 - now**2).sqrt() * torch.randn_like(x)
        slope = (x - model(x, raised)) / raised
        end = x + (then - raised) * slope
        if then > 0:
            slope = (slope + (end - model(end, then)) / then) / 2
        x = x + (then - raised) * slope
    return x


def told_too_late(model, x, sigmas, churn=0.25):
    """Wrong: the model is told the sigma before the noise was added."""
    for now, then in zip(sigmas[:-1], sigmas[1:]):
        raised = now * (1 + churn)
        x = x + (raised**2 - now**2).sqrt() * torch.randn_like(x)
        slope = (x - model(x, now)) / raised
        x = x + (then - raised) * slope
    return x
