"""Reads torch code as expressions: it is run once on ordinary tensors whose memory is shadowed by formulas."""
