"""The textbook: each formula once, over any number type."""
