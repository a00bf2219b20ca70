//! Adding products and new versions of their terms.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{NewTerms, store, words};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::campaigns::{self, SameName};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key};
use crate::id;

/// A product about to be added to a campaign, with its first terms.
#[derive(Debug, Clone)]
pub struct NewProduct {
    pub campaign_id: i64,
    pub name: String,
    pub test: bool,
    pub terms: NewTerms,
    /// Among the campaign's live products, or its test ones.
    pub same_name: SameName,
}

/// The outcome of making a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    As(i64),
    NameTaken,
    /// The campaign belongs to another business.
    NotFound,
}

/// The outcome of a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// The number it was given.
    As(i64),
    NotFound,
}

fn json(terms: &NewTerms) -> Json {
    json!({ "terms": words::sentence(terms), "valid_from": terms.valid_from.map(|day| day.to_string()) })
}

/// Adds a product with its first terms.
pub async fn add(core: &Core, actor: &Arc<Actor>, business_id: i64, new: NewProduct) -> DbResult<Added> {
    let ids = core.ids.run(3).await?;
    let now = core.clock.now();
    let public_id = id::random_public_id("product", &mut rand::rng());
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(new.campaign_id)], move |tx| {
            let (new, actor, ids, public_id) = (new.clone(), actor.clone(), ids.clone(), public_id.clone());
            Box::pin(async move {
                if campaigns::find(tx, business_id, new.campaign_id).await?.is_none() {
                    return Ok(Added::NotFound);
                }
                if !new.same_name.allows(&new.name, &store::names(tx, new.campaign_id, new.test).await?) {
                    return Ok(Added::NameTaken);
                }
                let (product, terms) = (ids.start, ids.start + 1);
                store::insert(tx, product, business_id, new.campaign_id, &public_id, &new.name, new.test).await?;
                store::insert_terms(tx, terms, product, 1, &new.terms, actor.user(), now).await?;
                let entry = NewEntry::new(ids.start + 2, business_id, &actor, "product.added", ("product", product)).after(
                    json!({ "name": new.name, "test": new.test, "terms": words::sentence(&new.terms), "number": 1 }),
                );
                audit::write(tx, now, &[entry]).await?;
                Ok(Added::As(product))
            })
        })
        .await
}

/// Adds a version under the next number. Two at once get a number each: the lock puts them in order.
pub async fn new_terms(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    product_id: i64,
    terms: NewTerms,
) -> DbResult<Numbered> {
    let ids = core.ids.run(2).await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(product_id)], move |tx| {
            let (terms, actor, ids) = (terms.clone(), actor.clone(), ids.clone());
            Box::pin(async move {
                if !tx.holds(&Key::Row(product_id)) {
                    return Err(DbError::Fault("a version is numbered under the product's lock".into()));
                }
                if store::find(tx, business_id, product_id).await?.is_none() {
                    return Ok(Numbered::NotFound);
                }
                let number = store::newest_number(tx, product_id).await? + 1;
                store::insert_terms(tx, ids.start, product_id, number, &terms, actor.user(), now).await?;
                let mut after = json(&terms);
                after["number"] = json!(number);
                let subject = ("product", product_id);
                let entry = NewEntry::new(ids.start + 1, business_id, &actor, "terms.added", subject).after(after);
                audit::write(tx, now, &[entry]).await?;
                Ok(Numbered::As(number))
            })
        })
        .await
}

/// The outcome of a new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    Yes,
    Same,
    NotFound,
}

/// Gives a product another name. Its terms and its mode never change this way.
pub async fn rename(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    product_id: i64,
    name: String,
) -> DbResult<Renamed> {
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(product_id)], move |tx| {
            let (name, actor) = (name.clone(), actor.clone());
            Box::pin(async move {
                let Some(old) = store::find(tx, business_id, product_id).await? else { return Ok(Renamed::NotFound) };
                if old.name == name {
                    return Ok(Renamed::Same);
                }
                store::rename(tx, product_id, &name).await?;
                let entry = NewEntry::new(audit_id, business_id, &actor, "product.renamed", ("product", product_id))
                    .before(json!({ "name": old.name }))
                    .after(json!({ "name": name }));
                audit::write(tx, now, &[entry]).await?;
                Ok(Renamed::Yes)
            })
        })
        .await
}
