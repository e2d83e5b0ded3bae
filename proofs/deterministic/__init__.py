"""Deterministic sampling."""
