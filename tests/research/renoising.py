"""Steps between two variance-preserving levels, of a noise prediction."""

import torch


def stochastic(z_t, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise, eta=0.5):
    """Right: DDIM with eta, by the square root of what the noise takes."""
    x_hat = (z_t - sigma_t * eps_hat) / alpha_t
    kappa = sigma_s * alpha_t / (alpha_s * sigma_t)
    fresh = eta * sigma_s * torch.sqrt(1 - kappa**2)
    return alpha_s * x_hat + torch.sqrt(sigma_s**2 - fresh**2) * eps_hat + fresh * noise


def noisier(z_t, eps_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise, eta=0.5):
    """Wrong: noise is added to the whole of DDIM's step, and nothing makes room for it."""
    x_hat = (z_t - sigma_t * eps_hat) / alpha_t
    kappa = sigma_s * alpha_t / (alpha_s * sigma_t)
    fresh = eta * sigma_s * torch.sqrt(1 - kappa**2)
    return alpha_s * x_hat + sigma_s * eps_hat + fresh * noise


def halfway(z_t, v_hat, alpha_t, sigma_t, alpha_s, sigma_s):
    """Right: the member of the churn family between DDIM and DDPM, of a v-prediction, with its own draw."""
    x_hat = alpha_t * z_t - sigma_t * v_hat
    eps_hat = sigma_t * z_t + alpha_t * v_hat
    kappa = sigma_s * alpha_t / (alpha_s * sigma_t)
    return alpha_s * x_hat + sigma_s * (kappa.sqrt() * eps_hat + (1 - kappa).sqrt() * torch.randn_like(z_t))


def fresh(z_t, x_hat, alpha_s, sigma_s):
    """Right: the data prediction with a new draw at the next level, as consistency models sample."""
    return alpha_s * x_hat + sigma_s * torch.randn_like(z_t)
