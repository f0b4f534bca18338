"""Checks of heat maps as they might have come out, for the page alone and for its tests; nothing was measured."""

from __future__ import annotations

from medfm_gui.domain.explain import MapCheck, MapChecks


def checked(run: str, explain: str = "gradcam", subset: str = "val") -> MapChecks:
    """One passed, one failed, one open."""
    other = "two different images"
    return MapChecks(
        run=run,
        explanation=explain,
        subset=subset,
        seed=0,
        n_images=32,
        blank=2,
        checks=(
            MapCheck(
                "randomisation", "Parameter randomisation", 0.08, -0.02, 0.18, "t", 30, 0.13, other, True,
                "With all weights shuffled, maps and those of the trained model correlate by 0.08 on average "
                "(95 % -0.02 to 0.18, 30 images): the maps depend on what was learnt.",
                (("head", 0.61), ("blocks 9 to 12", 0.34), ("everything", 0.08)),
            ),
            MapCheck(
                "stability", "Stability under small shifts", 0.41, 0.33, 0.48, "t", 30, 0.13, other, False,
                "Maps of an image and of the same image moved by a few pixels correlate by 0.41 on average "
                "(95 % 0.33 to 0.48, 30 images): a few pixels change the maps, so one map alone says little.",
                (("2 px up", 0.44), ("2 px right", 0.38)),
            ),
            MapCheck(
                "hits", "Hits of marked findings (pointing game)", 0.5, 0.12, 0.88, "wilson", 4, 0.09,
                "share of the image that is marked", None,
                "The strongest place of a map lies in the marked area in 50 % (95 % 12 % to 88 %, 4 images); by chance "
                "it would in 9 %: too few to tell from chance.",
            ),
        ),
        created="2026-11-22T08:12:00Z",
    )  # fmt: skip
