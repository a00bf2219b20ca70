-- The tables of both databases, by feature. Instants are microseconds since 1970 (UTC), days are YYYY-MM-DD
-- text in the business's time zone, money is minor units with an ISO 4217 code.
-- In the tables that events write, only the nearest parent is a foreign key: `refdesk check` proves the ids
-- of its own parents, which are copied beside it for an index. PostgreSQL has none of these keys (see
-- 0001_schema_postgres.sql).

-- IDS

-- The next id to be drawn: one sequence for every table, so that an id names one row of the whole database.
CREATE TABLE id_blocks (
    name TEXT NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO id_blocks (name, next) VALUES ('all', 1001);

-- BUSINESSES AND THEIR STAFF

-- The tenants; each owns its rows of every other table. `default_campaign_id` is added below, after `campaigns`.
CREATE TABLE businesses (
    id BIGINT PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    currency TEXT NOT NULL,
    country TEXT NOT NULL,
    -- The postal address in some lines, for what referrers get on paper.
    address TEXT NOT NULL DEFAULT '',
    -- True while anybody listens to messages: only then are they written.
    listens BOOLEAN NOT NULL DEFAULT false,
    -- The people who have to agree to a locked payout before it is paid.
    payout_approval TEXT NOT NULL DEFAULT 'none' CHECK (payout_approval IN ('none', 'owner', 'anyone')),
    -- Payout details that changed within these days before a payout are marked in it; 0 marks none.
    changed_details_days BIGINT NOT NULL DEFAULT 3 CHECK (changed_details_days BETWEEN 0 AND 90),
    -- JSON object, currency to minor units: an adjustment above it waits for a second person.
    adjustment_limit TEXT NOT NULL DEFAULT '{}'
);

-- The people who sign in.
CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    theme TEXT NOT NULL CHECK (theme IN ('auto', 'light', 'dark')),
    created_at BIGINT NOT NULL
);

-- The role of a user in a business.
CREATE TABLE memberships (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'marketing', 'sales', 'developer', 'viewer')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, business_id);

-- Links by which a person joins a business.
CREATE TABLE invitations (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'marketing', 'sales', 'developer', 'viewer')),
    token_hash TEXT NOT NULL UNIQUE,
    invited_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT CHECK (outcome IN ('accepted', 'withdrawn')),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX invitations_by_business ON invitations (business_id, created_at, id);

-- Browsers that are signed in; `user_id` is NULL before the sign-in.
CREATE TABLE sessions (
    id_hash TEXT NOT NULL PRIMARY KEY,
    user_id BIGINT REFERENCES users (id),
    data TEXT NOT NULL,
    ip TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, seen_at) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Texts that one browser gets back within an hour: a form whose session had ended, a page that answers a form.
-- `text` is encrypted with the token whose SHA-256 is `token_hash`.
CREATE TABLE kept_texts (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX kept_texts_by_user ON kept_texts (user_id, created_at);
CREATE INDEX kept_texts_by_time ON kept_texts (created_at);

-- Failed sign-ins per account and address, per address, per account, and per known browser; `blocked_until` grows
-- with each failure.
CREATE TABLE login_failures (
    key TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    -- A count of failures in a row, which ends with a success and not with time.
    lasting BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Browsers from which a person signed in before.
CREATE TABLE known_browsers (
    user_id BIGINT NOT NULL REFERENCES users (id),
    -- The SHA-256 of the cookie's text.
    token_hash TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_hash)
);

-- Lists as people like to see them: filters, order and columns under a name.
CREATE TABLE saved_views (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    list TEXT NOT NULL CHECK (list IN ('leads', 'referrers', 'codes', 'commissions')),
    name TEXT NOT NULL,
    -- The query of its address, without campaign and page.
    query TEXT NOT NULL,
    -- Everybody in the business sees it.
    shared BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX saved_views_by_list ON saved_views (business_id, list, id);
CREATE INDEX saved_views_by_user ON saved_views (user_id, id);

-- CAMPAIGNS AND PRODUCTS

-- The referral programmes of a business.
CREATE TABLE campaigns (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
    qualify_on TEXT NOT NULL CHECK (qualify_on IN ('hand', 'sign_up', 'payment')),
    -- JSON object, currency to minor units: the least first payment that qualifies; {} is any.
    qualify_least TEXT NOT NULL,
    -- Days after the lead in which that payment has to come; 0 for any time.
    qualify_days BIGINT NOT NULL DEFAULT 0 CHECK (qualify_days BETWEEN 0 AND 3650),
    -- JSON object, currency to minor units: what a qualification earns the referrer; {} is nothing.
    reward TEXT NOT NULL,
    reward_hold_days BIGINT NOT NULL CHECK (reward_hold_days BETWEEN 0 AND 3650),
    -- The customer's reward for a qualification: amounts as of the reward above, or the words of a voucher.
    customer_reward_kind TEXT NOT NULL DEFAULT 'none'
        CHECK (customer_reward_kind IN ('none', 'money', 'credit', 'voucher')),
    customer_reward TEXT NOT NULL DEFAULT '{}',
    customer_reward_text TEXT NOT NULL DEFAULT '',
    destination TEXT NOT NULL,
    -- Days for which a customer's browser keeps the code of a link.
    link_days BIGINT NOT NULL DEFAULT 90 CHECK (link_days BETWEEN 1 AND 400),
    -- The words in which a referrer is told their link and code; '' is the usual text.
    ready_text TEXT NOT NULL DEFAULT '',
    -- A line for customers: what they get by being referred; empty for none.
    offer TEXT NOT NULL,
    -- JSON object, currency to minor units: less than that is carried over to the next payout.
    payout_minimum TEXT NOT NULL DEFAULT '{}',
    -- The ways of paying that it offers, as words with spaces between them; '' is all.
    payout_methods TEXT NOT NULL DEFAULT '',
    -- The day of each month on which drafts are made by themselves, and the last month ("2026-11") it was done in.
    payout_day BIGINT CHECK (payout_day BETWEEN 1 AND 28),
    payout_month TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX campaigns_by_business ON campaigns (business_id, id);

-- The campaign of leads that name none; NULL only while the business is being set up.
ALTER TABLE businesses ADD COLUMN default_campaign_id BIGINT REFERENCES campaigns (id);

-- The first steps of a business that leave no other row.
CREATE TABLE first_steps (
    business_id BIGINT PRIMARY KEY REFERENCES businesses (id),
    -- Set when staff send, share or export a ready text, or say that the referrers know their codes.
    told_at BIGINT,
    -- The list of steps was hidden on Home.
    hidden_at BIGINT
);

-- The origins of a campaign's shop on whose pages the script was seen; a few, since strangers may add to them.
CREATE TABLE shop_visits (
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    origin TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, origin)
);

-- The goods and services that are sold under a campaign.
CREATE TABLE products (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX products_by_campaign ON products (campaign_id, id);
CREATE INDEX products_by_business ON products (business_id, id);

-- The versions of a product's commission terms. A row is never updated: a change is the next number.
CREATE TABLE terms (
    id BIGINT PRIMARY KEY,
    product_id BIGINT NOT NULL REFERENCES products (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    valid_from TEXT NOT NULL,
    -- Rates in ten-thousandths of a percent; NULL where the line is flat (JSON, currency to minor units).
    referral_rate BIGINT CHECK (referral_rate BETWEEN 0 AND 1000000),
    referral_flat TEXT,
    recurring_rate BIGINT CHECK (recurring_rate BETWEEN 0 AND 1000000),
    recurring_flat TEXT,
    recurring_limit TEXT NOT NULL CHECK (recurring_limit IN ('none', 'months', 'payments')),
    recurring_count BIGINT NOT NULL CHECK (recurring_count BETWEEN 0 AND 1200),
    hold_days BIGINT NOT NULL CHECK (hold_days BETWEEN 0 AND 3650),
    created_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    UNIQUE (product_id, number),
    CHECK ((referral_rate IS NULL) <> (referral_flat IS NULL)),
    CHECK ((recurring_rate IS NULL) <> (recurring_flat IS NULL))
);

-- KEYS AND CALLS

-- The keys of the APIs, by the hash of their text.
CREATE TABLE api_keys (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    name TEXT NOT NULL,
    -- The piece of its text that people tell it by.
    shown TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    test BOOLEAN NOT NULL,
    scopes TEXT NOT NULL,
    -- Addresses and networks it may be used from, with a space between them; empty is anywhere.
    networks TEXT NOT NULL,
    -- Calls it may make a minute; NULL is without a limit.
    per_minute BIGINT CHECK (per_minute > 0),
    created_by BIGINT REFERENCES users (id),
    -- The member whose role of today bounds it; NULL for a key of the command line.
    held_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    -- The key that took over from it.
    replaced_by BIGINT REFERENCES api_keys (id),
    last_used_at BIGINT
);
CREATE INDEX api_keys_by_business ON api_keys (business_id, created_at, id);

-- Keys that stand in the source of a web page. They look codes up and do nothing else, so their text is no
-- secret and is stored to be shown again.
CREATE TABLE publishable_keys (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    text TEXT NOT NULL UNIQUE,
    created_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX publishable_keys_by_business ON publishable_keys (business_id, created_at, id);

-- The web pages a publishable key may be used on, as a browser names them: https://shop.example
CREATE TABLE publishable_origins (
    key_id BIGINT NOT NULL REFERENCES publishable_keys (id),
    origin TEXT NOT NULL,
    PRIMARY KEY (key_id, origin)
);
CREATE INDEX publishable_origins_by_origin ON publishable_origins (origin, key_id);

-- The address that qualifies leads without a key, one for each campaign. Its secret is shown once and stored as a
-- hash, with its last characters.
CREATE TABLE webhook_tokens (
    campaign_id BIGINT PRIMARY KEY REFERENCES campaigns (id),
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    shown TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
);

-- The answers to calls with an Idempotency-Key and to forms, so that the same again gets the same answer.
-- A row begins with the first write of its call; `status` is NULL until the call is answered.
CREATE TABLE stored_answers (
    -- An API key, or the user who sent a form.
    key_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    -- SHA-256 over method, address and body.
    fingerprint TEXT NOT NULL,
    -- A line per write of the call, stored with the write.
    outcomes TEXT NOT NULL,
    -- The answer, once it was given.
    status BIGINT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, text)
);
CREATE INDEX stored_answers_by_time ON stored_answers (begun_at);

-- The last calls of every key, for the developers who make them: a log that is written once a second and
-- holds 30 days, and at most 1,000 calls of each key. It has no key's text, and no value of a query that may
-- be a secret. `key_id` names a key of either kind, so it is no foreign key.
CREATE TABLE calls (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    contract TEXT NOT NULL CHECK (contract IN ('rn', 'cf', 'rf', 'own')),
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    code TEXT,
    message TEXT,
    address TEXT NOT NULL,
    -- The text that the search box looks in, folded.
    search TEXT NOT NULL,
    -- Calls of the key before this one that came too fast to be logged.
    dropped BIGINT NOT NULL
);
CREATE INDEX calls_by_business ON calls (business_id, at, id);
CREATE INDEX calls_by_key ON calls (key_id, at, id);
CREATE INDEX calls_by_age ON calls (at, id);

-- REFERRERS AND THEIR CODES

-- The people who refer.
CREATE TABLE referrers (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    phone TEXT,
    phone_key TEXT,
    company TEXT,
    -- The id by which another program knows them.
    external_id TEXT,
    search TEXT NOT NULL,
    -- A JSON list of fields of other programs, each with its value.
    meta TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT
);
CREATE UNIQUE INDEX referrers_by_external_id ON referrers (business_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX referrers_by_email ON referrers (business_id, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX referrers_by_phone ON referrers (business_id, phone_key) WHERE phone_key IS NOT NULL;
-- The archived flag stands in the index, so that rows in front of a page are counted in it alone.
CREATE INDEX referrers_by_created ON referrers (business_id, created_at, id, archived_at);
-- Programs that keep a copy read changes in their order.
CREATE INDEX referrers_by_updated ON referrers (business_id, updated_at, id);

-- The words of a referrer's name, company, e-mail address and phone number: people are found by the
-- beginning of any of them, through the primary key.
CREATE TABLE referrer_words (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    word TEXT NOT NULL,
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    PRIMARY KEY (business_id, word, referrer_id)
);
CREATE INDEX referrer_words_by_referrer ON referrer_words (referrer_id);

-- A referrer in a campaign.
CREATE TABLE enrollments (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'banned')),
    -- Copied from the codes, so that "without a code" is an index and no anti-join.
    has_code BOOLEAN NOT NULL,
    name_fold TEXT NOT NULL,
    archived BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- The job that enrolled them with many others, whose one audit entry speaks of all.
    job_id BIGINT,
    -- Lists sort by these: copies of the counters, seconds old (see figures_queue). Money is of the business's
    -- currency; `last_lead_at` is 0 while there is none.
    leads BIGINT NOT NULL DEFAULT 0,
    qualified BIGINT NOT NULL DEFAULT 0,
    revenue BIGINT NOT NULL DEFAULT 0,
    earned BIGINT NOT NULL DEFAULT 0,
    last_lead_at BIGINT NOT NULL DEFAULT 0,
    UNIQUE (campaign_id, referrer_id)
);
CREATE INDEX enrollments_by_referrer ON enrollments (referrer_id, id);
CREATE INDEX enrollments_by_created ON enrollments (campaign_id, archived, created_at, id);
CREATE INDEX enrollments_by_name ON enrollments (campaign_id, archived, name_fold, id);
CREATE INDEX enrollments_by_state ON enrollments (campaign_id, archived, state, created_at, id);
CREATE INDEX enrollments_by_leads ON enrollments (campaign_id, archived, leads, id);
CREATE INDEX enrollments_by_qualified ON enrollments (campaign_id, archived, qualified, id);
CREATE INDEX enrollments_by_revenue ON enrollments (campaign_id, archived, revenue, id);
CREATE INDEX enrollments_by_earned ON enrollments (campaign_id, archived, earned, id);
CREATE INDEX enrollments_by_last_lead ON enrollments (campaign_id, archived, last_lead_at, id);
-- The state comes last so that those without a code are counted in the index alone.
CREATE INDEX enrollments_codeless ON enrollments (campaign_id, archived, has_code, created_at, id, state);

-- The texts that identify an enrollment.
CREATE TABLE codes (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    enrollment_id BIGINT NOT NULL REFERENCES enrollments (id),
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    text TEXT NOT NULL,
    lookup TEXT NOT NULL,
    -- The look-up form with look-alikes folded: a heard or misread code is found by it.
    repaired TEXT NOT NULL,
    -- The look-up form, folded as every searched text is.
    search TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('generated', 'custom')),
    state TEXT NOT NULL CHECK (state IN ('active', 'alias', 'retired')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- As in enrollments.
    clicks BIGINT NOT NULL DEFAULT 0,
    leads BIGINT NOT NULL DEFAULT 0,
    qualified BIGINT NOT NULL DEFAULT 0,
    revenue BIGINT NOT NULL DEFAULT 0,
    UNIQUE (business_id, lookup)
);
CREATE UNIQUE INDEX codes_one_active ON codes (enrollment_id) WHERE state = 'active';
CREATE INDEX codes_by_enrollment ON codes (enrollment_id, id);
CREATE INDEX codes_by_referrer ON codes (referrer_id, id);
CREATE INDEX codes_by_repaired ON codes (business_id, repaired);
CREATE INDEX codes_by_created ON codes (campaign_id, created_at, id);
CREATE INDEX codes_by_updated ON codes (campaign_id, updated_at, id);
-- A link names no business: its code is looked for among those of all.
CREATE INDEX codes_by_lookup ON codes (lookup);
CREATE INDEX codes_generated ON codes (repaired) WHERE kind = 'generated';
CREATE INDEX codes_by_state ON codes (campaign_id, state, created_at, id);
CREATE INDEX codes_by_text ON codes (campaign_id, lookup, id);
CREATE INDEX codes_by_clicks ON codes (campaign_id, clicks, id);
CREATE INDEX codes_by_leads ON codes (campaign_id, leads, id);
CREATE INDEX codes_by_qualified ON codes (campaign_id, qualified, id);
CREATE INDEX codes_by_revenue ON codes (campaign_id, revenue, id);

-- PAYOUT DETAILS

-- The keys that secrets are encrypted with, by the first bytes of their SHA-256. The keys themselves are in the
-- server's settings, or in the file beside a SQLite database.
CREATE TABLE secret_keys (
    id TEXT NOT NULL PRIMARY KEY,
    -- The key of what is stored from now on; another one is left until a rotation is done.
    current BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX secret_keys_current ON secret_keys (current) WHERE current;

-- The ways referrers are paid, in versions: payouts refer to the one they were made with. A change replaces the
-- version before it, and removing replaces it with nothing.
CREATE TABLE payout_details (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    method TEXT NOT NULL CHECK (method IN ('paypal', 'wise', 'bank', 'hand')),
    -- The details, encrypted for this business and referrer.
    sealed TEXT NOT NULL,
    -- The part that pages show.
    masked TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES secret_keys (id),
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'key', 'job', 'command')),
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL for the version that counts.
    replaced_at BIGINT
);
CREATE UNIQUE INDEX payout_details_current ON payout_details (referrer_id) WHERE replaced_at IS NULL;
CREATE INDEX payout_details_by_referrer ON payout_details (referrer_id, id);
CREATE INDEX payout_details_by_key ON payout_details (key_id, id);

-- LEADS

-- One person in one campaign, referred or prospective.
CREATE TABLE leads (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    test BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    phone TEXT,
    phone_key TEXT,
    company TEXT,
    jobtitle TEXT,
    industry TEXT,
    website TEXT,
    request TEXT,
    budget TEXT,
    country TEXT,
    region TEXT,
    address TEXT,
    source TEXT,
    source_origin TEXT NOT NULL CHECK (source_origin IN ('api', 'dashboard')),
    status TEXT NOT NULL CHECK (status IN ('new', 'contacted', 'qualified', 'converted', 'lost')),
    -- The status a qualification lifted, given back when it is undone.
    status_before TEXT CHECK (status_before IN ('new', 'contacted', 'qualified', 'converted', 'lost')),
    active BOOLEAN NOT NULL,
    duplicate_of BIGINT REFERENCES leads (id),
    qualified_at BIGINT,
    converted_at BIGINT,
    -- The kind of the attributed touch; NULL while the lead is unattributed.
    arrival TEXT CHECK (arrival IN ('code', 'link', 'verbal', 'upload', 'staff')),
    referrer_id BIGINT REFERENCES referrers (id),
    enrollment_id BIGINT REFERENCES enrollments (id),
    code_id BIGINT REFERENCES codes (id),
    -- A touch is written after its lead, so it is no foreign key.
    touch_id BIGINT,
    -- Set when the campaign's rule has qualified this lead, so that it never does so again.
    rule_fired BOOLEAN NOT NULL,
    recorded_by BIGINT REFERENCES users (id),
    -- As of a referrer.
    external_id TEXT,
    search TEXT NOT NULL,
    meta TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT
);
CREATE UNIQUE INDEX leads_by_external_id ON leads (campaign_id, test, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX leads_primary ON leads (campaign_id, test, email_key) WHERE duplicate_of IS NULL AND email_key IS NOT NULL;
CREATE INDEX leads_by_phone ON leads (campaign_id, test, phone_key) WHERE phone_key IS NOT NULL;
-- As `referrers_by_created`.
CREATE INDEX leads_by_created ON leads (campaign_id, test, created_at, id, archived_at);
CREATE INDEX leads_by_updated ON leads (campaign_id, test, updated_at, id);
CREATE INDEX leads_by_status ON leads (campaign_id, test, status, created_at, id);
CREATE INDEX leads_by_arrival ON leads (campaign_id, test, arrival, created_at, id);
CREATE INDEX leads_by_name ON leads (campaign_id, test, name_fold, id);
CREATE INDEX leads_by_qualified ON leads (campaign_id, test, created_at, id) WHERE qualified_at IS NOT NULL;
CREATE INDEX leads_pending ON leads (campaign_id, test, created_at, id) WHERE qualified_at IS NULL;
CREATE INDEX leads_unattributed ON leads (campaign_id, test, created_at, id) WHERE referrer_id IS NULL;
-- They are few: most leads come with an address.
CREATE INDEX leads_without_email ON leads (campaign_id, test, created_at, id) WHERE email_key IS NULL;
CREATE INDEX leads_archived ON leads (campaign_id, test, created_at, id) WHERE archived_at IS NOT NULL;
CREATE INDEX leads_by_referrer ON leads (referrer_id, created_at, id) WHERE referrer_id IS NOT NULL;
CREATE INDEX leads_by_recorder ON leads (recorded_by, created_at, id) WHERE recorded_by IS NOT NULL;
CREATE INDEX leads_duplicates ON leads (duplicate_of, id) WHERE duplicate_of IS NOT NULL;
-- Repeats by the address they came with: `leads_primary` has only the leads they repeat.
CREATE INDEX leads_repeats ON leads (campaign_id, test, email_key, id) WHERE duplicate_of IS NOT NULL AND email_key IS NOT NULL;
-- Lists of a business's leads by page number. A page far behind is found by reading one of these and nothing
-- else, so each carries all its filter asks (SQLite asks for `archived_at` again although the index has only
-- rows without it).
CREATE INDEX leads_listed ON leads (business_id, test, created_at, id, archived_at) WHERE archived_at IS NULL;
CREATE INDEX leads_listed_by_status ON leads (business_id, test, status, created_at, id, archived_at) WHERE archived_at IS NULL;
CREATE INDEX leads_listed_by_source ON leads (business_id, test, source, created_at, id, status, archived_at) WHERE archived_at IS NULL AND source IS NOT NULL;

-- Evidence that links a lead to a referrer.
CREATE TABLE touches (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    kind TEXT NOT NULL CHECK (kind IN ('click', 'code', 'verbal', 'event', 'import', 'staff')),
    code_id BIGINT REFERENCES codes (id),
    code_text TEXT,
    referrer_id BIGINT,
    enrollment_id BIGINT REFERENCES enrollments (id),
    -- Why this touch did not count when it arrived; NULL where it could.
    refused TEXT CHECK (refused IN ('unknown_code', 'unnamed', 'retired_code', 'other_campaign', 'paused', 'banned', 'archived', 'campaign_not_live', 'self_referral')),
    reason TEXT,
    user_id BIGINT REFERENCES users (id),
    at BIGINT NOT NULL
);
CREATE INDEX touches_by_lead ON touches (lead_id, at, id);
CREATE INDEX touches_by_time ON touches (business_id, at, id);
-- Also for the touches of a code: the codes of a referrer are few.
CREATE INDEX touches_by_referrer ON touches (referrer_id, at, id) WHERE referrer_id IS NOT NULL;

-- The customer-created events that were accepted: a second one is a duplicate of its row.
CREATE TABLE sign_ups (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    email_key TEXT NOT NULL,
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    at BIGINT NOT NULL,
    UNIQUE (product_id, test, email_key)
);
CREATE INDEX sign_ups_by_lead ON sign_ups (lead_id, id);

-- TAGS AND NOTES

-- The words by which staff group leads and referrers.
CREATE TABLE tags (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    -- The name, folded: two spellings are one tag.
    name_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (business_id, name_key)
);

-- `subject_id` is a lead or a referrer: an id names one row of the whole database.
CREATE TABLE tagged (
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    subject_id BIGINT NOT NULL,
    PRIMARY KEY (tag_id, subject_id)
);
CREATE INDEX tagged_by_subject ON tagged (subject_id, tag_id);

-- Texts of staff about a lead or a referrer. Rows are only ever added.
CREATE TABLE notes (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    subject_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX notes_by_subject ON notes (subject_id, id);

-- PAYMENTS

-- Money that customers paid: stored events.
CREATE TABLE payments (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    lead_id BIGINT REFERENCES leads (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    subscription_status TEXT NOT NULL CHECK (subscription_status IN ('active', 'trialing', 'past_due', 'cancelled')),
    payment_date TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    -- earned: a commission was decided; nothing: decided, no commission; waiting: not decided yet.
    decision TEXT NOT NULL CHECK (decision IN ('earned', 'nothing', 'waiting')),
    decision_why TEXT NOT NULL,
    repeats BIGINT NOT NULL CHECK (repeats >= 0),
    disputed_at BIGINT,
    -- The sum of its applied refunds.
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
    received_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX payments_by_person ON payments (campaign_id, test, email_key, payment_date, id);
CREATE INDEX payments_by_lead ON payments (lead_id, payment_date, id) WHERE lead_id IS NOT NULL;
CREATE INDEX payments_by_received ON payments (business_id, received_at, id);
CREATE INDEX payments_by_day ON payments (business_id, payment_date, id);
CREATE INDEX payments_by_updated ON payments (business_id, updated_at, id);
-- Disputed payments are few: lists of them, and the sums of what they hold, look at no others.
CREATE INDEX payments_disputed ON payments (business_id, received_at, id) WHERE disputed_at IS NOT NULL;

-- The names of payments (payment_names) are a table of each engine's own file.

-- The facts that tell the first payment of a lead for a product from the recurring ones.
CREATE TABLE purchases (
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    product_id BIGINT NOT NULL,
    -- The payment that took the referral rate, and its date; NULL until one was decided.
    first_payment_id BIGINT REFERENCES payments (id),
    first_payment_date TEXT,
    decided BIGINT NOT NULL CHECK (decided >= 0),
    subscription_status TEXT NOT NULL CHECK (subscription_status IN ('active', 'trialing', 'past_due', 'cancelled')),
    -- The day of the last payment and of the cancellation that stands. The later one says how the subscription
    -- is, in whatever order they arrive.
    paid_on TEXT,
    cancelled_on TEXT,
    PRIMARY KEY (lead_id, product_id)
);

-- Money that was given back: stored events. Only a parked one is written again, once, when its payment arrives.
CREATE TABLE refunds (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    payment_id BIGINT REFERENCES payments (id),
    -- The amount it was sent with, in ten-thousandths of the payment's currency unit; NULL is all that is left.
    asked BIGINT CHECK (asked > 0),
    -- The amount given back, below 0 for one that did not reach the customer; NULL while it is parked and when it was
    -- refused.
    amount BIGINT CHECK (amount <> 0),
    currency TEXT,
    refund_date TEXT NOT NULL,
    -- 'event:…'; without an id 'same:payment|date|amount' ('all' without an amount), or of one that was parked
    -- 'parked:name|date|amount'; one that brings the sum to what a provider says 'sum:id'.
    identity TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    -- parked: its payment is not known yet; refused: it did not fit its payment when that came.
    state TEXT NOT NULL CHECK (state IN ('parked', 'applied', 'refused')),
    why TEXT,
    received_at BIGINT NOT NULL,
    decided_at BIGINT,
    updated_at BIGINT NOT NULL,
    UNIQUE (business_id, test, identity),
    CHECK (state <> 'parked' OR payment_id IS NULL),
    CHECK ((state = 'parked') = (decided_at IS NULL)),
    CHECK ((state = 'applied') = (amount IS NOT NULL)),
    CHECK (state <> 'applied' OR (payment_id IS NOT NULL AND currency IS NOT NULL))
);
CREATE INDEX refunds_by_payment ON refunds (payment_id, id) WHERE payment_id IS NOT NULL;
-- Most businesses have none, and then no payment looks for one.
CREATE INDEX refunds_parked ON refunds (business_id) WHERE state = 'parked';
CREATE INDEX refunds_by_received ON refunds (business_id, received_at, id);
CREATE INDEX refunds_by_updated ON refunds (business_id, updated_at, id);

-- The names by which refunds named their payments: a parked one waits for a payment that has any of them.
CREATE TABLE refund_names (
    business_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    -- As in payment_names.
    name TEXT NOT NULL,
    refund_id BIGINT NOT NULL REFERENCES refunds (id),
    PRIMARY KEY (business_id, test, name, refund_id)
);
CREATE INDEX refund_names_by_refund ON refund_names (refund_id);

-- The subscription-cancelled events that were accepted: a second one is a duplicate of its row.
CREATE TABLE cancellations (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id),
    test BOOLEAN NOT NULL,
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    day TEXT NOT NULL,
    -- 'event:…' or 'date:product|email|date'.
    identity TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    UNIQUE (business_id, test, identity)
);
CREATE INDEX cancellations_by_lead ON cancellations (lead_id, id);

-- COMMISSIONS AND THE LEDGER

-- The earnings of a referrer by a payment, or by a qualification (a reward).
CREATE TABLE commissions (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('referral', 'recurring', 'reward')),
    product_id BIGINT,
    payment_id BIGINT REFERENCES payments (id),
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    referrer_id BIGINT NOT NULL,
    enrollment_id BIGINT NOT NULL REFERENCES enrollments (id),
    terms_id BIGINT REFERENCES terms (id),
    terms_number BIGINT,
    rate BIGINT,
    flat BIGINT,
    base_amount BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    hold_days BIGINT NOT NULL CHECK (hold_days >= 0),
    hold_until TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'paid', 'void')),
    -- The program's own cause of a void one.
    void_cause TEXT CHECK (void_cause IN ('refunded', 're-attributed', 'self-referral', 'unqualified', 'staff')),
    -- The words of a person.
    reason TEXT,
    -- Set when staff released the commission of a banned referrer.
    released BOOLEAN NOT NULL,
    -- Set when a paid one was taken back by a later entry.
    reversed_at BIGINT,
    -- The sum taken back after it was paid; `amount` stays what was paid.
    taken_back BIGINT NOT NULL DEFAULT 0 CHECK (taken_back BETWEEN 0 AND amount),
    -- The line of a locked payout that pays it. From then on its amount stands: corrections are adjustments.
    line_id BIGINT,
    created_at BIGINT NOT NULL,
    -- Grows with every change: a payout takes a commission only as it was reviewed.
    updated_at BIGINT NOT NULL,
    CHECK ((kind = 'reward') = (payment_id IS NULL)),
    CHECK (void_cause IS NULL OR state = 'void'),
    CHECK (line_id IS NULL OR (state IN ('approved', 'paid') AND NOT test)),
    CHECK (state <> 'paid' OR line_id IS NOT NULL)
);
CREATE UNIQUE INDEX commissions_once ON commissions (payment_id, referrer_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_one_reward ON commissions (lead_id) WHERE kind = 'reward' AND state <> 'void' AND reversed_at IS NULL;
CREATE INDEX commissions_by_lead ON commissions (lead_id, id);
CREATE INDEX commissions_by_created ON commissions (campaign_id, test, created_at, id);
CREATE INDEX commissions_by_amount ON commissions (campaign_id, test, state, amount, id);
CREATE INDEX commissions_by_updated ON commissions (campaign_id, test, updated_at, id);
CREATE INDEX commissions_by_state ON commissions (campaign_id, test, state, hold_until, id);
CREATE INDEX commissions_by_referrer ON commissions (referrer_id, created_at, id);
CREATE INDEX commissions_held ON commissions (referrer_id, currency, hold_until) WHERE state = 'pending';
CREATE INDEX commissions_due ON commissions (business_id, hold_until, id) WHERE state = 'pending';
CREATE INDEX commissions_payable ON commissions (business_id, currency, referrer_id, id)
    WHERE state = 'approved' AND line_id IS NULL;
CREATE INDEX commissions_by_line ON commissions (line_id, id) WHERE line_id IS NOT NULL;

-- Rewards of referred customers for being qualified, beside the referrer's: once per lead, as it was set then.
CREATE TABLE customer_rewards (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    lead_id BIGINT NOT NULL UNIQUE REFERENCES leads (id),
    kind TEXT NOT NULL CHECK (kind IN ('money', 'credit', 'voucher')),
    -- Minor units; NULL for a voucher, which has words.
    amount BIGINT CHECK (amount > 0),
    currency TEXT,
    words TEXT,
    hold_until TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'given', 'void', 'reversed')),
    -- The program's own cause of a void or reversed one, or 'staff'.
    void_cause TEXT CHECK (void_cause IN ('unqualified', 'not referred', 'staff')),
    -- The words of a person.
    reason TEXT,
    given_at BIGINT,
    given_by TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((kind = 'voucher') = (amount IS NULL)),
    CHECK ((amount IS NULL) = (currency IS NULL)),
    CHECK ((kind = 'voucher') = (words IS NOT NULL)),
    CHECK ((state IN ('void', 'reversed')) = (void_cause IS NOT NULL)),
    CHECK ((state IN ('given', 'reversed')) = (given_at IS NOT NULL))
);
CREATE INDEX customer_rewards_by_state ON customer_rewards (campaign_id, test, state, created_at, id);
CREATE INDEX customer_rewards_due ON customer_rewards (campaign_id, test, hold_until, id) WHERE state = 'due';
CREATE INDEX customer_rewards_by_business ON customer_rewards (business_id, test, created_at, id);
CREATE INDEX customer_rewards_by_updated ON customer_rewards (business_id, test, updated_at, id);

-- Corrections of what a referrer is owed, beside what they earned: what was taken back of a commission that a
-- payout had taken, and what staff gave or took by hand.
CREATE TABLE adjustments (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    referrer_id BIGINT NOT NULL,
    enrollment_id BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('claw back', 'bonus', 'correction')),
    -- pending: a second person has to approve it; only a posted one is on the ledger.
    state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'refused', 'withdrawn')),
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount <> 0),
    -- The commission that is taken back.
    commission_id BIGINT,
    -- The words of a person.
    reason TEXT,
    -- NULL where an event of the engine made it.
    made_by TEXT,
    -- The user, or the holder of the key; so is the second person.
    made_by_id BIGINT,
    decided_by TEXT,
    decided_by_id BIGINT,
    -- Why it was refused.
    note TEXT,
    -- As of a commission.
    line_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((kind = 'claw back') = (commission_id IS NOT NULL)),
    CHECK (kind <> 'claw back' OR amount < 0),
    CHECK (kind <> 'bonus' OR amount > 0),
    CHECK ((kind = 'claw back') = (made_by IS NULL)),
    CHECK (line_id IS NULL OR state = 'posted'),
    CHECK (state = 'pending' OR state = 'posted' OR decided_by IS NOT NULL),
    CHECK (state = 'withdrawn' OR decided_by_id IS NULL OR decided_by_id <> made_by_id)
);
CREATE INDEX adjustments_payable ON adjustments (business_id, currency, referrer_id, id)
    WHERE state = 'posted' AND line_id IS NULL;
CREATE INDEX adjustments_by_business ON adjustments (business_id, created_at, id);
CREATE INDEX adjustments_by_updated ON adjustments (business_id, updated_at, id);
CREATE INDEX adjustments_pending ON adjustments (business_id, created_at, id) WHERE state = 'pending';
CREATE INDEX adjustments_by_referrer ON adjustments (referrer_id, created_at, id);
CREATE INDEX adjustments_by_commission ON adjustments (commission_id, id) WHERE commission_id IS NOT NULL;
CREATE INDEX adjustments_by_line ON adjustments (line_id, id) WHERE line_id IS NOT NULL;

-- Signed amounts on a referrer's accounts. Rows are only ever added.
CREATE TABLE ledger_entries (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    currency TEXT NOT NULL,
    account TEXT NOT NULL CHECK (account IN ('held', 'due', 'paying', 'paid')),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    kind TEXT NOT NULL CHECK (kind IN ('created', 'approved', 'voided', 'restored', 'refunded', 'clawed back', 'disputed', 'dispute ended',
        'adjusted', 'locked', 'unlocked', 'paid', 'failed', 'returned')),
    commission_id BIGINT REFERENCES commissions (id),
    -- An entry that takes a commission back names both.
    adjustment_id BIGINT REFERENCES adjustments (id),
    -- The line of the payout that moved it.
    line_id BIGINT,
    day TEXT NOT NULL,
    at BIGINT NOT NULL,
    CHECK (commission_id IS NOT NULL OR adjustment_id IS NOT NULL),
    CHECK ((kind IN ('locked', 'unlocked', 'paid', 'failed', 'returned')) = (line_id IS NOT NULL))
);
-- Has all that the sums of a statement and of a balance need, so that they are read from it alone.
CREATE INDEX ledger_by_referrer ON ledger_entries (referrer_id, currency, day, id, account, amount, kind);
CREATE INDEX ledger_by_commission ON ledger_entries (commission_id, id) WHERE commission_id IS NOT NULL;
CREATE INDEX ledger_by_adjustment ON ledger_entries (adjustment_id, id) WHERE adjustment_id IS NOT NULL;
CREATE INDEX ledger_by_line ON ledger_entries (line_id, id) WHERE line_id IS NOT NULL;

-- PAYOUTS

-- Batches of balances in one currency and by one method.
CREATE TABLE payouts (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    -- NULL pays what is due of every campaign.
    campaign_id BIGINT REFERENCES campaigns (id),
    -- Counted up in its business.
    number BIGINT NOT NULL,
    currency TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('paypal', 'wise', 'bank', 'hand')),
    -- The kind of file it is made for: a line that cannot be in one is left out.
    format TEXT NOT NULL CHECK (format IN ('paypal', 'wise', 'sepa', 'csv', 'xlsx')),
    state TEXT NOT NULL CHECK (state IN ('building', 'draft', 'locking', 'locked', 'unlocking', 'approved', 'closed', 'dropped')),
    -- How a draft came back from being locked: a person's name and what changed.
    note TEXT,
    -- The lines that are in, and their sum.
    lines BIGINT NOT NULL DEFAULT 0 CHECK (lines >= 0),
    amount BIGINT NOT NULL DEFAULT 0 CHECK (amount >= 0),
    -- Tells what was reviewed from what is there now.
    fingerprint TEXT NOT NULL DEFAULT '',
    made_by TEXT NOT NULL,
    -- The user or key.
    made_by_id BIGINT,
    locked_by TEXT,
    locked_by_id BIGINT,
    -- The name and the time zone of the business at the lock, as files have them.
    payer TEXT,
    timezone TEXT,
    approved_by TEXT,
    approved_by_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    built_at BIGINT,
    locked_at BIGINT,
    approved_at BIGINT,
    -- When its file was first made.
    file_at BIGINT,
    closed_at BIGINT,
    UNIQUE (business_id, number)
);
CREATE INDEX payouts_by_created ON payouts (business_id, created_at, id);
CREATE INDEX payouts_by_updated ON payouts (business_id, updated_at, id);

-- The settings of a kind of payout file, in versions: a locked payout refers to those its files are made by. A version
-- goes when it neither counts nor is referred to.
CREATE TABLE payout_settings (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    format TEXT NOT NULL CHECK (format IN ('paypal', 'wise', 'sepa', 'csv', 'xlsx')),
    -- JSON object, without the part that is encrypted.
    settings TEXT NOT NULL,
    -- The account that pays, or the recipients saved at Wise, encrypted for this business and format.
    sealed TEXT,
    -- The part of it that pages show.
    masked TEXT,
    key_id TEXT REFERENCES secret_keys (id),
    created_at BIGINT NOT NULL,
    CHECK ((sealed IS NULL) = (key_id IS NULL)),
    CHECK ((sealed IS NULL) = (masked IS NULL)),
    CHECK (format <> 'sepa' OR sealed IS NOT NULL)
);
CREATE INDEX payout_settings_by_business ON payout_settings (business_id, id);
CREATE INDEX payout_settings_by_key ON payout_settings (key_id, id) WHERE key_id IS NOT NULL;

-- The choices of a business for a kind of payout file, and for reading the reports about it.
CREATE TABLE payout_formats (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    format TEXT NOT NULL CHECK (format IN ('paypal', 'wise', 'sepa', 'csv', 'xlsx')),
    -- The version that counts; NULL while nobody made any.
    settings_id BIGINT REFERENCES payout_settings (id),
    -- JSON object.
    reading TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, format)
);

-- The settings that the files of a locked payout are made by, whatever counts later.
CREATE TABLE payout_frozen (
    payout_id BIGINT NOT NULL REFERENCES payouts (id),
    format TEXT NOT NULL CHECK (format IN ('paypal', 'wise', 'sepa', 'csv', 'xlsx')),
    settings_id BIGINT NOT NULL REFERENCES payout_settings (id),
    PRIMARY KEY (payout_id, format)
);
CREATE INDEX payout_frozen_by_settings ON payout_frozen (settings_id);

-- Reports that were uploaded and not applied yet: encrypted, as they hold accounts.
CREATE TABLE payout_reports (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    payout_id BIGINT NOT NULL REFERENCES payouts (id),
    file_name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    -- JSON object: the meaning of its columns, where somebody chose it.
    reading TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX payout_reports_by_payout ON payout_reports (payout_id, id);
CREATE INDEX payout_reports_by_age ON payout_reports (business_id, created_at);

-- A referrer in a payout: in it, or left out with the reason.
CREATE TABLE payout_lines (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    payout_id BIGINT NOT NULL REFERENCES payouts (id),
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    -- Their name and address as the draft found them: files are made from these.
    name TEXT NOT NULL,
    email TEXT,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    -- Commissions and adjustments that the amount is the sum of.
    items BIGINT NOT NULL CHECK (items >= 0),
    -- A digest of them: a line is locked only as it was reviewed.
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('out', 'in', 'locked', 'paid', 'failed', 'returned')),
    out_reason TEXT CHECK (out_reason IN ('below the minimum', 'no details', 'banned', 'disputed', 'negative balance', 'nothing is left', 'other method',
        'not offered by the campaign', 'by hand', 'cannot be sent')),
    -- The minimum that it is below.
    minimum BIGINT,
    -- The day since which the oldest part of it is due.
    since TEXT,
    -- The version of the payout details by which it is paid, and its masked form.
    details_id BIGINT,
    details TEXT,
    -- Set when the details were changed shortly before.
    details_changed_at BIGINT,
    -- The end of the last payment to them, if it failed or came back: how, when and why.
    failed_state TEXT CHECK (failed_state IN ('failed', 'returned')),
    failed_day TEXT,
    failed_reason TEXT,
    -- The words for one that failed, was returned, or cannot be sent.
    reason TEXT,
    -- The reference of the bank or provider.
    reference TEXT,
    -- The day it was paid, failed or returned.
    day TEXT,
    updated_at BIGINT NOT NULL,
    UNIQUE (payout_id, referrer_id),
    CHECK ((state = 'out') = (out_reason IS NOT NULL)),
    CHECK (state = 'out' OR amount > 0)
);
CREATE INDEX payout_lines_by_payout ON payout_lines (payout_id, id);
CREATE INDEX payout_lines_by_state ON payout_lines (payout_id, state, id);
CREATE INDEX payout_lines_by_amount ON payout_lines (payout_id, amount, id);
CREATE INDEX payout_lines_by_referrer ON payout_lines (referrer_id, id);

-- PAYMENT PROVIDERS

-- The accounts at payment providers whose messages say what customers paid. One that is disconnected stays for its
-- history.
CREATE TABLE provider_accounts (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    provider TEXT NOT NULL CHECK (provider IN ('stripe', 'paystack', 'flutterwave', 'paddle', 'lemonsqueezy')),
    test BOOLEAN NOT NULL,
    -- The provider's id of the account; '' where it did not say.
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON object of the API key and the secrets of messages, encrypted for this business, provider and account.
    sealed TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES secret_keys (id),
    -- The end of the API key, for pages; '' without one.
    masked TEXT NOT NULL,
    -- The provider's id of the endpoint that Refdesk made for its messages; '' for one made by hand.
    endpoint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disconnected_at BIGINT,
    -- The time up to which the provider was asked for what its messages did not bring, and why that failed last.
    caught_up_at BIGINT,
    trouble TEXT,
    -- The last message that was turned away, and why.
    refused_at BIGINT,
    refused_why TEXT,
    UNIQUE (business_id, provider, test, account)
);
CREATE INDEX provider_accounts_by_key ON provider_accounts (key_id, id);

-- The campaigns that an account is for. Payments that name no campaign are of the oldest row's.
CREATE TABLE provider_campaigns (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    account_id BIGINT NOT NULL REFERENCES provider_accounts (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    -- The product that payments are for.
    product_id BIGINT NOT NULL REFERENCES products (id),
    -- A lead is qualified as soon as a code of the campaign is used.
    qualify_on_code BOOLEAN NOT NULL,
    -- A payment that is wholly refunded takes the qualification back.
    unqualify_on_refund BOOLEAN NOT NULL,
    -- Commissions are computed from amounts that include these.
    with_tax BOOLEAN NOT NULL,
    with_shipping BOOLEAN NOT NULL,
    -- The provider's id of the coupon of the campaign's codes; '' for no codes there. Its discount in words.
    coupon TEXT NOT NULL DEFAULT '',
    coupon_words TEXT NOT NULL DEFAULT '',
    -- JSON object: the rules under which codes may be used, and a digest of them with the coupon.
    rules TEXT NOT NULL DEFAULT '{}',
    digest TEXT NOT NULL DEFAULT '',
    keeps_renamed BOOLEAN NOT NULL DEFAULT false,
    -- The provider's customers become referrers by themselves: the next time, NULL for never. Those who were made
    -- there before synced_until were looked at.
    sync_next_at BIGINT,
    synced_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, campaign_id)
);
CREATE INDEX provider_campaigns_by_campaign ON provider_campaigns (campaign_id, account_id);
CREATE INDEX provider_campaigns_synced ON provider_campaigns (sync_next_at) WHERE sync_next_at IS NOT NULL;

-- Fetching from a provider in the background: its customers as referrers, or the payments of a past period.
CREATE TABLE provider_runs (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    account_id BIGINT NOT NULL REFERENCES provider_accounts (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    kind TEXT NOT NULL CHECK (kind IN ('customers', 'history')),
    -- checking: things are fetched, and what would become of them is noted; checked: it waits for a person;
    -- running: they are applied.
    state TEXT NOT NULL CHECK (state IN ('checking', 'checked', 'running', 'done', 'discarded')),
    -- It waits for a person before anything is applied.
    asks BOOLEAN NOT NULL,
    -- It was begun by the schedule.
    daily BOOLEAN NOT NULL,
    -- Only what was made at the provider since then; NULL for everything.
    since BIGINT,
    job_id BIGINT,
    -- JSON objects: the place from which it goes on, and what was counted so far.
    cursor TEXT NOT NULL,
    counts TEXT NOT NULL,
    -- Why it stopped, and when it goes on by itself; NULL for when a person says so.
    stopped TEXT,
    again_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX provider_runs_by_campaign ON provider_runs (campaign_id, account_id, kind, created_at, id);
CREATE INDEX provider_runs_again ON provider_runs (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX provider_runs_by_state ON provider_runs (state, updated_at);

-- The customers that a run fetched, with what became of each.
CREATE TABLE provider_customers (
    run_id BIGINT NOT NULL REFERENCES provider_runs (id),
    -- Its place in the provider's list.
    n BIGINT NOT NULL,
    -- The provider's id.
    customer TEXT NOT NULL,
    name TEXT NOT NULL,
    -- As the provider has it; '' without one.
    email TEXT NOT NULL,
    -- '' for one that is none.
    email_key TEXT NOT NULL,
    phone TEXT NOT NULL,
    -- new, joins: becomes a referrer, or is one and joins the campaign; known: is in the campaign, or was archived;
    -- same: has the e-mail address of another customer of the run.
    fate TEXT NOT NULL CHECK (fate IN ('new', 'joins', 'known', 'same', 'no_email', 'invalid')),
    why TEXT NOT NULL,
    referrer_id BIGINT,
    PRIMARY KEY (run_id, n),
    UNIQUE (run_id, customer)
);
CREATE INDEX provider_customers_by_email ON provider_customers (run_id, email_key);
CREATE INDEX provider_customers_by_fate ON provider_customers (run_id, fate, n);

-- The objects of a past period that a run fetched, each as the event that would have brought it, until they are stored
-- as messages.
CREATE TABLE provider_staged (
    run_id BIGINT NOT NULL REFERENCES provider_runs (id),
    -- The identity that its message will have.
    identity TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- The person who paid; '' for what belongs to the payment of another row.
    person TEXT NOT NULL,
    PRIMARY KEY (run_id, identity)
);
CREATE INDEX provider_staged_in_order ON provider_staged (run_id, happened_at, identity);
CREATE INDEX provider_staged_by_person ON provider_staged (run_id, person);

-- The names of the payments that they are about.
CREATE TABLE provider_staged_names (
    run_id BIGINT NOT NULL REFERENCES provider_runs (id),
    name TEXT NOT NULL,
    identity TEXT NOT NULL,
    PRIMARY KEY (run_id, name, identity)
);
CREATE INDEX provider_staged_names_by_identity ON provider_staged_names (run_id, identity);

-- The codes of referrers as a provider has them: each code once for each set of rules.
CREATE TABLE provider_codes (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    account_id BIGINT NOT NULL REFERENCES provider_accounts (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    code_id BIGINT NOT NULL REFERENCES codes (id),
    text TEXT NOT NULL,
    -- The digest of the rules and the coupon that it was made with.
    digest TEXT NOT NULL,
    -- The provider's id; '' until it is made.
    promotion TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'made', 'refused', 'ending', 'ended')),
    -- Why it was refused, or not made yet.
    why TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, code_id, digest)
);
CREATE INDEX provider_codes_by_code ON provider_codes (code_id);
CREATE INDEX provider_codes_by_promotion ON provider_codes (account_id, promotion);
CREATE INDEX provider_codes_by_state ON provider_codes (account_id, campaign_id, state, next_at);

-- The messages of payment providers, as they came. Only what became of one is written again.
CREATE TABLE provider_messages (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    account_id BIGINT NOT NULL REFERENCES provider_accounts (id),
    -- The provider's id of the event, or a digest of the body where it gives none: a repeat is not stored.
    identity TEXT NOT NULL,
    -- The provider's word for what happened.
    kind TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    -- new: to be applied; waiting: for a message that says more; ignored: it says nothing that counts here;
    -- failed: a person has to look.
    state TEXT NOT NULL CHECK (state IN ('new', 'done', 'waiting', 'ignored', 'failed')),
    -- Its outcome, as a sentence; '' while it is new.
    outcome TEXT NOT NULL,
    applied_at BIGINT,
    payment_id BIGINT,
    lead_id BIGINT,
    -- The business's code that it says was used.
    code_id BIGINT,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, identity)
);
CREATE INDEX provider_messages_new ON provider_messages (id) WHERE state = 'new';
CREATE INDEX provider_messages_waiting ON provider_messages (account_id, id) WHERE state = 'waiting';
CREATE INDEX provider_messages_failed ON provider_messages (business_id, id) WHERE state = 'failed';
CREATE INDEX provider_messages_by_account ON provider_messages (account_id, id);
CREATE INDEX provider_messages_by_business ON provider_messages (business_id, id);
-- The uses of a code are counted in the index alone.
CREATE INDEX provider_messages_by_code ON provider_messages (code_id, id, account_id, payment_id) WHERE code_id IS NOT NULL;

-- The ids in a message. Two messages that name the same payment are about one payment; one that says what an id is
-- (whose customer, which code) explains it to others; a waiting one waits for an id.
CREATE TABLE provider_mentions (
    account_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('names', 'explains', 'awaits')),
    message_id BIGINT NOT NULL REFERENCES provider_messages (id),
    PRIMARY KEY (account_id, text, role, message_id)
);
CREATE INDEX provider_mentions_awaited ON provider_mentions (account_id, text) WHERE role = 'awaits';
CREATE INDEX provider_mentions_by_message ON provider_mentions (message_id, role);

-- LINKS TO ANSWERS

-- Links by which somebody without an account reads why one thing is as it is.
CREATE TABLE trace_links (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('commission', 'lead', 'payout_line', 'balance')),
    -- The referrer of a balance, whose currency is the other half.
    subject_id BIGINT NOT NULL,
    subject_currency TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((subject_kind = 'balance') = (subject_currency IS NOT NULL))
);
CREATE INDEX trace_links_by_subject ON trace_links (subject_id, id);

-- THE INBOX

-- Arrivals that could not simply be applied and wait for a person.
CREATE TABLE inbox_items (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    kind TEXT NOT NULL CHECK (kind IN ('unknown_code', 'unnamed', 'retired_code', 'other_campaign', 'paused', 'banned', 'archived', 'campaign_not_live',
        'self_referral', 'late_claim', 'second_payment', 'older_payments', 'no_flat_amount', 'refund_unfit',
        'reward_in_doubt')),
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'dismissed')),
    -- One item per cause: a repeat counts up instead of adding a row.
    cause TEXT NOT NULL,
    times BIGINT NOT NULL CHECK (times >= 1),
    detail TEXT NOT NULL,
    lead_id BIGINT REFERENCES leads (id),
    payment_id BIGINT REFERENCES payments (id),
    referrer_id BIGINT REFERENCES referrers (id),
    touch_id BIGINT REFERENCES touches (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by BIGINT REFERENCES users (id),
    outcome TEXT,
    UNIQUE (business_id, cause),
    CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX inbox_open ON inbox_items (business_id, created_at, id) WHERE state = 'open';
CREATE INDEX inbox_by_state ON inbox_items (business_id, state, created_at, id);
CREATE INDEX inbox_by_updated ON inbox_items (business_id, updated_at, id);
CREATE INDEX inbox_by_lead ON inbox_items (lead_id, id) WHERE lead_id IS NOT NULL;
-- Before a test payment or touch is deleted, the foreign keys look for the items that name it.
CREATE INDEX inbox_by_payment ON inbox_items (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX inbox_by_touch ON inbox_items (touch_id) WHERE touch_id IS NOT NULL;

-- JOBS AND IMPORTS

-- Work in the background; each feature names its own kinds.
CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- While a job with this key runs or waits, asking for it again joins it.
    join_key TEXT NOT NULL,
    input TEXT NOT NULL,
    cursor TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    result TEXT NOT NULL,
    -- The fencing number of the worker that has it, and from when on another one may take it.
    claim BIGINT,
    claimed_until BIGINT NOT NULL,
    -- The number of claims since its last progress.
    attempts BIGINT NOT NULL,
    error TEXT,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'key', 'job', 'command')),
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL))
);
CREATE UNIQUE INDEX jobs_one_running ON jobs (business_id, join_key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_waiting ON jobs (claimed_until, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_business ON jobs (business_id, created_at, id);

-- Tasks that come round: the node that moves `next_at` on runs the task.
CREATE TABLE schedule (
    task TEXT NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL
);

-- Uploaded files.
CREATE TABLE imports (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    kind TEXT NOT NULL CHECK (kind IN ('referrers', 'leads', 'qualifications')),
    state TEXT NOT NULL CHECK (state IN ('loading', 'staged', 'checking', 'checked', 'running', 'done', 'discarded')),
    file_name TEXT NOT NULL,
    encoding TEXT NOT NULL,
    delimiter TEXT NOT NULL,
    has_header BOOLEAN NOT NULL,
    -- JSON arrays: a label for each column, and the field each one is (null where none is known).
    columns TEXT NOT NULL,
    mapping TEXT NOT NULL,
    options TEXT NOT NULL,
    rows_total BIGINT NOT NULL,
    -- JSON object, outcome to number of rows: what the dry run said, then what the run did.
    counts TEXT NOT NULL,
    job_id BIGINT REFERENCES jobs (id),
    created_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX imports_by_business ON imports (business_id, created_at, id);
CREATE INDEX imports_by_updated ON imports (business_id, updated_at, id);
CREATE INDEX imports_left_behind ON imports (state, created_at, id) WHERE state IN ('loading', 'discarded');

-- The rows of an uploaded file, and what became of each.
CREATE TABLE import_rows (
    import_id BIGINT NOT NULL REFERENCES imports (id),
    line BIGINT NOT NULL,
    cells TEXT NOT NULL,
    -- Why the file's reader could not read the row.
    fault TEXT,
    -- The result of the dry run, then that of the run.
    outcome TEXT CHECK (outcome IN ('new', 'updated', 'already', 'duplicate', 'unknown_code', 'unknown', 'invalid')),
    field TEXT,
    reason TEXT,
    -- The person and the own code that the row brought; NULL where it was not accepted. A later row with the
    -- same is a repeat.
    person TEXT,
    code_key TEXT,
    lead_id BIGINT,
    referrer_id BIGINT,
    PRIMARY KEY (import_id, line)
);
CREATE INDEX import_rows_by_outcome ON import_rows (import_id, outcome, line);
CREATE INDEX import_rows_by_person ON import_rows (import_id, person, line) WHERE person IS NOT NULL;
CREATE INDEX import_rows_by_code ON import_rows (import_id, code_key, line) WHERE code_key IS NOT NULL;
CREATE INDEX import_rows_by_lead ON import_rows (lead_id) WHERE lead_id IS NOT NULL;

-- AUDIT, SEALS, MESSAGES AND FIGURES

-- Every change of state, with its actor and reason; each feature names its own actions and subjects.
CREATE TABLE audit_entries (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'key', 'job', 'command')),
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    -- The name as it is searched.
    actor_fold TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BIGINT,
    lead_id BIGINT,
    referrer_id BIGINT,
    before TEXT,
    after TEXT,
    reason TEXT
);
CREATE INDEX audit_by_time ON audit_entries (business_id, at, id);
CREATE INDEX audit_by_lead ON audit_entries (lead_id, at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX audit_by_referrer ON audit_entries (referrer_id, at, id) WHERE referrer_id IS NOT NULL;

-- The digests of the ledger and audit entries of one transaction, and its position in the chain of seals,
-- which a task gives it later. An entry that no row lists was not written by the program.
CREATE TABLE seals (
    -- The id of the first of its entries.
    first_id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    chain TEXT NOT NULL CHECK (chain IN ('ledger', 'audit', 'terms')),
    -- Their ids in order, with commas.
    entries TEXT NOT NULL,
    -- 32 hexadecimal digits for each; NULL for entries that were loaded in bulk, until they are sealed.
    digests TEXT,
    position BIGINT,
    seal TEXT,
    CHECK ((position IS NULL) = (seal IS NULL)),
    CHECK (seal IS NULL OR digests IS NOT NULL)
);
CREATE INDEX seals_waiting ON seals (business_id, chain, first_id) WHERE position IS NULL;
CREATE UNIQUE INDEX seals_by_position ON seals (business_id, chain, position) WHERE position IS NOT NULL;

-- The last seal of each chain, so that a row missing at its end is noticed too.
CREATE TABLE chains (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL CHECK (name IN ('ledger', 'audit', 'terms')),
    position BIGINT NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (business_id, name)
);

-- Messages for the outside, in the order of their ids; a row is deleted when it has been delivered.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    payload TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Sums that are written with the rows they count. A slot per writer lane, so that two writers never wait for
-- one another; read as a sum. `day` is '' for the running total, which comes first of its scope.
CREATE TABLE counters (
    scope_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    slot BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (scope_id, day, name, slot)
);

-- Codes and enrollments whose counters have changed since they were copied to where lists sort by them; a
-- business stands for all of its own.
CREATE TABLE figures_queue (
    scope_id BIGINT NOT NULL,
    -- As in counters: no writer waits for another.
    slot BIGINT NOT NULL,
    -- Drawn anew at each change, so that a change while the counters are being copied stays in the queue.
    stamp BIGINT NOT NULL,
    PRIMARY KEY (scope_id, slot)
);

-- SEARCH
-- `scope` says whose rows they are: four times the id of the campaign (the business, for referrers), plus
-- 0 for leads, 1 for test leads, 2 for referrers, 3 for codes.

-- Rows that wait to be indexed.
CREATE TABLE search_queue (
    scope BIGINT NOT NULL,
    id BIGINT NOT NULL,
    -- Drawn anew at each change, so that a change while the row is being indexed keeps it in the queue.
    stamp BIGINT NOT NULL,
    PRIMARY KEY (scope, id)
);

-- Indexed rows, up to 65,536 each. A segment never changes; small ones are merged into larger ones.
CREATE TABLE search_segments (
    id BIGINT PRIMARY KEY,
    scope BIGINT NOT NULL,
    size BIGINT NOT NULL,
    -- Set when it was merged into another; searches that began before still read it for a while.
    gone_at BIGINT,
    -- When the first, the 257th, the 513th … and the last of its rows were made.
    marks TEXT NOT NULL,
    -- The ids of its rows, in the order in which they were made.
    docs TEXT NOT NULL
);
CREATE INDEX search_segments_live ON search_segments (scope, id) WHERE gone_at IS NULL;
CREATE INDEX search_segments_gone ON search_segments (gone_at, id) WHERE gone_at IS NOT NULL;

-- The words of indexed rows, by the keys that words have in common which differ by a letter or sound alike; `=` and
-- the word itself is the key of a word that is complete.
CREATE TABLE search_words (
    scope BIGINT NOT NULL,
    key TEXT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (scope, key, word)
);

-- Three characters each, from `gram` up to the next block of the segment, with the rows that have them.
CREATE TABLE search_blocks (
    segment_id BIGINT NOT NULL,
    gram BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (segment_id, gram)
);
