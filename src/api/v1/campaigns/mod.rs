//! Campaigns: referral programmes, when a referral counts in each, and what that earns. Changes apply from
//! then on; earlier decisions stay.

mod shape;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::common::{expected, id_of, nothing, stale, versioned};
use super::part::{Page, Part, page};
use super::window::PageAsked;
use crate::amounts::Amounts;
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::campaigns::rows::{self as store, CampaignRow};
use crate::campaigns::{
    self, CustomerReward, CustomerRewardPart, Destination, LINK_DAYS, Moved, QualifyOn, SameName, Saved, Settings,
};
use crate::id::Kind;
use crate::links;
use shape::{Campaign, CampaignChange, CampaignStanding, NewCampaign};

pub use shape::ByCurrency;

const ID: &str = "Its id: `campaign_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/campaigns", "listCampaigns", "List campaigns")
            .about("The oldest first.")
            .scope("campaigns:read")
            .asks::<PageAsked>()
            .answers::<Page<Campaign>>(200, "The campaigns.", "")
            .link("getCampaign", "campaign", "/data/0/id"),
        list,
    )
    .with(
        Operation::post("/v1/campaigns", "createCampaign", "Make a campaign")
            .once()
            .about("It begins as a draft, which takes test data only: give it a product, then set its state to `live`.")
            .scope("campaigns:write")
            .takes::<NewCampaign>(r#"{"name": "Refer a friend", "qualify_on": "payment", "qualify_least": {"USD": 5000}}"#)
            .answers::<Campaign>(201, "The campaign.", "")
            .link("getCampaign", "campaign", "/id")
            .link("setCampaignState", "campaign", "/id"),
        create,
    )
    .with(
        Operation::get("/v1/campaigns/{campaign}", "getCampaign", "Read a campaign")
            .about("With when a referral counts in it, and what that earns.")
            .scope("campaigns:read")
            .in_path("campaign", ID)
            .header("if-none-match", "The ETag of a version that the caller has: 304 if it is still the one.")
            .answers::<Campaign>(200, "The campaign, with its version as ETag.", "")
            .answers_nothing(304, "It is as the caller has it.")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::patch("/v1/campaigns/{campaign}", "updateCampaign", "Change a campaign's settings")
            .about("Fields that are left out stay as they are. It applies from now on. With `If-Match` the change is made only to that version.")
            .scope("campaigns:write")
            .in_path("campaign", ID)
            .header("if-match", "The ETag of the version that is changed; 412 if there is a newer one.")
            .takes::<CampaignChange>(r#"{"reward": {"USD": 1000}, "reward_hold_days": 14}"#)
            .answers::<Campaign>(200, "The campaign as it is now.", "")
            .refuses(&[404, 409, 412]),
        update,
    )
    .with(
        Operation::put("/v1/campaigns/{campaign}/state", "setCampaignState", "Start, pause or end a campaign")
            .about("From `draft` to `live` or `ended`, from `live` to `paused` or `ended`, and from both of these back to `live`. Paused or ended: no new lead is attributed, and those who have a referrer keep earning.")
            .scope("campaigns:write")
            .in_path("campaign", ID)
            .takes::<CampaignStanding>(r#"{"state": "live"}"#)
            .answers::<Campaign>(200, "The campaign as it is now.", "")
            .refuses(&[404, 409]),
        set_state,
    )
}

async fn find(app: &App, caller: &Caller, id: i64) -> Result<CampaignRow, Problem> {
    let rows = store::all(&mut app.db.read().await?, caller.business_id()).await?;
    rows.into_iter().find(|row| row.id == id).ok_or_else(|| nothing("campaign"))
}

/// The id of a path.
fn path_id(text: &str) -> Result<i64, Problem> {
    id_of(Kind::Campaign, text).ok_or_else(|| nothing("campaign"))
}

async fn answer(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    id: i64,
) -> Result<Response, Problem> {
    let row = find(app, caller, id).await?;
    let version = row.updated_at;
    Ok(versioned(headers, status, version, &Campaign::of(row)))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<PageAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window.usually_oldest_first(), &caller, app.clock.now());
    let all = store::all(&mut app.db.read().await?, caller.business_id()).await?;
    let rows = part.among(all, |row| (row.created_at, row.updated_at), |row| row.id);
    Ok(page(&uri, &part, rows, |row| (part.at(row.created_at, row.updated_at), row.id), Campaign::of))
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
) -> Result<Response, Problem> {
    answer(&app, &caller, &headers, StatusCode::OK, path_id(&text)?).await
}

fn destination(app: &App, text: &str) -> Result<Destination, FieldProblem> {
    let destination = Destination::parse(text).map_err(|why| FieldProblem::wrong("destination", why))?;
    if links::is_one(&app.config.public_url, destination.text()) {
        let why = "is one of Refdesk's own links, which would lead in a circle";
        return Err(FieldProblem::wrong("destination", why));
    }
    Ok(destination)
}

/// A reward is one amount, or nothing.
fn reward(amounts: Amounts) -> Result<Amounts, FieldProblem> {
    let mut all = amounts.iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(FieldProblem::wrong("reward", "may have one currency"));
    }
    Ok(campaigns::reward(first))
}

/// The customer's reward: the sent parts on those that were there. A part that its kind does not have is refused.
fn customer_reward(
    old: &CustomerReward,
    kind: Option<&'static str>,
    amounts: Option<Amounts>,
    text: Option<&str>,
) -> Result<CustomerReward, FieldProblem> {
    let word = kind.unwrap_or(old.kind());
    if amounts.as_ref().is_some_and(|sent| !sent.is_empty()) && !matches!(word, "money" | "credit") {
        return Err(FieldProblem::wrong("customer_reward", "is for the kinds `money` and `credit`"));
    }
    if text.is_some_and(|sent| !sent.is_empty()) && word != "voucher" {
        return Err(FieldProblem::wrong("customer_reward_text", "is for the kind `voucher`"));
    }
    let amounts = amounts.unwrap_or_else(|| old.amounts());
    let mut all = amounts.iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(FieldProblem::wrong("customer_reward", "may have one currency"));
    }
    let made = CustomerReward::of(word, first, text.unwrap_or(old.text()));
    made.map_err(|(part, why)| {
        let field = match part {
            CustomerRewardPart::Amount => "customer_reward",
            CustomerRewardPart::Text => "customer_reward_text",
        };
        FieldProblem::wrong(field, why)
    })
}

async fn create(State(app): State<App>, caller: Caller, Sent(new): Sent<NewCampaign>) -> Result<Response, Problem> {
    caller.may_change("Campaigns")?;
    let settings = Settings {
        name: new.name.0,
        qualify_on: new.qualify_on.map_or(QualifyOn::Payment, |on| on.0),
        least: new.qualify_least.map(|least| least.0).unwrap_or_default(),
        qualify_days: new.qualify_days.map_or(0, |days| days.0),
        reward: reward(new.reward.map(|reward| reward.0).unwrap_or_default())?,
        reward_hold_days: new.reward_hold_days.map_or(14, |days| days.0),
        customer_reward: customer_reward(
            &CustomerReward::Nothing,
            new.customer_reward_kind.map(|kind| kind.0.0),
            new.customer_reward.map(|amounts| amounts.0),
            new.customer_reward_text.as_deref(),
        )?,
        destination: destination(&app, new.destination.as_deref().unwrap_or_default())?,
        link_days: new.link_days.map_or(LINK_DAYS, |days| days.0),
        offer: new.offer.as_deref().unwrap_or_default().to_owned(),
    };
    let made = campaigns::create(&app, &caller.actor, caller.business_id(), whole(settings), SameName::Fine).await?;
    let id = made.ok_or_else(|| nothing("campaign"))?;
    answer(&app, &caller, &HeaderMap::new(), StatusCode::CREATED, id).await
}

/// Only the rule of the first payment has a least amount and a time.
fn whole(settings: Settings) -> Settings {
    if settings.qualify_on == QualifyOn::Payment {
        return settings;
    }
    Settings { least: Amounts::default(), qualify_days: 0, ..settings }
}

async fn update(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    InPath(text): InPath,
    Sent(change): Sent<CampaignChange>,
) -> Result<Response, Problem> {
    caller.may_change("Campaigns")?;
    let (id, expected) = (path_id(&text)?, expected(&headers)?);
    // Two who change different settings at once both get their way: the second one is put on the first's.
    for _ in 0..5 {
        let row = find(&app, &caller, id).await?;
        if expected.is_some_and(|expected| expected != row.updated_at) {
            return Err(stale());
        }
        let seen = Settings::of(&row.campaign());
        let new = changed(&app, seen.clone(), change.clone())?;
        match campaigns::change(&app, &caller.actor, caller.business_id(), id, new, Some(seen)).await? {
            Saved::Changed | Saved::Same => {
                return answer(&app, &caller, &HeaderMap::new(), StatusCode::OK, id).await;
            }
            Saved::NotFound => return Err(nothing("campaign")),
            Saved::Stale => {}
        }
    }
    Err(Problem::conflict("changed_meanwhile", "The campaign keeps changing. Try again."))
}

/// Settings with a change made to them.
fn changed(app: &App, old: Settings, change: CampaignChange) -> Result<Settings, FieldProblem> {
    let text = change.customer_reward_text.map(|text| text.0.unwrap_or_default());
    let customer_reward = customer_reward(
        &old.customer_reward,
        change.customer_reward_kind.0.map(|kind| kind.0.0),
        change.customer_reward.0.map(|amounts| amounts.0),
        text.as_deref(),
    )?;
    Ok(whole(Settings {
        customer_reward,
        name: change.name.0.map_or(old.name, |name| name.0),
        qualify_on: change.qualify_on.0.map_or(old.qualify_on, |on| on.0),
        least: change.qualify_least.0.map_or(old.least, |least| least.0),
        qualify_days: change.qualify_days.0.map_or(old.qualify_days, |days| days.0),
        reward: change.reward.0.map_or(Ok(old.reward), |new| reward(new.0))?,
        reward_hold_days: change.reward_hold_days.0.map_or(old.reward_hold_days, |days| days.0),
        destination: match change.destination {
            Some(text) => destination(app, text.0.as_deref().unwrap_or_default())?,
            None => old.destination,
        },
        link_days: change.link_days.0.map_or(old.link_days, |days| days.0),
        offer: change.offer.map_or(old.offer, |text| text.0.unwrap_or_default()),
    }))
}

async fn set_state(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(new): Sent<CampaignStanding>,
) -> Result<Response, Problem> {
    caller.may_change("Campaigns")?;
    let (id, to) = (path_id(&text)?, new.state.0);
    match campaigns::set_state(&app, &caller.actor, caller.business_id(), id, to).await? {
        Moved::From(_) | Moved::Already => answer(&app, &caller, &HeaderMap::new(), StatusCode::OK, id).await,
        Moved::Refused(from) => {
            let message = format!("The campaign is {}, and cannot become {}.", from.word(), to.word());
            Err(Problem::conflict("refused", message))
        }
        Moved::NotFound => Err(nothing("campaign")),
    }
}
