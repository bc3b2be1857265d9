"""What an HTTP request comes to, whatever serves HTTP."""
