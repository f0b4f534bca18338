"""HAM10000: dermoscopic photographs of seven diagnoses, one row an image, with the lesion that images share.

``HAM10000_metadata[.csv]`` (lesion_id, image_id, dx, dx_type, age, sex, localization) and the images in
``HAM10000_images_part_1`` and ``_part_2``; one re-host holds each folder a second time in lower case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import Gathering, find_file, header, home, images_below, lacking, needed, records
from medfm_gui.datasets.table import read_table
from medfm_gui.datasets.text import shown
from medfm_gui.domain.dataset import Count, Statement, Task

CLASSES: Mapping[str, tuple[str, int]] = {
    "akiec": ("actinic keratosis and intraepithelial carcinoma", 327),
    "bcc": ("basal cell carcinoma", 514),
    "bkl": ("benign keratosis", 1099),
    "df": ("dermatofibroma", 115),
    "mel": ("melanoma", 1113),
    "nv": ("melanocytic nevus", 6705),
    "vasc": ("vascular lesion", 142),
}
"""Classes by their code in the table: what it stands for, and how many images there are."""
_IMAGES, _LESIONS = 10_015, 7_470
_TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
_COLUMNS = ("lesion_id", "image_id", "dx")
_STATEMENT = Statement(
    unit="dermoscopic photograph of a lesion",
    sampling="enriched",
    reference_standard="histopathology, follow-up, expert consensus or confocal microscopy (dx_type)",
    codes={name: f"HAM10000 {name} ({words})" for name, (words, _) in CLASSES.items()},
    licence="CC BY-NC 4.0",
    redistribution=True,
    source="https://doi.org/10.7910/DVN/DBW86T",
)


def recognises(source: Path) -> str | None:
    """The table of metadata, or a folder with it."""
    found = find_file(source, *_TABLES)
    return f"there is “{shown(found.name)}”" if found and {"lesionid", "imageid", "dx"} <= header(found) else None


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the images of the table.

    Raises:
        InputError: there is no table of metadata.
        TableError: it lacks a column.
    """
    source = home(source)
    table = read_table(needed(find_file(source, *_TABLES), f"table “{_TABLES[0]}”", source))
    lacking(table, *_COLUMNS)
    gathering = Gathering(images_below(source, unique=True))
    for row in records(table):
        gathering.take(
            row["imageid"],
            (row["dx"].casefold(),),
            group=row["lesionid"] or None,
            covariates={
                "age": row.get("age", "").removesuffix(".0"),
                "sex": row.get("sex", ""),
                "site": row.get("localization", ""),
                "confirmed by": row.get("dxtype", ""),
            },
        )
    found = Counter(entry.labels[0] for entry in gathering.entries)
    return Listing(
        "ham10000",
        source,
        tuple(gathering.entries),
        label_names=("dx",),
        classes=(*CLASSES, *sorted(set(found) - set(CLASSES) - {""})),
        task=Task.MULTICLASS,
        skipped=(*gathering.skipped, *gathering.images.skipped),
        warnings=gathering.remarks(),
        taken={"table": shown(table.path.name), "label": "dx", "group": "lesion_id"},
        counts=(
            Count("images", len(gathering.entries), _IMAGES, "pub"),
            Count("lesions", len({entry.group for entry in gathering.entries if entry.group}), _LESIONS, "pub"),
            *(Count(f"images of {name}", found[name], known, "mem") for name, (_, known) in CLASSES.items()),
        ),
        statement=_STATEMENT,
    )


LAYOUT = Layout("ham10000", "HAM10000: dermoscopy, seven diagnoses", "classification", recognises, read)
