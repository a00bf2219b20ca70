//! The messages of payment providers, from the signature to the ledger.

mod codes;
mod fake;
mod history;
mod others;
mod performance;
mod shuffled;
mod stripe;
mod sync;
mod sync_odd;
mod why;

use refdesk::providers::Provider;
use refdesk::providers::accounts::Secrets;
use refdesk::providers::apply;
use refdesk::providers::connect::{self, Connected, Connection};
use refdesk::providers::store::LinkTerms;
use ring::hmac;
use serde_json::{Value as Json, json};

use crate::support::{Answer, TestApp, actor};

pub const SECRET: &str = "whsec_test_refdesk_0123456789abcdef";

/// 2026-06-18T12:00:00Z, two days before the tests' clock.
pub const THEN: i64 = 1_781_784_000;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn hmac_hex(algorithm: hmac::Algorithm, secret: &str, text: &str) -> String {
    hex(hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), text.as_bytes()).as_ref())
}

impl TestApp {
    /// Connects an account to the first campaign, live unless it says otherwise.
    pub async fn connect(&self, provider: Provider, secret: &str, test: bool, terms: Option<LinkTerms>) -> i64 {
        let connection = Connection {
            business_id: self.business.id,
            campaign_id: self.business.campaign_id,
            provider,
            test,
            account: "acct_1".into(),
            name: "Acme".into(),
            secrets: Secrets { key: None, messages: vec![secret.into()] },
            endpoint: String::new(),
            terms,
        };
        match connect::connect(&self.app, &actor(), connection).await.unwrap() {
            Connected::Done { account_id, .. } => account_id,
            other => panic!("{other:?}"),
        }
    }

    pub fn usual_terms(&self) -> LinkTerms {
        LinkTerms {
            product_id: self.business.product_row,
            qualify_on_code: true,
            unqualify_on_refund: false,
            with_tax: false,
            with_shipping: false,
        }
    }

    pub fn webhook(&self, provider: Provider) -> String {
        format!("/webhooks/{provider}/{}", self.business.public_id)
    }

    pub async fn deliver(&self, provider: Provider, body: &str, headers: &[(&str, &str)]) -> Answer {
        let path = self.webhook(provider);
        self.request("POST", &path, headers, body.as_bytes().to_vec()).await
    }

    /// Delivers an event of Stripe's, signed as Stripe signs it.
    pub async fn stripe(&self, event: &Json) -> Answer {
        let body = event.to_string();
        let header = signed(&body, SECRET, self.app.clock.now().seconds());
        self.deliver(Provider::Stripe, &body, &[("stripe-signature", &header)]).await
    }

    /// Delivers events, and applies them.
    pub async fn told(&self, events: &[Json]) {
        for event in events {
            self.stripe(event).await.is(200);
        }
        self.apply().await;
    }

    pub async fn apply(&self) {
        assert!(!apply::run(&self.app).await.unwrap(), "all is applied");
    }

    /// The outcomes of the messages, the oldest first.
    pub async fn outcomes(&self) -> Vec<(String, String, String)> {
        self.rows("SELECT kind, state, outcome FROM provider_messages ORDER BY id").await
    }

    pub async fn is_sound(&self) {
        let report = refdesk::check::check(&self.app.db).await.unwrap();
        assert!(report.ok, "{:#?}", report.findings);
    }
}

pub fn signed(body: &str, secret: &str, at: i64) -> String {
    format!("t={at},v1={}", hmac_hex(hmac::HMAC_SHA256, secret, &format!("{at}.{body}")))
}

/// An event of Stripe's live mode.
pub fn event(id: &str, kind: &str, created: i64, object: Json) -> Json {
    json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": created, "livemode": true,
        "type": kind, "data": { "object": object }, "pending_webhooks": 1,
    })
}

/// A one-off checkout of 119.00 with 19.00 of tax.
pub fn checkout(email: &str, code: Json) -> Json {
    json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid", "status": "complete",
        "amount_subtotal": 10000, "amount_total": 11900, "currency": "usd", "customer": "cus_1",
        "customer_details": { "email": email, "name": "Amy Pond" }, "payment_intent": "pi_1", "invoice": null,
        "subscription": null, "client_reference_id": null, "metadata": {},
        "total_details": { "amount_discount": 0, "amount_tax": 1900, "amount_shipping": 0 },
        "discounts": [{ "coupon": "co_1", "promotion_code": code }],
    })
}
