//! Connecting an account. Stripe's is looked up by its key, and shown before anything is stored; the others have one
//! secret and no key.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::campaign::{choices, find, read};
use crate::campaigns::Campaign;
use crate::id;
use crate::keyring::Keyring;
use crate::providers::Provider;
use crate::providers::accounts::Secrets;
use crate::providers::connect::{self as verbs, Connected, Connection};
use crate::providers::stripe::account::{self, Facts};
use crate::providers::stripe::client::Client;
use crate::providers::stripe::connect::{ByKey, by_key, webhook_url};
use crate::secrets;
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};

/// The rights that a restricted key of Stripe's needs, as Stripe names them, with what they are for.
const RIGHTS: [(&str, &str, &str); 11] = [
    ("rak_webhook_write", "Webhook endpoints: write", "to be told of payments"),
    ("rak_event_read", "Events: read", "to catch up on what was missed"),
    ("rak_checkout_session_read", "Checkout sessions: read", "to see what was bought"),
    ("rak_invoice_read", "Invoices: read", "to see renewals"),
    ("rak_charge_read", "Charges and refunds: read", "to take commissions back"),
    ("rak_payment_intent_read", "Payment intents: read", "to tie refunds to payments"),
    ("rak_dispute_read", "Disputes: read", "to hold disputed money"),
    ("rak_subscription_read", "Subscriptions: read", "to see when one ends"),
    ("rak_customer_read", "Customers: read", "to know who paid"),
    ("rak_coupon_write", "Coupons: write", "for the discount of referral codes"),
    ("rak_promotion_code_write", "Promotion codes: write", "for each referrer's code"),
];

/// The page at Stripe where a key with these rights is made.
fn key_page() -> String {
    let rights: Vec<String> =
        RIGHTS.iter().enumerate().map(|(n, (right, ..))| format!("permissions[{n}]={right}")).collect();
    format!("https://dashboard.stripe.com/apikeys/create?name=Refdesk&{}", rights.join("&"))
}

#[derive(Template)]
#[template(path = "providers/connect.html")]
struct ConnectPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    provider: Provider,
    products: Vec<Choice>,
    webhook: String,
    key_page: String,
}

impl ConnectPage {
    async fn of(page: &Page, form: Form, campaign: Campaign, provider: Provider) -> Result<Self, Fault> {
        Ok(Self {
            products: choices(page, campaign.id, form.value("product")).await?,
            webhook: webhook_url(&page.app.config.public_url, provider, &page.member.business_public_id),
            key_page: key_page(),
            frame: page.frame("campaign").await?,
            form,
            campaign,
            provider,
        })
    }

    fn rights(&self) -> [(&'static str, &'static str, &'static str); RIGHTS.len()] {
        RIGHTS
    }
}

fn provider(word: &str) -> Result<Provider, Fault> {
    Provider::parse(word).ok_or(Fault::NotFound)
}

pub(super) async fn ask(page: Page, Path((id, word)): Path<(i64, String)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let form = Form::filled(&[("qualify_on_code", "yes")]);
    html(&ConnectPage::of(&page, form, campaign, provider(&word)?).await?)
}

#[derive(Template)]
#[template(path = "providers/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    facts: Facts,
    test: bool,
    products: Vec<Choice>,
    webhook: String,
}

/// What a key is sealed for while it waits for a person's yes.
fn about(business_id: i64, campaign_id: i64) -> String {
    format!("stripe-key/{business_id}/{campaign_id}")
}

/// The first step for Stripe, the only one for the others.
pub(super) async fn look(page: Page, Path((id, word)): Path<(i64, String)>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let provider = provider(&word)?;
    if provider == Provider::Stripe {
        return look_at_stripe(page, campaign, form).await;
    }
    let products = choices(&page, id, form.value("product")).await?;
    let (label, _) = provider.secret();
    let secret = form.line("secret", &format!("The {}", label.to_lowercase()), 200);
    let test = secret.as_deref().and_then(|secret| provider.is_test_secret(secret));
    let test = test.unwrap_or_else(|| form.checked("test"));
    let terms = read(&mut form, &products);
    let (Some(secret), Some(terms), true) = (secret, terms, form.is_fine()) else {
        return again(&page, form, campaign, provider).await;
    };
    let connection = Connection {
        business_id: page.member.business_id,
        campaign_id: id,
        provider,
        test,
        // Two shops of one provider are told apart by their secrets.
        account: id::sha256_hex(&secret).chars().take(8).collect(),
        name: String::new(),
        secrets: Secrets { key: None, messages: vec![secret] },
        endpoint: String::new(),
        terms: Some(terms),
    };
    let actor = Arc::new(page.member.actor());
    match verbs::connect(&page.app, &actor, connection).await? {
        Connected::Done { .. } => {
            let said = format!("{} is connected. Its first message shows here when it comes.", provider.title());
            page.go(&format!("/campaigns/{id}/payments"), Flash::good(said)).await
        }
        Connected::NoCampaign => Err(Fault::NotFound),
        Connected::NoProduct => {
            form.fail("product", "This campaign has no such product. Add one first.");
            again(&page, form, campaign, provider).await
        }
        Connected::Refused(why) => {
            form.fail("", why);
            again(&page, form, campaign, provider).await
        }
    }
}

/// The form with its errors, without the secrets that were typed.
async fn again(page: &Page, mut form: Form, campaign: Campaign, provider: Provider) -> PageResult {
    form.set("secret", "");
    form.set("api_key", "");
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &ConnectPage::of(page, form, campaign, provider).await?)
}

async fn look_at_stripe(page: Page, campaign: Campaign, mut form: Form) -> PageResult {
    let key = form.line("api_key", "The key", 300);
    let test = key.as_deref().map(account::is_test_key);
    if let Some(Err(why)) = test {
        form.fail("api_key", format!("This {why}."));
    }
    let (Some(key), Some(Ok(test)), true) = (key, test, form.is_fine()) else {
        return again(&page, form, campaign, Provider::Stripe).await;
    };
    let sealing = match secrets::to_seal(&page.app).await? {
        Ok(sealing) => sealing,
        Err(lack) => {
            form.fail("", lack);
            return again(&page, form, campaign, Provider::Stripe).await;
        }
    };
    let facts = match account::look_up(&Client::new(&page.app.config.stripe_api, &key)).await {
        Ok(facts) => facts,
        Err(error) => {
            form.fail("api_key", error.to_string());
            return again(&page, form, campaign, Provider::Stripe).await;
        }
    };
    let sealed = sealing.seal(&about(page.member.business_id, campaign.id), &key).unwrap_or_default();
    let form = Form::filled(&[("sealed", &sealed), ("qualify_on_code", "yes")]);
    html(&confirm_page(&page, form, campaign, facts, test).await?)
}

async fn confirm_page(
    page: &Page,
    form: Form,
    campaign: Campaign,
    facts: Facts,
    test: bool,
) -> Result<ConfirmPage, Fault> {
    Ok(ConfirmPage {
        products: choices(page, campaign.id, form.value("product")).await?,
        webhook: webhook_url(&page.app.config.public_url, Provider::Stripe, &page.member.business_public_id),
        frame: page.frame("campaign").await?,
        form,
        campaign,
        facts,
        test,
    })
}

/// The second step for Stripe: the account was seen, and is connected.
pub(super) async fn confirm(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let keys = page.app.keyring.keys().map_err(Fault::Bad)?;
    let opened = Keyring::open(&keys, &about(page.member.business_id, id), form.value("sealed"));
    let Ok(key) = opened else {
        return page.go(&format!("/campaigns/{id}/payments/connect/stripe"), Flash::info("Paste the key again.")).await;
    };
    let products = choices(&page, id, form.value("product")).await?;
    let secret = form.optional_line("webhook_secret", "The signing secret", 200).unwrap_or_default();
    if !secret.is_empty() && !secret.starts_with("whsec_") {
        form.fail("webhook_secret", "A signing secret of Stripe's begins with whsec_.");
    }
    let terms = read(&mut form, &products);
    if let (Some(terms), true) = (terms, form.is_fine()) {
        let new = ByKey {
            business_id: page.member.business_id,
            business: page.member.business_public_id.clone(),
            campaign_id: id,
            key: key.clone(),
            webhook_secret: Some(secret).filter(|secret| !secret.is_empty()),
            terms: Some(terms),
        };
        let actor = Arc::new(page.member.actor());
        match by_key(&page.app, &actor, new).await? {
            Ok(_) => {
                let said = "Stripe is connected. Its first message shows here when it comes.";
                return page.go(&format!("/campaigns/{id}/payments"), Flash::good(said)).await;
            }
            Err(why) => form.fail("webhook_secret", why.to_string()),
        }
    }
    let facts = account::look_up(&Client::new(&page.app.config.stripe_api, &key)).await.unwrap_or_default();
    let test = account::is_test_key(&key).unwrap_or_default();
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &confirm_page(&page, form, campaign, facts, test).await?)
}
