-- What calls with an Idempotency-Key were answered, so that the same call again is told the same.
-- `status` is NULL while the first one is being worked on.
CREATE TABLE kept_answers (
    key_id BIGINT NOT NULL REFERENCES api_keys (id),
    text TEXT NOT NULL,
    -- SHA-256 over method, address and body.
    fingerprint TEXT NOT NULL,
    status BIGINT,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, text)
);
CREATE INDEX kept_answers_by_time ON kept_answers (begun_at);
