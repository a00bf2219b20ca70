//! A right of a key: a resource, and reading or changing it.

/// A right of a key: a resource and reading or changing it.
pub const SCOPES: [(&str, &str); 10] = [
    ("events:write", "Send events: customers created, payments"),
    ("leads:read", "Read leads"),
    ("leads:write", "Create and change leads, qualify them"),
    ("referrers:read", "Read referrers and codes"),
    ("referrers:write", "Add and change referrers, generate codes"),
    ("campaigns:read", "Read campaigns, products and terms"),
    ("campaigns:write", "Make and change campaigns, products and terms"),
    ("money:read", "Read commissions and the ledger"),
    ("money:write", "Approve and void commissions, dispute payments"),
    ("audit:read", "Read the audit"),
];

/// Every scope, as a key stores them.
pub fn all_scopes() -> String {
    SCOPES.map(|(scope, _)| scope).join(" ")
}

/// Scopes as they are stored, in words for people.
pub fn scopes_in_words(scopes: &str) -> String {
    let held: Vec<&str> = scopes.split(' ').collect();
    if SCOPES.iter().all(|(scope, _)| held.contains(scope)) {
        return "Everything".to_owned();
    }
    let words: Vec<&str> = SCOPES.iter().filter(|(scope, _)| held.contains(scope)).map(|(_, words)| *words).collect();
    words.join("; ")
}
