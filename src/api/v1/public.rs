//! Calls from the source of web pages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::public::{Missed, PublicCaller};
use crate::api::read::InPath;
use crate::app::App;
use crate::{campaigns, codes, text};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/public/codes/{text}", "lookUpCodePublicly", "Look a code up from a web page")
            .about("For a checkout, while a customer types: with a *publishable* key, which may be in the source of the page, from the origins named with it. As forgiving as the look-up with a secret key; the answer has only the referrer's masked name and whether the code counts. A look-up that finds nothing counts five times towards the address's limit.")
            .publishable()
            .in_path("text", "The code as it was typed or heard.")
            .answers::<PublicCode>(200, "The code that was meant. Without a name where it does not count.", r#"{"code": "K7M-4XP-D2CW", "counts": true, "name": "Jane M."}"#)
            .refuses(&[403, 404]),
        look_up,
    )
}

/// The public part of a code.
#[derive(Serialize, JsonSchema)]
struct PublicCode {
    /// The code as it is written.
    code: String,
    /// True when a customer who brings it now is attributed.
    counts: bool,
    /// The referrer's first name and an initial; null where the code does not count.
    name: Option<String>,
}

async fn look_up(
    State(app): State<App>,
    Extension(caller): Extension<PublicCaller>,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    let mut conn = app.db.read().await?;
    let found = codes::find(&mut conn, caller.business_id, &text).await?;
    let all = campaigns::choices(&mut conn, caller.business_id).await?;
    drop(conn);
    let Some((code, _)) = found else {
        let refused = Problem::new(StatusCode::NOT_FOUND, "unknown_code", "This code is unknown.");
        return Ok(missed(refused.into_response()));
    };
    let live = all.iter().any(|c| c.id == code.campaign_id && c.state == "live");
    let counts = live && code.state != "retired" && code.enrollment_state == "active" && !code.archived;
    let name = Some(text::masked(&code.name)).filter(|_| counts);
    let answer = Json(PublicCode { code: code.text, counts, name }).into_response();
    Ok(if counts { answer } else { missed(answer) })
}

fn missed(mut response: Response) -> Response {
    response.extensions_mut().insert(Missed);
    response
}
