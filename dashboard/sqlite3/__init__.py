"""Django's SQLite, with its writers of one process in a queue."""
