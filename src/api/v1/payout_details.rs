//! How referrers are paid. What is written is never read back: answers have a few characters of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{instant, nothing};
use super::referrers::find;
use crate::api::Caller;
use crate::api::field::{Line, OneOf, Text, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{InPath, Sent};
use crate::app::App;
use crate::object;
use crate::payout_details::{self, CurrentRow, Method, Saved};

const ID: &str = "The referrer's id: `agent_…` or the integer.";
/// Data that a test key reads and never changes.
const WHAT: &str = "Payout details";

pub fn calls(api: Api) -> Api {
    const PATH: &str = "/v1/referrers/{referrer}/payout-details";
    api.with(
        Operation::get(PATH, "getPayoutDetails", "Read how a referrer is paid")
            .about("The method and a few characters of the account; 404 while nothing is known.")
            .scope("payouts:read")
            .in_path("referrer", ID)
            .answers::<PayoutDetails>(200, "The details that count.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::put(PATH, "setPayoutDetails", "Set how a referrer is paid")
            .about("Each method has its own fields: `paypal` one of `paypal_email`, `paypal_phone`, `paypal_payer_id`; `wise` `account_holder` with `wise_email`, or with `wise_currency` and the number of an account; `bank` `account_holder` with `iban`, or with `bank_country`, `account_number` and `routing_number`; `hand` `instructions`. They are stored encrypted and never answered whole. The same again changes nothing.")
            .scope("payouts:write")
            .in_path("referrer", ID)
            .takes::<NewPayoutDetails>(r#"{"method": "bank", "account_holder": "Jane Doe", "iban": "DE89 3704 0044 0532 0130 00"}"#)
            .answers::<PayoutDetails>(200, "The details that count now.", "")
            .refuses(&[404, 409]),
        set,
    )
    .with(
        Operation::delete(PATH, "removePayoutDetails", "Remove how a referrer is paid")
            .about("They are in no further payout. Payouts that were made keep the details that they were made with.")
            .scope("payouts:write")
            .in_path("referrer", ID)
            .answers_nothing(204, "Nothing is known any more.")
            .refuses(&[404]),
        remove,
    )
}

impl Word for Method {
    const WORDS: &'static [&'static str] = &["paypal", "wise", "bank", "hand"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The way a referrer is paid.
    strict struct NewPayoutDetails {
        /// `paypal`, `wise`, `bank` or `hand`.
        method "method": OneOf<Method>,
        /// The e-mail address of a PayPal account.
        paypal_email "paypal_email": Option<Line<320>>,
        /// The phone number of a PayPal account.
        paypal_phone "paypal_phone": Option<Line<60>>,
        /// The payer ID of a PayPal account: 13 letters and digits.
        paypal_payer_id "paypal_payer_id": Option<Line<60>>,
        /// The address at which Wise asks for the account.
        wise_email "wise_email": Option<Line<320>>,
        /// The currency of the account, where its number is given to Wise.
        wise_currency "wise_currency": Option<Line<60>>,
        /// The name of the account's holder.
        account_holder "account_holder": Option<Line<200>>,
        /// With or without spaces.
        iban "iban": Option<Line<80>>,
        /// The BIC of the bank.
        bic "bic": Option<Line<60>>,
        /// The country of an account without an IBAN: two letters, or its name.
        bank_country "bank_country": Option<Line<60>>,
        /// The number of an account without an IBAN.
        account_number "account_number": Option<Line<60>>,
        /// The routing number of the bank, or the code of bank and branch.
        routing_number "routing_number": Option<Line<60>>,
        /// Wise in GBP: 6 digits.
        sort_code "sort_code": Option<Line<60>>,
        /// Wise in AUD: 6 digits.
        bsb_code "bsb_code": Option<Line<60>>,
        /// Wise in USD: `checking` or `savings`.
        account_type "account_type": Option<Line<60>>,
        /// The street of the account's holder.
        address_line "address_line": Option<Line<200>>,
        /// The town of the account's holder.
        town "town": Option<Line<200>>,
        /// The postcode of the account's holder.
        postcode "postcode": Option<Line<60>>,
        /// The country of the account's holder, where it is not that of the account.
        address_country "address_country": Option<Line<60>>,
        /// The instructions for whoever pays by hand.
        instructions "instructions": Option<Text<500>>,
    }
}

impl NewPayoutDetails {
    fn text(&self, field: &str) -> &str {
        fn of<const N: usize>(line: &Option<Line<N>>) -> &str {
            line.as_ref().map_or("", |line| line.0.as_str())
        }
        match field {
            "paypal_email" => of(&self.paypal_email),
            "paypal_phone" => of(&self.paypal_phone),
            "paypal_payer_id" => of(&self.paypal_payer_id),
            "wise_email" => of(&self.wise_email),
            "wise_currency" => of(&self.wise_currency),
            "account_holder" => of(&self.account_holder),
            "iban" => of(&self.iban),
            "bic" => of(&self.bic),
            "bank_country" => of(&self.bank_country),
            "account_number" => of(&self.account_number),
            "routing_number" => of(&self.routing_number),
            "sort_code" => of(&self.sort_code),
            "bsb_code" => of(&self.bsb_code),
            "account_type" => of(&self.account_type),
            "address_line" => of(&self.address_line),
            "town" => of(&self.town),
            "postcode" => of(&self.postcode),
            "address_country" => of(&self.address_country),
            _ => self.instructions.as_ref().map_or("", |text| text.0.as_str()),
        }
    }
}

/// How a referrer is paid.
#[derive(Serialize, JsonSchema)]
struct PayoutDetails {
    /// `paypal`, `wise`, `bank` or `hand`.
    method: &'static str,
    /// A few characters of it: `DE89 •••• 3000`.
    account: String,
    /// When it was set.
    since: String,
    /// True when other details counted before.
    changed: bool,
}

impl PayoutDetails {
    fn of(row: CurrentRow) -> Self {
        Self { method: row.method.word(), account: row.masked, since: instant(row.created_at), changed: row.is_change }
    }
}

async fn current(app: &App, caller: &Caller, referrer_id: i64) -> Result<PayoutDetails, Problem> {
    let mut conn = app.db.read().await?;
    let row = payout_details::current_of(&mut conn, caller.business_id(), &[referrer_id]).await?.pop();
    row.map(PayoutDetails::of).ok_or_else(|| Problem::not_found("It is not known how this referrer is paid."))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<PayoutDetails>, Problem> {
    let referrer = find(&app, &caller, &text).await?;
    Ok(Json(current(&app, &caller, referrer.id).await?))
}

async fn set(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<NewPayoutDetails>,
) -> Result<Json<PayoutDetails>, Problem> {
    caller.may_change(WHAT)?;
    let referrer = find(&app, &caller, &text).await?;
    let read = payout_details::read(new.method.0, &|field| new.text(field), &caller.key.row.country);
    let details = read.map_err(|wrong| {
        let problem = |w: payout_details::Wrong| FieldProblem::wrong(w.field, problem_words(&w.why));
        Problem::invalid(wrong.into_iter().map(problem).collect())
    })?;
    match payout_details::set(&app, &caller.actor, caller.business_id(), referrer.id, &details).await? {
        Saved::Done { .. } => Ok(Json(current(&app, &caller, referrer.id).await?)),
        Saved::NotFound => Err(nothing("referrer")),
        Saved::Refused(why) => Err(Problem::conflict("no_secret_key", why)),
    }
}

/// A sentence of its own behind a field's name.
fn problem_words(sentence: &str) -> String {
    format!("is not taken: {}", sentence.trim_end_matches('.'))
}

async fn remove(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    caller.may_change(WHAT)?;
    let referrer = find(&app, &caller, &text).await?;
    let removed = payout_details::remove(&app, &caller.actor, caller.business_id(), referrer.id).await?;
    removed.ok_or_else(|| nothing("referrer"))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
