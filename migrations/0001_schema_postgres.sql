-- The tables that events write have no foreign keys on PostgreSQL. There each one is a statement of its own
-- per row and a lock on a parent that every writer shares (a campaign, a product, a referrer): a quarter of
-- an event's cost, measured. The engine has read each parent under its locks before it writes the row that
-- names it, only the purge of test data deletes such parents, under the same locks, and `refdesk check`
-- proves every name on both databases. On SQLite a foreign key is a look-up, so it keeps them all.
ALTER TABLE leads
    DROP CONSTRAINT leads_campaign_id_fkey,
    DROP CONSTRAINT leads_referrer_id_fkey,
    DROP CONSTRAINT leads_enrollment_id_fkey,
    DROP CONSTRAINT leads_code_id_fkey;
ALTER TABLE touches
    DROP CONSTRAINT touches_lead_id_fkey,
    DROP CONSTRAINT touches_code_id_fkey,
    DROP CONSTRAINT touches_enrollment_id_fkey;
ALTER TABLE sign_ups
    DROP CONSTRAINT sign_ups_product_id_fkey,
    DROP CONSTRAINT sign_ups_lead_id_fkey;
ALTER TABLE payments
    DROP CONSTRAINT payments_product_id_fkey,
    DROP CONSTRAINT payments_lead_id_fkey;
ALTER TABLE purchases
    DROP CONSTRAINT purchases_lead_id_fkey,
    DROP CONSTRAINT purchases_first_payment_id_fkey;
ALTER TABLE commissions
    DROP CONSTRAINT commissions_payment_id_fkey,
    DROP CONSTRAINT commissions_lead_id_fkey,
    DROP CONSTRAINT commissions_enrollment_id_fkey,
    DROP CONSTRAINT commissions_terms_id_fkey;
ALTER TABLE customer_rewards
    DROP CONSTRAINT customer_rewards_lead_id_fkey;
ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_referrer_id_fkey,
    DROP CONSTRAINT ledger_entries_commission_id_fkey,
    DROP CONSTRAINT ledger_entries_adjustment_id_fkey;

-- Everything that a payment is known by: any of its names finds it, and no other payment has it.
CREATE TABLE payment_names (
    business_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    -- 'event:…', 'invoice:…', 'charge:…', 'intent:…', 'key:…', 'date:product|email|date' or 'inbox:…'.
    name TEXT NOT NULL,
    payment_id BIGINT NOT NULL,
    PRIMARY KEY (business_id, test, name)
);
CREATE INDEX payment_names_by_payment ON payment_names (payment_id, name);
