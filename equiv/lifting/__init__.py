"""Reads torch code as expressions: it runs once, on ordinary tensors whose memory is shadowed by formulas."""
