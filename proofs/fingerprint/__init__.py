"""What determines a whole sampler: its fingerprint."""
