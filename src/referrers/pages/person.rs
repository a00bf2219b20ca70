//! The page of one referrer.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;

use crate::adjustments;
use crate::codes::CodeState;
use crate::counters;
use crate::links;
use crate::meta;
use crate::money::{Currency, Money};
use crate::payout_details::pages::Card;
use crate::providers::accounts;
use crate::providers::standing::{self, Owner, Standing};
use crate::providers::store::uses::{self, AtStripe};
use crate::referrers::store::{self, CodeOf, EnrollmentLine, ReferrerRow};
use crate::referrers::timeline::{self, TimelineItem};
use crate::remarks::Subject;
use crate::remarks::pages::Remarks;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::{Choice, Fault, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new().get("/referrers/{id}", Access::May(Right::SeeReferrers), show)
}

/// Newest leads and history shown; the rest is on pages of their own.
const LEADS: i64 = 20;
const HISTORY: i64 = 40;

#[derive(Template)]
#[template(path = "referrers/show.html")]
struct ShowPage {
    frame: Frame,
    row: ReferrerRow,
    /// What other programs call them and store with them.
    marks: Vec<(String, String)>,
    added: When,
    archived: bool,
    enrollments: Vec<Enrolled>,
    leads: Vec<Lead>,
    leads_url: String,
    more_leads: bool,
    balances: Vec<Balances>,
    /// The part that is approved, and held because it is disputed.
    disputed: String,
    timeline: Vec<TimelineItem>,
    /// The other campaigns.
    others: Vec<Choice>,
    form: Form,
    can_edit: bool,
    can_record: bool,
    sees_money: bool,
    remarks: Remarks,
    /// The adjustments that wait for a second person.
    waiting: Vec<String>,
    /// None for those who may not pay.
    paid_by: Option<Card>,
    leads_lead: &'static str,
}

impl ShowPage {
    fn text<'t>(&self, text: &'t Option<String>) -> &'t str {
        text.as_deref().unwrap_or_default()
    }
}

struct Enrolled {
    line: EnrollmentLine,
    since: When,
    active: Option<CodeOf>,
    link: String,
    /// On the links of all its codes.
    clicks: String,
    old: Vec<CodeOf>,
    /// How the code stands at Stripe, in a campaign that is connected there.
    at_stripe: Option<Standing>,
}

struct Lead {
    row: store::LeadOf,
    when: When,
}

impl Lead {
    fn contact(&self) -> &str {
        self.row.email.as_deref().or(self.row.phone.as_deref()).unwrap_or_default()
    }
}

/// A referrer's balances in one currency.
struct Balances {
    currency: String,
    held: String,
    due: String,
    due_negative: bool,
    paying: String,
    paid: String,
}

fn balances(rows: &[store::Balance]) -> Vec<Balances> {
    let mut by_currency: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
    for row in rows {
        let sums = by_currency.entry(&row.currency).or_default();
        match row.account.as_str() {
            "held" => sums[0] += row.amount,
            "due" => sums[1] += row.amount,
            "paying" => sums[2] += row.amount,
            _ => sums[3] += row.amount,
        }
    }
    by_currency
        .into_iter()
        .filter_map(|(code, sums)| {
            let currency = Currency::parse(code).ok()?;
            let shown = |minor: i64| Money { minor, currency }.shown();
            Some(Balances {
                currency: code.to_owned(),
                held: shown(sums[0]),
                due: shown(sums[1]),
                due_negative: sums[1] < 0,
                paying: shown(sums[2]),
                paid: shown(sums[3]),
            })
        })
        .collect()
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let business = page.member.business_id;
    let mut conn = page.read().await?;
    let row = store::by_id(&mut conn, business, id).await?.ok_or(Fault::NotFound)?;
    let lines = store::enrollments(&mut conn, business, id).await?;
    let all_codes = store::codes(&mut conn, business, id).await?;
    let totals = counters::totals(&mut conn, &all_codes.iter().map(|c| c.id).collect::<Vec<_>>()).await?;
    let own_leads_only = !page.member.may(Right::SeeLeads);
    let recorder = own_leads_only.then_some(page.member.user_id);
    let mut leads = store::leads(&mut conn, business, id, recorder, LEADS + 1).await?;
    let sees_money = page.member.may(Right::SeeMoney);
    let sums = if sees_money { store::balances(&mut conn, business, id).await? } else { Vec::new() };
    let disputed = if sees_money { store::disputed(&mut conn, business, id).await? } else { Vec::new() };
    let disputed: Vec<String> =
        disputed.into_iter().map(|(currency, minor)| Money::shown_in(minor, &currency)).collect();
    let waiting = match page.member.may(Right::Pay) {
        true => adjustments::pending_of(&mut conn, business, id).await?,
        false => Vec::new(),
    };
    let history =
        store::entries(&mut conn, business, id, own_leads_only || !sees_money, page.member.may(Right::Pay), HISTORY)
            .await?;
    let accounts = accounts::of(&mut conn, business).await?;
    let at_stripe = match accounts.is_empty() {
        true => Vec::new(),
        false => uses::at_stripe(&mut conn, &all_codes.iter().map(|c| c.id).collect::<Vec<_>>()).await?,
    };
    drop(conn);
    let more_leads = leads.len() > usize::try_from(LEADS).unwrap_or_default();
    leads.truncate(usize::try_from(LEADS).unwrap_or_default());
    let names: BTreeMap<i64, String> = page.campaigns().iter().map(|c| (c.id, c.name.clone())).collect();
    let timeline = history.iter().map(|e| timeline::item(e, page.when(e.at), |id| names.get(&id).cloned())).collect();
    let enrolled_in = |id: i64| lines.iter().any(|l| l.campaign_id == id);
    let others: Vec<(i64, String)> =
        page.campaigns().iter().filter(|c| !enrolled_in(c.id)).map(|c| (c.id, c.name.clone())).collect();
    let enrollments = lines
        .iter()
        .map(|line| {
            let (active, old): (Vec<CodeOf>, Vec<CodeOf>) =
                all_codes.iter().filter(|c| c.enrollment_id == line.id).cloned().partition(|c| c.state == "active");
            let active = active.into_iter().next();
            let url = &page.app.config.public_url;
            let link =
                active.as_ref().map(|c| links::address(url, c.campaign_id, &c.text, c.elder)).unwrap_or_default();
            let clicks = active.iter().chain(&old).filter_map(|c| totals.get(&(c.id, "clicks".to_owned()))).sum();
            let clicks = counted(clicks);
            let accounts = standing::accounts(accounts.clone(), line.campaign_id);
            let at_stripe = (!accounts.is_empty()).then(|| {
                let own: Vec<AtStripe> =
                    at_stripe.iter().filter(|a| active.as_ref().is_some_and(|c| c.id == a.code_id)).cloned().collect();
                let owner = Owner { state: line.state.clone(), archived: row.archived_at.is_some() };
                let state = active.as_ref().map(|_| CodeState::Active);
                standing::best(&accounts, line.campaign_id, &owner, state, &own)
            });
            Enrolled { at_stripe, since: page.when(line.created_at), line: line.clone(), active, link, clicks, old }
        })
        .collect();
    let frame = page.frame("referrers").await?;
    let remarks = Remarks::of(&page, &frame, Subject::Referrer, id).await?;
    let paid_by = Card::of(&page, &frame, id, row.archived_at.is_none()).await?;
    html(&ShowPage {
        frame,
        remarks,
        paid_by,
        added: page.when(row.created_at),
        archived: row.archived_at.is_some(),
        marks: meta::shown(row.external_id.as_deref(), &row.meta).collect(),
        row,
        enrollments,
        leads: leads.into_iter().map(|row| Lead { when: page.when(row.created_at), row }).collect(),
        leads_url: format!("/leads?referrer={id}"),
        more_leads,
        balances: balances(&sums),
        disputed: disputed.join(" and "),
        waiting: waiting.iter().map(|a| a.money().shown()).collect(),
        timeline,
        others: Choice::list(others, ""),
        form: Form::filled(&[("generate", "yes")]),
        can_edit: page.member.may(Right::EditReferrers),
        can_record: page.member.may(Right::Record),
        sees_money,
        leads_lead: if own_leads_only { "Those you recorded." } else { "" },
    })
}
