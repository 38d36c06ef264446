-- What runs did of a row, where somebody decided that it should be something else
-- than the row says: effects by run, sealed with the row's key.
ALTER TABLE plan_rows ADD COLUMN done_as BYTEA;
