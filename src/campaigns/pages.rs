mod ready_text;

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use super::settings::{self, Destination, LINK_DAYS, LINK_DAYS_MOST, QUALIFY_DAYS_MOST, QualifyOn, Settings};
use super::store::{self, CampaignLine};
use super::{Campaign, CustomerReward, CustomerRewardPart, Moved, SameName, Saved, State};
use crate::business;
use crate::id::{self, Kind};
use crate::links;
use crate::money::{Currency, Money};
use crate::payouts;
use crate::products::{self, InForce, ProductLine};
use crate::query;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted_up_to;
use crate::users::Right;
use crate::web::page::{Places, html_with, own_path};
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    let (see, edit) = (Access::May(Right::SeeCampaigns), Access::May(Right::EditCampaigns));
    Routes::new()
        .get("/campaigns", see, index)
        .get("/campaigns/new", edit, new)
        .form("/campaigns", edit, create)
        .get("/campaigns/{id}", see, show)
        .get("/campaigns/{id}/edit", edit, edit_page)
        .form("/campaigns/{id}", edit, update)
        .post("/campaigns/{id}/state", edit, set_state)
        .post("/campaigns/{id}/default", edit, make_default)
        .get("/switch-campaign", Access::May(Right::Home), switch)
        .merge(ready_text::routes())
}

#[derive(Template)]
#[template(path = "campaigns/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    can_edit: bool,
}

struct Line {
    row: CampaignLine,
    settings: Settings,
    /// What a referrer earns, a line each.
    pays: Vec<String>,
    is_default: bool,
}

/// What each campaign's live products pay today.
async fn in_force(page: &Page) -> Result<Vec<InForce>, Fault> {
    let today = page.member.zone.day_of(page.app.clock.now());
    Ok(products::in_force(&mut page.read().await?, page.member.business_id, today).await?)
}

/// What a campaign pays, a line each.
fn pays(settings: &Settings, campaign_id: i64, all: &[InForce]) -> Vec<String> {
    let own: Vec<&InForce> = all.iter().filter(|one| one.campaign_id == campaign_id).collect();
    products::pays(&settings.reward, &own)
}

async fn index(page: Page) -> PageResult {
    let rows = store::list(&mut page.read().await?, page.member.business_id).await?;
    let terms = in_force(&page).await?;
    let line = |row: CampaignLine| Line {
        pays: pays(&Settings::of(&row.campaign()), row.id, &terms),
        settings: Settings::of(&row.campaign()),
        is_default: page.member.default_campaign_id == Some(row.id),
        row,
    };
    html(&ListPage {
        rows: rows.into_iter().map(line).collect(),
        can_edit: page.member.may(Right::EditCampaigns),
        frame: page.frame("campaign").await?,
    })
}

#[derive(Template)]
#[template(path = "campaigns/form.html")]
struct FormPage {
    frame: Frame,
    form: Form,
    /// None for a new one.
    campaign: Option<Campaign>,
    rules: Vec<Choice>,
    customer_rewards: Vec<Choice>,
    currency: &'static str,
    places: Places,
}

impl FormPage {
    async fn of(page: &Page, form: Form, campaign: Option<Campaign>) -> Result<Self, Fault> {
        let rules = Choice::list(QualifyOn::ALL.map(|rule| (rule.word(), rule.label())), form.value("qualify_on"));
        let currency = page.member.currency.code();
        let customer_rewards = Choice::list(CustomerReward::KINDS, form.value("customer_reward_kind"));
        let frame = page.frame("campaign").await?;
        Ok(Self { frame, form, campaign, rules, customer_rewards, currency, places: Places })
    }
}

/// The fields of the form, read: all of them, or the words of what is wrong.
fn read(form: &mut Form, page: &Page) -> Option<Settings> {
    let currency = page.member.currency;
    let name = form.line("name", "The name", 120);
    let qualify_on = form.choice("qualify_on", "When a referral counts", QualifyOn::parse);
    let least = form.amounts("least", "The least payment", currency);
    let qualify_days = read_qualify_days(form);
    let reward = read_reward(form);
    let customer_reward = read_customer_reward(form);
    let reward_hold_days = form.number("reward_hold_days", "The hold", 0, 3650);
    let destination = Destination::parse(form.value("destination"));
    let destination = destination.map_err(|why| form.fail("destination", format!("The address {why}."))).ok();
    if destination.as_ref().is_some_and(|d| links::is_one(&page.app.config.public_url, d.text())) {
        form.fail("destination", "The address is one of Refdesk's own links, which would lead in a circle.");
    }
    let link_days = read_link_days(form);
    let offer = form.optional_line("offer", "The offer", 200).unwrap_or_default();
    Some(Settings {
        name: name?,
        qualify_on: qualify_on?,
        // Only the rule of the first payment has a least amount.
        least: least.filter(|_| qualify_on == Some(QualifyOn::Payment)).unwrap_or_default(),
        qualify_days: qualify_days?,
        reward: settings::reward(reward?),
        reward_hold_days: reward_hold_days?,
        customer_reward: customer_reward?,
        destination: destination?,
        link_days: link_days?,
        offer,
    })
    .filter(|_| form.is_fine())
}

/// Nothing typed is any time. Only the rule of the first payment has it.
fn read_qualify_days(form: &mut Form) -> Option<i64> {
    if form.value("qualify_days").trim().is_empty() || form.value("qualify_on") != QualifyOn::Payment.word() {
        return Some(0);
    }
    form.number("qualify_days", "The days", 0, QUALIFY_DAYS_MOST)
}

/// Nothing typed is the usual time.
fn read_link_days(form: &mut Form) -> Option<i64> {
    if form.value("link_days").trim().is_empty() {
        return Some(LINK_DAYS);
    }
    form.number("link_days", "The time that the code is kept", 1, LINK_DAYS_MOST)
}

/// `Some(None)` for no reward.
fn read_reward(form: &mut Form) -> Option<Option<Money>> {
    if form.value("reward").trim().is_empty() {
        return Some(None);
    }
    let currency = form.currency("reward_currency", "The reward's currency")?;
    form.money("reward", "The reward", currency).map(Some)
}

fn read_customer_reward(form: &mut Form) -> Option<CustomerReward> {
    if form.value("customer_reward_kind").is_empty() {
        return Some(CustomerReward::Nothing);
    }
    let is_kind = |word: &str| CustomerReward::KINDS.iter().find(|(kind, _)| *kind == word).map(|(kind, _)| *kind);
    let kind = form.choice("customer_reward_kind", "What the customer gets", is_kind)?;
    let money = if ["money", "credit"].contains(&kind) {
        let currency = form.currency("customer_reward_currency", "The currency")?;
        Some(form.money("customer_reward", "The amount", currency)?)
    } else {
        None
    };
    let text = if kind == "voucher" { form.line("customer_reward_text", "The voucher", 200)? } else { String::new() };
    match CustomerReward::of(kind, money, &text) {
        Ok(reward) => Some(reward),
        Err((CustomerRewardPart::Amount, why)) => {
            form.fail("customer_reward", format!("The amount {why}."));
            None
        }
        Err((CustomerRewardPart::Text, why)) => {
            form.fail("customer_reward_text", format!("The voucher {why}."));
            None
        }
    }
}

fn filled(s: &Settings, currency: Currency) -> Form {
    let (reward, customer) = (s.reward.iter().next(), s.customer_reward.money());
    Form::filled(&[
        ("name", &s.name),
        ("qualify_on", s.qualify_on.word()),
        ("least", &s.least.get(currency).map(Money::plain).unwrap_or_default()),
        ("least_other", &s.least.lines_without(currency)),
        ("qualify_days", &if s.qualify_days > 0 { s.qualify_days.to_string() } else { String::new() }),
        ("reward", &reward.map(Money::plain).unwrap_or_default()),
        ("reward_currency", reward.map_or(currency, |money| money.currency).code()),
        ("reward_hold_days", &s.reward_hold_days.to_string()),
        ("customer_reward_kind", s.customer_reward.kind()),
        ("customer_reward", &customer.map(Money::plain).unwrap_or_default()),
        ("customer_reward_currency", customer.map_or(currency, |money| money.currency).code()),
        ("customer_reward_text", s.customer_reward.text()),
        ("destination", s.destination.text()),
        ("link_days", &s.link_days.to_string()),
        ("offer", &s.offer),
    ])
}

async fn new(page: Page) -> PageResult {
    let currency = page.member.currency.code();
    let form = Form::filled(&[
        ("qualify_on", "payment"),
        ("reward_currency", currency),
        ("reward_hold_days", "14"),
        ("customer_reward_kind", "none"),
        ("customer_reward_currency", currency),
        ("link_days", &LINK_DAYS.to_string()),
    ]);
    html(&FormPage::of(&page, form, None).await?)
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let Some(settings) = read(&mut form, &page) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::of(&page, form, None).await?);
    };
    let said = format!(
        "{} is now a draft. You work in it now: add a product, then take it live.{}",
        settings.name,
        form.understood()
    );
    let actor = Arc::new(page.member.actor());
    let made = super::create(&page.app, &actor, page.member.business_id, settings, SameName::Refused).await?;
    let Some(id) = made else {
        form.fail("name", "There is a campaign of this name already. Give this one another name.");
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::of(&page, form, None).await?);
    };
    page.session.insert("campaign", id).await?;
    page.go(&format!("/campaigns/{id}"), Flash::good(said)).await
}

#[derive(Template)]
#[template(path = "campaigns/show.html")]
struct ShowPage {
    frame: Frame,
    campaign: Campaign,
    settings: Settings,
    public_id: String,
    is_default: bool,
    products: Vec<ProductLine>,
    states: Vec<StateLine>,
    /// What a referrer earns, a line each.
    pays: Vec<String>,
    /// The ways, the least amount and the day that referrers are paid by.
    paying: Vec<String>,
    /// Live, and pays nobody anything.
    pays_nothing: bool,
    can_edit: bool,
    /// True in the campaign that the lists show.
    here: bool,
    /// Enrolled referrers, counted up to a bound.
    referrers: i64,
    referrers_shown: String,
    others: bool,
}

/// A state with what it means, and the button that leads there.
struct StateLine {
    state: State,
    now: bool,
    /// Empty where there is no way.
    verb: &'static str,
}

/// Referrers of a campaign are counted up to this.
const MOST: i64 = 10_000;

async fn find(page: &Page, id: i64) -> Result<Campaign, Fault> {
    super::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = find(&page, id).await?;
    let products = products::of_campaign(&mut page.read().await?, page.member.business_id, id).await?;
    let referrers = store::enrolled(&mut page.read().await?, id, MOST).await?;
    let now = campaign.state();
    let line = |state: State| StateLine {
        state,
        now: state == now,
        verb: if now.next().contains(&state) { now.verb(state) } else { "" },
    };
    let settings = Settings::of(&campaign);
    let pays = pays(&settings, id, &in_force(&page).await?);
    let paying = payouts::paying(&mut page.read().await?, page.member.business_id).await?;
    html(&ShowPage {
        paying: paying.iter().find(|c| c.id == id).map(payouts::Paying::sentences).unwrap_or_default(),
        pays_nothing: now == State::Live && pays.is_empty(),
        pays,
        settings,
        public_id: id::render(Kind::Campaign, id),
        is_default: page.member.default_campaign_id == Some(id),
        products,
        states: State::ALL.map(line).into(),
        here: page.campaign.id == id,
        referrers,
        referrers_shown: counted_up_to(referrers, MOST),
        others: page.campaigns().len() > 1,
        can_edit: page.member.may(Right::EditCampaigns),
        campaign,
        frame: page.frame("campaign").await?,
    })
}

async fn edit_page(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = find(&page, id).await?;
    let form = filled(&Settings::of(&campaign), page.member.currency);
    html(&FormPage::of(&page, form, Some(campaign)).await?)
}

async fn update(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let Some(settings) = read(&mut form, &page) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::of(&page, form, Some(campaign)).await?);
    };
    let actor = Arc::new(page.member.actor());
    let flash = match super::change(&page.app, &actor, page.member.business_id, id, settings, None).await? {
        Saved::NotFound | Saved::Stale => return Err(Fault::NotFound),
        Saved::Same => Flash::info("Nothing was different, so nothing was changed."),
        Saved::Changed => {
            let words = "The settings were saved. They apply from now on; nothing decided is decided again.";
            Flash::good(format!("{words}{}", form.understood()))
        }
    };
    page.go(&format!("/campaigns/{id}"), flash).await
}

async fn set_state(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let to = form.choice("state", "The state", State::parse).ok_or(Fault::Bad("There is no such state.".into()))?;
    let actor = Arc::new(page.member.actor());
    let name = find(&page, id).await?.name;
    let here = format!("/campaigns/{id}");
    let flash = match super::set_state(&page.app, &actor, page.member.business_id, id, to).await? {
        Moved::NotFound => return Err(Fault::NotFound),
        Moved::Already => Flash::info(format!("{name} is {} already.", to.word())),
        Moved::Refused(from) => Flash::bad(format!("{name} is {}, and cannot become {}.", from.word(), to.word())),
        Moved::From(from) => {
            let said = format!("{name} is {} now. {}", to.word(), to.sentence());
            let campaign = find(&page, id).await?;
            let pays = pays(&Settings::of(&campaign), id, &in_force(&page).await?);
            let flash = if to == State::Live && pays.is_empty() {
                let why = "It pays nothing yet: no product has terms that pay, and there is no reward.";
                Flash::info(format!("{said} {why}")).next(format!("{here}/products/new"), "Add a product")
            } else {
                Flash::good(said)
            };
            if to.next().contains(&from) {
                flash.undo(format!("{here}/state"), "Undo", &[("state", from.word())])
            } else {
                flash
            }
        }
    };
    page.go(&here, flash).await
}

async fn make_default(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let name = find(&page, id).await?.name;
    let made = business::set_default_campaign(&page.app, &actor, page.member.business_id, id).await?;
    let flash = match made {
        None => return Err(Fault::NotFound),
        Some(false) => Flash::info(format!("{name} is the default already.")),
        Some(true) => Flash::good(format!("{name} is the default campaign now.")),
    };
    page.go(&format!("/campaigns/{id}"), flash).await
}

/// The switcher in the frame: which campaign the lists show from now on, in this session.
async fn switch(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = query::pairs(uri.query().unwrap_or_default());
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    page.session.insert("campaign", page.campaign.id).await?;
    let back = without_campaign(own_path(value("back"), "/"));
    Ok(Redirect::to(&page.at(&back)).into_response())
}

/// The page the person came from, without the other campaign's ids and list position.
fn without_campaign(back: &str) -> String {
    let (path, query) = back.split_once('?').unwrap_or((back, ""));
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query::pairs(query);
    let kept: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !["campaign", "after", "before"].contains(key))
        .collect();
    query::url(path, &kept)
}

#[cfg(test)]
mod tests {
    use super::without_campaign;

    #[test]
    fn the_way_back_forgets_the_other_campaign() {
        assert_eq!(without_campaign("/leads?status=new&campaign=5&after=xx"), "/leads?status=new");
        assert_eq!(without_campaign("/leads"), "/leads");
        assert_eq!(without_campaign("/leads?after=x#lead_4"), "/leads");
    }
}
