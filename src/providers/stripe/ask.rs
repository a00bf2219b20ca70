//! Asks Stripe for what its messages did not say: whose a customer is, which code a discount was given for, and which
//! invoice a refund's payment belongs to. The answers are stored as messages, so everything else finds them there. Each
//! id is asked for once.

use serde_json::{Value as Json, json};

use super::client::{ApiError, Client};
use super::discount;
use crate::core::Core;
use crate::db::{DbResult, Terms, Tx};
use crate::providers::accounts::{self, Account};
use crate::providers::provider::Provider;
use crate::providers::receive::message_of;
use crate::providers::store::asked::{self as store, Open};
use crate::providers::store::messages::{self, NewMessage};
use crate::providers::store::{self as accounts_store};

/// Questions of one run, for each account.
const MOST: i64 = 50;

/// True when an account with a key has something to ask.
pub async fn is_due(core: &Core) -> DbResult<bool> {
    store::any(&mut core.db.read().await?).await
}

/// One run of the scheduled task; what is left is due again.
pub async fn run(core: &Core) -> DbResult<bool> {
    let accounts = accounts::connected(&mut core.db.read().await?, Provider::Stripe).await?;
    for account in accounts {
        let Ok(client) = discount::client(core, &account) else { continue };
        let open = store::open(&mut core.db.read().await?, account.row.id, MOST).await?;
        for question in open {
            if core.stop.is_cancelled() {
                return Ok(false);
            }
            match answer(&client, &question).await {
                Ok(answers) => keep(core, &account, &question, &answers).await?,
                // The same would happen to the others.
                Err(error @ (ApiError::Unreachable(_) | ApiError::BadKey(_) | ApiError::NoRight { .. })) => {
                    let why = error.to_string();
                    tracing::warn!(account = account.row.id, why, "Stripe was not asked for what is not known");
                    // The next look for what was missed takes it back, if that works.
                    core.db.write(vec![], (account.row.id, None, Some(why)), accounts_store::caught_up).await?;
                    break;
                }
                // There is no such thing, or the key may not see it: it is not asked for again.
                Err(error) => {
                    tracing::info!(account = account.row.id, id = question.text, %error, "Stripe does not say");
                    keep(core, &account, &question, &[]).await?;
                }
            }
        }
    }
    Ok(false)
}

/// Stores an answer. Whatever waited for it is applied again, also where the answer does not say what was asked.
async fn insert_answer(tx: &mut Tx, (message, asked): &(NewMessage, String)) -> DbResult<()> {
    messages::insert(tx, message).await?;
    messages::wake(tx, message.account_id, std::slice::from_ref(asked)).await?;
    Ok(())
}

/// What Stripe answers, each as the kind of event that would have said it, with its object.
pub(super) async fn answer(client: &Client, open: &Open) -> Result<Vec<(&'static str, Json)>, ApiError> {
    let text = open.text.as_str();
    if text.starts_with("promo_") {
        let code = client.get(&format!("/v1/promotion_codes/{text}"), &[]).await?;
        return Ok(vec![("promotion_code.updated", code)]);
    }
    if text.starts_with("cus_") {
        return Ok(vec![("customer.updated", client.get(&format!("/v1/customers/{text}"), &[]).await?)]);
    }
    if let (true, Some(invoice)) = (text.starts_with("di_"), open.invoice()) {
        let query = [("expand[0]", "discounts"), ("expand[1]", "payments")];
        let found = client.get(&format!("/v1/invoices/{invoice}"), &query).await?;
        return Ok(vec![("invoice.paid", found)]);
    }
    if let Some(intent) = text.strip_prefix("intent:") {
        let query = [("payment[type]", "payment_intent"), ("payment[payment_intent]", intent)];
        let found = client.get("/v1/invoice_payments", &query).await?;
        let all = found.get("data").and_then(Json::as_array).cloned().unwrap_or_default();
        return Ok(all.into_iter().map(|one| ("invoice_payment.paid", one)).collect());
    }
    Ok(Vec::new())
}

/// Stores the answers as messages. Without one, a message that is ignored remembers that it was asked.
pub(super) async fn keep(core: &Core, account: &Account, open: &Open, answers: &[(&str, Json)]) -> DbResult<()> {
    let none = [("refdesk.asked", json!({}))];
    let answers = if answers.is_empty() { &none[..] } else { answers };
    for (n, (kind, object)) in answers.iter().enumerate() {
        let id = if n == 0 { format!("asked:{}", open.text) } else { format!("asked:{}:{n}", open.text) };
        let event = json!({
            "id": id, "object": "event", "type": kind, "created": core.clock.now().seconds(),
            "livemode": !account.row.test, "data": { "object": object },
        });
        match message_of(core, account, &event.to_string()) {
            Ok(message) => {
                core.db.write_on(Terms::of(vec![]).ids(1), (message, open.text.clone()), insert_answer).await?;
            }
            Err(why) => tracing::warn!(account = account.row.id, why, "an answer of Stripe's cannot be read"),
        }
    }
    Ok(())
}
