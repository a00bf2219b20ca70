//! A right of a key: a resource, and reading or changing it. A key never holds more than the role of its holder.

use crate::users::{Right, Role};

/// A right of a key: a resource and reading or changing it.
pub const SCOPES: [(&str, &str); 12] = [
    ("events:write", "Send events: customers created, payments"),
    ("leads:read", "Read leads"),
    ("leads:write", "Create and change leads, qualify them"),
    ("referrers:read", "Read referrers and codes"),
    ("referrers:write", "Add and change referrers, generate codes"),
    ("campaigns:read", "Read campaigns, products and terms"),
    ("campaigns:write", "Make and change campaigns, products and terms"),
    ("money:read", "Read commissions and the ledger"),
    ("money:write", "Approve and void commissions, dispute payments"),
    ("payouts:read", "Read payouts, with payout details masked"),
    ("payouts:write", "Make, lock and settle payouts, set payout details"),
    ("audit:read", "Read the audit"),
];

/// True when a person of this role may give a key the scope. Events and leads are what integrations send.
fn may_give(role: Role, scope: &str) -> bool {
    use Right as R;
    let any: &[Right] = match scope {
        "events:write" | "leads:write" => &[R::EditLeads, R::Integrations],
        "leads:read" => &[R::SeeLeads],
        "referrers:read" => &[R::SeeReferrers],
        "referrers:write" => &[R::EditReferrers],
        "campaigns:read" => &[R::SeeCampaigns],
        "campaigns:write" => &[R::EditCampaigns],
        "money:read" => &[R::SeeMoney],
        "money:write" => &[R::DecideMoney],
        "payouts:read" | "payouts:write" => &[R::Pay],
        "audit:read" => &[R::Audit],
        _ => &[],
    };
    any.iter().any(|right| role.may(*right))
}

/// The scopes that a person of this role may give a key.
pub fn scopes_of(role: Role) -> impl Iterator<Item = (&'static str, &'static str)> {
    SCOPES.into_iter().filter(move |(scope, _)| may_give(role, scope))
}

/// The scopes among those stored that the role of the key's holder allows today.
pub fn within(scopes: &str, role: Role) -> String {
    scopes.split(' ').filter(|scope| may_give(role, scope)).collect::<Vec<_>>().join(" ")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_no_more_than_its_holder_s_role() {
        assert_eq!(within(&all_scopes(), Role::Owner), all_scopes());
        assert_eq!(within(&all_scopes(), Role::Marketing), all_scopes());
        let developer = "events:write leads:read leads:write referrers:read campaigns:read money:read audit:read";
        assert_eq!(within(&all_scopes(), Role::Developer), developer);
        assert_eq!(within(&all_scopes(), Role::Viewer), "leads:read referrers:read campaigns:read money:read");
        assert_eq!(within(&all_scopes(), Role::Sales), "referrers:read");
        assert_eq!(within("money:write leads:read", Role::Developer), "leads:read");
    }
}
