//! The files by which a payout is paid.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{ID, nothing, of_caller};
use crate::api::Caller;
use crate::api::field::{Integer, OneOf};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath};
use crate::app::App;
use crate::object;
use crate::payouts::files::Format;
use crate::payouts::{self, NoFile, Refused};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/payouts/{payout}/file", "getPayoutFile", "Download the file of a payout")
            .about("Of a locked payout. The same payout gives the same bytes: its lines, and the settings of every kind of file that was set up, are those of its lock. A kind that was set up later keeps the settings of its first download. A file that is sent has no length in front; one that cannot be finished breaks the connection off. It has whole accounts, so the key needs `payouts:write`, and each download is in the audit. The header `Refdesk-Parts` says how many files the payout has in this format: PayPal takes 5,000 lines a file, Wise 1,000, and Wise has files of their own for recipients by e-mail and for accounts.")
            .scope("payouts:write")
            .in_path("payout", ID)
            .asks::<FileAsked>()
            .answers_kind::<String>(200, "The file.", "text/csv", r#""line,name,amount,currency\nline_0d3kq7w1x5m2z,Jane Smith,20.00,USD\n""#)
            .refuses(&[404, 409]),
        file,
    )
}

object! {
    /// The file that is wanted.
    strict struct FileAsked {
        /// `paypal`, `wise`, `sepa`, `csv` or `xlsx`.
        format "format": OneOf<Format>,
        /// The number of the part, from 1.
        part "part": Option<Integer>,
    }
}

async fn file(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Asked(asked): Asked<FileAsked>,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    let part = asked.part.map_or(Some(1), |part| usize::try_from(part.0).ok()).unwrap_or(0);
    let made = payouts::file(&app, &caller.actor, caller.business_id(), id, asked.format.0, part).await?;
    let made = made.map_err(|why| match why {
        NoFile::Part => nothing("part"),
        NoFile::Refused(Refused::NotFound) => nothing("payout"),
        why => {
            let (code, sentence) = (why.code(), why.sentence());
            Problem::conflict(code, sentence)
        }
    })?;
    let mut response = Body::from_stream(made.pieces).into_response();
    let name = format!("attachment; filename=\"{}\"", made.name);
    for (header, value) in [
        (header::CONTENT_TYPE, made.content_type.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::HeaderName::from_static("refdesk-parts"), made.parts.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(header, value);
        }
    }
    Ok(response)
}
