//! Products and their terms. Terms are never edited: a change makes a new version, for payments from a day
//! on.

mod shape;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::common::{campaign, nothing};
use super::part::{Page, Part, page};
use super::window::PageAsked;
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::campaigns::SameName;
use crate::products::versions as store;
use crate::products::{self, Added, NewProduct, Numbered, ProductLine, Renamed};
use shape::{NewProductFacts, NewVersion, Product, ProductChange, ProductTerms, Terms};

const ID: &str = "Its id: `product_…`.";
const TERMS: &str = r#"{"valid_from": "2026-07-01", "referral": {"percent": "20"}, "recurring": {"percent": "10"}, "recurring_limit": "months", "recurring_count": 12}"#;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/products", "listProducts", "List products")
            .about("By campaign, those for tests last.")
            .scope("campaigns:read")
            .asks::<PageAsked>()
            .answers::<Page<Product>>(200, "The products.", "")
            .link("getProduct", "product", "/data/0/id"),
        list,
    )
    .with(
        Operation::post("/v1/products", "createProduct", "Add a product")
            .once()
            .about("With the first version of its terms, which is for every payment date.")
            .scope("campaigns:write")
            .takes::<NewProductFacts>(
                r#"{"name": "Pro plan", "terms": {"referral": {"percent": "20"}, "hold_days": 14}}"#,
            )
            .answers::<ProductTerms>(201, "The product.", "")
            .link("getProduct", "product", "/id"),
        create,
    )
    .with(
        Operation::get("/v1/products/{product}", "getProduct", "Read a product with its terms")
            .about("The version that is in force on a payment's date is the one that pays.")
            .scope("campaigns:read")
            .in_path("product", ID)
            .answers::<ProductTerms>(200, "The product, and every version of its terms, the newest first.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::patch("/v1/products/{product}", "updateProduct", "Rename a product")
            .about("Its pay is changed by new terms; its mode never changes.")
            .scope("campaigns:write")
            .in_path("product", ID)
            .takes::<ProductChange>(r#"{"name": "Pro plan, yearly"}"#)
            .answers::<ProductTerms>(200, "The product as it is now.", "")
            .refuses(&[404]),
        update,
    )
    .with(
        Operation::post("/v1/products/{product}/terms", "createTerms", "Make a new version of a product's terms")
            .once()
            .about("It is in force for payments dated from `valid_from` on. Commissions of older versions stay as they are.")
            .scope("campaigns:write")
            .in_path("product", ID)
            .takes::<NewVersion>(TERMS)
            .answers::<ProductTerms>(201, "The product with the new version.", "")
            .refuses(&[404]),
        create_terms,
    )
}

async fn find(app: &App, caller: &Caller, public_id: &str) -> Result<ProductLine, Problem> {
    let rows = products::of_business(&mut app.db.read().await?, caller.business_id()).await?;
    rows.into_iter().find(|row| row.public_id == public_id).ok_or_else(|| nothing("product"))
}

async fn answer(app: &App, caller: &Caller, public_id: &str) -> Result<Json<ProductTerms>, Problem> {
    let row = find(app, caller, public_id).await?;
    let terms = store::terms(&mut app.db.read().await?, row.id).await?.into_iter().map(Terms::of).collect();
    Ok(Json(ProductTerms { product: Product::of(&row), terms }))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<PageAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window.usually_oldest_first(), &caller, app.clock.now());
    let all = products::of_business(&mut app.db.read().await?, caller.business_id()).await?;
    let rows = part.among(all, |row| (row.created_at, row.updated_at), |row| row.id);
    Ok(page(&uri, &part, rows, |row| (part.at(row.created_at, row.updated_at), row.id), |row| Product::of(&row)))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<ProductTerms>, Problem> {
    answer(&app, &caller, &text).await
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Sent(new): Sent<NewProductFacts>,
) -> Result<(StatusCode, Json<ProductTerms>), Problem> {
    caller.may_change("Products")?;
    let campaign_id = campaign(&app, &caller, new.campaign.as_ref().map(|c| c.0.as_str())).await?;
    if new.terms.0.valid_from.is_some() {
        let why = "is for later versions: the first is for every payment date";
        return Err(FieldProblem::wrong("valid_from", why).within("terms").into());
    }
    let terms = new.terms.0.terms().map_err(|problem| problem.within("terms"))?;
    let (name, test, same_name) = (new.name.0, new.test.unwrap_or(false), SameName::Fine);
    let product = NewProduct { campaign_id, name, test, terms, same_name };
    let Added::As(added) = products::add(&app, &caller.actor, caller.business_id(), product).await? else {
        return Err(nothing("campaign"));
    };
    let row = products::find(&mut app.db.read().await?, caller.business_id(), added).await?;
    let row = row.ok_or_else(|| nothing("product"))?;
    Ok((StatusCode::CREATED, answer(&app, &caller, &row.public_id).await?))
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(change): Sent<ProductChange>,
) -> Result<Json<ProductTerms>, Problem> {
    caller.may_change("Products")?;
    let row = find(&app, &caller, &text).await?;
    match products::rename(&app, &caller.actor, caller.business_id(), row.id, change.name.0).await? {
        Renamed::Yes | Renamed::Same => answer(&app, &caller, &text).await,
        Renamed::NotFound => Err(nothing("product")),
    }
}

async fn create_terms(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<NewVersion>,
) -> Result<(StatusCode, Json<ProductTerms>), Problem> {
    caller.may_change("Products")?;
    let row = find(&app, &caller, &text).await?;
    let mut terms = new.terms()?;
    let today = || caller.key.zone.day_of(app.clock.now());
    terms.valid_from = Some(terms.valid_from.unwrap_or_else(today));
    match products::new_terms(&app, &caller.actor, caller.business_id(), row.id, terms).await? {
        Numbered::As(_) => Ok((StatusCode::CREATED, answer(&app, &caller, &text).await?)),
        Numbered::NotFound => Err(nothing("product")),
    }
}
