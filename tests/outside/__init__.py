"""The service as a process of its own, attacked from outside; slow, run every night."""
