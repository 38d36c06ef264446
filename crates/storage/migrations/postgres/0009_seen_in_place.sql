-- Each read writes of each record that it was seen. A row is written again in its page, and
-- no index with it, while the page has room: so there is room for another version of all its
-- rows. (Pages that are there keep what they have, until their rows move.)
ALTER TABLE source_records SET (fillfactor = 40);
