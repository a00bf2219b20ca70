-- Entries are sealed as they are written: a row for those of one transaction, each with its digest. What
-- comes later, the place in the chain, is a change of that row, and no longer of every entry. An entry that
-- no row lists was not written by the program.
CREATE TABLE seals (
    -- The id of the first of its entries.
    first_id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    chain TEXT NOT NULL CHECK (chain IN ('ledger', 'audit')),
    -- Their ids in order, with commas.
    entries TEXT NOT NULL,
    -- 32 hexadecimal digits for each; NULL for what was here before, or was loaded, until it is sealed.
    digests TEXT,
    position BIGINT,
    seal TEXT,
    CHECK ((position IS NULL) = (seal IS NULL)),
    CHECK (seal IS NULL OR digests IS NOT NULL)
);
CREATE INDEX seals_waiting ON seals (business_id, chain, first_id) WHERE position IS NULL;
CREATE UNIQUE INDEX seals_by_position ON seals (business_id, chain, position) WHERE position IS NOT NULL;

-- What is here is sealed anew, by the next turn.
INSERT INTO seals (first_id, business_id, chain, entries)
SELECT min(e.id), e.business_id, 'ledger', string_agg(CAST(e.id AS TEXT), ',' ORDER BY e.id)
  FROM (SELECT id, business_id, (row_number() OVER (PARTITION BY business_id ORDER BY id) - 1) / 256 AS part FROM ledger_entries) e
 GROUP BY e.business_id, e.part;
INSERT INTO seals (first_id, business_id, chain, entries)
SELECT min(e.id), e.business_id, 'audit', string_agg(CAST(e.id AS TEXT), ',' ORDER BY e.id)
  FROM (SELECT id, business_id, (row_number() OVER (PARTITION BY business_id ORDER BY id) - 1) / 256 AS part FROM audit_entries) e
 GROUP BY e.business_id, e.part;
DELETE FROM chains;

DROP INDEX ledger_unsealed;
DROP INDEX ledger_sealed;
ALTER TABLE ledger_entries DROP COLUMN seal_position;
ALTER TABLE ledger_entries DROP COLUMN seal;
DROP INDEX audit_unsealed;
DROP INDEX audit_sealed;
ALTER TABLE audit_entries DROP COLUMN seal_position;
ALTER TABLE audit_entries DROP COLUMN seal;
