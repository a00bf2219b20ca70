//! The settings of a business's payouts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::live;
use crate::adjustments;
use crate::amounts::Amounts;
use crate::api::Caller;
use crate::api::field::{IdText, Integer, Line, Many, OneOf, UpTo, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::api::v1::campaigns::ByCurrency;
use crate::api::v1::common::campaign;
use crate::app::App;
use crate::id::{self, Kind};
use crate::object;
use crate::payout_details::{Method, Offered};
use crate::payouts::files::{self, Format, read};
use crate::payouts::{self, Approval, Set, SetUp};

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/payout-settings", "getPayoutSettings", "Read the settings of payouts")
            .scope("payouts:read")
            .answers::<Settings>(200, "The settings.", ""),
        show,
    )
    .with(
        Operation::post("/v1/payout-settings", "setPayoutSettings", "Change the settings of payouts")
            .about("What is not sent stays as it is. A least amount is a campaign's, in minor units by currency; below it, what is due is carried over to the next payout. The key has to be an owner's.")
            .once()
            .scope("payouts:write")
            .takes::<PayoutSettingsChange>(r#"{"approval": "anyone"}"#)
            .answers::<Settings>(200, "The settings as they are now.", "")
            .refuses(&[409]),
        change,
    )
    .with(
        Operation::post("/v1/payout-formats", "setPayoutFormat", "Set up a kind of payout file")
            .about("All settings of the format: what is not sent has its usual value. `sepa` needs `payer_name` and `payer_iban`, `wise` needs `source_currency`; the others work as they are. The IBAN is stored encrypted and never answered whole; once one is stored, `payer_iban` may be left out, and it stays. Payouts that are locked by now keep the settings of their lock. The key has to be an owner's.")
            .once()
            .scope("payouts:write")
            .takes::<PayoutFormatChange>(r#"{"format": "sepa", "payer_name": "Acme GmbH", "payer_iban": "DE89 3704 0044 0532 0130 00"}"#)
            .answers::<Settings>(200, "The settings as they are now.", "")
            .refuses(&[409]),
        set_format,
    )
}

impl Word for Approval {
    const WORDS: &'static [&'static str] = &["none", "owner", "anyone"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// What changes.
    strict struct PayoutSettingsChange {
        /// `none`, `owner` (one who did not lock the payout) or `anyone` (else who may pay).
        approval "approval": Option<OneOf<Approval>>,
        /// Payout details that changed within these days before a payout are marked in it; 0 for no mark.
        changed_details_days "changed_details_days": Option<UpTo<{ payouts::MOST_CHANGED_DAYS }>>,
        /// The campaign of `minimum`, `day` and `methods`.
        campaign "campaign": Option<IdText>,
        /// Whole minor units by currency: `{"USD": 5000}`.
        minimum "minimum": Option<ByCurrency>,
        /// The day of each month on which the campaign's drafts are made by themselves, 1 to 28; 0 for none.
        day "day": Option<Integer>,
        /// The ways of paying that the campaign offers, of `paypal`, `wise`, `bank`, `hand`. No payout of another way
        /// takes the campaign's commissions.
        methods "methods": Option<Many<OneOf<Method>, 4>>,
        /// Whole minor units by currency: an adjustment above it waits for a second person. Empty for nobody.
        adjustment_limit "adjustment_limit": Option<ByCurrency>,
    }
}

object! {
    /// The settings of a kind of file.
    strict struct PayoutFormatChange {
        /// `paypal`, `wise`, `sepa`, `csv` or `xlsx`.
        format "format": OneOf<Format>,
        /// `csv`, `xlsx`: the columns in the order of the file, with commas between them.
        columns "columns": Option<Line<500>>,
        /// `csv`: `comma`, `semicolon` or `tab`.
        delimiter "delimiter": Option<Line<20>>,
        /// `csv`, `paypal`: `point` or `comma`.
        decimal "decimal": Option<Line<20>>,
        /// `wise`: the currency that is paid from, ISO 4217.
        source_currency "source_currency": Option<Line<60>>,
        /// `wise`: `target` (the recipient gets the whole amount) or `source` (the fee is taken off it).
        fixed "fixed": Option<Line<20>>,
        /// `sepa`: the holder of the account that pays.
        payer_name "payer_name": Option<Line<200>>,
        /// `sepa`: with or without spaces. Stored encrypted; the stored one stays where this is left out.
        payer_iban "payer_iban": Option<Line<80>>,
        /// `sepa`: the BIC of the bank that pays.
        payer_bic "payer_bic": Option<Line<60>>,
        /// `sepa`: the street of the payer.
        payer_address_line "payer_address_line": Option<Line<200>>,
        /// `sepa`: the postcode of the payer.
        payer_postcode "payer_postcode": Option<Line<60>>,
        /// `sepa`: the town of the payer.
        payer_town "payer_town": Option<Line<200>>,
        /// `sepa`: the country of the payer: two letters, or its name.
        payer_country "payer_country": Option<Line<60>>,
        /// `sepa`: `yes` for one entry on the account's statement, `no` for one of each transfer.
        batch_booking "batch_booking": Option<Line<20>>,
        /// `sepa`: `left_out` or `not_provided`, for a recipient without a BIC.
        without_bic "without_bic": Option<Line<20>>,
        /// `sepa`: the most transfers of a file, `1` to `100000`.
        rows_per_file "rows_per_file": Option<Line<20>>,
    }
}

impl PayoutFormatChange {
    fn text(&self, field: &str) -> &str {
        fn of<const N: usize>(line: &Option<Line<N>>) -> &str {
            line.as_ref().map_or("", |line| line.0.as_str())
        }
        match field {
            "columns" => of(&self.columns),
            "delimiter" => of(&self.delimiter),
            "decimal" => of(&self.decimal),
            "source_currency" => of(&self.source_currency),
            "fixed" => of(&self.fixed),
            "payer_name" => of(&self.payer_name),
            "payer_iban" => of(&self.payer_iban),
            "payer_bic" => of(&self.payer_bic),
            "payer_address_line" => of(&self.payer_address_line),
            "payer_postcode" => of(&self.payer_postcode),
            "payer_town" => of(&self.payer_town),
            "payer_country" => of(&self.payer_country),
            "batch_booking" => of(&self.batch_booking),
            "without_bic" => of(&self.without_bic),
            _ => of(&self.rows_per_file),
        }
    }
}

/// The settings of payouts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PayoutSettings")]
struct Settings {
    /// `none`, `owner` or `anyone`: the people who have to agree to a locked payout.
    approval: &'static str,
    /// By campaign, the least amounts in minor units by currency.
    minimums: BTreeMap<String, BTreeMap<String, i64>>,
    /// By campaign, the day of each month on which drafts are made by themselves.
    days: BTreeMap<String, i64>,
    /// By campaign, the ways of paying that it offers.
    methods: BTreeMap<String, Vec<&'static str>>,
    /// Payout details that changed within these days before a payout are marked in it.
    changed_details_days: i64,
    /// In minor units by currency: an adjustment above it waits for a second person.
    adjustment_limit: BTreeMap<String, i64>,
    /// By kind of file, its settings as texts, the payer's account masked. A kind that is missing is not set up.
    formats: BTreeMap<&'static str, BTreeMap<String, String>>,
}

async fn answer(app: &App, caller: &Caller) -> Result<Response, Problem> {
    let mut conn = app.db.read().await?;
    let approval = payouts::approval(&mut conn, caller.business_id()).await?.word();
    let changed_details_days = payouts::changed_days(&mut conn, caller.business_id()).await?;
    let all = payouts::paying(&mut conn, caller.business_id()).await?;
    let adjustment_limit = adjustments::limits(&mut conn, caller.business_id()).await?.codes();
    let name = |campaign: &payouts::Paying| id::render(Kind::Campaign, campaign.id);
    let mut formats = BTreeMap::new();
    for format in Format::ALL {
        if let Some(version) = payouts::version(&mut conn, caller.business_id(), format).await? {
            formats.insert(format.word(), version.shown());
        }
    }
    let answer = Settings {
        approval,
        minimums: all.iter().map(|c| (name(c), Amounts::from_json(&c.payout_minimum).codes())).collect(),
        days: all.iter().filter_map(|c| Some((name(c), c.payout_day?))).collect(),
        methods: all.iter().map(|c| (name(c), c.offered.methods().map(Method::word).collect())).collect(),
        changed_details_days,
        adjustment_limit,
        formats,
    };
    Ok(Json(answer).into_response())
}

async fn show(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    answer(&app, &caller).await
}

async fn change(
    State(app): State<App>,
    caller: Caller,
    Sent(wanted): Sent<PayoutSettingsChange>,
) -> Result<Response, Problem> {
    live(&caller)?;
    if !super::decide::is_owner(&caller) {
        return Err(Problem::forbidden("Only an owner's key changes the settings of payouts."));
    }
    let of = match &wanted.campaign {
        Some(named) => Some(campaign(&app, &caller, Some(named.0.as_str())).await?),
        None => {
            let of_campaign = [
                ("minimum", wanted.minimum.is_some()),
                ("day", wanted.day.is_some()),
                ("methods", wanted.methods.is_some()),
            ];
            if let Some((field, _)) = of_campaign.iter().find(|(_, is_sent)| *is_sent) {
                return Err(FieldProblem::wrong("campaign", format!("is needed beside {field}")).into());
            }
            None
        }
    };
    let day = match wanted.day.as_ref().map(|day| day.0) {
        None => None,
        Some(0) => Some(None),
        Some(day) if (1..=payouts::LAST_DAY).contains(&day) => Some(Some(day)),
        Some(_) => return Err(FieldProblem::wrong("day", "must be 1 to 28, or 0 for none").into()),
    };
    let methods = wanted.methods.map(|methods| methods.0);
    if methods.as_ref().is_some_and(Vec::is_empty) {
        return Err(FieldProblem::wrong("methods", "must name one at least").into());
    }
    if of.is_some() && wanted.minimum.is_none() && day.is_none() && methods.is_none() {
        return Err(FieldProblem::wrong("minimum", "is needed beside campaign, or day, or methods").into());
    }
    let business_id = caller.business_id();
    if let Some(approval) = wanted.approval {
        payouts::set_approval(&app, &caller.actor, business_id, approval.0).await?;
    }
    if let Some(limits) = wanted.adjustment_limit {
        adjustments::set_limits(&app, &caller.actor, business_id, limits.0).await?;
    }
    if let Some(days) = wanted.changed_details_days {
        payouts::set_changed_days(&app, &caller.actor, business_id, days.0).await?;
    }
    let mut set = Vec::new();
    if let (Some(campaign_id), Some(minimum)) = (of, wanted.minimum) {
        set.push(payouts::set_minimum(&app, &caller.actor, business_id, campaign_id, minimum.0).await?);
    }
    if let (Some(campaign_id), Some(day)) = (of, day) {
        set.push(payouts::set_day(&app, &caller.actor, business_id, campaign_id, day).await?);
    }
    if let (Some(campaign_id), Some(methods)) = (of, methods) {
        let offered = Offered::of(methods.into_iter().map(|method| method.0));
        set.push(payouts::set_offered(&app, &caller.actor, business_id, campaign_id, offered).await?);
    }
    if set.contains(&Set::NotFound) {
        return Err(FieldProblem::wrong("campaign", "is not a campaign of this business").into());
    }
    answer(&app, &caller).await
}

async fn set_format(
    State(app): State<App>,
    caller: Caller,
    Sent(wanted): Sent<PayoutFormatChange>,
) -> Result<Response, Problem> {
    live(&caller)?;
    if !super::decide::is_owner(&caller) {
        return Err(Problem::forbidden("Only an owner's key changes the settings of payouts."));
    }
    let format = wanted.format.0;
    let now = payouts::version(&mut app.db.read().await?, caller.business_id(), format).await?;
    let has_account = now.is_some_and(|now| now.masked().is_some());
    let payer = read(format, has_account, &|field| wanted.text(field)).map_err(|wrong| {
        let problem = |problem: files::Problem| {
            FieldProblem::wrong(problem.field.word(), format!("is not taken: {}", problem.reason.trim_end_matches('.')))
        };
        Problem::invalid(wrong.into_iter().map(problem).collect())
    })?;
    match payouts::set_payer(&app, &caller.actor, caller.business_id(), payer).await? {
        SetUp::Changed | SetUp::Already => answer(&app, &caller).await,
        SetUp::Lacking => Err(FieldProblem::wrong("payer_iban", "is needed").into()),
        SetUp::Refused(why) => Err(Problem::conflict("no_secret_key", why)),
    }
}
