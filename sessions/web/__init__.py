"""Serve the chat service over HTTP and WebSockets."""
