"""One file for each version; what it says is never changed once it was released."""
