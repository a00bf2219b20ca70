//! The form of an adjustment.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use crate::adjustments::{self, AdjustmentRow, NewAdjustment};
use crate::engine::state::{Account, AdjustmentState};
use crate::money::Money;
use crate::referrers::rows as people;
use crate::shell::{Frame, Page};
use crate::web::page::{Places, html_with};
use crate::web::{Choice, Fault, Flash, Form, PageResult};

#[derive(Template)]
#[template(path = "adjustments/form.html")]
struct FormPage {
    frame: Frame,
    form: Form,
    id: i64,
    name: String,
    campaigns: Vec<Choice>,
    /// The amounts above which somebody else has to approve; empty for none.
    limits: String,
    places: Places,
    /// The question that somebody has to answer first.
    asked: Option<Question>,
}

/// Asked where an adjustment leaves a referrer owing: the slip of a digit would do that.
struct Question {
    sentence: String,
    /// The wish that is confirmed by the answer: another one is asked about again.
    about: String,
}

/// The question about an adjustment, unless the form has the answer.
async fn question(page: &Page, id: i64, money: Money, form: &Form) -> Result<Option<Question>, Fault> {
    let about = format!("{} {}", money.minor, money.currency);
    if money.minor >= 0 || form.value("sure") == about {
        return Ok(None);
    }
    let balances = people::balances(&mut page.read().await?, id).await?;
    let owed = balances.iter().filter(|row| row.currency == money.currency.code());
    let owed = owed.filter(|row| [Account::Held.word(), Account::Due.word()].contains(&row.account.as_str()));
    let before = Money { minor: owed.map(|row| row.amount).sum(), currency: money.currency };
    let after = Money { minor: before.minor.saturating_add(money.minor), currency: money.currency };
    let sentence = format!(
        "They are owed {}, so this leaves them at {}: it is netted with what they earn next.",
        before.shown(),
        after.shown()
    );
    Ok((after.minor < 0).then_some(Question { sentence, about }))
}

/// The referrer's name, and the campaigns that they are in.
async fn person(page: &Page, id: i64) -> Result<(String, Vec<i64>), Fault> {
    let mut conn = page.read().await?;
    let row = people::by_id(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    Ok((row.name, adjustments::campaigns_of(&mut conn, page.member.business_id, id).await?))
}

async fn shown(page: &Page, id: i64, form: Form, status: StatusCode) -> PageResult {
    asked(page, id, form, status, None).await
}

async fn asked(page: &Page, id: i64, form: Form, status: StatusCode, asked: Option<Question>) -> PageResult {
    let (name, enrolled) = person(page, id).await?;
    let limits = adjustments::limits(&mut page.read().await?, page.member.business_id).await?;
    let theirs = page.campaigns().iter().filter(|c| enrolled.contains(&c.id));
    let usual = page.campaign.id.to_string();
    let chosen = if form.value("campaign").is_empty() { usual.as_str() } else { form.value("campaign") };
    let answer = FormPage {
        frame: page.frame("referrers").await?,
        campaigns: Choice::list(theirs.map(|c| (c.id.to_string(), c.name.clone())), chosen),
        limits: limits.shown(),
        places: Places,
        asked,
        id,
        name,
        form,
    };
    html_with(status, &answer)
}

pub(super) async fn new(page: Page, Path(id): Path<i64>) -> PageResult {
    let form = Form::filled(&[("currency", page.member.currency.code())]);
    shown(&page, id, form, StatusCode::OK).await
}

pub(super) async fn create(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let (name, enrolled) = person(&page, id).await?;
    let in_campaign = |text: &str| {
        let id = text.parse().ok()?;
        enrolled.contains(&id).then_some(id)
    };
    let campaign = form.choice("campaign", "The campaign", in_campaign);
    let currency = form.currency("currency", "The currency");
    // Without its currency an amount cannot be read; what is wrong with both is said at once where it can be.
    let money = form.signed_money("amount", "The amount", currency.unwrap_or(page.member.currency));
    let reason = form.line("reason", "The reason", 500);
    let (Some(campaign_id), Some(_), Some(money), Some(reason), true) =
        (campaign, currency, money, reason, form.is_fine())
    else {
        return shown(&page, id, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    if let Some(first) = question(&page, id, money, &form).await? {
        return asked(&page, id, form, StatusCode::OK, Some(first)).await;
    }
    let new = NewAdjustment {
        business_id: page.member.business_id,
        campaign_id,
        referrer_id: id,
        money,
        reason,
        person: page.member.user_id,
    };
    let actor = Arc::new(page.member.actor());
    let made = match adjustments::add(&page.app, &actor, new).await? {
        Ok(made) => adjustments::find(&mut page.read().await?, page.member.business_id, made).await?,
        Err(why) => {
            form.fail(why.field().map_or("", |(field, _)| field), why.sentence());
            return shown(&page, id, form, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let said = said(&made.ok_or(Fault::NotFound)?, &name) + &form.understood();
    page.go(&format!("/referrers/{id}"), Flash::good(said)).await
}

fn said(made: &AdjustmentRow, name: &str) -> String {
    let amount = made.money().shown();
    match made.state {
        AdjustmentState::Pending => format!("{amount} for {name} waits until somebody else approves it."),
        _ => format!("{amount} for {name} counts now. The next payout takes it."),
    }
}
