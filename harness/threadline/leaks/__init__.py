"""Is everything given back? The round trip, what it counts, and how one leak is taken apart."""
