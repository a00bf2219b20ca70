//! First calls to try, with everything filled in, ready to paste.

use super::KeyLine;
use crate::clock::Day;
use crate::money::Money;
use crate::users::Role;

/// One call, under what it does.
pub struct Curl {
    pub what: &'static str,
    pub text: String,
}

/// The values of the example calls.
pub struct Ids<'i> {
    pub public_url: &'i str,
    pub business: &'i str,
    pub product: &'i str,
    pub campaign: i64,
    /// The amount, in the business's currency, and its day.
    pub paid: Money,
    pub today: Day,
    /// True for a test key, which changes no referrers.
    pub test: bool,
}

/// The calls a key with these scopes may make. `text` is the key itself or its placeholder.
pub fn ready(scopes: &str, text: &str, ids: &Ids<'_>) -> Vec<Curl> {
    let Ids { public_url, business, product, campaign, paid, today, test } = ids;
    let (amount, currency) = (paid.plain(), paid.currency);
    let may = |scope: &str| scopes.split(' ').any(|held| held == scope);
    let post = |path: &str, body: &str| {
        format!(
            "curl -X POST {public_url}{path} \\\n  -H \"Authorization: Bearer {text}\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'"
        )
    };
    let mut curls = Vec::new();
    let mut add = |what, text| curls.push(Curl { what, text });
    if may("events:write") && !product.is_empty() {
        add("A customer signed up", sign_up_curl(public_url, text, business, product));
        let body = format!(
            "{{\n    \"businessId\": \"{business}\",\n    \"productId\": \"{product}\",\n    \"customerEmail\": \"jane@example.com\",\n    \"amount\": {amount},\n    \"currency\": \"{currency}\",\n    \"subscriptionStatus\": \"active\",\n    \"paymentDate\": \"{today}\"\n  }}"
        );
        add("The customer paid", post("/api/events/payment-succeeded", &body));
    }
    if may("referrers:write") && !test {
        let body = format!(
            "{{\n    \"campaign_id\": {campaign},\n    \"first_name\": \"Jane\",\n    \"email\": \"jane@example.com\"\n  }}"
        );
        add("Add a referrer", post("/api/v2/users", &body));
    }
    curls
}

impl KeyLine {
    /// The scopes that it holds today.
    pub fn scopes_today(&self) -> String {
        match (self.held_by, self.holder_role.as_deref().and_then(Role::parse)) {
            (None, _) => self.scopes.clone(),
            (Some(_), None) => String::new(),
            (Some(_), Some(role)) => super::scopes::within(&self.scopes, role),
        }
    }

    /// The rights of the key, in words.
    pub fn scopes_in_words(&self) -> String {
        super::scopes_in_words(&self.scopes_today())
    }
}

/// A first call to try, ready to paste.
pub fn sign_up_curl(public_url: &str, key: &str, business: &str, product: &str) -> String {
    format!(
        "curl -X POST {public_url}/api/events/customer-created \\\n  -H \"Authorization: Bearer {key}\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\n    \"businessId\": \"{business}\",\n    \"productId\": \"{product}\",\n    \"customerEmail\": \"jane@example.com\",\n    \"customerName\": \"Jane Smith\"\n  }}'"
    )
}
