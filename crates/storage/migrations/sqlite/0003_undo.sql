-- What a run did can be taken back, and everybody can be told why.

-- Who did which part of a row: empty while only the run that made the plan did;
-- else words of `run` and the parts, `free` or the kinds that were released.
ALTER TABLE plan_rows ADD COLUMN done_by TEXT;
-- The run that a plan takes back.
ALTER TABLE plans ADD COLUMN undoes BLOB;
-- Under which versions of connector, mapping and policy a plan was made.
ALTER TABLE plans ADD COLUMN versions TEXT;
-- The stored plan that a run applied, when it made none itself.
ALTER TABLE runs ADD COLUMN plan_id BLOB;
-- Which run set which field, from which connection, when, under which versions;
-- one compact map a person.
ALTER TABLE people ADD COLUMN provenance TEXT;
-- The row of a plan from which a message follows.
ALTER TABLE outbox ADD COLUMN plan_id BLOB;
ALTER TABLE outbox ADD COLUMN ordinal INTEGER;

CREATE INDEX outbox_row ON outbox (organisation_id, plan_id, ordinal) WHERE plan_id IS NOT NULL;
CREATE INDEX plan_rows_record ON plan_rows (organisation_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX plans_undoes ON plans (organisation_id, undoes) WHERE undoes IS NOT NULL;
CREATE INDEX plans_run ON plans (organisation_id, run_id) WHERE run_id IS NOT NULL;
