-- Keys that stand in the source of a web page: they look codes up and do nothing else, so their text is no
-- secret and is kept to be shown again.
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

-- The pages a key may be used on, as a browser names them: https://shop.example
CREATE TABLE publishable_origins (
    key_id BIGINT NOT NULL REFERENCES publishable_keys (id),
    origin TEXT NOT NULL,
    PRIMARY KEY (key_id, origin)
);
CREATE INDEX publishable_origins_by_origin ON publishable_origins (origin, key_id);
