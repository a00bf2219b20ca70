//! Campaigns, products and their terms: what the desk goes by. They are changed on their pages.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{id_of, instant, nothing};
use super::store::campaigns::{self as store, CampaignRow, TermsRow};
use crate::amounts::Amounts;
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::InPath;
use crate::app::App;
use crate::id::{self, Kind};
use crate::money::Rate;
use crate::products::{self, ProductLine};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/campaigns", "listCampaigns", "List campaigns")
            .about("All of them, the oldest first.")
            .scope("campaigns:read")
            .answers::<Campaigns>(200, "The campaigns.", "")
            .link("getCampaign", "campaign", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/campaigns/{campaign}", "getCampaign", "Read a campaign")
            .scope("campaigns:read")
            .in_path("campaign", "Its id: `campaign_…` or the integer.")
            .answers::<Campaign>(200, "The campaign.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::get("/v1/products", "listProducts", "List products")
            .about("All of them, by campaign.")
            .scope("campaigns:read")
            .answers::<Products>(200, "The products.", "")
            .link("getProduct", "product", "/data/0/id"),
        list_products,
    )
    .with(
        Operation::get("/v1/products/{product}", "getProduct", "Read a product with its terms")
            .scope("campaigns:read")
            .in_path("product", "Its id: `product_…`.")
            .answers::<ProductTerms>(200, "The product, and every version of its terms, the newest first.", "")
            .refuses(&[404]),
        show_product,
    )
}

/// A referral programme.
#[derive(Serialize, JsonSchema)]
struct Campaign {
    /// `campaign_…`.
    id: String,
    /// The integer behind it, as Referral Factory's API has it.
    number: i64,
    name: String,
    /// `draft`, `live`, `paused` or `ended`.
    state: String,
    /// When a referral counts: by `hand`, at `sign_up`, or at a `payment`.
    qualify_on: String,
    /// The least first payment that qualifies, in minor units by currency; empty for any.
    qualify_least: BTreeMap<String, i64>,
    /// What a qualification earns, in minor units by currency; empty for nothing.
    reward: BTreeMap<String, i64>,
    reward_hold_days: i64,
    /// Where links lead.
    destination: String,
    created_at: String,
    updated_at: String,
}

/// Campaigns.
#[derive(Serialize, JsonSchema)]
struct Campaigns {
    data: Vec<Campaign>,
}

impl Campaign {
    fn of(row: CampaignRow) -> Self {
        Self {
            id: id::render(Kind::Campaign, row.id),
            number: row.id,
            name: row.name,
            state: row.state,
            qualify_on: row.qualify_on,
            qualify_least: Amounts::from_json(&row.qualify_least).codes(),
            reward: Amounts::from_json(&row.reward).codes(),
            reward_hold_days: row.reward_hold_days,
            destination: row.destination,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        }
    }
}

/// Something sold under a campaign.
#[derive(Serialize, JsonSchema)]
struct Product {
    /// `product_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    name: String,
    /// Whether it is for tests: what it earns is never owed.
    test: bool,
}

/// Products.
#[derive(Serialize, JsonSchema)]
struct Products {
    data: Vec<Product>,
}

impl Product {
    fn of(row: &ProductLine) -> Self {
        Self {
            id: row.public_id.clone(),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            name: row.name.clone(),
            test: row.test,
        }
    }
}

/// A product with its terms.
#[derive(Serialize, JsonSchema)]
struct ProductTerms {
    #[serde(flatten)]
    product: Product,
    terms: Vec<Terms>,
}

/// How a line of the terms pays: one of the two is set.
#[derive(Serialize, JsonSchema)]
struct Pays {
    /// In percent, up to four decimals, as text: "20", "12.5".
    percent: Option<String>,
    /// In minor units by currency.
    flat: Option<BTreeMap<String, i64>>,
}

/// One version of terms; never changed.
#[derive(Serialize, JsonSchema)]
struct Terms {
    number: i64,
    /// The first payment date it is for.
    valid_from: String,
    /// Of the first payment.
    referral: Pays,
    /// Of those after it.
    recurring: Pays,
    /// `none`, `months` or `payments`.
    recurring_limit: String,
    /// How many months or payments.
    recurring_count: i64,
    hold_days: i64,
    created_at: String,
}

fn pays(rate: Option<i64>, flat: Option<&str>) -> Pays {
    let percent = rate.and_then(Rate::from_units).map(|rate| rate.shown().trim_end_matches('%').trim().to_owned());
    let flat = flat.filter(|_| percent.is_none()).map(|text| Amounts::from_json(text).codes());
    Pays { percent, flat }
}

impl Terms {
    fn of(row: TermsRow) -> Self {
        Self {
            number: row.number,
            valid_from: row.valid_from,
            referral: pays(row.referral_rate, row.referral_flat.as_deref()),
            recurring: pays(row.recurring_rate, row.recurring_flat.as_deref()),
            recurring_limit: row.recurring_limit,
            recurring_count: row.recurring_count,
            hold_days: row.hold_days,
            created_at: instant(row.created_at),
        }
    }
}

async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Campaigns>, Problem> {
    let rows = store::all(&mut app.db.read().await?, caller.business_id()).await?;
    Ok(Json(Campaigns { data: rows.into_iter().map(Campaign::of).collect() }))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Campaign>, Problem> {
    let id = id_of(Kind::Campaign, &text);
    let rows = store::all(&mut app.db.read().await?, caller.business_id()).await?;
    let row = rows.into_iter().find(|row| Some(row.id) == id).ok_or_else(|| nothing("campaign"))?;
    Ok(Json(Campaign::of(row)))
}

async fn list_products(State(app): State<App>, caller: Caller) -> Result<Json<Products>, Problem> {
    let rows = products::of_business(&mut app.db.read().await?, caller.business_id()).await?;
    Ok(Json(Products { data: rows.iter().map(Product::of).collect() }))
}

async fn show_product(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
) -> Result<Json<ProductTerms>, Problem> {
    let mut conn = app.db.read().await?;
    let rows = products::of_business(&mut conn, caller.business_id()).await?;
    let row = rows.into_iter().find(|row| row.public_id == text).ok_or_else(|| nothing("product"))?;
    let terms = store::terms(&mut conn, row.id).await?.into_iter().map(Terms::of).collect();
    Ok(Json(ProductTerms { product: Product::of(&row), terms }))
}
