"""Keep conversations in a database, and take turns at it."""
