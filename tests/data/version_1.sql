-- A small business as version 1 of the schema stores it. Never changed: the next versions are tested on it.

UPDATE id_blocks SET next = 7001;
INSERT INTO businesses (id, public_id, name, timezone, currency, country, address, changed_details_days) VALUES
    (1001, 'business_0ah8zpthp1x9g2kh83nt', 'Acme', 'UTC', 'USD', 'US', '12 Quay Street', 5);
INSERT INTO users (id, email, email_key, name, password_hash, theme, created_at) VALUES
    (1002, 'owner@example.com', 'owner@example.com', 'owner', '$argon2id$v=19$m=19456,t=2,p=1$6etM62QcIWNBqk/0dfP+AQ$WUzHYFQ4xM3odxS8HCgNl3c6uYPpH1inLBIxkSWhNmQ', 'auto', 1795261263227915);
INSERT INTO memberships (business_id, user_id, role, created_at) VALUES
    (1001, 1002, 'owner', 1795261263227915);
INSERT INTO invitations (id, business_id, email, email_key, role, token_hash, invited_by, created_at, expires_at, ended_at, outcome) VALUES
    (6001, 1001, 'kim@acme.test', 'kim@acme.test', 'sales', '5f4d', 1002, 1795261263227915, 1795866063227915, NULL, NULL);
INSERT INTO trace_links (id, business_id, subject_kind, subject_id, subject_currency, token_hash, made_by, created_at, expires_at, ended_at) VALUES
    (6104, 1001, 'commission', 2019, NULL, '5f4e', 'owner', 1795261263227915, 1795866063227915, NULL);
INSERT INTO sessions (id_hash, user_id, data, ip, agent, created_at, seen_at, expires_at) VALUES
    ('a1b2', 1002, '{}', '127.0.0.1', 'curl', 1795261263227915, 1795261263227915, 1797853263227915);
INSERT INTO login_failures (key, failures, blocked_until, lasting, updated_at) VALUES
    ('account:kim@acme.test', 2, 0, TRUE, 1795261263227915);
INSERT INTO known_browsers (user_id, token_hash, seen_at) VALUES
    (1002, '77ac', 1795261263227915);
INSERT INTO kept_texts (token_hash, user_id, text, created_at) VALUES
    ('88bd', 1002, 'sealed', 1795261263227915);
INSERT INTO campaigns (id, business_id, name, state, qualify_on, qualify_least, reward, reward_hold_days, destination, offer, ready_text, payout_methods, created_at, updated_at) VALUES
    (1003, 1001, 'Refer a friend', 'live', 'payment', '{}', '{}', 14, '', '', 'Hi {name}, {link}', 'paypal hand', 1795261263227915, 1795261263227915);
UPDATE businesses SET default_campaign_id = 1003 WHERE id = 1001;
INSERT INTO first_steps (business_id, told_at, hidden_at) VALUES
    (1001, 1795261263227915, NULL);
INSERT INTO shop_visits (campaign_id, origin, first_at, last_at) VALUES
    (1003, 'https://shop.example', 1795261263227915, 1795261263227915);
INSERT INTO products (id, business_id, campaign_id, public_id, name, test, created_at, updated_at) VALUES
    (1004, 1001, 1003, 'product_76hb3yyt08gvbea75gxs', 'Pro plan', FALSE, 1795261263227915, 1795261263227915);
INSERT INTO terms (id, product_id, number, valid_from, referral_rate, referral_flat, recurring_rate, recurring_flat, recurring_limit, recurring_count, hold_days, created_by, created_at) VALUES
    (1005, 1004, 1, '1900-01-01', 200000, NULL, 200000, NULL, 'none', 0, 90, 1002, 1795261263227915);
INSERT INTO api_keys (id, business_id, campaign_id, name, shown, hash, test, scopes, networks, per_minute, created_by, created_at, expires_at, revoked_at, replaced_by, last_used_at) VALUES
    (1006, 1001, NULL, 'First key', 'rk_live_…IKCs', '38235d58bedebbc98b4246ae81ace0d072ca9ce761b3b4b025c58c85431fb49d', FALSE, 'events:write leads:read leads:write referrers:read referrers:write campaigns:read money:read money:write', '', NULL, 1002, 1795261263227915, NULL, NULL, NULL, NULL);
INSERT INTO publishable_keys (id, business_id, name, text, created_by, created_at, revoked_at) VALUES
    (6002, 1001, 'Checkout', 'pk_live_example', 1002, 1795261263227915, NULL);
INSERT INTO publishable_origins (key_id, origin) VALUES
    (6002, 'https://shop.example');
INSERT INTO webhook_tokens (campaign_id, business_id, shown, hash) VALUES
    (1003, 1001, '…text', '9c1f');
INSERT INTO stored_answers (key_id, text, fingerprint, outcomes, status, headers, body, begun_at) VALUES
    (1006, 'order-1', '77aa', '1001', 201, '[]', '{}', 1795261263227915);
INSERT INTO calls (id, business_id, key_id, at, contract, method, route, path, status, micros, request_id, code, message, address, search, dropped) VALUES
    (6003, 1001, 6002, 1795261263227915, 'own', 'GET', '/v1/public/codes/{code}', '/v1/public/codes/JANE', 200, 1200, 'req-1', NULL, NULL, '127.0.0.1', 'get /v1/public/codes/jane', 0);
INSERT INTO referrers (id, business_id, name, first_name, email, email_key, phone, phone_key, company, search, meta, created_at, updated_at, archived_at) VALUES
    (2001, 1001, 'Jane Njeri 0', 'Jane', 'referrer0@example.com', 'referrer0@example.com', NULL, NULL, 'Company 0', 'jane njeri 0 referrer0@example.com company 0', '[]', 1795261303103724, 1795261303103724, NULL),
    (2002, 1001, 'Amina Njeri 1', 'Amina', 'referrer1@example.com', 'referrer1@example.com', NULL, NULL, 'Company 1', 'amina njeri 1 referrer1@example.com company 1', '[]', 1795261302103724, 1795261302103724, NULL);
INSERT INTO referrer_words (business_id, word, referrer_id) VALUES
    (1001, '0', 2001),
    (1001, '1', 2002),
    (1001, 'amina', 2002),
    (1001, 'company', 2001),
    (1001, 'company', 2002),
    (1001, 'jane', 2001),
    (1001, 'njeri', 2001),
    (1001, 'njeri', 2002),
    (1001, 'referrer0', 2001),
    (1001, 'referrer0@example.com', 2001),
    (1001, 'referrer1', 2002),
    (1001, 'referrer1@example.com', 2002);
INSERT INTO enrollments (id, business_id, campaign_id, referrer_id, state, has_code, name_fold, archived, created_at) VALUES
    (2003, 1001, 1003, 2001, 'active', TRUE, 'jane njeri 0', FALSE, 1795261303103724),
    (2004, 1001, 1003, 2002, 'active', TRUE, 'amina njeri 1', FALSE, 1795261302103724);
INSERT INTO codes (id, business_id, campaign_id, enrollment_id, referrer_id, text, lookup, repaired, search, kind, state, created_at, updated_at) VALUES
    (2005, 1001, 1003, 2003, 2001, 'C49-T6W-X434', 'C49T6WX434', 'C49T6WX434', 'c49t6wx434', 'generated', 'active', 1795261303103724, 1795261303103724),
    (2006, 1001, 1003, 2004, 2002, 'C7F-KX3-FHWX', 'C7FKX3FHWX', 'C7FKX3FHWX', 'c7fkx3fhwx', 'generated', 'active', 1795261302103724, 1795261302103724);
INSERT INTO leads (id, business_id, campaign_id, test, name, name_fold, email, email_key, phone, phone_key, company, jobtitle, industry, website, request, budget, country, region, address, source, source_origin, status, status_before, active, duplicate_of, qualified_at, converted_at, arrival, referrer_id, enrollment_id, code_id, touch_id, rule_fired, recorded_by, search, meta, created_at, updated_at, archived_at) VALUES
    (2007, 1001, 1003, FALSE, 'Jane Njeri 0', 'jane njeri 0', 'lead0@example0.com', 'lead0@example0.com', NULL, NULL, 'Company 0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'website', 'api', 'converted', NULL, TRUE, NULL, 1795261303103724, 1795261303103724, 'code', 2001, 2003, NULL, 2011, TRUE, NULL, 'jane njeri 0 lead0@example0.com company 0', '[]', 1795261303103724, 1795261303103724, NULL),
    (2008, 1001, 1003, FALSE, 'Amina Njeri 1', 'amina njeri 1', 'lead1@example1.com', 'lead1@example1.com', NULL, NULL, 'Company 1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ad', 'api', 'qualified', NULL, TRUE, NULL, 1795261273103724, NULL, 'link', 2002, 2004, NULL, 2012, FALSE, NULL, 'amina njeri 1 lead1@example1.com company 1', '[]', 1795261273103724, 1795261273103724, NULL),
    (2009, 1001, 1003, FALSE, 'Peter Njeri 2', 'peter njeri 2', 'lead2@example2.com', 'lead2@example2.com', NULL, NULL, 'Company 2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'referral', 'api', 'contacted', NULL, TRUE, NULL, NULL, NULL, 'verbal', 2001, 2003, NULL, 2013, FALSE, NULL, 'peter njeri 2 lead2@example2.com company 2', '[]', 1795261243103724, 1795261243103724, NULL),
    (2010, 1001, 1003, FALSE, 'Grace Njeri 3', 'grace njeri 3', 'lead3@example3.com', 'lead3@example3.com', NULL, NULL, 'Company 3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'referral', 'api', 'new', NULL, TRUE, NULL, NULL, NULL, 'upload', 2002, 2004, NULL, 2014, FALSE, NULL, 'grace njeri 3 lead3@example3.com company 3', '[]', 1795261213103724, 1795261213103724, NULL),
    (3006, 1001, 1003, FALSE, 'Cleo', 'cleo', 'cleo@example.com', 'cleo@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'referral', 'dashboard', 'new', NULL, TRUE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, FALSE, NULL, 'cleo cleo@example.com', '[]', 1795261303245900, 1795261303245900, NULL),
    (3011, 1001, 1003, FALSE, 'Dora', 'dora', 'dora@example.com', 'dora@example.com', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'dashboard', 'new', NULL, TRUE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, FALSE, NULL, 'dora dora@example.com', '[]', 1795261303245900, 1795261303245900, NULL);
INSERT INTO touches (id, business_id, lead_id, kind, code_id, code_text, referrer_id, enrollment_id, refused, reason, user_id, at) VALUES
    (2011, 1001, 2007, 'code', NULL, NULL, 2001, 2003, NULL, NULL, NULL, 1795261303103724),
    (2012, 1001, 2008, 'click', NULL, NULL, 2002, 2004, NULL, NULL, NULL, 1795261273103724),
    (2013, 1001, 2009, 'verbal', NULL, NULL, 2001, 2003, NULL, NULL, NULL, 1795261243103724),
    (2014, 1001, 2010, 'import', NULL, NULL, 2002, 2004, NULL, NULL, NULL, 1795261213103724),
    (3008, 1001, 3006, 'import', NULL, 'NOPE', NULL, NULL, 'unknown_code', NULL, NULL, 1795261303245900);
INSERT INTO sign_ups (id, business_id, product_id, test, email_key, lead_id, at) VALUES
    (6004, 1001, 1004, FALSE, 'lead0@example0.com', 2007, 1795261263227915);
INSERT INTO payments (id, business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency, subscription_status, payment_date, body_hash, decision, decision_why, repeats, disputed_at, refunded, received_at, updated_at) VALUES
    (2015, 1001, 1003, 1004, FALSE, 2007, 'lead0@example0.com', 'lead0@example0.com', 15259, 'USD', 'active', '2026-10-22', 'load', 'earned', 'referral rate', 0, NULL, 5000, 1795261303103724, 1795261303103724);
INSERT INTO payment_names (business_id, test, name, payment_id) VALUES
    (1001, FALSE, 'event:load-2007', 2015);
INSERT INTO purchases (lead_id, product_id, first_payment_id, first_payment_date, decided, subscription_status, paid_on, cancelled_on) VALUES
    (2007, 1004, 2015, '2026-10-22', 1, 'cancelled', '2026-10-22', '2026-11-03');
INSERT INTO refunds (id, business_id, campaign_id, product_id, test, email, email_key, payment_id, asked, amount, currency, refund_date, identity, body_hash, state, why, received_at, decided_at, updated_at) VALUES
    (4001, 1001, 1003, 1004, FALSE, 'lead0@example0.com', 'lead0@example0.com', 2015, 500000, 5000, 'USD', '2026-10-25', 'event:ref-1', 'load', 'applied', NULL, 1795261403103724, 1795261403103724, 1795261403103724),
    (4002, 1001, 1003, 1004, FALSE, 'lead1@example1.com', 'lead1@example1.com', NULL, NULL, NULL, NULL, '2026-11-02', 'parked:date:1004|lead1@example1.com|2026-10-30|2026-11-02|all', 'load', 'parked', NULL, 1795261403103724, NULL, 1795261403103724),
    (4003, 1001, 1003, 1004, FALSE, 'lead0@example0.com', 'lead0@example0.com', NULL, 99990000, NULL, 'USD', '2026-10-26', 'event:ref-2', 'load', 'refused', 'only 102.59 USD is left of the payment', 1795261403103724, 1795261403103724, 1795261403103724);
INSERT INTO refund_names (business_id, test, name, refund_id) VALUES
    (1001, FALSE, 'event:load-2007', 4001),
    (1001, FALSE, 'date:1004|lead1@example1.com|2026-10-30', 4002),
    (1001, FALSE, 'event:load-2007', 4003);
INSERT INTO cancellations (id, business_id, product_id, test, lead_id, day, identity, body_hash) VALUES
    (4005, 1001, 1004, FALSE, 2007, '2026-11-03', 'date:1004|lead0@example0.com|2026-11-03', 'load');
INSERT INTO commissions (id, business_id, campaign_id, test, kind, product_id, payment_id, lead_id, referrer_id, enrollment_id, terms_id, terms_number, rate, flat, base_amount, amount, currency, hold_days, hold_until, state, reason, released, reversed_at, taken_back, created_at, updated_at) VALUES
    (2019, 1001, 1003, FALSE, 'referral', 1004, 2015, 2007, 2001, 2003, 1005, 1, 200000, NULL, 15259, 2052, 'USD', 90, '2027-01-20', 'pending', NULL, FALSE, NULL, 0, 1795261303103724, 1795261303103724);
INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at) VALUES
    (2023, 1001, 2001, 'USD', 'held', 3052, 'created', 2019, '2027-01-20', 1795261303103724),
    (4004, 1001, 2001, 'USD', 'held', -1000, 'refunded', 2019, '2026-10-25', 1795261403103724);
INSERT INTO payouts (id, business_id, campaign_id, number, currency, method, format, state, note, lines, amount, fingerprint, made_by, made_by_id, locked_by, locked_by_id, payer, timezone, approved_by, approved_by_id, created_at, updated_at, built_at, locked_at, approved_at, file_at, closed_at) VALUES
    (6101, 1001, NULL, 1, 'USD', 'hand', 'csv', 'draft', NULL, 0, 0, 'f1', 'owner', 1002, NULL, NULL, NULL, NULL, NULL, NULL, 1795261403103724, 1795261403103724, NULL, NULL, NULL, NULL, NULL),
    (6105, 1001, NULL, 2, 'USD', 'hand', 'csv', 'closed', NULL, 0, 0, 'f2', 'owner', 1002, 'owner', 1002, 'Acme', 'UTC', NULL, NULL, 1795261403103724, 1795261403103724, NULL, 1795261403103724, NULL, NULL, 1795261403103724);
INSERT INTO payout_settings (id, business_id, format, settings, sealed, masked, key_id, created_at) VALUES
    (6106, 1001, 'csv', '{"format":"csv","columns":["line","amount"]}', NULL, NULL, NULL, 1795261403103724);
INSERT INTO payout_formats (business_id, format, settings_id, reading, updated_at) VALUES
    (1001, 'csv', 6106, NULL, 1795261403103724);
INSERT INTO payout_frozen (payout_id, format, settings_id) VALUES
    (6105, 'csv', 6106);
INSERT INTO payout_reports (id, business_id, payout_id, file_name, sealed, reading, created_at) VALUES
    (6104, 1001, 6101, 'report.csv', '1.00000000.AAAA', NULL, 1795261403103724);
INSERT INTO payout_lines (id, business_id, payout_id, referrer_id, name, email, currency, amount, items, digest, state, out_reason, minimum, since, details_id, details, details_changed_at, reason, reference, day, updated_at) VALUES
    (6102, 1001, 6101, 2001, 'Ada', NULL, 'USD', 0, 0, '', 'out', 'nothing is left', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795261403103724);
INSERT INTO customer_rewards (id, business_id, campaign_id, test, lead_id, kind, amount, currency, words, hold_until, state, void_cause, reason, given_at, given_by, created_at, updated_at) VALUES
    (6190, 1001, 1003, FALSE, 2007, 'credit', 1000, 'USD', NULL, '2026-12-31', 'due', NULL, NULL, NULL, NULL, 1795261303103724, 1795261303103724);
INSERT INTO adjustments (id, business_id, campaign_id, referrer_id, enrollment_id, kind, state, currency, amount, commission_id, reason, made_by, made_by_id, decided_by, line_id, created_at, updated_at) VALUES
    (6103, 1001, 1003, 2001, 2003, 'bonus', 'pending', 'USD', 500, NULL, 'for the fair', 'owner', 1002, NULL, NULL, 1795261403103724, 1795261403103724);
INSERT INTO inbox_items (id, business_id, campaign_id, kind, state, cause, times, detail, lead_id, payment_id, referrer_id, touch_id, created_at, updated_at, closed_at, closed_by, outcome) VALUES
    (3009, 1001, 1003, 'unknown_code', 'open', 'claim:3006:unknown_code:NOPE', 1, '{"code":"NOPE","lead":"Cleo"}', 3006, NULL, NULL, 3008, 1795261303245900, 1795261303245900, NULL, NULL, NULL);
INSERT INTO jobs (id, business_id, campaign_id, kind, state, join_key, input, cursor, done, total, result, claim, claimed_until, attempts, error, actor_kind, actor_id, actor_name, created_at, finished_at) VALUES
    (3002, 1001, 1003, 'import', 'done', 'import:3001', '{"import":3001}', '3', 2, 2, '{"already":0,"duplicate":0,"invalid":0,"new":1,"rows":2,"unknown":0,"unknown_code":1,"updated":0}', 3004, 1795261363241773, 0, NULL, 'command', NULL, 'refdesk import', 1795261303223449, 1795261303241773);
INSERT INTO schedule (task, next_at) VALUES
    ('sweep', 1795261263227915);
INSERT INTO imports (id, business_id, campaign_id, kind, state, file_name, encoding, delimiter, has_header, columns, mapping, options, rows_total, counts, job_id, created_by, created_at, updated_at, finished_at) VALUES
    (3001, 1001, 1003, 'leads', 'done', 'l.csv', 'UTF-8', ',', TRUE, '["name","email","code"]', '["name","email","code"]', '{"generate":false}', 2, '{"already":0,"duplicate":0,"invalid":0,"new":1,"rows":2,"unknown":0,"unknown_code":1,"updated":0}', 3002, NULL, 1795261303217209, 1795261303241773, 1795261303241773);
INSERT INTO import_rows (import_id, line, cells, fault, outcome, field, reason, person, code_key, lead_id, referrer_id) VALUES
    (3001, 2, '["Cleo","cleo@example.com","NOPE"]', NULL, 'unknown_code', 'code', 'Added without a referrer: no code of this business reads like that.', 'cleo@example.com', NULL, 3006, NULL),
    (3001, 3, '["Dora","dora@example.com",""]', NULL, 'new', NULL, NULL, 'dora@example.com', NULL, 3011, NULL);
INSERT INTO audit_entries (id, business_id, at, actor_kind, actor_id, actor_name, actor_fold, origin, action, subject_kind, subject_id, lead_id, referrer_id, before, after, reason) VALUES
    (1007, 1001, 1795261263227915, 'user', 1002, 'owner', 'owner', 'set-up', 'business.created', 'business', 1001, NULL, NULL, NULL, '{"campaign":"Refer a friend","name":"Acme","product":"Pro plan"}', NULL),
    (3003, 1001, 1795261303223449, 'command', NULL, 'refdesk import', 'refdesk import', 'command', 'import.started', 'import', 3001, NULL, NULL, NULL, '{"file":"l.csv","kind":"leads","rows":2}', NULL),
    (3005, 1001, 1795261303241773, 'command', NULL, 'refdesk import', 'refdesk import', 'import job 3002', 'import.done', 'import', 3001, NULL, NULL, NULL, '{"counts":{"already":0,"duplicate":0,"invalid":0,"new":1,"rows":2,"unknown":0,"unknown_code":1,"updated":0},"file":"l.csv","kind":"leads"}', NULL),
    (3010, 1001, 1795261303245900, 'command', NULL, 'refdesk import', 'refdesk import', 'import job 3002', 'lead.added', 'lead', 3006, 3006, NULL, NULL, '{"duplicate_of":null,"name":"Cleo","referrer":null,"refused":"unknown_code"}', NULL),
    (3013, 1001, 1795261303245900, 'command', NULL, 'refdesk import', 'refdesk import', 'import job 3002', 'lead.added', 'lead', 3011, 3011, NULL, NULL, '{"duplicate_of":null,"name":"Dora","referrer":null,"refused":null}', NULL);
INSERT INTO seals (first_id, business_id, chain, entries, digests, position, seal) VALUES
    (1007, 1001, 'audit', '1007,3003,3005,3010,3013', NULL, NULL, NULL),
    (2023, 1001, 'ledger', '2023,4004', NULL, NULL, NULL),
    (1005, 1001, 'terms', '1005', NULL, NULL, NULL);
INSERT INTO outbox (id, business_id, test, kind, subject_id, payload, at) VALUES
    (3007, 1001, FALSE, 'lead.created', 3006, '{"name":"Cleo"}', 1795261303245900),
    (3012, 1001, FALSE, 'lead.created', 3011, '{"name":"Dora"}', 1795261303245900);
INSERT INTO figures_queue (scope_id, slot, stamp) VALUES
    (1001, 0, 4711);
INSERT INTO saved_views (id, business_id, user_id, list, name, query, shared, created_at) VALUES
    (6101, 1001, 1002, 'leads', 'Won', 'status=converted', TRUE, 1795261263227915);
INSERT INTO secret_keys (id, current, created_at) VALUES
    ('7f3a1c5e', TRUE, 1795261263227915);
INSERT INTO payout_details (id, business_id, referrer_id, method, sealed, masked, key_id, actor_kind, actor_id, actor_name, created_at, replaced_at) VALUES
    (6104, 1001, 2001, 'bank', '1.7f3a1c5e.BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9g', 'DE89 •••• 3000', '7f3a1c5e', 'user', 1002, 'Owner', 1795261263227915, 1795261303245900),
    (6105, 1001, 2001, 'paypal', '1.7f3a1c5e.BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9g', 'j•••@example.com', '7f3a1c5e', 'key', 1006, 'First key', 1795261303245900, NULL);
INSERT INTO tags (id, business_id, name, name_key, created_at) VALUES
    (6102, 1001, 'VIP', 'vip', 1795261263227915);
INSERT INTO tagged (tag_id, subject_id) VALUES
    (6102, 2001);
INSERT INTO notes (id, business_id, subject_id, text, author, created_at) VALUES
    (6103, 1001, 2001, 'Prefers the phone', 'owner', 1795261263227915);
INSERT INTO counters (scope_id, name, day, slot, value) VALUES
    (1001, 'listed.contacted', '', 0, 1),
    (1001, 'listed.contacted|referral', '', 0, 1),
    (1001, 'listed.converted', '', 0, 1),
    (1001, 'listed.converted|website', '', 0, 1),
    (1001, 'listed.new', '', 0, 3),
    (1001, 'listed.new|referral', '', 0, 2),
    (1001, 'listed.qualified', '', 0, 1),
    (1001, 'listed.qualified|ad', '', 0, 1),
    (1001, 'users.referrers', '', 0, 2),
    (1001, 'users.referrers', 'u20778', 0, 2),
    (1003, 'leads', '', 0, 6),
    (1003, 'leads', '2026-11-21', 0, 6),
    (1003, 'leads.arrival.code', '', 0, 1),
    (1003, 'leads.arrival.link', '', 0, 1),
    (1003, 'leads.arrival.upload', '', 0, 1),
    (1003, 'leads.arrival.verbal', '', 0, 1),
    (1003, 'leads.status.contacted', '', 0, 1),
    (1003, 'leads.status.converted', '', 0, 1),
    (1003, 'leads.status.new', '', 0, 3),
    (1003, 'leads.status.qualified', '', 0, 1),
    (1003, 'money.held.USD', '', 0, 2052),
    (1003, 'pending.USD', 'h2027-01-20', 0, 2052),
    (1003, 'qualified', '', 0, 2),
    (1003, 'revenue.USD', '', 0, 10259),
    (1003, 'users.leads', '', 0, 6),
    (1003, 'users.leads', 'u20778', 0, 6),
    (1003, 'users.referrers', '', 0, 2),
    (1003, 'users.referrers', 'u20778', 0, 2),
    (2003, 'earned.USD', '', 0, 2052),
    (2003, 'leads', '', 0, 2),
    (2003, 'qualified', '', 0, 1),
    (2003, 'revenue.USD', '', 0, 10259),
    (2004, 'leads', '', 0, 2),
    (2004, 'qualified', '', 0, 1);
INSERT INTO search_queue (scope, id, stamp) VALUES
    (4006, 2001, 0),
    (4006, 2002, 0),
    (4012, 2007, 0),
    (4012, 2008, 0),
    (4012, 2009, 0),
    (4012, 2010, 0),
    (4012, 3006, 0),
    (4012, 3011, 0),
    (4015, 2005, 0),
    (4015, 2006, 0);
INSERT INTO provider_accounts (id, business_id, provider, test, account, name, sealed, key_id, masked, endpoint, created_at, updated_at, disconnected_at, refused_at, refused_why) VALUES
    (6201, 1001, 'stripe', FALSE, 'acct_1', 'Acme', '1.5e2f.c2VhbGVk', '7f3a1c5e', 'rk_live_…1a2b', 'we_1', 1795261263227915, 1795261263227915, NULL, NULL, NULL);
INSERT INTO provider_campaigns (id, business_id, account_id, campaign_id, product_id, qualify_on_code, unqualify_on_refund, with_tax, with_shipping, created_at, updated_at) VALUES
    (6202, 1001, 6201, 1003, 1004, TRUE, FALSE, FALSE, FALSE, 1795261263227915, 1795261263227915);
INSERT INTO provider_runs (id, business_id, account_id, campaign_id, kind, state, asks, daily, since, job_id, cursor, counts, stopped, again_at, created_at, updated_at, finished_at) VALUES
    (6205, 1001, 6201, 1003, 'customers', 'checked', TRUE, FALSE, NULL, NULL, '{}', '{"read": 1, "no_email": 1}', NULL, NULL, 1795261263227915, 1795261263227915, NULL);
INSERT INTO provider_customers (run_id, n, customer, name, email, email_key, phone, fate, why, referrer_id) VALUES
    (6205, 1, 'cus_1', 'Amy Pond', '', '', '', 'no_email', '', NULL);
INSERT INTO provider_staged (run_id, identity, happened_at, body, person) VALUES
    (6205, 'had:in_1', 1795261263227915, '{}', 'amy@example.com');
INSERT INTO provider_staged_names (run_id, name, identity) VALUES
    (6205, 'invoice:in_1', 'had:in_1');
INSERT INTO provider_messages (id, business_id, account_id, identity, kind, happened_at, received_at, body, state, outcome, applied_at, payment_id, lead_id, updated_at) VALUES
    (6203, 1001, 6201, 'evt_1', 'invoice.paid', 1795261263227915, 1795261263227915, '{}', 'done', 'The payment was known.', 1795261263227915, NULL, NULL, 1795261263227915);
INSERT INTO provider_mentions (account_id, text, role, message_id) VALUES
    (6201, 'invoice:in_1', 'names', 6203);
