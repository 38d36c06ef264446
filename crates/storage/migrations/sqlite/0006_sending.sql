-- Outward writes know what they write and who sends them, and runs how far they came.

-- The run that queued it.
ALTER TABLE outbox ADD COLUMN run_id BLOB;
-- What an outward write goes to: one field of one record of a connection.
ALTER TABLE outbox ADD COLUMN connection_id BLOB;
ALTER TABLE outbox ADD COLUMN external_id TEXT;
ALTER TABLE outbox ADD COLUMN field TEXT;
-- Attempts that were begun; one that was begun may have gone out.
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
-- Not before this instant, on the clock that is passed in.
ALTER TABLE outbox ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
-- Who is at it, and until when nobody else may be, on the database's clock.
ALTER TABLE outbox ADD COLUMN sender_id BLOB;
ALTER TABLE outbox ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
-- Why it waits still, failed or was cancelled.
ALTER TABLE outbox ADD COLUMN error_code TEXT;
-- When it was sent, failed or was cancelled.
ALTER TABLE outbox ADD COLUMN ended_at INTEGER;

CREATE INDEX outbox_target ON outbox (organisation_id, connection_id, external_id, id) WHERE state = 'waiting';
CREATE INDEX outbox_run ON outbox (organisation_id, run_id) WHERE run_id IS NOT NULL;

-- The process that holds the lease: while it lives, the lease is believed.
ALTER TABLE leases ADD COLUMN holder_id BLOB;
-- How far a run came, and when another found it dead.
ALTER TABLE runs ADD COLUMN step TEXT;
ALTER TABLE runs ADD COLUMN interrupted_at INTEGER;
