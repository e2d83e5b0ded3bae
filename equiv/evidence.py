"""What was found about one task: frozen data, no decisions.

Each kind knows its outcome. FAILS always comes with a witness; UNKNOWN is everything that is neither:
too weak, crashed, timed out, vacuous, NaN.
"""

import enum
import math
from typing import Literal

import msgspec

from equiv.claim import Theorem


class Outcome(enum.Enum):
    """What one piece of evidence says of the statement."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something an equality rests on, in words or as a relation, and what vouches for it."""

    text: str
    kind: Literal[
        "hypothesis",
        "denominator",
        "sign",
        "branch",
        "idealised constant",
        "concretised value",
        "cast",
        "step counts",
        "library setting",
        "cited theorem",
    ]
    latex: str = ""
    discharged: str = ""  # what proved it on the whole domain; empty: it is listed as a condition


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Concrete inputs at which the two sides are certified apart."""

    inputs: dict[str, str]
    expected: str
    got: str
    bound: str = "0"  # how far apart the sides might be for innocent reasons


class Equality(msgspec.Struct, frozen=True, kw_only=True):
    """One decided link of a chain."""

    title: str  # of the chain it belongs to
    left: str  # LaTeX
    right: str  # LaTeX
    why: str
    outcome: Outcome
    reason: str = ""  # why it is unknown


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A false variant that was refuted, with the point that did it."""

    name: str
    witness: Witness


class TheoremProof(msgspec.Struct, frozen=True, kw_only=True):
    """Theorems and counterexamples to what is like them, of which Rocq accepted all, or none."""

    theorems: tuple[Theorem, ...]
    counterexamples: tuple[Theorem, ...] = ()
    files: tuple[str, ...] = ()  # in which all is defined and proved, in the order of their imports
    assumptions: tuple[str, ...] = ()  # the axioms that they rest on
    version: str = ""  # of Rocq
    reason: str = ""  # why they were not accepted


class Proof(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A statement decided symbolically, with the false variants that the same procedure refuted."""

    about: Literal["statement", "as written"] = "statement"
    equalities: tuple[Equality, ...] = ()
    conditions: tuple[Condition, ...] = ()
    witness: Witness | None = None
    rejected: tuple[Rejected, ...] = ()
    surviving_variants: tuple[str, ...] = ()  # variants that were not refuted
    open: str = ""  # what of the statement the equalities do not decide
    theorems: TheoremProof | None = None  # settle what they leave open
    mutants: dict[str, int] = {}  # what became of random changes of one operator of the statement

    @property
    def undecided(self) -> str:
        """What of the statement was not decided; empty where theorems settle what is open."""
        if self.theorems is None:
            return self.open
        return f"{self.open}; {self.theorems.reason}" if self.theorems.reason else ""

    @property
    def outcome(self) -> Outcome:
        if self.witness is not None:
            return Outcome.FAILS
        if self.undecided or not self.equalities or self.surviving_variants or not self.rejected:
            return Outcome.UNKNOWN  # a procedure that refutes nothing has shown nothing
        if all(e.outcome is Outcome.HOLDS for e in self.equalities):
            return Outcome.HOLDS
        return Outcome.UNKNOWN


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    """A link or a false variant that the kernel has not accepted, and why: it says nothing against it."""

    name: str
    about: str
    reason: str


class KernelProof(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a second, independent kernel accepted of a claim: links, and that false variants are false.

    ``rejected`` are links of which the kernel accepted that the sides differ at a point of the domain. A
    proof that the kernel did not find is no rejection: then the link is ``unchecked``.
    """

    links: tuple[str, ...] = ()  # accepted lemmas: under the hypotheses, both sides are defined and equal
    variants: tuple[str, ...] = ()  # accepted lemmas: there is a point at which the sides differ
    unchecked: tuple[Unchecked, ...] = ()
    rejected: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()  # the axioms that the accepted lemmas rest on
    version: str = ""  # of the kernel
    file: str = ""  # in which the lemmas are
    module: str = ""  # the name of its text, by its content
    reason: str = ""  # why nothing was checked
    witness: Witness | None = None

    @property
    def outcome(self) -> Outcome:
        if self.rejected:
            return Outcome.FAILS
        checked = self.links and not self.unchecked and not self.reason
        return Outcome.HOLDS if checked else Outcome.UNKNOWN

    @property
    def wanted(self) -> tuple[int, int]:
        """How many links and false variants were put before it."""
        variants = sum("_false_" in u.name or "_as_written_" in u.name for u in self.unchecked)
        return len(self.links) + len(self.unchecked) - variants, len(self.variants) + variants

    @property
    def counted(self) -> str:
        """``7 of 7 links, 5 of 5 false variants``, or why nothing was checked."""
        if self.reason:
            return f"not kernel-checked: {self.reason}"
        links, variants = self.wanted
        return f"{len(self.links)} of {links} links, {len(self.variants)} of {variants} false variants"


class Defect(enum.Enum):
    """What a refuted check found."""

    WRONG_FORMULA = "wrong formula"
    UNDOCUMENTED_CONFIGURATION = "undocumented configuration accepted"
    DOCUMENTATION = "documentation"
    RAISES = "raises an error that refuses nothing"
    NO_NUMBER = "gives what is no number"


class Conformance(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Third-party code held against what it owes, over the steps of one configuration."""

    method: Literal["lifting", "enumeration", "probing"]
    steps: int  # how many steps were decided
    expected: str = ""  # the specification, as text
    conditions: tuple[Condition, ...] = ()
    witness: Witness | None = None
    reproduced: bool = False  # the library, run alone on the witness, shows it
    defect: Defect = Defect.WRONG_FORMULA
    where: str = ""  # file:line of the first operation that differs
    snippet: str = ""  # reproduces the witness with the library alone
    reason: str = ""  # why nothing was decided
    found: str = ""  # what the code was found to be

    @property
    def outcome(self) -> Outcome:
        if self.witness is not None:
            return Outcome.FAILS if self.reproduced else Outcome.UNKNOWN
        return Outcome.HOLDS if self.steps > 0 and not self.reason else Outcome.UNKNOWN


class Experiment(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worst error over ``cases`` inputs that met the hypotheses. It covers those inputs only."""

    worst: float  # same unit as bound
    bound: float  # derived, never fitted to the data
    cases: int
    rejected: tuple[str, ...] = ()  # false variants that exceed the bound
    surviving_variants: tuple[str, ...] = ()  # false variants that the bound let through
    witness: Witness | None = None
    measure: str = ""  # what worst and bound measure, in words

    @property
    def outcome(self) -> Outcome:
        if math.isnan(self.worst) or math.isnan(self.bound) or self.cases == 0:
            return Outcome.UNKNOWN
        if not self.worst <= self.bound:
            return Outcome.FAILS if self.witness is not None else Outcome.UNKNOWN
        # a bound that would also have passed a false variant decides nothing
        if self.surviving_variants or not self.rejected:
            return Outcome.UNKNOWN
        return Outcome.HOLDS


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check that did not come to an end. It can only make a verdict weaker."""

    kind: Literal["crash", "time-out", "memory", "unsupported", "not installed"]
    reason: str
    where: str = ""

    @property
    def outcome(self) -> Outcome:
        return Outcome.UNKNOWN


Evidence = Proof | KernelProof | Conformance | Experiment | Failure
