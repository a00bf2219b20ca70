//! A raw event becomes an event of the engine, whatever brought it: a call, an item of a batch, a row of a file.
//!
//! Business, product, campaign and mode, days, amounts and phone numbers are read here, once. A [`Fault`] says
//! what is wrong; each contract has its own names and statuses for that.

mod cancel;
mod payment;
mod reach;
mod refund;
mod sign_up;

pub use crate::engine::Field;
pub use cancel::RawCancel;
pub use payment::RawPayment;
pub use reach::{Reach, email};
pub use refund::{RawPaymentRef, RawRefund};
pub use sign_up::RawSignUp;

use crate::clock::{Day, Instant, Zone};
use crate::db::{Db, DbError};
use crate::engine::ProductScope;
use crate::phone::Phone;
use crate::products::Catalogue;

/// The way in for one sender.
#[derive(Clone, Copy)]
pub struct Intake<'i> {
    pub db: &'i Db,
    pub catalogue: &'i Catalogue,
    pub now: Instant,
    pub sender: Sender<'i>,
}

/// In whose name events come.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'i> {
    pub business_id: i64,
    /// The id that the sender knows the business by.
    pub business: &'i str,
    pub zone: Zone,
    /// The country of phone numbers without a prefix.
    pub country: &'i str,
    pub test: bool,
}

/// The product of an event, as its sender names it.
#[derive(Debug, Clone)]
pub struct RawProduct {
    pub business: String,
    pub product: String,
}

/// Why a raw event is no event.
#[derive(Debug)]
pub enum Fault {
    Field {
        field: Field,
        /// A sentence without the field's name: "is in the future".
        why: String,
    },
    /// No business has this id.
    UnknownBusiness,
    /// The business is not the sender's.
    OtherBusiness,
    UnknownProduct,
    /// No commission can have the id by which a refund names its payment.
    UnknownCommission,
    Failed(DbError),
}

impl Fault {
    fn of(field: Field, why: impl std::fmt::Display) -> Self {
        Self::Field { field, why: why.to_string() }
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

impl Intake<'_> {
    /// The product with its campaign and mode: a row is test when its sender or its product is.
    async fn scope(&self, raw: &RawProduct) -> Result<ProductScope, Fault> {
        let sender = &self.sender;
        if raw.business != sender.business {
            let known = crate::business::by_public_id(&mut self.db.read().await?, &raw.business).await?;
            return Err(if known.is_some() { Fault::OtherBusiness } else { Fault::UnknownBusiness });
        }
        let product = self.catalogue.product(sender.business_id, &raw.product).await?.ok_or(Fault::UnknownProduct)?;
        Ok(ProductScope::new(product.id, product.campaign_id, sender.test || product.test))
    }

    /// A day that may be tomorrow further east, and no later.
    fn not_ahead(&self, field: Field, day: Day) -> Result<Day, Fault> {
        let today = self.sender.zone.day_of(self.now);
        if day > today.plus_days(1) {
            return Err(Fault::of(field, format!("is in the future: today is {today} for this business")));
        }
        Ok(day)
    }

    fn phone(&self, text: Option<&str>) -> Result<Option<Phone>, Fault> {
        let phone = text.map(|text| Phone::parse(text, self.sender.country)).transpose();
        phone.map_err(|why| Fault::of(Field::Phone, why))
    }
}
