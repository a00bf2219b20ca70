-- Repeats of a lead by the address they came with: the index of addresses knows the leads they repeat.
CREATE INDEX leads_repeats ON leads (campaign_id, test, email_key, id) WHERE duplicate_of IS NOT NULL AND email_key IS NOT NULL;
