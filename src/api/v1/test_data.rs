//! Test data: what there is of it, and how it goes again. Only a key for tests deletes any.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{nothing, path_id};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::InPath;
use crate::app::App;
use crate::engine::purge::Tally;
use crate::id::Kind;
use crate::test_data::{self, Purged};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/test-data", "countTestData", "Count test data")
            .about("For the whole business, with any of its keys.")
            .scope("leads:read")
            .answers::<TestData>(200, "The present test data.", ""),
        show,
    )
    .with(
        Operation::post("/v1/test-data/purge", "purgeTestData", "Delete all test data")
            .about("Leads, payments, refunds and commissions of test mode go for good, with all that hangs on them: what came until now. Referrers, codes, products and keys stay, and live data is never touched. It is done in the background: ask `GET /v1/test-data` until `deleting` is false. Only a test key with the scope `money:write` may; asking again while it is done changes nothing.")
            .scope("money:write")
            .answers::<TestData>(202, "It is being deleted.", r#"{"leads": 1204, "payments": 310, "refunds": 12, "commissions": 288, "inbox_items": 7, "deleting": true}"#),
        purge,
    )
    .with(
        Operation::post("/v1/leads/{lead}/purge", "purgeLead", "Delete a test lead")
            .about("It goes for good, with its duplicates, touches, payments, refunds and commissions. A live lead is never deleted, only archived: 409.")
            .scope("leads:write")
            .in_path("lead", "Its id: `lead_…` or the integer.")
            .answers::<Deleted>(200, "The deleted rows.", r#"{"leads": 1, "touches": 1, "payments": 2, "refunds": 0, "commissions": 2, "inbox_items": 0}"#)
            .refuses(&[404, 409]),
        purge_lead,
    )
}

/// The test data of a business.
#[derive(Serialize, JsonSchema)]
struct TestData {
    leads: i64,
    payments: i64,
    refunds: i64,
    commissions: i64,
    inbox_items: i64,
    /// True while it is being deleted.
    deleting: bool,
}

/// The rows deleted with a test lead.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedTestLead")]
struct Deleted {
    /// The lead and its duplicates.
    leads: i64,
    touches: i64,
    payments: i64,
    refunds: i64,
    commissions: i64,
    inbox_items: i64,
}

async fn counted(app: &App, business_id: i64) -> Result<TestData, Problem> {
    let mut conn = app.db.read().await?;
    let deleting = test_data::running(&mut conn, business_id).await?.is_some();
    let Tally { leads, payments, refunds, commissions, inbox_items, .. } =
        test_data::count(&mut conn, business_id).await?;
    Ok(TestData { leads, payments, refunds, commissions, inbox_items, deleting })
}

async fn show(State(app): State<App>, caller: Caller) -> Result<Json<TestData>, Problem> {
    Ok(Json(counted(&app, caller.business_id()).await?))
}

async fn purge(State(app): State<App>, caller: Caller) -> Result<(StatusCode, Json<TestData>), Problem> {
    if !caller.test() {
        return Err(Problem::forbidden("This is a live key. Test data is deleted with a test key."));
    }
    test_data::purge_all(&app, &caller.actor, caller.business_id(), app.clock.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(counted(&app, caller.business_id()).await?)))
}

async fn purge_lead(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Result<Json<Deleted>, Problem> {
    let lead_id = path_id(Kind::Lead, &id, "lead")?;
    match test_data::purge_lead(&app, &caller.actor, caller.business_id(), lead_id, Some(caller.test())).await? {
        Purged::NotFound => Err(nothing("lead")),
        Purged::Live => Err(Problem::conflict(
            "live_data",
            "This is a live lead, and live data is never deleted. Archive it: DELETE /v1/leads/{lead}.",
        )),
        Purged::Gone(Tally { leads, touches, payments, refunds, commissions, inbox_items, .. }) => {
            Ok(Json(Deleted { leads, touches, payments, refunds, commissions, inbox_items }))
        }
    }
}
