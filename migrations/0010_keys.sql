-- Where a key may be used from (addresses and networks with a space between them; empty is anywhere), how
-- many calls it may make a minute (NULL is as many as it likes), and which key took over from it.
ALTER TABLE api_keys ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN per_minute BIGINT;
ALTER TABLE api_keys ADD COLUMN replaced_by BIGINT REFERENCES api_keys (id);
