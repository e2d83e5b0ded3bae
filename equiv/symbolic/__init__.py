"""Decides whether two expressions are equal, and says on what condition."""
