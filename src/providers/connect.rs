//! Connecting an account of a provider to a campaign, changing what the campaign does with its payments, and
//! disconnecting it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Provider;
use super::accounts::{self, Secrets};
use super::store::{self, LinkTerms, NewAccount};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
use crate::secrets;
use crate::{campaigns, products};

/// An account to be connected.
#[derive(Debug, Clone)]
pub struct Connection {
    pub business_id: i64,
    pub campaign_id: i64,
    pub provider: Provider,
    pub test: bool,
    /// The provider's id of the account; empty where it is not known.
    pub account: String,
    pub name: String,
    pub secrets: Secrets,
    /// The provider's id of the endpoint that was made; empty for one made by hand.
    pub endpoint: String,
    /// `None` takes the campaign's first product, and qualifies as soon as a code is used.
    pub terms: Option<LinkTerms>,
}

/// The outcome of connecting an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connected {
    Done {
        account_id: i64,
        product: String,
    },
    NoCampaign,
    /// The campaign has no product that payments could be for, or not this one.
    NoProduct,
    /// There is no key to encrypt with; the sentence says what to do.
    Refused(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Stored {
    Done(Connected),
    /// Another key counts since the secrets were encrypted.
    OtherKey,
}

/// The times that the key of secrets may change under a write.
const TRIES: usize = 3;

/// Connects an account to a campaign. One that is known gets the new secrets.
pub async fn connect(core: &Core, actor: &Arc<Actor>, new: Connection) -> DbResult<Connected> {
    for _ in 0..TRIES {
        let key = match secrets::to_seal(core).await? {
            Ok(key) => key,
            Err(lack) => return Ok(Connected::Refused(lack)),
        };
        let about = accounts::about(new.business_id, new.provider, &new.account);
        let Some(sealed) = new.secrets.seal(&key, &about) else {
            return Err(DbError::Fault("the secrets of an account could not be encrypted".into()));
        };
        let row = NewAccount {
            business_id: new.business_id,
            provider: new.provider,
            test: new.test,
            account: new.account.clone(),
            name: new.name.clone(),
            sealed,
            key_id: key.id().to_owned(),
            masked: new.secrets.key.as_deref().map(accounts::masked).unwrap_or_default(),
            endpoint: new.endpoint.clone(),
        };
        let keys = vec![Key::Row(new.campaign_id), Key::Secrets];
        let input = (row, new.campaign_id, new.terms.clone());
        if let Stored::Done(done) = core.write_once(keys, actor, input, connect_in).await? {
            return Ok(done);
        }
    }
    Err(DbError::Lost("the key of secrets was changed again and again".into()))
}

async fn connect_in(tx: &mut Tx, (row, campaign_id, terms): &(NewAccount, i64, Option<LinkTerms>)) -> DbResult<Stored> {
    if campaigns::find(tx, row.business_id, *campaign_id).await?.is_none() {
        return Ok(Stored::Done(Connected::NoCampaign));
    }
    let all = products::of_campaign(tx, row.business_id, *campaign_id).await?;
    let wanted = |p: &&products::ProductLine| terms.as_ref().is_none_or(|terms| terms.product_id == p.id);
    let live_first = |p: &&products::ProductLine| p.test && !row.test;
    let Some(product) = all.iter().filter(wanted).min_by_key(live_first) else {
        return Ok(Stored::Done(Connected::NoProduct));
    };
    if !secrets::is_current(tx, &row.key_id).await? {
        return Ok(Stored::OtherKey);
    }
    let terms = terms.clone().unwrap_or(LinkTerms {
        product_id: product.id,
        qualify_on_code: true,
        unqualify_on_refund: false,
        with_tax: false,
        with_shipping: false,
    });
    let (id, link) = (tx.id()?, tx.id()?);
    let account_id = store::put_account(tx, id, row).await?;
    store::put_link(tx, (link, row.business_id, account_id, *campaign_id), &terms).await?;
    let entry = NewEntry::by(tx, row.business_id, "provider.connected", ("campaign", *campaign_id))?.after(json!({
        "provider": row.provider.title(),
        "account": shown(&row.account, &row.name),
        "test": row.test,
        "product": product.name,
    }));
    audit::write(tx, &[entry]).await?;
    Ok(Stored::Done(Connected::Done { account_id, product: product.public_id.clone() }))
}

fn shown(account: &str, name: &str) -> String {
    match (account, name) {
        ("", name) => name.to_owned(),
        (account, "") => account.to_owned(),
        (account, name) => format!("{name} ({account})"),
    }
}

/// Changes what a campaign does with the payments of an account; `None` when there is no such account.
pub async fn change(
    core: &Core,
    actor: &Arc<Actor>,
    (business_id, account_id, campaign_id): (i64, i64, i64),
    terms: LinkTerms,
) -> DbResult<Option<bool>> {
    let input = (business_id, account_id, campaign_id, terms);
    core.write(vec![Key::Row(campaign_id)], actor, input, change_in).await
}

async fn change_in(
    tx: &mut Tx,
    (business_id, account_id, campaign_id, terms): &(i64, i64, i64, LinkTerms),
) -> DbResult<Option<bool>> {
    let all = store::links(tx, *business_id).await?;
    let link = all.into_iter().find(|link| link.account_id == *account_id && link.campaign_id == *campaign_id);
    let Some(link) = link else { return Ok(None) };
    let product = products::of_campaign(tx, *business_id, *campaign_id).await?;
    let Some(product) = product.into_iter().find(|p| p.id == terms.product_id) else { return Ok(None) };
    let was = link.terms();
    if was == *terms {
        return Ok(Some(false));
    }
    store::put_link(tx, (link.id, *business_id, *account_id, *campaign_id), terms).await?;
    let words = |terms: &LinkTerms, product: &str| {
        json!({
            "product": product,
            "qualify_on_code": terms.qualify_on_code,
            "unqualify_on_refund": terms.unqualify_on_refund,
            "with_tax": terms.with_tax,
            "with_shipping": terms.with_shipping,
        })
    };
    let entry = NewEntry::by(tx, *business_id, "provider.changed", ("campaign", *campaign_id))?
        .before(words(&was, &link.product_name))
        .after(words(terms, &product.name));
    audit::write(tx, &[entry]).await?;
    Ok(Some(true))
}

/// Takes no more messages of an account. Its messages and what they led to stay.
pub async fn disconnect(core: &Core, actor: &Arc<Actor>, business_id: i64, account_id: i64) -> DbResult<bool> {
    core.write(vec![Key::Row(account_id)], actor, (business_id, account_id), disconnect_in).await
}

async fn disconnect_in(tx: &mut Tx, &(business_id, account_id): &(i64, i64)) -> DbResult<bool> {
    let Some(row) = store::account(tx, business_id, account_id).await? else { return Ok(false) };
    if store::disconnect(tx, business_id, account_id).await? == 0 {
        return Ok(false);
    }
    let entry = NewEntry::by(tx, business_id, "provider.disconnected", ("business", business_id))?.after(json!({
        "provider": row.provider.title(),
        "account": shown(&row.account, &row.name),
        "test": row.test,
    }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
