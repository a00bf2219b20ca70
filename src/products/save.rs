//! Adding products and new versions of their terms.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{NewTerms, store, words};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::campaigns::{self, SameName};
use crate::core::Core;
use crate::db::{DbError, DbResult, Key, Tx};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Added {
    As(i64),
    NameTaken,
    /// The campaign belongs to another business.
    NotFound,
}

/// The outcome of a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    let public_id = id::random_public_id("product", &mut rand::rng());
    core.write_once(vec![Key::Row(new.campaign_id)], actor, (business_id, new, public_id), add_in).await
}

async fn add_in(tx: &mut Tx, &(business_id, ref new, ref public_id): &(i64, NewProduct, String)) -> DbResult<Added> {
    let now = tx.now();
    if campaigns::find(tx, business_id, new.campaign_id).await?.is_none() {
        return Ok(Added::NotFound);
    }
    if !new.same_name.allows(&new.name, &store::names(tx, new.campaign_id, new.test).await?) {
        return Ok(Added::NameTaken);
    }
    let (product, terms, by) = (tx.id()?, tx.id()?, tx.actor()?.user());
    store::insert(tx, product, business_id, new.campaign_id, public_id, &new.name, new.test).await?;
    store::insert_terms(tx, terms, product, 1, &new.terms, by, now).await?;
    let entry = NewEntry::by(tx, business_id, "product.added", ("product", product))?
        .after(json!({ "name": new.name, "test": new.test, "terms": words::sentence(&new.terms), "number": 1 }));
    audit::write(tx, &[entry]).await?;
    Ok(Added::As(product))
}

/// Adds a version under the next number. Two at once get a number each: the lock puts them in order.
pub async fn new_terms(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    product_id: i64,
    terms: NewTerms,
) -> DbResult<Numbered> {
    core.write_once(vec![Key::Row(product_id)], actor, (business_id, product_id, terms), new_terms_in).await
}

async fn new_terms_in(tx: &mut Tx, &(business_id, product_id, ref terms): &(i64, i64, NewTerms)) -> DbResult<Numbered> {
    let id = tx.id()?;
    let now = tx.now();
    if !tx.holds(&Key::Row(product_id)) {
        return Err(DbError::Fault("a version is numbered under the product's lock".into()));
    }
    if store::find(tx, business_id, product_id).await?.is_none() {
        return Ok(Numbered::NotFound);
    }
    let number = store::newest_number(tx, product_id).await? + 1;
    let by = tx.actor()?.user();
    store::insert_terms(tx, id, product_id, number, terms, by, now).await?;
    let mut after = json(terms);
    after["number"] = json!(number);
    let subject = ("product", product_id);
    let entry = NewEntry::by(tx, business_id, "terms.added", subject)?.after(after);
    audit::write(tx, &[entry]).await?;
    Ok(Numbered::As(number))
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
    core.write(vec![Key::Row(product_id)], actor, (business_id, product_id, name), rename_in).await
}

async fn rename_in(tx: &mut Tx, &(business_id, product_id, ref name): &(i64, i64, String)) -> DbResult<Renamed> {
    let Some(old) = store::find(tx, business_id, product_id).await? else { return Ok(Renamed::NotFound) };
    if old.name == *name {
        return Ok(Renamed::Same);
    }
    store::rename(tx, product_id, name).await?;
    let entry = NewEntry::by(tx, business_id, "product.renamed", ("product", product_id))?
        .before(json!({ "name": old.name }))
        .after(json!({ "name": name }));
    audit::write(tx, &[entry]).await?;
    Ok(Renamed::Yes)
}
