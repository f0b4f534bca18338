"""A ``Report`` as the files that the template reads: one JSON of plain text, the charts, the pictures, the attachments.

Nothing here is markup. Every text is made visible first, sizes are worked out here in millimetres,
and the template only sets what it finds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.log_axis import has_legend
from medfm_gui.domain.report import Attachment, Block, Charts, Facts, Paragraph, Picture, Pictures, Report, Table
from medfm_gui.reports.figures import draw
from medfm_gui.reports.flow import flow_boxes
from medfm_gui.reports.pictures import read_picture
from medfm_gui.reports.plain import breakable, one_line, shortened, visible

Files = dict[str, bytes]
Row = dict[str, object]

_PAGE_MM = 166.0
_GUTTER_MM = 6.0
_HALF_MM = (_PAGE_MM - _GUTTER_MM) / 2
_TALLEST_PICTURE = 1.4  # height by width
_TITLE = 240
_CAPTION = 600
_HEADER_CELL = 100
"""Longest title, caption and cell of a repeated header in characters; longer ones lose their middle. Text is whole."""
_MIME = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")


def lay_out(report: Report) -> Files:
    """All files of the report by the name the template knows them under; ``data.json`` says what stands where."""
    files: Files = {}
    titles = {section.title: number for number, section in reversed([*enumerate(report.sections)])}
    data: Row = {
        "title": _label(report.title, _TITLE) or "Report",
        "running_title": shortened(report.title, 80),
        "subtitle": _label(report.subtitle, _TITLE),
        "created": created_words(report.created),
        "summary": _text(report.summary),
        "notice": shortened(report.notice, 110),
        "version": shortened(report.version, 60),
        "sections": [
            {
                "title": _label(section.title, _TITLE) or "Untitled",
                "blocks": [_block(block, files, titles) for block in section.blocks],
            }
            for section in report.sections
        ],
        "attachments": _attachments(report.attachments, files),
    }
    files["data.json"] = json.dumps(data, ensure_ascii=False, sort_keys=True).encode()
    return files


def created_at(created: str) -> datetime | None:
    """The moment of an ISO time, in UTC (also assumed where no zone is named); None where it is none."""
    try:
        moment = datetime.fromisoformat(created.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def created_words(created: str) -> str:
    """The time for people, to the minute in UTC; a text that is no ISO time stays as it is."""
    moment = created_at(created)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else shortened(created, 60)


def _text(text: str) -> str:
    return breakable(visible(text))


def _label(text: str, longest: int) -> str:
    return breakable(shortened(text, longest))


def _block(block: Block, files: Files, titles: Mapping[str, int]) -> Row:
    match block:
        case Paragraph():
            return {"block": "paragraph", "text": _text(block.text), "tone": block.tone}
        case Facts():
            return {"block": "facts", "rows": [[_label(name, _TITLE), _text(value)] for name, value in block.rows]}
        case Table():
            return _table(block, titles)
        case Charts():
            return _charts(block, files)
        case Pictures():
            return _pictures(block, files)


def _table(table: Table, titles: Mapping[str, int]) -> Row:
    columns = max([len(table.header), 1, *(len(row) for row in table.rows)])
    pages = [titles.get(title, -1) for title in table.pages]
    size = 8.6 if columns <= 7 else 7.4 if columns <= 10 else 6.2
    longest, chunk = (24, 6) if columns <= 7 else (12, 4) if columns <= 14 else (4, 2)

    def cells(row: tuple[str, ...]) -> list[str]:
        filled = (*row, *[""] * (columns - len(row)))
        return [breakable(visible(cell), longest=longest, chunk=chunk) for cell in filled]

    return {
        "block": "table",
        "caption": _label(table.caption, _CAPTION),
        "columns": columns,
        "size": size,
        "header": cells(tuple(shortened(cell, _HEADER_CELL) for cell in table.header)),
        "rows": [cells(row) for row in table.rows],
        "numeric": sorted({index for index in table.numeric if 0 <= index < columns}),
        "widths": list(table.widths) if len(table.widths) == columns and min(table.widths) > 0 else [],
        # for every row the number of the section whose page stands in a column after the last; -1 for none
        "flow": flow_boxes(table),
        "pages": [*pages, *[-1] * (len(table.rows) - len(pages))][: len(table.rows)] if pages else [],
    }


def _charts(block: Charts, files: Files) -> Row:
    alternatives = (*block.alternatives, *[""] * len(block.charts))
    rows = []
    for places in _chart_rows(block.charts):
        sizes = [chart_size(block.charts[place], alone=len(block.charts) == 1) for place in places]
        height = max(size[1] for size in sizes)  # captions of a row stand on one line
        rows.append(
            [
                _chart(block.charts[place], alternatives[place], (width, height), files)
                for place, (width, _) in zip(places, sizes, strict=True)
            ]
        )
    return {"block": "charts", "rows": rows}


def _chart_rows(charts: tuple[ChartSpec, ...]) -> list[list[int]]:
    """Indices of charts row by row: two narrow ones share a row, a wide one has its own and does not part a pair."""
    rows: list[list[int]] = []
    open_row: list[int] | None = None
    for place, chart in enumerate(charts):
        if chart_size(chart, alone=len(charts) == 1)[0] > _HALF_MM:
            rows.append([place])
        elif open_row is None:
            open_row = [place]
            rows.append(open_row)
        else:
            open_row.append(place)
            open_row = None
    return rows


def _chart(chart: ChartSpec, alternative: str, size: tuple[float, float], files: Files) -> Row:
    name = f"chart-{len(files)}.svg"
    files[name] = draw(chart, width_mm=size[0], height_mm=size[1])
    return {
        "file": name,
        "width_mm": size[0],
        "title": _label(chart.title, _CAPTION),
        "note": _label(chart.note, _CAPTION),
        "alternative": one_line(alternative or chart.title) or "Chart",
    }


def chart_size(chart: ChartSpec, *, alone: bool) -> tuple[float, float]:
    """Width and height in mm: half the page, the whole of it where many classes or a lone chart ask for it."""
    if chart.kind == "intervals":
        entries = sum(len(series.x) for series in chart.series)
        return (_PAGE_MM if alone else _HALF_MM), min(200.0, 20.0 + 6.0 * max(entries, 2))
    if chart.kind == "matrix":
        return (_HALF_MM, 72.0) if len(chart.matrix) <= 6 else (_PAGE_MM, 130.0)
    legend = 3.2 * len(chart.series)
    if chart.x_log:
        legend = legend if has_legend(chart) else 0.0
        return _PAGE_MM, min(200.0, 56.0 + legend / 2)
    if alone and not chart.diagonal:
        return _PAGE_MM, 68.0 + legend / 3
    return _HALF_MM, min(200.0, (70.0 if chart.diagonal else 56.0) + legend)


def _pictures(block: Pictures, files: Files) -> Row:
    columns = min(max(block.columns, 1), 6)
    width = (_PAGE_MM - _GUTTER_MM * (columns - 1)) / columns
    return {
        "block": "pictures",
        "columns": columns,
        "pictures": [_picture(picture, width, files) for picture in block.pictures],
    }


def _picture(picture: Picture, width_mm: float, files: Files) -> Row:
    entry: Row = {
        "caption": _label(picture.caption, _CAPTION),
        "alternative": one_line(picture.alternative or picture.caption) or "Picture",
        "file": "",
        "height_mm": width_mm * 0.5,
    }
    drawable = read_picture(picture.path)
    if drawable is None:
        return entry  # the page says in the picture's place that it is missing
    name = f"picture-{len(files)}.svg"
    files[name] = drawable.svg
    return {**entry, "file": name, "height_mm": width_mm * min(drawable.height, _TALLEST_PICTURE)}


def _attachments(attachments: tuple[Attachment, ...], files: Files) -> list[Row]:
    entries: list[Row] = []
    taken: set[str] = set()
    for attachment in attachments:
        raw = attachment.text.encode("utf-8", errors="replace")
        name = _unique(attachment_name(attachment.name), taken)
        stored = f"attachment-{len(files)}"
        files[stored] = raw
        entries.append(
            {
                "file": stored,
                "name": name,
                "shown_name": _text(name),
                "description": _text(attachment.description) or name,
                "plain_description": one_line(attachment.description) or name,
                "mime": attachment.mime if _MIME.fullmatch(attachment.mime) else "text/plain",
                "bytes": f"{len(raw):,}",
                "sha256": breakable(hashlib.sha256(raw).hexdigest(), chunk=16),
            }
        )
    return entries


def attachment_name(name: str) -> str:
    """A file name that is safe on every system: the last part only, letters, digits and ``. _ -``."""
    last = PurePosixPath(one_line(name).replace("\\", "/")).name
    safe = re.sub(r"[^\w.-]+", "-", last, flags=re.ASCII).strip(".-")
    return safe[-80:] or "attachment"


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    candidate, number = name, 2
    while candidate.lower() in taken:
        candidate = f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"
        number += 1
    taken.add(candidate.lower())
    return candidate
