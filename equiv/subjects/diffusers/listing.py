"""Where a class of diffusers lists its levels, and how an entry of a list becomes a level.

The clean end, alpha 1 and sigma 0, has no place.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from equiv.formulas.levels import Level
from equiv.number import sqrt
from equiv.symbolic.expression import Expr, const


class Place(NamedTuple):
    """An entry of a buffer; with ``other``, the geometric mean of two of them."""

    buffer: str
    entry: int
    other: int | None = None

    def __str__(self) -> str:
        return f"{self.buffer}[{self.entry}]"

    @property
    def entries(self) -> "list[Place]":
        """The entries of the buffer that it is about."""
        return [Place(self.buffer, k) for k in (self.entry, self.other) if k is not None]


class Places(NamedTuple):
    """Where the level of a call is listed, that which it leads to, and others by which a method goes."""

    now: Place | None
    then: Place | None
    by: tuple[Place, ...] = ()


Listed = Callable[[Any, int, Mapping[str, Any]], Places]  # of a scheduler, a call and the options of step()
Row = list[Expr | None]  # the entries of a buffer; None: not a number
ZERO, ONE = const(0), const(1)


# --- places -------------------------------------------------------------------------------------------


def sigmas(_scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """Each sigma, and the one after it."""
    return Places(Place("sigmas", i), Place("sigmas", i + 1))


def times(scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """Each training step, and the one after it; at the end the clean level or that of step 0."""
    listed = scheduler.timesteps.tolist()
    now = Place("alphas_cumprod", listed[i])
    if i + 1 < len(listed):
        return Places(now, Place("alphas_cumprod", listed[i + 1]))
    clean = getattr(scheduler.config, "set_alpha_to_one", True)
    return Places(now, None if clean else Place("alphas_cumprod", 0))


def times_and_one_beyond(scheduler: Any, i: int, options: Mapping[str, Any]) -> Places:
    """The step to go by is at the part 1 - eta of the next; the last step goes to training step 0."""
    now, then, _ = times(scheduler, i, options)
    then = then or Place("alphas_cumprod", 0)
    beyond = int((1 - options["eta"]) * then.entry)
    return Places(now, then, (Place("alphas_cumprod", beyond),))


def rising_times(scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """To each training step from the one before it; at the start from the clean level, or that of step 0."""
    listed = scheduler.timesteps.tolist()
    then = Place("alphas_cumprod", listed[i])
    if i > 0:
        return Places(Place("alphas_cumprod", listed[i - 1]), then)
    return Places(None if scheduler.config.set_alpha_to_one else Place("alphas_cumprod", 0), then)


def midpoints(_scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """Every second call is at a level between two of the list."""
    own, between = Place("sigmas", i), "sigmas_interpol"
    return Places(Place(between, i), own) if i % 2 else Places(own, Place(between, i + 1))


def midpoints_before(_scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """The same, with the levels between listed one entry earlier."""
    own, between = Place("sigmas", i), "sigmas_interpol"
    return Places(Place(between, i - 1), own) if i % 2 else Places(own, Place(between, i))


def geometric_means(scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """Every second call is in the middle, in log-SNR, of a level of the list and the next."""
    if i % 2:
        return Places(Place("sigmas", i - 1, i), Place("sigmas", i))
    last = i + 1 == len(scheduler.timesteps)
    return Places(Place("sigmas", i), Place("sigmas", i + 1, None if last else i))


def betas(_scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """Each sigma, which the class calls beta, and the one after it."""
    return Places(Place("betas", i), Place("betas", i + 1))


def falling_sigmas(scheduler: Any, i: int, _options: Mapping[str, Any]) -> Places:
    """The sigmas of the training steps from the last to the first, and then the clean level."""
    left = len(scheduler.timesteps) - 1 - i
    return Places(Place("discrete_sigmas", left), Place("discrete_sigmas", left - 1) if left else None)


# --- levels -------------------------------------------------------------------------------------------


def _rest(e: Expr) -> Expr:
    return const(1 - e.param) if e.op == "const" else 1 - e


def _root(e: Expr) -> Expr:
    return e if e.op == "const" else sqrt(e)


def of_product(e: Expr) -> Level[Expr]:
    """Alpha squared."""
    return Level(_root(e), _root(_rest(e)))


def of_ratio(e: Expr) -> Level[Expr]:
    """Sigma over alpha, in the gauge where their squares sum to one."""
    if e is ZERO:
        return Level(ONE, ZERO)
    norm = sqrt(1 + e * e)
    return Level(1 / norm, e / norm)


def of_exploding(e: Expr) -> Level[Expr]:
    """Sigma at alpha = 1."""
    return Level(ONE, e)


def of_flow(e: Expr) -> Level[Expr]:
    """Sigma at alpha = 1 - sigma."""
    return Level(_rest(e), e)


def of_sigma(e: Expr) -> Level[Expr]:
    """Sigma, in the gauge where their squares sum to one."""
    return Level(_root(const(1 - e.param**2) if e.op == "const" else 1 - e * e), e)


# --- buffers that follow from others --------------------------------------------------------------------


def alpha_of_beta(rows: Mapping[str, Row]) -> Row:
    """What belongs to a sigma in the gauge where their squares sum to one."""
    return [None if e is None else of_sigma(e).alpha for e in rows["betas"]]


def rest_of_sigma(rows: Mapping[str, Row]) -> Row:
    """Time that runs from the noise, 0, to the data, 1; it ends with the last call."""
    return [None if e is None else _rest(e) for e in rows["sigmas"][:-1]]


def ancestral_up(rows: Mapping[str, Row]) -> Row:
    """The deviation of the noise that makes up for a step that goes too far."""
    return [_unless_clean(a, b, _up) for a, b in _pairs(rows["sigmas"])]


def ancestral_down(rows: Mapping[str, Row]) -> Row:
    """The level that such a step goes to."""
    return [_unless_clean(a, b, lambda a, b: sqrt(b**2 - _up(a, b) ** 2)) for a, b in _pairs(rows["sigmas"])]


def _up(a: Expr, b: Expr) -> Expr:
    return sqrt(b**2 * (a**2 - b**2) / a**2)


def _pairs(row: Row) -> list[tuple[Expr | None, Expr | None]]:
    """Each entry of a list that has all but its first one twice, with the next that is another."""
    last = len(row) - 1
    return [(e, row[min(2 * ((k + 1) // 2) + 1, last)]) for k, e in enumerate(row)]


def _unless_clean(a: Expr | None, b: Expr | None, value: Callable[[Expr, Expr], Expr]) -> Expr | None:
    if a is None or b is None or a is ZERO:
        return None
    return ZERO if b is ZERO else value(a, b)
