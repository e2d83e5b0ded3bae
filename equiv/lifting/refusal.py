"""What cannot be read is refused, with the place in the code that did it."""

import sys
from pathlib import Path
from types import FrameType

import torch

_OURS = (str(Path(torch.__file__).parent), str(Path(__file__).parent))


class Unsupported(Exception):
    """The code left what can be read. ``where`` is ``file:line`` of the frame outside torch."""

    def __init__(self, reason: str) -> None:
        self.reason, self.where = reason, calling_line()
        super().__init__(f"{reason}, at {self.where}")


class Repeated(Unsupported):
    """Draws that are no fresh noise. With other draws in their place it would not be seen."""


class WrittenBehind(Unsupported):
    """Memory holds something else than what was recorded there: it was changed by other means than torch."""


def calling_line() -> str:
    """``file:line`` of the innermost frame that belongs neither to torch nor to the reader."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_torchs_or_ours(frame):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def is_torchs_or_ours(frame: FrameType) -> bool:
    """Does the code that runs there belong to torch or to the reader?"""
    return frame.f_code.co_filename.startswith(_OURS)
