"""Widths of text without a font, and line breaks and truncation by these widths.

The widths are those of DejaVu Sans in thousandths of the size, character by character from space to tilde,
read from its hmtx table. It is the widest of the fonts that a browser may choose for the family that the
drawing asks for (Arial and Helvetica are narrower), so text that fits here fits there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def _table(widths: str) -> list[int]:
    return [int(number) for number in widths.split()]


REGULAR = _table(
    """
    318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636
    636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787
    603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635
    634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838
    """
)
BOLD = _table(
    """
    348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696
    696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850
    733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716
    712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838
    """
)
# The width of all other characters.
OTHER = 1000
ELLIPSIS = "…"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The maximum width, in the unit of `size`."""
    table = BOLD if bold else REGULAR
    return sum(table[ord(letter) - 32] if " " <= letter <= "~" else OTHER for letter in text) * size / 1000


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(text + ELLIPSIS, size, bold=bold) > room:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def wrap(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """The text in lines that fit."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines += _broken(word, size, room, bold=bold)
    return lines


def _broken(word: str, size: float, room: float, *, bold: bool) -> list[str]:
    """A word in lines that fit, broken after signs such as those in names and paths."""
    lines = [""]
    for part in re.split(r"(?<=[-/._,])", word):
        if lines[-1] and width(lines[-1] + part, size, bold=bold) > room:
            lines.append("")
        lines[-1] += part
    return [cut(line, size, room, bold=bold) for line in lines]


def wrapped(texts: Iterable[str], size: float, room: float) -> list[str]:
    """Each text begins on a new line."""
    return [line for text in texts for line in wrap(text, size, room)]
