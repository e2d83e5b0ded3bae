"""Stochastic and ordinary differential equations."""
