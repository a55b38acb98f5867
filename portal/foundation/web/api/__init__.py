"""REST conventions: tokens, schemas, idempotency keys, cursor lists."""
