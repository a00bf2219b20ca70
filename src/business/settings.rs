//! The facts of a new business, and the settings of one.

use serde_json::{Value as Json, json};

use super::store::BusinessRow;
use crate::clock::Zone;
use crate::email::Email;
use crate::money::{Currency, Rate};

/// The facts of a new business.
#[derive(Debug, Clone)]
pub struct NewBusiness {
    pub name: String,
    pub zone: Zone,
    pub currency: Currency,
    /// ISO 3166 alpha-2
    pub country: String,
    pub owner: Owner,
    pub campaign: String,
    pub product: String,
    pub referral_rate: Rate,
    pub recurring_rate: Rate,
    pub hold_days: i64,
    /// Only as the first one: set-up is refused when a business exists.
    pub only_first: bool,
}

/// The owner: a new user, or an existing one (by e-mail) whose password stays.
#[derive(Debug, Clone)]
pub struct Owner {
    pub email: Email,
    pub name: String,
    pub password_hash: String,
}

/// The settings of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    pub zone: Zone,
    pub currency: Currency,
    /// ISO 3166 alpha-2
    pub country: String,
    /// The postal address in some lines; may be empty.
    pub address: String,
}

impl Settings {
    /// The most lines of the address, and characters.
    pub const MOST_ADDRESS: (usize, usize) = (6, 400);

    pub(super) fn json(&self) -> Json {
        json!({
            "name": self.name,
            "timezone": self.zone.name(),
            "currency": self.currency.code(),
            "country": self.country,
            "address": self.address,
        })
    }

    pub(super) fn of(row: &BusinessRow) -> Option<Self> {
        Some(Self {
            name: row.name.clone(),
            zone: Zone::parse(&row.timezone).ok()?,
            currency: Currency::parse(&row.currency).ok()?,
            country: row.country.clone(),
            address: row.address.clone(),
        })
    }
}
