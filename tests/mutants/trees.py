"""Formulas as trees, and the torch source that they are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tree:
    """``op`` with children; leaves have a name or a number as ``op``."""

    op: str
    args: tuple["Tree", ...] = ()

    def source(self) -> str:
        a = [t.source() for t in self.args]
        match self.op:
            case "+" | "-" | "*" | "/" | "**":
                return f"({a[0]} {self.op} {a[1]})"
            case "neg":
                return f"(-{a[0]})"
            case "clamp":
                return f"m.clamp({a[0]}, {a[1]}, {a[2]})"
            case "double" | "long":
                return f"{a[0]}.{self.op}()" if self.op == "double" else f"{a[0]}.long().double()"
        return f"m.{self.op}({', '.join(a)})" if a else self.op


def leaf(name: str | int) -> Tree:
    return Tree(str(name))


Z, W, A, B, ONE, TWO = map(leaf, ("z", "w", "a", "b", 1, 2))


def t(op: str, *args: Tree) -> Tree:
    return Tree(op, args)
