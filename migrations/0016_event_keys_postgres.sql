-- PostgreSQL asks a foreign key for each row by a statement of its own and locks the parent, and a campaign,
-- a product, a referrer or an enrollment is the parent of what every writer writes at that moment: a quarter
-- of an event's cost, measured. So the tables that events write have none of them here. The engine has read
-- each of these rows under its locks before it writes what names them, none is ever deleted but by the purge
-- of test data, which takes the same locks, SQLite (where a key costs a look-up) keeps them all, and
-- `refdesk check` proves them on both.
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
ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_referrer_id_fkey,
    DROP CONSTRAINT ledger_entries_commission_id_fkey;

-- It served the look for who names a payment that goes.
DROP INDEX purchases_by_first;
