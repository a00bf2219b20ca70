//! The discount that a campaign's codes give at Stripe, and the rules for using them.

use std::sync::Arc;

use serde_json::json;

use super::client::{ApiError, Client};
use super::coupon::{self, Coupon, NewCoupon};
use super::rules::Rules;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::id;
use crate::providers::accounts::{Account, Secrets};
use crate::providers::store::{self, Discount};

/// The coupon that codes are to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The one they have.
    Kept,
    /// One that is at Stripe.
    Chosen(String),
    New(NewCoupon),
}

/// The client of an account's key.
///
/// # Errors
/// A sentence: the account was connected without a key, or its secrets cannot be read.
pub fn client(core: &Core, account: &Account) -> Result<Client, String> {
    let secrets = core.keyring.keys().and_then(|keys| Secrets::open(&keys, &account.row))?;
    let lacking = || "The account is connected without a key: connect it again with one.".to_owned();
    let key = secrets.key.ok_or_else(lacking)?;
    Ok(Client::new(&core.config.stripe_api, &key))
}

/// Sets the discount and the rules of a campaign's codes. Codes that were made under others are replaced.
///
/// # Errors
/// A sentence: what Stripe said.
pub async fn set(
    core: &Core,
    actor: &Arc<Actor>,
    account: &Account,
    campaign_id: i64,
    (wish, rules): (Wish, Rules),
) -> DbResult<Result<bool, String>> {
    let Some(link) = account.link(campaign_id) else { return Ok(Err("The campaign is not connected.".into())) };
    let client = match client(core, account) {
        Ok(client) => client,
        Err(why) => return Ok(Err(why)),
    };
    let found: Result<Coupon, ApiError> = match &wish {
        Wish::Kept if !link.coupon.is_empty() => coupon::find(&client, &link.coupon).await,
        Wish::Kept => return Ok(Err("Say what the codes take off.".into())),
        Wish::Chosen(coupon) => coupon::find(&client, coupon).await,
        Wish::New(new) => {
            let once = format!("refdesk-coupon-{}", id::new_token(&mut rand::rng()));
            coupon::make(&client, new, &once).await
        }
    };
    let coupon = match found {
        Ok(coupon) if coupon.is_valid => coupon,
        Ok(coupon) => return Ok(Err(format!("The coupon {} can be used no more.", coupon.id))),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let discount = Discount {
        digest: rules.digest(&coupon.id),
        coupon: coupon.id,
        coupon_words: coupon.sentence,
        keeps_renamed: rules.keeps_renamed,
        rules: rules.stored(),
    };
    let input = (account.row.business_id, account.row.id, campaign_id, discount);
    core.write(vec![Key::Row(campaign_id)], actor, input, set_in).await.map(Ok)
}

async fn set_in(
    tx: &mut Tx,
    (business_id, account_id, campaign_id, discount): &(i64, i64, i64, Discount),
) -> DbResult<bool> {
    let all = store::links(tx, *business_id).await?;
    let link = all.into_iter().find(|link| link.account_id == *account_id && link.campaign_id == *campaign_id);
    let Some(link) = link else { return Ok(false) };
    if (&link.coupon, &link.rules) == (&discount.coupon, &discount.rules) {
        return Ok(false);
    }
    store::set_discount(tx, link.id, discount).await?;
    let words = |words: &str, rules: &str| {
        let rules = Rules::read(rules).sentences();
        if words.is_empty() { json!(null) } else { json!({ "discount": words, "rules": rules.join(" ") }) }
    };
    let entry = NewEntry::by(tx, *business_id, "provider.discount", ("campaign", *campaign_id))?
        .before(words(&link.coupon_words, &link.rules))
        .after(words(&discount.coupon_words, &discount.rules));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
