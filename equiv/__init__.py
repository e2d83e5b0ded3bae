"""Verification and equivalence testing for diffusion and flow-matching samplers, schedules and losses."""

__version__ = "0.1.0"
