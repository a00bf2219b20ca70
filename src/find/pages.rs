//! The page of the search, and its list alone for the dialog.

use askama::Template;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Redirect};

use super::store::{self, PaymentHit};
use crate::commissions;
use crate::engine::{NameKind, PaymentName};
use crate::fold::fold;
use crate::id::{self, Kind};
use crate::leads::{self, Filter};
use crate::money::Money;
use crate::query::ListQuery;
use crate::record::{Asked, Hit, find};
use crate::referrers;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Fault, PageResult, html};

/// Lines of a group, at most.
const SHOWN: usize = 6;

/// The pages that are found by their names.
const PLACES: [(&str, &str, Right); 22] = [
    ("Home", "/", Right::Home),
    ("Record a referral", "/record", Right::Record),
    ("Referrers", "/referrers", Right::SeeReferrers),
    ("Add referrer", "/referrers/new", Right::EditReferrers),
    ("Generate referral codes", "/referrers/generate", Right::EditReferrers),
    ("Codes", "/codes", Right::SeeReferrers),
    ("Print sheet of codes", "/codes/print", Right::SeeReferrers),
    ("Leads", "/leads", Right::OwnLeads),
    ("Add lead", "/leads/new", Right::Record),
    ("Commissions", "/commissions", Right::SeeMoney),
    ("Adjustments", "/adjustments", Right::Pay),
    ("Imports", "/imports", Right::Import),
    ("Upload a file", "/imports/new", Right::Import),
    ("Inbox", "/inbox", Right::SeeInbox),
    ("Campaign settings", "/campaigns", Right::SeeCampaigns),
    ("Integrations and API keys", "/integrations", Right::Integrations),
    ("Team", "/team", Right::Team),
    ("Audit", "/audit", Right::Audit),
    ("Business settings", "/business", Right::Business),
    ("Account", "/account", Right::Home),
    ("Help and first steps", "/help", Right::Home),
    ("API documentation", "/docs", Right::Home),
];

pub fn routes() -> Routes {
    Routes::new().get("/find", Access::May(Right::Home), show).get("/find/hits", Access::May(Right::Home), hits)
}

/// One thing that was found.
struct Line {
    url: String,
    name: String,
    detail: String,
    /// For what may have been meant: what differs.
    differs: String,
}

struct Group {
    title: &'static str,
    lines: Vec<Line>,
}

#[derive(Default)]
struct Hits {
    groups: Vec<Group>,
    /// The address of the one that is meant without doubt.
    only: Option<String>,
}

#[derive(Template)]
#[template(path = "find/show.html")]
struct FindPage {
    frame: Frame,
    q: String,
    groups: Vec<Group>,
}

/// The list alone.
#[derive(Template)]
#[template(path = "find/hits.html")]
struct HitsFragment {
    q: String,
    groups: Vec<Group>,
}

async fn show(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/find", uri.query(), &["q", "open"]);
    let q = query.get("q").trim().to_owned();
    let Hits { groups, only } = Hits::of(&page, &q).await?;
    // Enter opens the one that is meant.
    if let Some(only) = only.filter(|_| !query.get("open").is_empty()) {
        return Ok(Redirect::to(&only).into_response());
    }
    html(&FindPage { frame: page.frame("find").await?, q, groups })
}

async fn hits(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let q = ListQuery::new("/find/hits", uri.query(), &["q"]).get("q").trim().to_owned();
    let Hits { groups, .. } = Hits::of(&page, &q).await?;
    html(&HitsFragment { q, groups })
}

impl Hits {
    async fn of(page: &Page, q: &str) -> Result<Self, Fault> {
        let mut hits = Self::default();
        if !q.is_empty() {
            let by_id = by_id(page, q).await?;
            hits.only = by_id.first().map(|line| line.url.clone());
            hits.add("By id", by_id);
            if page.member.may(Right::SeeReferrers) {
                hits.people(page, q).await?;
            }
            hits.add("Leads", leads(page, q).await?);
        }
        let wanted = fold(q);
        let places = PLACES.iter().filter(|(name, _, right)| page.member.may(*right) && fold(name).contains(&wanted));
        let line = |name: &str, url: &str| Line::new(page.at(url), name, "");
        hits.add("Pages", places.map(|(name, url, _)| line(name, url)).collect());
        let mut all = hits.groups.iter().flat_map(|group| &group.lines);
        // One who may have been meant is offered, and never opened unasked.
        if let (Some(one), None) = (all.next(), all.next())
            && one.differs.is_empty()
        {
            hits.only.get_or_insert(one.url.clone());
        }
        Ok(hits)
    }

    fn add(&mut self, title: &'static str, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.groups.push(Group { title, lines });
        }
    }

    async fn people(&mut self, page: &Page, q: &str) -> Result<(), Fault> {
        let asked = Asked {
            business_id: page.member.business_id,
            campaign_id: page.campaign.id,
            country: &page.member.country,
            text: q,
        };
        let found = find(&page.app.db, asked).await?;
        if found.exact {
            let first = found.hits.first().map(|hit| format!("/referrers/{}", hit.person.id));
            self.only = self.only.take().or(first);
        }
        let line = |hit: Hit| {
            let code: String = hit.code.iter().map(|part| part.text.as_str()).collect();
            let about = hit.person.company.or(hit.person.email).unwrap_or_default();
            let detail = [code, about].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
            Line {
                differs: hit.differs,
                ..Line::new(format!("/referrers/{}", hit.person.id), &hit.person.name, detail)
            }
        };
        self.add("Referrers and codes", found.hits.into_iter().take(SHOWN).map(line).collect());
        self.add("Did you mean", found.near.into_iter().take(SHOWN).map(line).collect());
        Ok(())
    }
}

impl Line {
    fn new(url: String, name: &str, detail: impl Into<String>) -> Self {
        Self { url, name: name.to_owned(), detail: detail.into(), differs: String::new() }
    }
}

/// Leads of every campaign that the person may see, the current one first.
async fn leads(page: &Page, q: &str) -> Result<Vec<Line>, Fault> {
    let recorded_by = (!page.member.may(Right::SeeLeads)).then_some(page.member.user_id);
    let mut campaigns: Vec<i64> = page.campaigns().iter().map(|campaign| campaign.id).collect();
    campaigns.sort_by_key(|id| *id != page.campaign.id);
    let mut lines = Vec::new();
    for campaign in campaigns {
        let query = ListQuery::new("/leads", Some(&asked_for(q)), &["q"]);
        let filter = Filter::of(&query, campaign, page.test, recorded_by, &page.member.country, page.member.zone);
        if filter.needle.is_empty() || lines.len() >= SHOWN {
            break;
        }
        let found = leads::lists::page(&page.app.db, &filter, &query, SHOWN - lines.len()).await?;
        lines.extend(found.rows.into_iter().map(|row| {
            let about = [row.email, row.phone, row.company].into_iter().flatten().find(|text| !text.is_empty());
            Line::new(format!("/leads/{}", row.id), &row.name, about.unwrap_or_default())
        }));
    }
    lines.truncate(SHOWN);
    Ok(lines)
}

fn asked_for(q: &str) -> String {
    format!("q={}", crate::query::encode(q))
}

/// What has this id, in any of the forms in which ids are shown.
async fn by_id(page: &Page, q: &str) -> Result<Vec<Line>, Fault> {
    let (business, may) = (page.member.business_id, |right| page.member.may(right));
    let number = q.parse::<i64>().ok();
    let of = |kind| id::parse(kind, q).or(number);
    let mut conn = page.read().await?;
    let mut lines = Vec::new();
    let lead = of(Kind::Lead).or_else(|| id::parse_object_id(q)).or_else(|| id::parse_lead_code(q));
    if let Some(id) = lead
        && let Some(lead) = leads::rows::by_id(&mut conn, business, id).await?
        && (may(Right::SeeLeads) || lead.recorded_by == Some(page.member.user_id))
    {
        lines.push(Line::new(format!("/leads/{id}"), &lead.name, "Lead"));
    }
    if let (Some(id), true) = (of(Kind::Referrer), may(Right::SeeReferrers))
        && let Some(referrer) = referrers::rows::by_id(&mut conn, business, id).await?
    {
        lines.push(Line::new(format!("/referrers/{id}"), &referrer.name, "Referrer"));
    }
    if !may(Right::SeeMoney) {
        return Ok(lines);
    }
    if let Some(id) = of(Kind::Commission)
        && let Some(found) = commissions::rows::commission(&mut conn, business, page.test, id).await?
    {
        let amount = Money::shown_in(found.amount, &found.currency);
        lines.push(Line::new(format!("/commissions/{id}"), &format!("Commission of {amount}"), found.state));
    }
    let ids: Vec<i64> = of(Kind::Payment).into_iter().collect();
    let kinds = NameKind::OF_AN_ID.into_iter().chain([NameKind::Key]);
    let names: Vec<String> = kinds.map(|kind| PaymentName::new(kind, q).to_string()).collect();
    let payments = store::payments(&mut conn, business, page.test, &ids, &names).await?;
    lines.extend(payments.into_iter().map(|payment| payment.line(page)));
    Ok(lines)
}

impl PaymentHit {
    fn line(self, page: &Page) -> Line {
        let amount = Money::shown_in(self.amount, &self.currency);
        let url = match self.lead_id {
            Some(lead) => format!("/leads/{lead}"),
            // A payment without a lead is in the search of its address.
            None => page.at(&crate::query::url("/leads", &[("q", &self.email)])),
        };
        let name = format!("Payment of {amount} by {}", self.lead.as_deref().unwrap_or(&self.email));
        Line::new(url, &name, self.payment_date)
    }
}
