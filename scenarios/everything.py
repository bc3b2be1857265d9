"""All scenarios of the session manager at once, on small limits."""

from __future__ import annotations

from threadline import pool, rule

from models.session_manager import SessionManagerModel as Sessions
from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.expiry import PAUSES_S, Expiry
from scenarios.keys import Keys
from scenarios.limits import Limits
from scenarios.refusals import Refusals


class Everything(Connections, Conversation, Keys, Refusals, Limits, Expiry):
    """What no single one of them would try together; of rules with one name, the first counts."""

    settings = {
        "max_sessions_per_user": pool(3, 5, 100),
        "max_managers_per_user": pool(3, 5, 20),
        "outbox_max": pool(2, 3),
        "recovery_max": pool(2, 3),
        "send_timeout_s": pool(2, 5),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(7, 12),
        "session_ttl_s": pool(10, 6),
        "sweep_interval_s": pool(5, 1_000),
    }

    wait = rule(Sessions.wait, seconds=PAUSES_S, weight=2)

    # Rules of other scenarios have the names of those that come to these: `get` with ids that meet
    # when joined, `clean_up` with a context and the key of another.
    joined_alike = mismatched = None
    made_room = None  # too seldom, where so much else makes managers end
