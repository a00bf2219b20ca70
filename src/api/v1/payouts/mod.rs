//! Payouts: drafts, locking, and the end of each line.

mod decide;
mod file;
mod lines;
mod results;
mod settings;
mod shape;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::common::{campaign, nothing, path_id, versioned};
use super::part::{Hits, Page, Part, page};
use super::window::{Sort, Window};
use crate::api::Caller;
use crate::api::field::{IdText, Line, OneOf, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::id::Kind;
use crate::money::Currency;
use crate::object;
use crate::payout_details::Method;
use crate::payouts::files::Format;
use crate::payouts::{self, LineFilter, NewPayout, PayoutRow, Refused};
pub(super) use decide::person;
use shape::{MOST, Payout, PayoutWithLines};

const ID: &str = "Its id: `payout_…` or the integer.";

pub fn calls(api: Api) -> Api {
    let api = api
        .with(
            Operation::get("/v1/payouts", "listPayouts", "List payouts")
                .about("The newest first.")
                .scope("payouts:read")
                .asks::<PayoutsAsked>()
                .answers::<Page<Payout>>(200, "A page of payouts.", "")
                .link("getPayout", "payout", "/data/0/id"),
            list,
        )
        .with(
            Operation::post("/v1/payouts", "createPayout", "Make a draft of a payout")
                .about("Finds everybody with approved commissions in the currency that no other payout has taken. `lines` are those who would be paid, `left_out` the others, each with the reason. Nothing moves until the draft is locked. With many referrers the draft is `building` for a moment.")
                .once()
                .scope("payouts:write")
                .takes::<PayoutWanted>(r#"{"currency": "USD", "method": "paypal"}"#)
                .answers::<PayoutWithLines>(201, "The draft.", "")
                .link("lockPayout", "payout", "/id")
                .refuses(&[409]),
            create,
        )
        .with(
            Operation::get("/v1/payouts/{payout}", "getPayout", "Read a payout")
                .scope("payouts:read")
                .in_path("payout", ID)
                .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
                .answers::<PayoutWithLines>(200, "The payout, with its version as ETag.", "")
                .answers_nothing(304, "It is as the caller has it.")
                .refuses(&[404]),
            show,
        )
        .with(
            Operation::delete("/v1/payouts/{payout}", "dropPayout", "Drop a draft")
                .about("Only a draft: a locked payout is undone first.")
                .scope("payouts:write")
                .in_path("payout", ID)
                .answers_nothing(204, "It is dropped; nothing of it was paid.")
                .refuses(&[404, 409]),
            drop_draft,
        );
    [decide::calls, lines::calls, file::calls, results::calls, settings::calls]
        .into_iter()
        .fold(api, |api, part| part(api))
}

/// A way of paying.
#[derive(Debug, Clone, Copy)]
struct By(Method);

impl Word for By {
    const WORDS: &'static [&'static str] = &["paypal", "wise", "bank", "hand"];

    fn of(word: &str) -> Option<Self> {
        Method::parse(word).map(Self)
    }
}

impl Word for Format {
    const WORDS: &'static [&'static str] = &["paypal", "wise", "sepa", "csv", "xlsx"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The payout that is wanted.
    strict struct PayoutWanted {
        /// Only what is due of this campaign; of every campaign otherwise.
        campaign "campaign": Option<IdText>,
        /// ISO 4217.
        currency "currency": Line<3>,
        /// `paypal`, `wise`, `bank` or `hand`.
        method "method": OneOf<By>,
        /// The kind of file it is for: `paypal`, `wise`, `sepa`, `csv` or `xlsx`. Whoever cannot be in it is left out.
        /// Without it, the method's own where that is set up, else `csv`.
        format "format": Option<OneOf<Format>>,
    }
}

object! {
    /// The part of the list.
    strict struct PayoutsAsked {
        ;
        window: Window<Sort>
    }
}

/// Payouts pay live money.
pub(super) fn live(caller: &Caller) -> Result<(), Problem> {
    if caller.test() {
        return Err(Problem::forbidden("Payouts pay live money. Use a live key."));
    }
    Ok(())
}

fn refused(why: &Refused) -> Problem {
    if *why != Refused::NotFound {
        return Problem::conflict(why.code(), why.sentence());
    }
    nothing("payout")
}

async fn of_caller(app: &App, caller: &Caller, text: &str) -> Result<PayoutRow, Problem> {
    let id = path_id(Kind::Payout, text, "payout")?;
    if caller.test() {
        return Err(nothing("payout"));
    }
    let row = payouts::find(&mut app.db.read().await?, caller.business_id(), id).await?;
    row.ok_or_else(|| nothing("payout"))
}

/// The payout as it is by now, with its lines.
async fn answer(
    app: &App,
    caller: &Caller,
    id: i64,
    headers: &HeaderMap,
    status: StatusCode,
) -> Result<Response, Problem> {
    let mut conn = app.db.read().await?;
    let row = payouts::find(&mut conn, caller.business_id(), id).await?.ok_or_else(|| nothing("payout"))?;
    let sums = payouts::sums(&mut conn, id).await?;
    let inside = payouts::lines(&mut conn, id, LineFilter::In, 0, MOST + 1).await?;
    let out = payouts::lines(&mut conn, id, LineFilter::Out, 0, MOST + 1).await?;
    Ok(versioned(headers, status, row.updated_at, &PayoutWithLines::of(&row, &sums, inside, out)?))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<PayoutsAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window, &caller, app.clock.now());
    let rows: Hits<PayoutRow> = if caller.test() {
        Vec::new().into()
    } else {
        part.rows(&mut app.db.read().await?, payouts::listing(caller.business_id())).await?
    };
    let rows = rows.map(|row| Ok((part.at(row.created_at, row.updated_at), row.id, Payout::of(&row)?)))?;
    Ok(page(&uri, &part, rows, |(at, id, _)| (*at, *id), |(.., payout)| payout))
}

async fn create(State(app): State<App>, caller: Caller, Sent(wanted): Sent<PayoutWanted>) -> Result<Response, Problem> {
    live(&caller)?;
    let campaign_id = match &wanted.campaign {
        Some(named) => Some(campaign(&app, &caller, Some(named.0.as_str())).await?),
        None => None,
    };
    let currency = Currency::parse(&wanted.currency).map_err(|why| FieldProblem::wrong("currency", why))?;
    let new = NewPayout {
        business_id: caller.business_id(),
        campaign_id,
        currency,
        method: wanted.method.0.0,
        format: wanted.format.map(|format| format.0),
    };
    let id = payouts::create(&app, &caller.actor, new).await?.map_err(|why| refused(&why))?;
    answer(&app, &caller, id, &HeaderMap::new(), StatusCode::CREATED).await
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    let row = of_caller(&app, &caller, &text).await?;
    answer(&app, &caller, row.id, &headers, StatusCode::OK).await
}

async fn drop_draft(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let row = of_caller(&app, &caller, &text).await?;
    payouts::drop_draft(&app, &caller.actor, caller.business_id(), row.id).await?.map_err(|why| refused(&why))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
