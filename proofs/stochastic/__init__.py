"""Stochastic sampling."""
