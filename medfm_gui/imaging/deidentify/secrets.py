"""What makes new UIDs, dates and site names out of old ones: derived from the workspace's key, never written down."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?[0-5]\d|:?60)?)?(\.\d{1,6})?")
_FEWEST_DAYS, _MOST_DAYS = 365, 3650


@dataclass(frozen=True, slots=True)
class Secrets:
    """One key for each purpose, so that what is known of one tells nothing of another."""

    uids: bytes
    dates: bytes
    sites: bytes

    @classmethod
    def of(cls, key: bytes) -> Secrets:
        """The keys of a workspace's ``key``."""
        return cls(*(hmac.new(key, f"deidentify {use}".encode(), hashlib.sha256).digest() for use in cls.__slots__))

    def uid(self, old: str) -> str:
        """The UID that stands for another: ``2.25.`` and a UUID (version 8) of its keyed hash."""
        number = int.from_bytes(
            hmac.new(self.uids, old.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()[:16]
        )
        number = number & ~(0xF << 76) | 0x8 << 76  # version 8: made by a rule of its own
        number = number & ~(0x3 << 62) | 0x2 << 62
        return f"2.25.{number}"

    def site(self, name: str) -> str:
        """``S-`` and ten letters, the same for one institution."""
        plain = " ".join(name.casefold().split())
        digest = hmac.new(self.sites, plain.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
        return "S-" + base64.b32encode(digest)[:10].decode("ascii")

    def days(self, patient: str) -> int:
        """How many days the dates of a patient are moved into the past: one to ten years."""
        digest = hmac.new(self.dates, patient.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
        return -(_FEWEST_DAYS + int.from_bytes(digest[:8]) % (_MOST_DAYS - _FEWEST_DAYS))


def shifted(date: str, days: int) -> str:
    """A date (``YYYYMMDD``) some days later; nothing where it is no date."""
    day = date_of(date)
    if day is None:
        return ""
    try:
        return (day + datetime.timedelta(days=days)).strftime("%Y%m%d").zfill(8)
    except OverflowError:
        return ""


def date_of(text: str) -> datetime.date | None:
    """The date in a DA value (also of the old form with dots), None where there is none."""
    match = _DATE.fullmatch(text.strip())
    try:
        return datetime.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def time_of(text: str) -> str:
    """A TM value if it is one, else nothing."""
    return text.strip() if _TIME.fullmatch(text.strip()) else ""


def datetime_of(text: str, days: int) -> str:
    """A DT value, its date moved and its offset from UTC dropped; nothing where it is none."""
    plain = re.split(r"[+\-]", text.strip(), maxsplit=1)[0]
    day, time = shifted(plain[:8], days), plain[8:]
    return day + time_of(time) if day and (not time or time_of(time)) else ""
