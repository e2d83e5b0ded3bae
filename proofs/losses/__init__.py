"""Losses and their weightings."""
