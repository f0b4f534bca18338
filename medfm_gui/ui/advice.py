"""Advice that names commands, in the words of the window: which page, which button."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Final

from medfm_gui.domain.errors import MedfmError

_WEIGHTS: Final = "in Settings under Weights"
_TEST: Final = "on the page Runs with “Open test”"
_WORDS: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    (r"with “medfm weights pull [^”]*” or “medfm weights import [^”]*”", _WEIGHTS),
    (r"with “medfm weights (?:pull|import) [^”]*”", _WEIGHTS),
    (r"use “medfm weights import [^”]*”", f"import it {_WEIGHTS}"),
    (r"mport it by itself and say which: medfm weights import FILE --model NAME", f"mport it for its model {_WEIGHTS}"),
    (r"import a file: medfm weights import FILE", f"import a file {_WEIGHTS}"),
    (r"; to accept it: medfm weights accept \S+?\.$", f"; “Fetch from the hub” {_WEIGHTS} asks for it."),
    (r"on --subset val, or open the test first with “medfm evaluate”", "on validation images, or open the test first"),
    (r"Run “medfm weights list” to see what is here", "Settings lists under Weights what is here"),
    (r" \(medfm settings --network on\)", " (Settings, Network)"),
    (r"first: “medfm evaluate \S+ --open-test REASON”", _TEST),
    (r"with --open-test REASON", _TEST),
    (r"“medfm runs” (lists|shows)", r"The page Runs \1"),
    (r"“medfm datasets” lists", "The page Datasets lists"),
    (r": “medfm split [^”]*”", " with “New split” on the page Datasets"),
    (r"“medfm split [^”]*”", "“New split” on the page Datasets"),
    (r"“medfm doctor” lists", "Settings lists"),
    (r"“medfm evaluate” makes", "“Open test” on the page Runs makes"),
    (r"“medfm evaluate” or “medfm report”", "“Compare” or “Report” on the page Runs"),
    (r"with “medfm train”", "with “Retry” on the page Runs"),
    (r"“medfm (pause|cancel|resume)(?: [^”]*)?”", lambda found: f"“{found[1].capitalize()}” on the page Runs"),
    (r"“medfm rebuild” makes a new one", "“Rebuild the database” makes a new one"),
    (r"“medfm rebuild”", "“Rebuild the database” in Settings under Workspace"),
    (r"“medfm study import” reads it", "the page Studies opens it"),
    (r"; --workspace chooses another workspace", ""),
    (r" with --workspace", ""),
    (r" \(--drop-leaks\)| \(--accept-leaks REASON\)", ""),
    (r"Leave out --from-scratch", "Leave “from scratch” out"),
    (r"--from-scratch", "from scratch"),
    (r"Name it with --name", "Say what it is called"),
    (r": “medfm import-reads [^”]*”", " with “Import reads …” on the page Compare"),
    (r"Leave out --on to open its own test", f"Its own test is opened {_TEST}"),
    (r": --map THEIR=OURS", " in the label map"),
    (r"another covariate with --by", "another covariate"),
    (r"--adapt full", "full fine-tuning"),
    (r"--device (\w+)", r"the device “\1”"),
    (r"--set ", ""),
)
_RULES: Final = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def window_words(hint: str) -> str:
    """The same advice for somebody who has a window and no command line."""
    for pattern, words in _RULES:
        hint = pattern.sub(words, hint)
    return hint


def for_window(error: MedfmError) -> MedfmError:
    """The same error with advice in the words of the window."""
    hint = window_words(error.hint)
    if hint == error.hint:
        return error
    said = copy.copy(error)
    said.hint = hint
    return said
