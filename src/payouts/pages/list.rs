//! The sums owed, and the payouts so far.

use askama::Template;
use axum::extract::OriginalUri;
use std::sync::Arc;

use crate::db::Cursor;
use crate::engine::state::PayoutState;
use crate::money::{Currency, Money};
use crate::payout_details::Method;
use crate::payouts::files::Format;
use crate::payouts::{self, NewPayout, Owed, PayoutRow};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Choice, Flash, Form, PageResult, Pager, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "payouts/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    owed: Vec<OwedLine>,
    rows: Vec<Row>,
    pager: Pager,
    campaigns: Vec<Choice>,
    methods: Vec<Choice>,
    currencies: Vec<Choice>,
    formats: Vec<Choice>,
}

/// The sum owed in one currency to those who are paid in one way.
struct OwedLine {
    amount: String,
    referrers: String,
    /// Empty where nothing says how they are paid.
    method: &'static str,
    word: &'static str,
    currency: String,
    since: Option<When>,
    /// The campaigns of it pay in other ways.
    is_refused: bool,
    /// Address and name of a draft of it that is open.
    draft: Option<(String, String)>,
}

struct Row {
    p: PayoutRow,
    amount: String,
    method: &'static str,
    created: When,
    lines: String,
}

impl OwedLine {
    fn of(row: &Owed, payouts: &[PayoutRow], page: &Page) -> Self {
        let method = row.method.unwrap_or(Method::Hand);
        let is_draft = |p: &&PayoutRow| {
            p.state == PayoutState::Draft
                && p.campaign_id.is_none()
                && p.currency.code() == row.currency
                && p.method == method
        };
        let many = if row.referrers == 1 { "referrer" } else { "referrers" };
        Self {
            amount: Money::shown_in(row.amount, &row.currency),
            referrers: format!("{} {many}", counted(row.referrers)),
            method: row.method.map_or("", Method::title),
            word: method.word(),
            draft: payouts.iter().find(is_draft).map(|p| (format!("/payouts/{}", p.id), p.name())),
            currency: row.currency.clone(),
            is_refused: !row.is_offered,
            since: row.since.as_deref().map(|day| When::on_text(page.today(), day)),
        }
    }
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    shown(&page, &uri, Form::filled(&[("method", Method::Paypal.word()), ("currency", page.member.currency.code())]))
        .await
}

async fn shown(page: &Page, uri: &axum::http::Uri, form: Form) -> PageResult {
    let query = page.list("/payouts", uri, &["after", "before"]);
    let mut conn = page.read().await?;
    let owed = payouts::owed(&mut conn, page.member.business_id).await?;
    let list = payouts::listing(page.member.business_id).turned(&query);
    let mut rows: Vec<PayoutRow> = list.build(crate::db::PAGE + 1).all(&mut conn).await?;
    drop(conn);
    let cursor = |row: &PayoutRow| Cursor { value: row.created_at.to_string(), id: row.id };
    let pager = Pager::cut(&query, &mut rows, cursor, "");
    let mut currencies: Vec<String> = owed.iter().map(|o| o.currency.clone()).collect();
    currencies.push(page.member.currency.code().to_owned());
    currencies.sort_unstable();
    currencies.dedup();
    let all = std::iter::once((String::new(), "All campaigns".to_owned()));
    let campaigns = all.chain(page.campaigns().iter().map(|c| (c.id.to_string(), c.name.clone())));
    html(&ListPage {
        frame: page.frame("payouts").await?,
        owed: owed.iter().map(|row| OwedLine::of(row, &rows, page)).collect(),
        rows: rows
            .into_iter()
            .map(|p| Row {
                amount: p.money().shown(),
                method: p.method.title(),
                created: page.when(p.created_at),
                lines: counted(p.lines),
                p,
            })
            .collect(),
        pager,
        campaigns: Choice::list(campaigns, form.value("campaign")),
        methods: Choice::list(Method::ALL.map(|m| (m.word(), m.title())), form.value("method")),
        currencies: Choice::list(currencies.into_iter().map(|c| (c.clone(), c)), form.value("currency")),
        formats: Choice::list(
            std::iter::once(("", "The usual one")).chain(Format::ALL.map(|format| (format.word(), format.title()))),
            form.value("format"),
        ),
        form,
    })
}

pub(super) async fn create(page: Page, OriginalUri(uri): OriginalUri, mut form: Form) -> PageResult {
    let currency = form.choice("currency", "The currency", |text| Currency::parse(text).ok());
    let method = form.choice("method", "The way of paying", Method::parse);
    let campaign = match form.value("campaign") {
        "" => None,
        text => match text.parse().ok().filter(|id| page.has_campaign(*id)) {
            Some(id) => Some(id),
            None => {
                form.fail("campaign", "Choose one of the campaigns.");
                None
            }
        },
    };
    let format = match form.value("format") {
        "" => None,
        _ => form.choice("format", "The file", Format::parse),
    };
    let (Some(currency), Some(method), true) = (currency, method, form.is_fine()) else {
        return shown(&page, &uri, form).await;
    };
    let new = NewPayout { business_id: page.member.business_id, campaign_id: campaign, currency, method, format };
    let id = match payouts::create(&page.app, &Arc::new(page.member.actor()), new).await? {
        Ok(id) => id,
        Err(why) => {
            form.fail("format", why.sentence());
            return shown(&page, &uri, form).await;
        }
    };
    page.go(&format!("/payouts/{id}"), Flash::good("This is a draft: nothing moves until you lock it.")).await
}
