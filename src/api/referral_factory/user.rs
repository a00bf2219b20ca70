//! A user as Referral Factory shows one, put together set-wise from leads, referrers and their figures.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json_;

use super::store::{self, LeadRow, ReferrerRow};
use super::who::Scope;
use crate::clock::Instant;
use crate::counters;
use crate::db::{Conn, DbResult};
use crate::{id, links, meta};

/// A referrer or a lead.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RfUser {
    /// One sequence for leads and referrers.
    pub id: i64,
    pub campaign_id: i64,
    /// The referrer; null for referrers, and for leads without one.
    pub referrer_id: Option<i64>,
    /// A referrer's code, null without one; a lead's own code, which qualifies them.
    pub code: Option<String>,
    /// The link that carries a referrer's code; null for leads.
    pub url: Option<String>,
    pub promotion: RfPromotion,
    pub qr: RfQr,
    pub first_name: String,
    pub email: Option<String>,
    /// People who followed the link; 0 of a lead, who has none.
    pub reach: i64,
    /// `Api`, `Added`, `Referred` (by a link) or `Test`.
    pub source: &'static str,
    /// `person_referring` or `person_invited`.
    pub r#type: &'static str,
    /// Always null: addresses of visitors are not stored.
    pub ip: Option<String>,
    /// A date in the business's time zone.
    pub signed_up_at: String,
    /// A date in the business's time zone; null while the lead is pending.
    pub qualified_at: Option<String>,
    /// Always null.
    pub unsubscribed_at: Option<String>,
    /// Fields of programs: a list of `{field, value}`.
    pub meta: Vec<Json_>,
    pub sharing: RfSharing,
    /// Only with `with=user.analytics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analytics: Option<RfAnalytics>,
}

/// A promotion code of Stripe's.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct RfPromotion {
    /// Always null.
    pub code: Option<String>,
}

/// The link as a picture.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct RfQr {
    /// To show; null without a link.
    pub src: Option<String>,
    /// To save.
    pub download: Option<String>,
}

/// Texts for sharing; always empty.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct RfSharing {
    pub socials: Vec<String>,
    pub subject: Option<String>,
    pub text: Option<String>,
}

/// The figures of a referrer.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct RfAnalytics {
    /// People who followed the link.
    pub reach: i64,
    /// Leads.
    pub referrals: i64,
    /// Leads that qualified.
    pub qualified_referrals: i64,
}

/// One user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfOneUser {
    pub data: RfUser,
}

/// The user to show.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub leads: Vec<i64>,
    pub enrollments: Vec<i64>,
    pub analytics: bool,
}

/// True when a call wants the figures beside each user.
pub fn wants_analytics(with: Option<&str>) -> bool {
    with.is_some_and(|with| with.split(',').any(|part| part.trim().strip_prefix("user.") == Some("analytics")))
}

/// A user to show, under the key of its position: kind and id.
pub type Shown = BTreeMap<(i64, i64), RfUser>;

/// Users by (kind of position, its id); archived ones and those of other businesses are left out.
pub async fn shown(conn: &mut Conn, scope: &Scope, wanted: &Wanted) -> DbResult<Shown> {
    let mut users = Shown::new();
    if !wanted.leads.is_empty() {
        for row in store::leads(conn, scope.business_id, scope.test, &wanted.leads).await? {
            let analytics = wanted.analytics.then(RfAnalytics::default);
            users.insert((store::list::LEAD, row.id), of_lead(scope, row, analytics));
        }
    }
    if !wanted.enrollments.is_empty() {
        let rows = store::enrolled(conn, scope.business_id, &wanted.enrollments).await?;
        let figures = figures(conn, &wanted.enrollments).await?;
        for row in rows {
            let of = figures.get(&row.enrollment_id).copied().unwrap_or_default();
            let (enrollment, referrer) = (row.enrollment_id, row.id);
            let user = of_referrer(scope, row, of, wanted.analytics);
            users.insert((store::list::REFERRER, referrer), user.clone());
            users.insert((store::list::ENROLLMENT, enrollment), user);
        }
    }
    Ok(users)
}

/// The figures of each enrollment: counted under its codes, and under itself without one.
async fn figures(conn: &mut Conn, enrollments: &[i64]) -> DbResult<BTreeMap<i64, RfAnalytics>> {
    let mut owner: BTreeMap<i64, i64> = enrollments.iter().map(|id| (*id, *id)).collect();
    owner.extend(store::code_ids(conn, enrollments).await?);
    let scopes: BTreeSet<i64> = owner.keys().copied().collect();
    let mut figures: BTreeMap<i64, RfAnalytics> = BTreeMap::new();
    for ((scope, name), value) in counters::totals(conn, &scopes.into_iter().collect::<Vec<_>>()).await? {
        let Some(enrollment) = owner.get(&scope) else { continue };
        let of = figures.entry(*enrollment).or_default();
        match name.as_str() {
            "clicks" => of.reach += value,
            "leads" => of.referrals += value,
            "qualified" => of.qualified_referrals += value,
            _ => {}
        }
    }
    Ok(figures)
}

fn day(scope: &Scope, at: i64) -> String {
    scope.zone.day_of(Instant::from_micros(at)).to_string()
}

fn of_lead(scope: &Scope, l: LeadRow, analytics: Option<RfAnalytics>) -> RfUser {
    RfUser {
        id: l.id,
        campaign_id: l.campaign_id,
        referrer_id: l.referrer_id,
        code: Some(id::lead_code(l.id)),
        url: None,
        promotion: RfPromotion::default(),
        qr: RfQr::default(),
        first_name: l.name,
        email: l.email,
        reach: 0,
        source: match (l.test, l.arrival.as_deref(), l.source_origin.as_str()) {
            (true, ..) => "Test",
            (_, Some("link"), _) => "Referred",
            (.., "api") => "Api",
            _ => "Added",
        },
        r#type: "person_invited",
        ip: None,
        signed_up_at: day(scope, l.created_at),
        qualified_at: l.qualified_at.map(|at| day(scope, at)),
        unsubscribed_at: None,
        meta: meta::items(&l.meta),
        sharing: RfSharing::default(),
        analytics,
    }
}

fn of_referrer(scope: &Scope, r: ReferrerRow, figures: RfAnalytics, analytics: bool) -> RfUser {
    let url = r.code.as_ref().map(|code| links::address(&scope.public_url, r.campaign_id, code, r.elder));
    RfUser {
        id: r.id,
        campaign_id: r.campaign_id,
        referrer_id: None,
        code: r.code,
        promotion: RfPromotion::default(),
        qr: RfQr {
            src: url.as_ref().map(|url| format!("{url}/qr.svg")),
            download: url.as_ref().map(|url| format!("{url}/qr.svg?download")),
        },
        url,
        first_name: r.name,
        email: r.email,
        reach: figures.reach,
        source: if r.added_by.as_deref() == Some("key") { "Api" } else { "Added" },
        r#type: "person_referring",
        ip: None,
        signed_up_at: day(scope, r.created_at),
        qualified_at: None,
        unsubscribed_at: None,
        meta: meta::items(&r.meta),
        sharing: RfSharing::default(),
        analytics: analytics.then_some(figures),
    }
}
