"""Mail: queued as rows in the business transaction, sent by the jobs process."""
