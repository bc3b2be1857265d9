"""Why a socket was closed (RFC 6455, section 7.4.1; from 4000 on, ours)."""

from __future__ import annotations

CLEAN = 1000
GOING_AWAY = 1001
ABNORMAL = 1006
UNDELIVERABLE = 1011
TRY_AGAIN_LATER = 1013
REFUSED = 4400
INVALIDATED = 4401
DELETED = 4404
LIMITED = 4429
