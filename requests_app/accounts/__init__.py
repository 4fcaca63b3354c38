"""Who is at the keyboard: log-in, its throttle, known devices."""
