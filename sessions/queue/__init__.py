"""The message queue: messages in order of their threads, and the worker that handles them."""
