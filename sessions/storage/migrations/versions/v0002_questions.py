"""Keep with a thread what is asked on it, until it is answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("threads", sa.Column("asked", sa.Text))
