//! The sums owed, and the payouts so far.

use askama::Template;
use axum::extract::OriginalUri;
use std::sync::Arc;

use super::left_out;
use crate::db::Cursor;
use crate::engine::state::PayoutState;
use crate::money::{Currency, Money};
use crate::payout_details::Method;
use crate::payouts::files::Format;
use crate::payouts::{self, LeftOut, NewPayout, OutReason, Owed, PayoutRow, Unpaid};
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
    /// Empty where a payout would have nobody.
    amount: String,
    referrers: String,
    /// Empty where nothing says how they are paid.
    method: &'static str,
    word: &'static str,
    currency: String,
    since: Option<When>,
    /// The people whom a payout would leave out: "12.00 USD of 2 referrers: below the minimum".
    left_out: Vec<String>,
    /// Ways of paying that no campaign of theirs offers.
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
    /// The lines that failed or came back, which the amount is without.
    unpaid: Option<String>,
}

fn people(referrers: i64) -> String {
    format!("{} {}", counted(referrers), if referrers == 1 { "referrer" } else { "referrers" })
}

impl OwedLine {
    fn of(row: &Owed, payouts: &[PayoutRow], page: &Page) -> Self {
        let method = row.method.unwrap_or(Method::Hand);
        let is_draft = |p: &&PayoutRow| {
            p.state == PayoutState::Draft
                && p.campaign_id.is_none()
                && p.currency == row.due.currency
                && p.method == method
        };
        let left_out = |out: &LeftOut| format!("{} of {}: {}", out.amount.shown(), people(out.referrers), out.reason);
        Self {
            amount: if row.referrers > 0 { row.due.shown() } else { String::new() },
            referrers: people(row.referrers),
            method: row.method.map_or("", Method::title),
            word: method.word(),
            draft: payouts.iter().find(is_draft).map(|p| (format!("/payouts/{}", p.id), p.name())),
            currency: row.due.currency.code().to_owned(),
            is_refused: row.left_out.iter().any(|out| out.reason == OutReason::NotOffered),
            left_out: row.left_out.iter().map(left_out).collect(),
            since: row.since.map(|day| When::on(page.today(), day)),
        }
    }
}

impl Row {
    fn of(p: PayoutRow, unpaid: &[Unpaid], page: &Page) -> Self {
        let of = unpaid.iter().find(|unpaid| unpaid.payout_id == p.id);
        let money = |minor| Money { minor, currency: p.currency }.shown();
        Self {
            amount: money(p.amount - of.map_or(0, |unpaid| unpaid.amount)),
            lines: counted(p.lines - of.map_or(0, |unpaid| unpaid.lines)),
            unpaid: of.map(|unpaid| {
                format!("without {} of {} that did not arrive", money(unpaid.amount), people(unpaid.lines))
            }),
            method: p.method.title(),
            created: page.when(p.created_at),
            p,
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
    let owed = payouts::owed(&mut conn, page.member.business_id, page.today()).await?;
    let list = payouts::listing(page.member.business_id).turned(&query);
    let mut rows: Vec<PayoutRow> = list.build(crate::db::PAGE + 1).all(&mut conn).await?;
    let listed: Vec<i64> = rows.iter().map(|p| p.id).collect();
    let unpaid = payouts::unpaid(&mut conn, &listed).await?;
    drop(conn);
    let cursor = |row: &PayoutRow| Cursor { value: row.created_at.to_string(), id: row.id };
    let pager = Pager::cut(&query, &mut rows, cursor, "");
    let mut currencies: Vec<String> = owed.iter().map(|o| o.due.currency.code().to_owned()).collect();
    currencies.push(page.member.currency.code().to_owned());
    currencies.sort_unstable();
    currencies.dedup();
    let all = std::iter::once((String::new(), "All campaigns".to_owned()));
    let campaigns = all.chain(page.campaigns().iter().map(|c| (c.id.to_string(), c.name.clone())));
    html(&ListPage {
        frame: page.frame("payouts").await?,
        owed: owed.iter().map(|row| OwedLine::of(row, &rows, page)).collect(),
        rows: rows.into_iter().map(|p| Row::of(p, &unpaid, page)).collect(),
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

/// The payout that a form asks for; what is wrong is said at its fields.
pub(super) fn wish(page: &Page, form: &mut Form) -> Option<NewPayout> {
    let currency = form.choice("currency", "The currency", |text| Currency::parse(text).ok());
    let method = form.choice("method", "The way of paying", Method::parse);
    let campaign_id = match form.value("campaign") {
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
    let (currency, method) = (currency?, method?);
    form.is_fine().then_some(NewPayout { business_id: page.member.business_id, campaign_id, currency, method, format })
}

pub(super) async fn create(page: Page, OriginalUri(uri): OriginalUri, mut form: Form) -> PageResult {
    let Some(new) = wish(&page, &mut form) else { return shown(&page, &uri, form).await };
    // A draft without anybody is no help: who is left out, and why, is told instead.
    let nobody = matches!(payouts::preview(&page.app, new, true).await?, Ok(found) if found.is_of_nobody());
    if nobody {
        let said = "No draft was made: nobody would be in it.";
        return page.go(&left_out::address(&new), Flash::bad(said)).await;
    }
    let id = match payouts::create(&page.app, &Arc::new(page.member.actor()), new).await? {
        Ok(id) => id,
        Err(why) => {
            form.fail("format", why.sentence());
            return shown(&page, &uri, form).await;
        }
    };
    page.go(&format!("/payouts/{id}"), Flash::good("This is a draft: nothing moves until you lock it.")).await
}
