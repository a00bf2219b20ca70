//! Products by their public id, in memory: a product never changes its campaign or mode and is never removed,
//! so an entry stays true.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::store::{self, ProductRow};
use crate::db::{Db, DbResult};

/// The most entries; beyond that the memory starts again.
const MOST: usize = 10_000;

#[derive(Clone)]
pub struct Catalogue {
    db: Db,
    known: Arc<RwLock<HashMap<String, ProductRow>>>,
}

impl Catalogue {
    pub fn new(db: Db) -> Self {
        Self { db, known: Arc::default() }
    }

    /// A product of this business.
    pub async fn product(&self, business_id: i64, public_id: &str) -> DbResult<Option<ProductRow>> {
        let remembered = self.known.read().ok().and_then(|known| known.get(public_id).cloned());
        if let Some(product) = remembered {
            return Ok(Some(product).filter(|p| p.business_id == business_id));
        }
        let found = store::by_public_id(&mut self.db.read().await?, business_id, public_id).await?;
        if let (Some(product), Ok(mut known)) = (&found, self.known.write()) {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(public_id.to_owned(), product.clone());
        }
        Ok(found)
    }
}
