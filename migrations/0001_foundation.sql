-- Portable for SQLite and PostgreSQL. Instants are microseconds since 1970 (UTC), dates are
-- YYYY-MM-DD text in the business's zone, money is minor units plus an ISO 4217 code.
-- One sequence of ids serves every table, so an id names one row in the whole database.
--
-- In the tables that events write, only the nearest parent is a foreign key; the ids of its own parents
-- that are copied beside it for an index are proved by `refdesk check`. Each key is a look-up per row, and
-- on PostgreSQL a lock on a parent that every writer shares: they were a third of an event's cost there.

CREATE TABLE id_blocks (
    name TEXT NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO id_blocks (name, next) VALUES ('all', 1001);

CREATE TABLE businesses (
    id BIGINT PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    currency TEXT NOT NULL,
    country TEXT NOT NULL,
    default_campaign_id BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    theme TEXT NOT NULL CHECK (theme IN ('auto', 'light', 'dark')),
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'marketing', 'sales', 'developer', 'viewer')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (business_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, business_id);

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
    outcome TEXT CHECK (outcome IN ('accepted', 'withdrawn'))
);
CREATE INDEX invitations_by_business ON invitations (business_id, created_at, id);

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

-- Failed sign-ins per account and per address; `blocked_until` grows with each failure.
CREATE TABLE login_failures (
    key TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE campaigns (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
    qualify_on TEXT NOT NULL CHECK (qualify_on IN ('hand', 'sign_up', 'payment')),
    -- JSON object, currency to minor units: the least first payment that qualifies; {} is any.
    qualify_least TEXT NOT NULL,
    -- JSON object, currency to minor units: what a qualification earns the referrer; {} is nothing.
    reward TEXT NOT NULL,
    reward_hold_days BIGINT NOT NULL CHECK (reward_hold_days BETWEEN 0 AND 3650),
    destination TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX campaigns_by_business ON campaigns (business_id, id);

CREATE TABLE api_keys (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    name TEXT NOT NULL,
    shown TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    test BOOLEAN NOT NULL,
    scopes TEXT NOT NULL,
    created_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_by_business ON api_keys (business_id, created_at, id);

CREATE TABLE products (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX products_by_campaign ON products (campaign_id, id);
CREATE INDEX products_by_business ON products (business_id, id);

-- Never updated: a change of terms is a new row with the next number.
CREATE TABLE terms (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
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
    search TEXT NOT NULL,
    meta TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT
);
CREATE UNIQUE INDEX referrers_by_email ON referrers (business_id, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX referrers_by_phone ON referrers (business_id, phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX referrers_by_created ON referrers (business_id, created_at, id);

-- The words of a referrer's name, company, e-mail address and phone number: people are found by the
-- beginning of any of them, through the key.
CREATE TABLE referrer_words (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    word TEXT NOT NULL,
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    PRIMARY KEY (business_id, word, referrer_id)
);
CREATE INDEX referrer_words_by_referrer ON referrer_words (referrer_id);

CREATE TABLE enrollments (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'banned')),
    -- Kept beside the codes so that "without a code" is an index, not an anti-join.
    has_code BOOLEAN NOT NULL,
    name_fold TEXT NOT NULL,
    archived BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (campaign_id, referrer_id)
);
CREATE INDEX enrollments_by_referrer ON enrollments (referrer_id, id);
CREATE INDEX enrollments_by_created ON enrollments (campaign_id, archived, created_at, id);
CREATE INDEX enrollments_by_name ON enrollments (campaign_id, archived, name_fold, id);
CREATE INDEX enrollments_by_state ON enrollments (campaign_id, archived, state, created_at, id);
-- The state comes last so that who is without a code is counted in the index alone.
CREATE INDEX enrollments_codeless ON enrollments (campaign_id, archived, has_code, created_at, id, state);

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
    kind TEXT NOT NULL CHECK (kind IN ('generated', 'custom')),
    state TEXT NOT NULL CHECK (state IN ('active', 'alias', 'retired')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (business_id, lookup)
);
CREATE UNIQUE INDEX codes_one_active ON codes (enrollment_id) WHERE state = 'active';
CREATE INDEX codes_by_enrollment ON codes (enrollment_id, id);
CREATE INDEX codes_by_referrer ON codes (referrer_id, id);
CREATE INDEX codes_by_repaired ON codes (business_id, repaired);
CREATE INDEX codes_by_created ON codes (campaign_id, created_at, id);
-- A link names no business: whose code it carries is found among all of them.
CREATE INDEX codes_by_lookup ON codes (lookup);
CREATE INDEX codes_generated ON codes (repaired) WHERE kind = 'generated';
CREATE INDEX codes_by_state ON codes (campaign_id, state, created_at, id);
CREATE INDEX codes_by_text ON codes (campaign_id, lookup, id);

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
    source_origin TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'contacted', 'qualified', 'converted', 'lost')),
    -- The status a qualification lifted, given back when it is undone.
    status_before TEXT,
    active BOOLEAN NOT NULL,
    duplicate_of BIGINT REFERENCES leads (id),
    qualified_at BIGINT,
    converted_at BIGINT,
    -- How the attributed touch came about: code, link, verbal, import, staff, event; NULL while unattributed.
    arrival TEXT,
    referrer_id BIGINT REFERENCES referrers (id),
    enrollment_id BIGINT REFERENCES enrollments (id),
    code_id BIGINT REFERENCES codes (id),
    touch_id BIGINT,
    -- Set when the campaign's rule has qualified this lead, so that it never does so again.
    rule_fired BOOLEAN NOT NULL,
    recorded_by BIGINT REFERENCES users (id),
    search TEXT NOT NULL,
    meta TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT
);
CREATE UNIQUE INDEX leads_primary ON leads (campaign_id, test, email_key) WHERE duplicate_of IS NULL AND email_key IS NOT NULL;
CREATE INDEX leads_by_phone ON leads (campaign_id, test, phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX leads_by_created ON leads (campaign_id, test, created_at, id);
CREATE INDEX leads_by_status ON leads (campaign_id, test, status, created_at, id);
CREATE INDEX leads_by_arrival ON leads (campaign_id, test, arrival, created_at, id);
CREATE INDEX leads_by_name ON leads (campaign_id, test, name_fold, id);
CREATE INDEX leads_by_qualified ON leads (campaign_id, test, created_at, id) WHERE qualified_at IS NOT NULL;
CREATE INDEX leads_pending ON leads (campaign_id, test, created_at, id) WHERE qualified_at IS NULL;
CREATE INDEX leads_unattributed ON leads (campaign_id, test, created_at, id) WHERE referrer_id IS NULL;
CREATE INDEX leads_archived ON leads (campaign_id, test, created_at, id) WHERE archived_at IS NOT NULL;
CREATE INDEX leads_by_referrer ON leads (referrer_id, created_at, id) WHERE referrer_id IS NOT NULL;
CREATE INDEX leads_by_recorder ON leads (recorded_by, created_at, id) WHERE recorded_by IS NOT NULL;
CREATE INDEX leads_duplicates ON leads (duplicate_of, id) WHERE duplicate_of IS NOT NULL;

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
    refused TEXT,
    reason TEXT,
    user_id BIGINT REFERENCES users (id),
    at BIGINT NOT NULL
);
CREATE INDEX touches_by_lead ON touches (lead_id, at, id);

-- The customer-created events that were accepted: what makes a second one a duplicate.
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
    subscription_status TEXT NOT NULL,
    payment_date TEXT NOT NULL,
    -- 'event:…', 'invoice:…', 'key:…', 'date:product|email|date' or 'inbox:…'.
    identity TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    -- earned: a commission was decided; nothing: decided, no commission; waiting: not decided yet.
    decision TEXT NOT NULL CHECK (decision IN ('earned', 'nothing', 'waiting')),
    decision_why TEXT NOT NULL,
    repeats BIGINT NOT NULL,
    disputed_at BIGINT,
    received_at BIGINT NOT NULL,
    UNIQUE (business_id, test, identity)
);
CREATE INDEX payments_by_person ON payments (campaign_id, test, email_key, payment_date, id);
CREATE INDEX payments_by_lead ON payments (lead_id, payment_date, id) WHERE lead_id IS NOT NULL;
CREATE INDEX payments_by_received ON payments (business_id, received_at, id);

-- What is remembered per lead and product to tell the first payment from the recurring ones.
CREATE TABLE purchases (
    lead_id BIGINT NOT NULL REFERENCES leads (id),
    product_id BIGINT NOT NULL,
    -- The payment that took the referral rate, and its date; NULL until one was decided.
    first_payment_id BIGINT REFERENCES payments (id),
    first_payment_date TEXT,
    decided BIGINT NOT NULL,
    subscription_status TEXT NOT NULL,
    PRIMARY KEY (lead_id, product_id)
);

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
    hold_days BIGINT NOT NULL,
    hold_until TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'paid', 'void')),
    reason TEXT,
    -- Set when a banned referrer's commission was released by hand.
    released BOOLEAN NOT NULL,
    -- Set when a paid one was taken back by a later entry.
    reversed_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((kind = 'reward') = (payment_id IS NULL))
);
CREATE UNIQUE INDEX commissions_once ON commissions (payment_id, referrer_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_one_reward ON commissions (lead_id) WHERE kind = 'reward' AND state <> 'void' AND reversed_at IS NULL;
CREATE INDEX commissions_by_lead ON commissions (lead_id, id);
CREATE INDEX commissions_by_created ON commissions (campaign_id, test, created_at, id);
CREATE INDEX commissions_by_state ON commissions (campaign_id, test, state, hold_until, id);
CREATE INDEX commissions_by_referrer ON commissions (referrer_id, created_at, id);
CREATE INDEX commissions_due ON commissions (business_id, hold_until, id) WHERE state = 'pending';

-- Append-only: only the two seal columns are ever written again, once.
CREATE TABLE ledger_entries (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    referrer_id BIGINT NOT NULL REFERENCES referrers (id),
    currency TEXT NOT NULL,
    account TEXT NOT NULL CHECK (account IN ('held', 'due', 'paid')),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    kind TEXT NOT NULL,
    commission_id BIGINT REFERENCES commissions (id),
    day TEXT NOT NULL,
    at BIGINT NOT NULL,
    seal_position BIGINT,
    seal TEXT
);
CREATE INDEX ledger_by_referrer ON ledger_entries (referrer_id, currency, id);
CREATE INDEX ledger_by_commission ON ledger_entries (commission_id, id) WHERE commission_id IS NOT NULL;
CREATE INDEX ledger_unsealed ON ledger_entries (business_id, id) WHERE seal_position IS NULL;
CREATE UNIQUE INDEX ledger_sealed ON ledger_entries (business_id, seal_position) WHERE seal_position IS NOT NULL;

CREATE TABLE inbox_items (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'dismissed')),
    -- One item per cause: a repeat counts up instead of adding a row.
    cause TEXT NOT NULL,
    times BIGINT NOT NULL,
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
    UNIQUE (business_id, cause)
);
CREATE INDEX inbox_open ON inbox_items (business_id, created_at, id) WHERE state = 'open';
CREATE INDEX inbox_by_state ON inbox_items (business_id, state, created_at, id);
CREATE INDEX inbox_by_lead ON inbox_items (lead_id, id) WHERE lead_id IS NOT NULL;

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
    reason TEXT,
    seal_position BIGINT,
    seal TEXT
);
CREATE INDEX audit_by_time ON audit_entries (business_id, at, id);
CREATE INDEX audit_by_lead ON audit_entries (lead_id, at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX audit_by_referrer ON audit_entries (referrer_id, at, id) WHERE referrer_id IS NOT NULL;
CREATE INDEX audit_unsealed ON audit_entries (business_id, id) WHERE seal_position IS NULL;
CREATE UNIQUE INDEX audit_sealed ON audit_entries (business_id, seal_position) WHERE seal_position IS NOT NULL;

-- What the outside may be told; rows leave when they have been handed on.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL,
    test BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    payload TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX outbox_by_time ON outbox (at, id);

-- Sums kept with the rows they count. A slot per writer lane, so that two writers never wait
-- for one another; read as a sum. `day` is '' for the running total, which comes first of its scope.
CREATE TABLE counters (
    scope_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    slot BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (scope_id, day, name, slot)
);

CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- While a job with this key is not over, asking for it again joins it.
    join_key TEXT NOT NULL,
    input TEXT NOT NULL,
    cursor TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    result TEXT NOT NULL,
    -- The fencing number of the worker that has it, and from when on another one may take it.
    claim BIGINT,
    claimed_until BIGINT NOT NULL,
    -- Times it was taken up since it last got on.
    attempts BIGINT NOT NULL,
    error TEXT,
    actor_kind TEXT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE UNIQUE INDEX jobs_one_running ON jobs (business_id, join_key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_waiting ON jobs (claimed_until, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_by_business ON jobs (business_id, created_at, id);

-- Work that comes round: whoever moves `next_at` on has the turn.
CREATE TABLE schedule (
    task TEXT NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL
);

-- The last link of each chain of seals, so that a row missing at its end is noticed too.
CREATE TABLE chains (
    business_id BIGINT NOT NULL REFERENCES businesses (id),
    name TEXT NOT NULL CHECK (name IN ('ledger', 'audit')),
    position BIGINT NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (business_id, name)
);

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
    -- JSON arrays: a label for each column, and the field each one is (null where nobody knows).
    columns TEXT NOT NULL,
    mapping TEXT NOT NULL,
    options TEXT NOT NULL,
    rows_total BIGINT NOT NULL,
    -- JSON object, outcome to number of rows: what the dry run said, then what the run did.
    counts TEXT NOT NULL,
    job_id BIGINT REFERENCES jobs (id),
    created_by BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX imports_by_business ON imports (business_id, created_at, id);
CREATE INDEX imports_left_behind ON imports (state, created_at, id) WHERE state IN ('loading', 'discarded');

CREATE TABLE import_rows (
    import_id BIGINT NOT NULL REFERENCES imports (id),
    line BIGINT NOT NULL,
    cells TEXT NOT NULL,
    -- Why the file's reader could make nothing of the row.
    fault TEXT,
    -- What the dry run said of it, then what the run did: new, updated, already, duplicate, unknown_code,
    -- unknown, invalid.
    outcome TEXT,
    field TEXT,
    reason TEXT,
    -- Whom, and which own code, the row brought; NULL where it was not accepted. A later row of the
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
