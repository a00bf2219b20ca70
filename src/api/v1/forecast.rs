//! The forecast: sums that become due, by day.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::common::number;
use crate::api::Caller;
use crate::api::field::number_schema;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::app::App;
use crate::clock::Zone;
use crate::forecast;
use crate::money::Money;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/forecast", "getForecast", "Read what becomes due")
            .about("The pending commissions of all campaigns for the next 90 days, by currency and by the day after their hold, when they become due.")
            .scope("money:read")
            .answers::<Currencies>(200, "By currency.", ""),
        show,
    )
}

/// A forecast by currency.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Forecast")]
struct Currencies {
    data: Vec<InCurrency>,
}

/// The forecast of a currency.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ForecastCurrency")]
struct InCurrency {
    /// ISO 4217.
    currency: String,
    /// Becomes due within 90 days, in the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    total: Box<RawValue>,
    /// In minor units.
    total_minor: i64,
    /// Becomes due later.
    #[schemars(schema_with = "number_schema")]
    later: Box<RawValue>,
    /// Held, but in none of these: its payment is disputed, or its referrer is banned.
    #[schemars(schema_with = "number_schema")]
    kept_back: Box<RawValue>,
    /// The days on which anything becomes due.
    days: Vec<ForecastDay>,
}

/// A day of a forecast.
#[derive(Serialize, JsonSchema)]
struct ForecastDay {
    /// The business's day.
    day: String,
    /// Becomes due on it.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
}

async fn show(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let zone = Zone::parse(&caller.key.row.timezone).unwrap_or_default();
    let today = zone.day_of(app.clock.now());
    // Test data never become due.
    let all = if caller.test() {
        Vec::new()
    } else {
        forecast::forecast(&mut app.db.read().await?, caller.business_id(), today).await?
    };
    let money = |money: Money| number(money.minor, money.currency.code());
    let of = |f: forecast::Forecast| {
        let day = |(day, amount): &(crate::clock::Day, Money)| {
            Ok(ForecastDay { day: day.to_string(), amount: money(*amount)?, amount_minor: amount.minor })
        };
        Ok(InCurrency {
            currency: f.currency.code().to_owned(),
            total: money(f.total)?,
            total_minor: f.total.minor,
            later: money(f.later)?,
            kept_back: money(f.kept_back)?,
            days: f.days.iter().map(day).collect::<Result<_, Problem>>()?,
        })
    };
    let data = all.into_iter().map(of).collect::<Result<_, Problem>>()?;
    Ok(Json(Currencies { data }).into_response())
}
