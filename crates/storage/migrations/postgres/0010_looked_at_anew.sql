-- A record whose row was done in part rested under what it had said before, and was passed over
-- when the source said that again. Everything is looked at once more by the next read.
UPDATE source_records SET settled_digest = NULL, settled_versions = NULL, rest = NULL
WHERE settled_digest IS NOT NULL;
