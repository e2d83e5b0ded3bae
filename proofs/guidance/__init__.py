"""Classifier-free guidance."""
