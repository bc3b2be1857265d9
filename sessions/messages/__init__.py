"""Take in what users send, handle it, and answer."""
