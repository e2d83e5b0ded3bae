"""Samplers of a velocity on the straight path, with the noise at time 0."""


def midpoint(velocity, x, times):
    """Right: the velocity in the middle of the step."""
    for t, s in zip(times[:-1], times[1:]):
        middle = x + (s - t) / 2 * velocity(x, t)
        x = x + (s - t) * velocity(middle, (t + s) / 2)
    return x


def late(velocity, x, times):
    """Wrong: the velocity is told the time at the end of the step."""
    for t, s in zip(times[:-1], times[1:]):
        x = x + (s - t) * velocity(x, s)
    return x
