"""A patient's identity replaced by a name that only this workspace can make again."""

from __future__ import annotations

import base64
import hashlib
import hmac


def pseudonym(key: bytes, patient_id: str) -> str:
    """``P-`` and ten letters, the same for one patient in one workspace (HMAC-SHA256 under the workspace's key).

    Ten letters of base 32 are 50 bits: among a million patients two share a name with probability 0.0004.
    """
    digest = hmac.new(key, patient_id.strip().encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return "P-" + base64.b32encode(digest)[:10].decode("ascii")
