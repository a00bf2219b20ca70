//! Many referrers at a time: adding them, and what all of them are owed.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::shape::{AllBalances, BalancesAsked, NewReferrers, ReferrerAdded, ReferrerBalances, ReferrersAdded};
use super::{WHAT, adding, external_id_taken};
use crate::api::Caller;
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, Sent};
use crate::api::v1::common::campaign;
use crate::api::v1::leads::ItemError;
use crate::api::v1::window::USUAL;
use crate::app::App;
use crate::id::{self, Kind};
use crate::referrers::rows as store;
use crate::referrers::{self, Added};

pub async fn create_many(
    State(app): State<App>,
    caller: Caller,
    Sent(new): Sent<NewReferrers>,
) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let mut items: Vec<ReferrerAdded> = Vec::with_capacity(new.items.0.len());
    let (mut indexes, mut all) = (Vec::new(), Vec::new());
    for (at, item) in new.items.0.into_iter().enumerate() {
        let read = match item.0 {
            Ok(one) => match campaign(&app, &caller, one.campaign.as_ref().map(|c| c.0.as_str())).await {
                Ok(campaign) => adding(&caller, campaign, one).map_err(|p| vec![p]),
                Err(problem) if !problem.fields.is_empty() => Err(problem.fields),
                Err(problem) => return Err(problem),
            },
            Err(problems) => Err(problems),
        };
        let mut line = ReferrerAdded { result: "invalid", referrer: None, code: None, errors: Vec::new() };
        match read {
            Ok(add) => {
                indexes.push(at);
                all.push(add);
            }
            Err(problems) => line.errors = ItemError::all(&problems),
        }
        items.push(line);
    }
    for (at, added) in indexes.into_iter().zip(referrers::add_each(&app, &caller.actor, all).await?) {
        let line = &mut items[at];
        let (result, referrer_id, code) = match added {
            Added::New { referrer_id, code, .. } => ("added", referrer_id, code),
            Added::Known { referrer_id, code, .. } => ("known", referrer_id, code),
            Added::ExternalIdTaken { referrer_id } => {
                let why = external_id_taken(referrer_id).message;
                line.errors =
                    ItemError::all(&[FieldProblem { message: why, ..FieldProblem::wrong("external_id", "") }]);
                continue;
            }
        };
        (line.result, line.referrer, line.code) = (result, Some(id::render(Kind::Referrer, referrer_id)), code);
    }
    Ok(Json(ReferrersAdded { items }).into_response())
}

pub async fn all_balances(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<BalancesAsked>,
) -> Result<Json<AllBalances>, Problem> {
    let limit = asked.limit.map_or(USUAL, |limit| limit.0);
    let wrong = || FieldProblem::wrong("after", "is not a cursor that a page of this list gave");
    let after = asked.after.map(|text| id::parse(Kind::Referrer, &text).ok_or_else(wrong)).transpose()?;
    // Test data are on no account.
    if caller.test() {
        return Ok(Json(AllBalances { data: Vec::new(), next: None }));
    }
    let mut conn = app.db.read().await?;
    let mut ids = store::with_entries(&mut conn, caller.business_id(), after.unwrap_or_default(), limit + 1).await?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    let mut rows = store::balances_of(&mut conn, &ids).await?;
    drop(conn);
    let next = ids.last().filter(|_| more).map(|id| id::render(Kind::Referrer, *id));
    let mut data = Vec::with_capacity(ids.len());
    for referrer_id in ids {
        let (own, others) = rows.into_iter().partition(|(owner, _)| *owner == referrer_id);
        rows = others;
        let own: Vec<(i64, store::BalanceRow)> = own;
        data.push(ReferrerBalances::of(referrer_id, own.into_iter().map(|(_, row)| row).collect())?);
    }
    Ok(Json(AllBalances { data, next }))
}
