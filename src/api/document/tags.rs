//! The groups of calls: contracts, and the resources of each.

use serde_json::{Value as Json_, json};

use crate::api::dialect::Dialect;

/// A contract.
pub struct Contract {
    pub dialect: Dialect,
    pub name: &'static str,
    /// The prefix of its parts in the document.
    pub prefix: &'static str,
    /// The address of its page.
    pub path: &'static str,
    pub about: &'static str,
}

/// Our own first, then the others.
pub const CONTRACTS: [Contract; 4] = [
    Contract {
        dialect: Dialect::Own,
        name: "Refdesk",
        prefix: "Problem",
        path: "/docs",
        about: "Refdesk's own API: every resource, cursor pages, problems of RFC 9457.",
    },
    Contract {
        dialect: Dialect::Rn,
        name: "Refairn",
        prefix: "RefairnError",
        path: "/docs/refairn",
        about: "Events in the shape of Refairn's API: a program written for it works with host and key changed.",
    },
    Contract {
        dialect: Dialect::Cf,
        name: "Cashfin",
        prefix: "CashfinError",
        path: "/docs/cashfin",
        about: "Leads in the shape of Cashfin's API: a program written for it works with host and key changed.",
    },
    Contract {
        dialect: Dialect::Rf,
        name: "Referral Factory",
        prefix: "ReferralFactoryError",
        path: "/docs/referral-factory",
        about: "Users, qualification and campaigns in the shape of Referral Factory's API, v1 and v2 alike.",
    },
];

impl Contract {
    pub fn of(dialect: Dialect) -> &'static Self {
        CONTRACTS.iter().find(|contract| contract.dialect == dialect).unwrap_or(&CONTRACTS[0])
    }

    /// A group of the contract's calls; the contract's name keeps equal names apart.
    fn tag(&self, name: &str) -> String {
        if self.dialect == Dialect::Own { name.to_owned() } else { format!("{}: {name}", self.name) }
    }
}

/// Addresses that begin so are about this; the longest beginning counts.
const RESOURCES: [(Dialect, &str, &str, &str); 25] = [
    (Dialect::Own, "/v1/me", "Your key", "The key and its rights."),
    (Dialect::Own, "/v1/campaigns", "Campaigns", "Referral programmes, and when a referral counts in each."),
    (Dialect::Own, "/v1/products", "Products", "Products of a campaign, with every version of their terms."),
    (Dialect::Own, "/v1/referrers", "Referrers", "People who refer, the campaigns they are in and what they are owed."),
    (Dialect::Own, "/v1/codes", "Codes", "Codes, which referrers pass on and checkouts ask for."),
    (Dialect::Own, "/v1/referrers/codes", "Codes", "Codes, which referrers pass on and checkouts ask for."),
    (Dialect::Own, "/v1/jobs", "Codes", "Codes, which referrers pass on and checkouts ask for."),
    (Dialect::Own, "/v1/leads", "Leads", "People who were referred, or came by themselves."),
    (Dialect::Own, "/v1/qualifications", "Leads", "People who were referred, or came by themselves."),
    (Dialect::Own, "/v1/events", "Events", "Events about customers, sent by your backend, up to a thousand at a time."),
    (Dialect::Own, "/v1/touches", "Touches", "Evidence that links leads to referrers, and why it counts or not."),
    (
        Dialect::Own,
        "/v1/imports",
        "Imports",
        "Files of converted customers, leads or referrers, and the outcome of each row.",
    ),
    (Dialect::Own, "/v1/payments", "Payments", "Payments of customers, and the decision about each."),
    (Dialect::Own, "/v1/refunds", "Refunds", "Refunds of payments."),
    (Dialect::Own, "/v1/commissions", "Commissions", "Commissions of referrers, with their arithmetic."),
    (Dialect::Own, "/v1/ledger", "Ledger", "Every amount on a referrer's accounts; entries never change."),
    (
        Dialect::Own,
        "/v1/customer-rewards",
        "Customer rewards",
        "What referred customers get, and whether they have it.",
    ),
    (Dialect::Own, "/v1/adjustments", "Adjustments", "Bonuses and corrections beside what referrers earned."),
    (Dialect::Own, "/v1/inbox", "Inbox", "Things that need your decision."),
    (Dialect::Own, "/v1/audit", "Audit", "Every change: its actor, time and origin."),
    (Dialect::Own, "/v1/test-data", "Test data", "Data of test keys and test products, and their deletion."),
    (Dialect::Rn, "/api/events", "Events", "Events about customers, sent by your backend."),
    (Dialect::Cf, "/business/lead", "Leads", "The leads of the business."),
    (
        Dialect::Rf,
        "/api",
        "Users and campaigns",
        "Referrers and leads are both users; campaigns are what they belong to.",
    ),
    (Dialect::Rf, "/webhook", "Webhooks", "Qualifies a user without a key: the address is the secret."),
];

/// The group of a call: its name and what it is about.
pub fn of(dialect: Dialect, path: &str) -> (String, &'static str) {
    let contract = Contract::of(dialect);
    let mut found: Vec<_> =
        RESOURCES.iter().filter(|(d, begins, ..)| *d == dialect && path.starts_with(begins)).collect();
    found.sort_by_key(|(_, begins, ..)| begins.len());
    found.last().map_or_else(
        || (contract.tag("Other calls"), contract.about),
        |(_, _, name, about)| (contract.tag(name), *about),
    )
}

/// The document's list of groups, of those that have calls, and of the contracts they belong to.
pub fn listed(used: &[(Dialect, String, &'static str)]) -> (Vec<Json_>, Vec<Json_>) {
    let (mut tags, mut groups) = (Vec::new(), Vec::new());
    for contract in &CONTRACTS {
        let order =
            |name: &str| RESOURCES.iter().position(|(d, _, n, _)| *d == contract.dialect && contract.tag(n) == name);
        let mut own: Vec<_> = used.iter().filter(|(dialect, ..)| *dialect == contract.dialect).collect();
        own.sort_by_key(|(_, name, _)| order(name).unwrap_or(usize::MAX));
        own.dedup_by_key(|(_, name, _)| name.clone());
        if own.is_empty() {
            continue;
        }
        groups.push(json!({ "name": contract.name, "tags": own.iter().map(|(_, name, _)| name).collect::<Vec<_>>() }));
        tags.extend(own.iter().map(|(_, name, about)| json!({ "name": name, "description": about })));
    }
    (tags, groups)
}
