-- A plan of many people is stored in parts; until the last one is there, nobody sees it.
ALTER TABLE plans ADD COLUMN finished INTEGER NOT NULL DEFAULT 1;

-- What each sync asks of everybody is answered from an index: the rows themselves
-- are a hundred times as large.
DROP INDEX links_person;
CREATE INDEX links_person ON links (organisation_id, person_id, connection_id);
CREATE INDEX links_revision ON links (organisation_id, connection_id, external_id, revision)
    WHERE revision IS NOT NULL;
CREATE INDEX people_employed ON people (organisation_id, id) WHERE employment <> 'ended';
