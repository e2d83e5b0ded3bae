"""The theory of flow matching."""
