"""Django's SQLite backend, with a lock among the writers of one process."""
