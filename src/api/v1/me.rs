//! The caller's own key and business, and the OpenAPI document.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::app::App;
use crate::id::{self, Kind};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/me", "whoAmI", "Who am I?")
            .about("The key and its rights: the first call to make with a new one.")
            .answers::<Me>(200, "The key and its business.", ""),
        me,
    )
}

/// A key and its business.
#[derive(Serialize, JsonSchema)]
struct Me {
    /// The key that was sent.
    key: MyKey,
    /// The business.
    business: MyBusiness,
}

/// The rights of the key.
#[derive(Serialize, JsonSchema)]
struct MyKey {
    /// `key_…`.
    id: String,
    /// The name.
    name: String,
    /// True when it reads and writes test data.
    test: bool,
    /// Its scopes: `leads:read`, `leads:write` …
    scopes: Vec<String>,
    /// The campaign of leads that name none: `campaign_…`.
    campaign: Option<String>,
    /// When it expires; null for never.
    expires_at: Option<String>,
}

/// The key's business.
#[derive(Serialize, JsonSchema)]
struct MyBusiness {
    /// `business_…`.
    id: String,
    /// The name.
    name: String,
    /// The time zone of the business's days: a name of the IANA database.
    timezone: String,
    /// ISO 4217.
    currency: String,
    /// ISO 3166.
    country: String,
    /// The postal address in some lines; empty where none was entered.
    address: String,
}

async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Problem> {
    let row = &caller.key.row;
    let business = crate::business::by_id(&mut app.db.read().await?, row.business_id).await?;
    let (name, address) = business.map(|b| (b.name, b.address)).unwrap_or_default();
    Ok(Json(Me {
        key: MyKey {
            id: id::render(Kind::Key, row.id),
            name: row.name.clone(),
            test: row.test,
            scopes: row.scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            campaign: caller.key.campaign().map(|id| id::render(Kind::Campaign, id)),
            expires_at: super::common::maybe_instant(row.expires_at),
        },
        business: MyBusiness {
            id: row.business_public_id.clone(),
            name,
            timezone: row.timezone.clone(),
            currency: row.currency.clone(),
            country: row.country.clone(),
            address,
        },
    }))
}
