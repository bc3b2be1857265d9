"""All scenarios of the chat service, and those of its sessions, at once on small limits."""

from __future__ import annotations

from threadline import pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from scenarios.agents import Agents
from scenarios.database import Database
from scenarios.everything import Everything
from scenarios.population import waits_for_a_tab
from scenarios.quality import Quality
from scenarios.queue import Queue


class WholeService(Database, Queue, Agents, Quality, Everything):
    """What no single one of them would try together; of rules with one name, the first counts.

    Messages, pings and events come by frames, so that those of bare sessions are taken back.
    """

    settings = {
        **Everything.settings,
        "outbox_max": pool(100, 30),  # an agent's events come all at once
        "session_ttl_s": pool(100, 10, 6),
        "connection_timeout_s": pool(1_800, 7, 12),
        "agent_timeout_s": pool(9, 6, 4),
        "queue_workers": pool(2, 1, 64),
        "queue_max": pool(4, 10, 10_000),
        "dead_letters_max": pool(1, 1_000),
        "pool_size": pool(2, 10),
        "pool_timeout_s": pool(3, 2, 4),
        "retention_s": pool(2_592_000, 12, 8),
    }

    message = message_over_any = write = None
    ping = deliver = deliver_anywhere = None
    base_id = context_ids = websocket_ids = read_id = None
    wait_long = None  # hours, in which all else would end

    wait = rule(Chat.wait, seconds=pool(1, 2, 3, 4, 5, 6, 8, 10, 12, 16), weight=6)

    asked_to_hear = sometimes(
        "a thread is subscribed", lambda now: now.model.service.subscriptions.live()
    )
    kept = sometimes("an event waits for a connection of its thread", waits_for_a_tab)
    old_and_new = None  # as no day passes
    all_managers = None  # too seldom, among so many rules
    # Half a minute passes until one is given up, and most sessions end before.
    given_up = sometimes(
        "a message has failed three times",
        lambda now: any(each.failures > 2 for each in now.model.service.requests.all()),
    )
