"""Authentication: log-in, its throttle, known devices."""
