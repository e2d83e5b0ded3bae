"""Networks to test on: their data, their training, and bounds on what rounding does to them.

Every tensor of parameters has a leading dimension, one entry a network: many networks train, and are
evaluated, as one program.
"""
