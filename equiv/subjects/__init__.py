"""Implementations under test: what they are, and their steps read as expressions."""
