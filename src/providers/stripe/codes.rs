//! Each referrer's code as a promotion code of Stripe's: made where it lacks, ended where it is retired or its rules are
//! others. What is to be done follows from the codes of the campaign and the rows of those at Stripe, so every way to a
//! code (one, all, on adding, a rename) ends here, and a kill at any point is made good by the next run.

use super::client::{ApiError, CALLS_A_SECOND, Client, Form};
use super::rules::Rules;
use crate::business;
use crate::clock::Zone;
use crate::core::Core;
use crate::db::{DbResult, Terms};
use crate::providers::accounts::{self, Account, Secrets};
use crate::providers::provider::Provider;
use crate::providers::read::text;
use crate::providers::store::LinkRow;
use crate::providers::store::codes::{self as store, CodeState, Done, StripeCode, Wanted};

/// Codes of one run, for each account and campaign.
const RUN: i64 = 200;
/// Codes whose outcomes are stored together.
const TOGETHER: usize = 20;
/// The pause of all codes of a campaign when Stripe does not answer, or does not take the key.
const PAUSE_SECONDS: i64 = 300;
/// The pause before a code is tried again, at most.
const LONGEST_PAUSE_SECONDS: i64 = 3_600;

/// True when some account has codes to make or to end.
pub async fn is_due(core: &Core) -> DbResult<bool> {
    store::any_due(&mut core.db.read().await?, core.clock.now()).await
}

/// One run of the scheduled task; true when more is left.
pub async fn run(core: &Core) -> DbResult<bool> {
    let accounts = accounts::connected(&mut core.db.read().await?, Provider::Stripe).await?;
    let mut more = false;
    for account in accounts {
        for link in account.links.clone() {
            if link.coupon.is_empty() || core.stop.is_cancelled() {
                continue;
            }
            more |= step(core, &account, &link).await?;
        }
    }
    Ok(more)
}

/// Finds what is to be done for one campaign of an account, and does some of it.
async fn step(core: &Core, account: &Account, link: &LinkRow) -> DbResult<bool> {
    let rules = Rules::read(&link.rules);
    let wish = Wanted {
        business_id: account.row.business_id,
        account_id: account.row.id,
        campaign_id: link.campaign_id,
        digest: link.digest.clone(),
        keeps_renamed: rules.keeps_renamed,
        most: RUN,
    };
    let terms = Terms::of(vec![]).ids(usize::try_from(RUN).unwrap_or_default());
    core.db.write_on(terms, wish, store::note_wanted).await?;
    let due = store::due(&mut core.db.read().await?, account.row.id, link.campaign_id, core.clock.now(), RUN).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let opened = core.keyring.keys().and_then(|keys| Secrets::open(&keys, &account.row));
    let Ok(Secrets { key: Some(key), .. }) = opened else { return Ok(false) };
    let business = business::by_id(&mut core.db.read().await?, account.row.business_id).await?;
    let Some(business) = business else { return Ok(false) };
    let zone = Zone::parse(&business.timezone).unwrap_or_default();
    let client = Client::new(&core.config.stripe_api, &key);
    let maker = Maker { client, coupon: &link.coupon, rules: &rules, zone, desk: &business.public_id };
    let is_part = i64::try_from(due.len()).unwrap_or_default() == RUN;
    for chunk in due.chunks(TOGETHER) {
        let mut done = Vec::new();
        for code in chunk {
            let pause = tokio::time::sleep(std::time::Duration::from_millis(1_000 / CALLS_A_SECOND));
            let outcome = maker.follow(code).await;
            // The same would happen to the others.
            let stop = outcome.error.as_ref().filter(|error| !matches!(error, ApiError::Refused { .. }));
            let stop = stop.map(ToString::to_string);
            let next_at = core.clock.now().plus_seconds((30_i64 << code.tries.clamp(0, 7)).min(LONGEST_PAUSE_SECONDS));
            done.push(outcome.done(code, next_at.micros()));
            if let Some(why) = stop {
                tracing::warn!(account = account.row.id, why, "codes at Stripe wait");
                core.db.write(vec![], (account.row.id, done), store::settle).await?;
                let until = core.clock.now().plus_seconds(PAUSE_SECONDS).micros();
                let input = (account.row.id, link.campaign_id, until);
                core.db.write(vec![], input, store::pause).await?;
                return Ok(false);
            }
            pause.await;
        }
        core.db.write(vec![], (account.row.id, done), store::settle).await?;
        if core.stop.is_cancelled() {
            return Ok(true);
        }
    }
    Ok(is_part)
}

struct Maker<'m> {
    client: Client,
    coupon: &'m str,
    rules: &'m Rules,
    zone: Zone,
    /// The business, as codes at Stripe name it.
    desk: &'m str,
}

/// What became of one code at Stripe.
struct Outcome {
    state: CodeState,
    promotion: String,
    why: String,
    error: Option<ApiError>,
}

impl Outcome {
    fn of(state: CodeState, promotion: &str) -> Self {
        Self { state, promotion: promotion.to_owned(), why: String::new(), error: None }
    }

    fn done(self, code: &StripeCode, next_at: i64) -> Done {
        Done { id: code.id, state: self.state, promotion: self.promotion, why: self.why, next_at }
    }
}

impl Maker<'_> {
    async fn follow(&self, code: &StripeCode) -> Outcome {
        let result = match code.state {
            CodeState::Ending => self.end(code).await,
            _ => self.make(code).await,
        };
        result.unwrap_or_else(|error| {
            // Stripe said no for good: a person has to look. Everything else is tried again.
            let state = match (&error, code.state) {
                (ApiError::Refused { .. }, CodeState::Waiting) => CodeState::Refused,
                (_, state) => state,
            };
            Outcome { state, promotion: code.promotion.clone(), why: error.to_string(), error: Some(error) }
        })
    }

    async fn end(&self, code: &StripeCode) -> Result<Outcome, ApiError> {
        let form: Form = vec![("active".into(), "false".into())];
        let once = format!("refdesk-end-{}", code.id);
        match self.client.post(&format!("/v1/promotion_codes/{}", code.promotion), &form, &once).await {
            Ok(_) | Err(ApiError::Refused { status: 404, .. }) => Ok(Outcome::of(CodeState::Ended, &code.promotion)),
            Err(error) => Err(error),
        }
    }

    async fn make(&self, code: &StripeCode) -> Result<Outcome, ApiError> {
        if !code.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            let message = format!(
                "the code {} has letters that Stripe does not take: only A to Z, digits and hyphens.",
                code.text
            );
            return Err(ApiError::Refused { status: 400, code: None, message });
        }
        let mut form: Form = vec![
            ("promotion[type]".into(), "coupon".into()),
            ("promotion[coupon]".into(), self.coupon.to_owned()),
            ("code".into(), code.text.clone()),
            ("metadata[refdesk]".into(), self.desk.to_owned()),
            ("metadata[refdesk_code]".into(), code.id.to_string()),
        ];
        self.rules.put(&mut form, self.zone);
        // Another try is another call: Stripe answers a repeated one as it did the first.
        let once = format!("refdesk-code-{}-{}", code.id, code.tries);
        match self.client.post("/v1/promotion_codes", &form, &once).await {
            Ok(made) => {
                let promotion = text(&made, "id").ok_or_else(|| ApiError::Unreachable("the code has no id".into()))?;
                Ok(Outcome::of(CodeState::Made, &promotion))
            }
            Err(ApiError::Refused { status, code: kind, message }) => match self.known(code).await? {
                Some(known) => Ok(known),
                None => Err(ApiError::Refused { status, code: kind, message }),
            },
            Err(error) => Err(error),
        }
    }

    /// An active code of the same text: ours, whose answer was lost, is adopted; another's is in the way.
    async fn known(&self, code: &StripeCode) -> Result<Option<Outcome>, ApiError> {
        let query = vec![("code".to_owned(), code.text.clone()), ("active".to_owned(), "true".to_owned())];
        let (found, _) = self.client.page("/v1/promotion_codes", &query, None).await?;
        let Some(found) = found.first() else { return Ok(None) };
        let promotion = text(found, "id").unwrap_or_default();
        let is_ours = text(found, "metadata.refdesk").as_deref() == Some(self.desk);
        if text(found, "metadata.refdesk_code").as_deref() == Some(code.id.to_string().as_str()) && is_ours {
            return Ok(Some(Outcome::of(CodeState::Made, &promotion)));
        }
        if is_ours {
            // Made under other rules by a call whose answer was lost: it ends, and the next try makes its successor.
            let form: Form = vec![("active".into(), "false".into())];
            self.client
                .post(&format!("/v1/promotion_codes/{promotion}"), &form, &format!("refdesk-end-{promotion}"))
                .await?;
            return Ok(Some(Outcome::of(CodeState::Waiting, "")));
        }
        let why = format!(
            "Stripe has an active code {} already, which Refdesk did not make ({promotion}). End it there, or rename the code here.",
            code.text
        );
        Ok(Some(Outcome { state: CodeState::Refused, promotion: String::new(), why, error: None }))
    }
}
