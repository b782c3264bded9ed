"""The simulated platforms: they obey what is known of the real ones, faults included, on loopback only."""
