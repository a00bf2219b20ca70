//! `/docs` and `/openapi.json`: open to everybody, filled with their own ids for those who are signed in.

use std::convert::Infallible;

use askama::Template;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::Value as Json_;

use super::DOCUMENT;
use super::print::{Literals, literal, tinted};
use super::reading::{self, Call, Group};
use super::rendered;
use super::samples::{Filler, Own, Sample};
use crate::api::dialect::Dialect;
use crate::api::document::tags::{CONTRACTS, Contract};
use crate::api::kinds::{KINDS, ProblemKind};
use crate::app::App;
use crate::id::{self, Kind};
use crate::shell::{Access, Routes, session};
use crate::users::{Member, Right};
use crate::web::page::BareFrame;
use crate::web::{Fault, PageResult, html};

pub fn routes() -> Routes {
    CONTRACTS.iter().fold(Routes::new(), |routes, contract| routes.get(contract.path, Access::Public, show))
}

/// The document. It says the same to everybody, so that any page may read it.
pub async fn document(State(app): State<App>, headers: HeaderMap) -> Response {
    let url = &app.config.public_url;
    let render = || Ok::<_, Infallible>(super::text(url));
    let Ok(rendered) = rendered::once(url, "/openapi.json", "application/json", render);
    let mut response = rendered.answer(&headers);
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

#[derive(Template)]
#[template(path = "docs/show.html")]
struct DocsPage {
    frame: BareFrame,
    contract: &'static Contract,
    contracts: Vec<&'static Contract>,
    /// True for the first page, which has the guide.
    is_guide: bool,
    groups: Vec<Group>,
    filler: Filler,
    signed_in: bool,
    /// True for people who may open the page of keys, and for strangers, who are asked to sign in there.
    may_make_keys: bool,
    business_name: String,
    kinds: &'static [ProblemKind],
    /// A problem in the shape of this contract.
    error: String,
}

impl DocsPage {
    fn samples(&self, call: &Call) -> Vec<Sample> {
        self.filler.samples(call)
    }

    fn answer(&self, example: &Json_) -> String {
        self.filler.answer(example)
    }

    /// The part of this page that describes an object.
    fn object(&self, name: &str) -> Option<&str> {
        let mut objects = self.groups.iter().flat_map(|group| &group.objects);
        objects.find(|object| object.name == name).map(|object| object.anchor.as_str())
    }

    /// An object's name on its contract's page, where no other contract has one like it.
    fn shown<'n>(&self, name: &'n str) -> &'n str {
        let bare = ["Cf", "Rf", "Rn"].iter().find_map(|prefix| name.strip_prefix(prefix));
        bare.filter(|bare| bare.starts_with(|c: char| c.is_ascii_uppercase())).unwrap_or(name)
    }

    fn first_call(&self) -> String {
        tinted(&format!("curl \"{}/v1/me\" \\\n  -H \"Authorization: Bearer YOUR_API_KEY\"", self.filler.base))
    }
}

async fn show(State(app): State<App>, OriginalUri(uri): OriginalUri, request: Request) -> PageResult {
    let contract = CONTRACTS.iter().find(|contract| contract.path == uri.path()).ok_or(Fault::NotFound)?;
    // A contract that is not served has no page.
    if !is_served(contract) && !is_guide(contract) {
        return Err(Fault::NotFound);
    }
    let member = session::signed_in(&app, request.extensions(), request.headers()).await?.and_then(|s| s.member);
    let Some(member) = member else {
        let url = &app.config.public_url;
        let kind = "text/html; charset=utf-8";
        let rendered = rendered::once(url, contract.path, kind, || page(&app, contract, None, None).render())?;
        let mut response = rendered.answer(request.headers());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        return Ok(response);
    };
    let business = own(&app, &member).await?;
    html(&page(&app, contract, Some(&member), business))
}

fn is_guide(contract: &Contract) -> bool {
    contract.dialect == Dialect::Own
}

fn is_served(contract: &Contract) -> bool {
    !reading::groups(&DOCUMENT, contract.name).is_empty()
}

/// The page of a contract for a member, or for every stranger.
fn page(app: &App, contract: &'static Contract, member: Option<&Member>, business: Option<Own>) -> DocsPage {
    let mut frame = BareFrame::new();
    frame.theme = match member.map(|member| member.theme.as_str()) {
        Some("dark") => "dark",
        Some("light") => "light",
        _ => "auto",
    };
    DocsPage {
        frame,
        contract,
        contracts: CONTRACTS.iter().filter(|one| is_served(one)).collect(),
        is_guide: is_guide(contract),
        groups: reading::groups(&DOCUMENT, contract.name),
        signed_in: member.is_some(),
        may_make_keys: member.is_none_or(|member| member.may(Right::Integrations)),
        business_name: member.map(|member| member.business_name.clone()).unwrap_or_default(),
        filler: Filler { base: app.config.public_url.clone(), business },
        kinds: &KINDS,
        error: tinted(&literal(&contract.dialect.example(contract.dialect.invalid()), Literals::Json, 0)),
    }
}

/// The ids of the signed-in person's business.
async fn own(app: &App, member: &Member) -> Result<Option<Own>, Fault> {
    let mut conn = app.db.read().await?;
    let campaigns = crate::campaigns::choices(&mut conn, member.business_id).await?;
    let campaign = campaigns.iter().find(|c| Some(c.id) == member.default_campaign_id).or(campaigns.first());
    let Some(campaign) = campaign else { return Ok(None) };
    let products = crate::products::of_campaign(&mut conn, member.business_id, campaign.id).await?;
    let product = products.iter().find(|product| !product.test).or(products.first());
    Ok(Some(Own {
        business: member.business_public_id.clone(),
        product: product.map(|product| product.public_id.clone()),
        campaign: id::render(Kind::Campaign, campaign.id),
        campaign_number: campaign.id,
    }))
}
