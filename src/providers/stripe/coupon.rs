//! The discount of referral codes: a coupon at Stripe, made by Refdesk or chosen among those there.

use serde_json::Value as Json;

use super::amount;
use super::client::{ApiError, Client, Form};
use crate::money::{Currency, Money};
use crate::providers::read::{text, whole};
use crate::words;

words! {
    /// For how long a discount is given.
    pub enum Duration {
        Once = "once",
        Months = "repeating",
        Forever = "forever",
    }
}

/// What a code takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// In hundredths of a percent: 1050 is 10.5 %.
    Percent(i64),
    Amount(Money),
}

/// A coupon to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCoupon {
    /// What customers read on their receipt.
    pub name: String,
    pub off: Off,
    pub duration: Duration,
    /// For [`Duration::Months`].
    pub months: i64,
}

/// A coupon as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    pub id: String,
    pub name: String,
    pub sentence: String,
    pub is_valid: bool,
}

impl Coupon {
    fn of(json: &Json) -> Option<Self> {
        let off = match (text(json, "percent_off"), whole(json, "amount_off"), text(json, "currency")) {
            (Some(percent), ..) => format!("{} %", percent.strip_suffix(".0").unwrap_or(&percent)),
            (None, Some(amount), Some(code)) => {
                let currency = Currency::parse(&code).ok()?;
                Money { minor: amount::minor(amount, currency)?, currency }.shown()
            }
            _ => return None,
        };
        let how_long = match text(json, "duration").as_deref() {
            Some("forever") => ", for ever".to_owned(),
            Some("repeating") => match whole(json, "duration_in_months") {
                Some(1) => ", for a month".to_owned(),
                Some(months) => format!(", for {months} months"),
                None => String::new(),
            },
            _ => ", once".to_owned(),
        };
        Some(Self {
            id: text(json, "id")?,
            name: text(json, "name").unwrap_or_default(),
            sentence: format!("{off} off{how_long}"),
            is_valid: json.get("valid") != Some(&Json::Bool(false)),
        })
    }
}

pub async fn find(client: &Client, id: &str) -> Result<Coupon, ApiError> {
    let json = client.get(&format!("/v1/coupons/{}", crate::query::encode(id)), &[]).await?;
    Coupon::of(&json).ok_or_else(|| ApiError::Unreachable("the answer is no coupon".into()))
}

/// Some coupons of the account that can be used, the newest first.
pub async fn list(client: &Client) -> Result<Vec<Coupon>, ApiError> {
    let (page, _) = client.page("/v1/coupons", &Vec::new(), None).await?;
    Ok(page.iter().filter_map(Coupon::of).filter(|coupon| coupon.is_valid).collect())
}

pub async fn make(client: &Client, new: &NewCoupon, once: &str) -> Result<Coupon, ApiError> {
    let mut form: Form = vec![("name".into(), new.name.clone()), ("duration".into(), new.duration.word().into())];
    match new.off {
        Off::Percent(hundredths) => form.push(("percent_off".into(), percent(hundredths))),
        Off::Amount(money) => {
            let lacking =
                || ApiError::Refused { status: 400, code: None, message: "the amount cannot be written".into() };
            let amount = amount::of_minor(money.minor, money.currency).ok_or_else(lacking)?;
            form.push(("amount_off".into(), amount.to_string()));
            form.push(("currency".into(), money.currency.code().to_lowercase()));
        }
    }
    if new.duration == Duration::Months {
        form.push(("duration_in_months".into(), new.months.to_string()));
    }
    let made = client.post("/v1/coupons", &form, once).await?;
    Coupon::of(&made).ok_or_else(|| ApiError::Unreachable("the answer is no coupon".into()))
}

/// "10.5" of 1050.
fn percent(hundredths: i64) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:02}").trim_end_matches('0').to_owned() }
}
