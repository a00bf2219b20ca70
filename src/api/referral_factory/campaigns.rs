//! Campaigns, as Referral Factory's clients list them to know where their users go.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{RfPages, RfSearchCampaigns};
use super::paging::{Paging, RfLinks, RfPageMeta, frame};

use super::{Version, of_version};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::campaigns::{self, CampaignChoice};
use crate::fold::fold;
use crate::id::{self, Kind};

/// A referral programme.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RfCampaign {
    pub id: i64,
    /// The other form of the id: `campaign_…`.
    pub code: String,
    pub name: String,
    /// `draft`, `live`, `paused` or `ended`.
    pub status: String,
}

/// One campaign.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfOneCampaign {
    pub data: RfCampaign,
}

/// A page of campaigns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfCampaigns {
    pub data: Vec<RfCampaign>,
    pub links: RfLinks,
    pub meta: RfPageMeta,
}

const ONE: &str = r#"{"data":{"id":1003,"code":"campaign_4xs0q2m8v1k7c","name":"Refer a friend","status":"live"}}"#;
const SOME: &str = r#"{"data":[{"id":1003,"code":"campaign_4xs0q2m8v1k7c","name":"Refer a friend","status":"live"}],"links":{"first":"https://desk.example.com/api/v2/campaigns?page=1&per_page=25","last":"https://desk.example.com/api/v2/campaigns?page=1&per_page=25","prev":null,"next":null},"meta":{"current_page":1,"from":1,"last_page":1,"path":"https://desk.example.com/api/v2/campaigns","per_page":25,"to":1,"total":1}}"#;

pub fn calls(api: Api, version: Version) -> Api {
    let (path, id) = of_version!(version, "/campaigns", "rfListCampaigns");
    let list = Operation::get(path, id, "List campaigns")
        .scope("campaigns:read")
        .asks::<RfPages>()
        .answers::<RfCampaigns>(200, "A page of campaigns, the oldest first.", SOME);
    let (path, id) = of_version!(version, "/campaigns/{identifier}", "rfGetCampaign");
    let one = Operation::get(path, id, "Read a campaign")
        .scope("campaigns:read")
        .in_path("identifier", "The integer, or `campaign_…`.")
        .refuses(&[404])
        .answers::<RfOneCampaign>(200, "The campaign.", ONE);
    let (path, id) = of_version!(version, "/campaigns/search", "rfSearchCampaigns");
    let search = Operation::post(path, id, "Look for campaigns")
        .scope("campaigns:read")
        .asks::<RfPages>()
        .takes::<RfSearchCampaigns>(r#"{"name":"friend"}"#)
        .answers::<RfCampaigns>(200, "A page of those that fit.", SOME);
    api.with(list, list_campaigns).with(one, get_campaign).with(search, search_campaigns)
}

fn shown(c: CampaignChoice) -> RfCampaign {
    RfCampaign { id: c.id, code: id::render(Kind::Campaign, c.id), name: c.name, status: c.state }
}

async fn all(app: &App, caller: &Caller) -> Result<Vec<RfCampaign>, Problem> {
    let all = campaigns::choices(&mut app.db.read().await?, caller.business_id()).await?;
    Ok(all.into_iter().map(shown).collect())
}

/// A business has few campaigns: the page is cut from all of them.
fn page(app: &App, operation: &Operation, paging: Paging, all: Vec<RfCampaign>) -> Json<RfCampaigns> {
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let (skip, take) = (usize::try_from(paging.offset()), usize::try_from(paging.per_page));
    let data: Vec<RfCampaign> =
        all.into_iter().skip(skip.unwrap_or(usize::MAX)).take(take.unwrap_or_default()).collect();
    let path = format!("{}{}", app.config.public_url, operation.path);
    let (links, meta) = frame(paging, total, data.len(), path, &[]);
    Json(RfCampaigns { data, links, meta })
}

fn campaign_id(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| id::parse(Kind::Campaign, text))
}

async fn list_campaigns(
    State(app): State<App>,
    caller: Caller,
    Extension(operation): Extension<Arc<Operation>>,
    Asked(asked): Asked<RfPages>,
) -> Result<Json<RfCampaigns>, Problem> {
    let all = all(&app, &caller).await?;
    Ok(page(&app, &operation, Paging::of(asked.page, asked.per_page), all))
}

async fn get_campaign(
    State(app): State<App>,
    caller: Caller,
    InPath(identifier): InPath,
) -> Result<Json<RfOneCampaign>, Problem> {
    let wanted = campaign_id(identifier.trim());
    let found = all(&app, &caller).await?.into_iter().find(|c| Some(c.id) == wanted);
    let nothing = || Problem::not_found("There is no such campaign.");
    Ok(Json(RfOneCampaign { data: found.ok_or_else(nothing)? }))
}

async fn search_campaigns(
    State(app): State<App>,
    caller: Caller,
    Extension(operation): Extension<Arc<Operation>>,
    Asked(asked): Asked<RfPages>,
    Sent(sought): Sent<RfSearchCampaigns>,
) -> Result<Json<RfCampaigns>, Problem> {
    let mut all = all(&app, &caller).await?;
    let name = sought.name.as_ref().map(|name| fold(name));
    all.retain(|c| name.as_ref().is_none_or(|name| fold(&c.name).contains(name)));
    all.retain(|c| sought.code.as_ref().is_none_or(|code| campaign_id(code) == Some(c.id)));
    all.retain(|c| sought.id.as_ref().is_none_or(|id| campaign_id(&id.0) == Some(c.id)));
    Ok(page(&app, &operation, Paging::of_search(&asked, sought.page, sought.per_page), all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_named_in_both_forms() {
        assert_eq!(campaign_id("1003"), Some(1003));
        assert_eq!(campaign_id(&id::render(Kind::Campaign, 1003)), Some(1003));
        assert_eq!(campaign_id("campaign_nonsense"), None);
    }
}
