"""Text from data made fit for paper: every character is seen, none acts.

A report prints names that come from files and tables. Three kinds of character would betray the reader
or break the page: controls (NUL, line noise), invisible direction marks (an override makes “fdp.exe” read
“exe.pdf”), and code points no font draws. They become visible marks. Words too long for a line get places
where the typesetter may break them, so that nothing leaves its column.
"""

from __future__ import annotations

import unicodedata

BREAK = "\u200b"
"""Where a line may end inside a word. The template turns it into a break that prints and copies as nothing."""

_JOINERS = {"\u200c", "\u200d", "\u00ad"}  # Persian and Indic scripts need the joiners; a soft hyphen is harmless
_SPACES = {"\t": " ", "\u2028": "\n", "\u2029": "\n", "\v": " ", "\f": "\n"}
_HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs"}


def visible(text: str) -> str:
    """The text with every invisible or undrawable character replaced by a mark that can be seen.

    Line ends become ``\\n``, tabs a blank; controls, direction marks, private-use and unassigned code
    points ``‹U+202E›``. The result encodes as UTF-8 and is legal in XML.
    """
    joined = text.replace("\r\n", "\n").replace("\r", "\n")
    if joined.isascii() and joined.replace("\n", "").isprintable():
        return joined
    return "".join(_seen(character) for character in joined)


def _seen(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    if character in _SPACES:
        return _SPACES[character]
    code = ord(character)
    is_variation_selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    if unicodedata.category(character) in _HIDDEN or is_variation_selector:
        return f"‹U+{code:04X}›"
    return character


def one_line(text: str) -> str:
    """``visible`` with line ends and runs of blanks made one space."""
    return " ".join(visible(text).split())


def breakable(text: str, *, longest: int = 24, chunk: int = 6) -> str:
    """Allow a break every ``chunk`` characters in words of more than ``longest``, never before a combining mark."""
    if all(len(word) <= longest for word in text.split()):
        return text
    return "".join(_broken(part, longest, chunk) for part in _words_and_blanks(text))


def _words_and_blanks(text: str) -> list[str]:
    parts: list[str] = []
    for character in text:
        if parts and character.isspace() == parts[-1][-1].isspace():
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _broken(word: str, longest: int, chunk: int) -> str:
    if len(word) <= longest or word.isspace():
        return word
    pieces: list[str] = []
    since = 0
    for character in word:
        if since >= chunk and not unicodedata.combining(character) and character not in _JOINERS:
            pieces.append(BREAK)
            since = 0
        pieces.append(character)
        since += 1
    return "".join(pieces)


def shortened(text: str, limit: int) -> str:
    """One line of at most ``limit`` characters; what is left out of the middle is marked ``…``."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    head = limit // 2
    tail = limit - 1 - head
    return f"{line[:head].rstrip()}…{line[len(line) - tail :].lstrip() if tail else ''}"
