"""Laws of samplers on data whose denoiser is exact: integrals as balls that certainly hold the value.

Nothing is drawn: an expectation is an integral over the density of a mixture of normals in one dimension, in
Arb, and a comparison fails only where two balls are apart. There is no type and no device to choose.
"""
