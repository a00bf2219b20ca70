//! The decisions about a payout and its lines.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::show::{find, shown};
use crate::db::DbResult;
use crate::engine::payout::LineEvent;
use crate::id::{self, Kind};
use crate::payouts::{self, Approver, PayoutRow, Refused, Settle, Settled};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::users::Role;
use crate::web::{Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "payouts/ask.html")]
struct AskPage {
    frame: Frame,
    form: Form,
    title: String,
    name: String,
    action: String,
    own: String,
    button: String,
    tone: &'static str,
    sentences: Vec<String>,
    fields: Vec<(&'static str, String)>,
    asks_reason: bool,
}

fn own(p: &PayoutRow) -> String {
    format!("/payouts/{}", p.id)
}

async fn ask(
    page: &Page,
    p: &PayoutRow,
    form: Form,
    deed: &'static str,
    words: (String, String, &'static str),
    sentences: Vec<String>,
    fields: Vec<(&'static str, String)>,
) -> PageResult {
    let (title, button, tone) = words;
    html(&AskPage {
        frame: page.frame("payouts").await?,
        form,
        title,
        name: p.name(),
        action: format!("{}/{deed}", own(p)),
        own: own(p),
        button,
        tone,
        sentences,
        fields,
        asks_reason: deed == "unlock",
    })
}

fn people(lines: i64) -> String {
    format!("{} {}", counted(lines), if lines == 1 { "referrer" } else { "referrers" })
}

/// The page of the payout, with what was done or why not.
async fn done(page: &Page, id: i64, done: DbResult<Result<(), Refused>>, said: &str) -> PageResult {
    let flash = match done? {
        Ok(()) => Flash::good(said),
        Err(Refused::NotFound) => return Err(crate::web::Fault::NotFound),
        Err(why) => Flash::bad(why.sentence()),
    };
    page.go(&format!("/payouts/{id}"), flash).await
}

pub(super) async fn refresh(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let refreshed = payouts::refresh(&page.app, &actor, page.member.business_id, id).await;
    done(&page, id, refreshed, "The draft is up to date.").await
}

pub(super) async fn drop_draft(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let dropped = payouts::drop_draft(&page.app, &actor, page.member.business_id, id).await;
    done(&page, id, dropped, "The draft is dropped. Nothing of it was paid.").await
}

pub(super) async fn ask_lock(page: Page, Path(id): Path<i64>) -> PageResult {
    let p = find(&page, id).await?;
    let amount = p.money().shown();
    let sentences = vec![
        format!("{} get {amount} in all by {}.", people(p.lines), p.method.title()),
        "The amounts leave what is due, so that no other payout can take them. You can undo it until the first line is paid.".into(),
    ];
    let words = (format!("Lock {} with {amount}", p.name()), format!("Lock {amount}"), "primary");
    let fields = vec![("fingerprint", p.fingerprint.clone())];
    ask(&page, &p, Form::default(), "lock", words, sentences, fields).await
}

pub(super) async fn lock(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let (actor, seen) = (Arc::new(page.member.actor()), form.value("fingerprint").to_owned());
    let person = Some(page.member.user_id);
    let locked = payouts::lock(&page.app, &actor, page.member.business_id, id, seen, person).await;
    done(&page, id, locked, "Locked. The amounts are reserved for this payout.").await
}

pub(super) async fn ask_unlock(page: Page, Path(id): Path<i64>) -> PageResult {
    let p = find(&page, id).await?;
    ask_unlock_with(&page, &p, Form::default()).await
}

async fn ask_unlock_with(page: &Page, p: &PayoutRow, form: Form) -> PageResult {
    let mut sentences = vec!["Everything in it is due again, and the payout is a draft.".to_owned()];
    if p.file_at.is_some() {
        sentences.push("A file of this payout was made. Undo it only if that file is not with the bank.".into());
    }
    let words = (format!("Undo the lock of {}", p.name()), "Undo the lock".to_owned(), "danger");
    ask(page, p, form, "unlock", words, sentences, Vec::new()).await
}

pub(super) async fn unlock(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(reason) = form.line("reason", "The reason", 500) else {
        let p = find(&page, id).await?;
        return ask_unlock_with(&page, &p, form).await;
    };
    let actor = Arc::new(page.member.actor());
    let undone = payouts::unlock(&page.app, &actor, page.member.business_id, id, reason).await;
    done(&page, id, undone, "The payout is a draft again. Everything in it is due.").await
}

pub(super) async fn approve(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let who = Approver { person: Some(page.member.user_id), is_owner: page.member.role == Role::Owner };
    let approved = payouts::approve(&page.app, &actor, page.member.business_id, id, who).await;
    done(&page, id, approved, "Approved. It can be paid now.").await
}

pub(super) async fn ask_paid(page: Page, Path(id): Path<i64>) -> PageResult {
    let p = find(&page, id).await?;
    let sums = payouts::sums(&mut page.read().await?, id).await?;
    let open = sums.iter().find(|s| s.state == crate::engine::state::LineState::Locked);
    let (lines, minor) = open.map_or((0, 0), |s| (s.lines, s.amount));
    let amount = crate::money::Money { minor, currency: p.currency }.shown();
    let sentences = vec![
        format!("{} with {amount} count as paid today.", people(lines)),
        "Mark those that failed first, or give them back later as returned.".into(),
    ];
    let words = (format!("Mark {amount} of {} as paid", p.name()), format!("Mark {amount} as paid"), "primary");
    ask(&page, &p, Form::default(), "paid", words, sentences, Vec::new()).await
}

pub(super) async fn pay_all(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let paid = payouts::pay_all(&page.app, &actor, page.member.business_id, id, None).await;
    done(&page, id, paid, "Marked as paid.").await
}

pub(super) async fn ask_close(page: Page, Path(id): Path<i64>) -> PageResult {
    let p = find(&page, id).await?;
    let sentences = vec![
        "A closed payout never changes: no line can be marked as returned any more.".into(),
        "Money that a bank sends back later is given back by an adjustment on the referrer’s page.".into(),
    ];
    ask(
        &page,
        &p,
        Form::default(),
        "close",
        (format!("Close {}", p.name()), "Close".into(), "primary"),
        sentences,
        Vec::new(),
    )
    .await
}

pub(super) async fn close(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let closed = payouts::close(&page.app, &actor, page.member.business_id, id).await;
    done(&page, id, closed, "The payout is closed.").await
}

/// The chosen lines: paid, failed, returned, left out or taken in.
pub(super) async fn lines(
    page: Page,
    Path(id): Path<i64>,
    OriginalUri(uri): OriginalUri,
    mut form: Form,
) -> PageResult {
    find(&page, id).await?;
    if !form.is_fine() {
        return shown(&page, id, &uri, form).await;
    }
    let chosen: Vec<i64> = form.all("id").filter_map(|text| id::parse(Kind::PayoutLine, text)).collect();
    let back = form.back(&format!("/payouts/{id}")).to_owned();
    if chosen.is_empty() {
        return page.go(&back, Flash::bad("Choose the lines first.")).await;
    }
    let (actor, business_id) = (Arc::new(page.member.actor()), page.member.business_id);
    let event = match form.value("do") {
        "paid" => LineEvent::Pay,
        "failed" => LineEvent::Fail,
        "returned" => LineEvent::Return,
        word @ ("out" | "in") => {
            let out = word == "out";
            for line in chosen {
                let chosen = if out {
                    payouts::leave_out(&page.app, &actor, business_id, id, line).await?
                } else {
                    payouts::take_in(&page.app, &actor, business_id, id, line).await?
                };
                if let Err(why) = chosen {
                    return page.go(&back, Flash::bad(why.sentence())).await;
                }
            }
            return page.go(&back, Flash::good(if out { "Left out." } else { "Taken in again." })).await;
        }
        _ => return page.go(&back, Flash::bad("Choose what to do with the lines.")).await,
    };
    let reason = form.optional_line("reason", "The reason", 500);
    if reason.is_none() && event != LineEvent::Pay {
        form.fail("reason", "Enter the reason: the referrer and the history keep it.");
        return shown(&page, id, &uri, form).await;
    }
    let settle = |line_id| Settle { line_id, event, reason: reason.clone(), reference: None, day: None };
    let all: Vec<Settle> = chosen.into_iter().map(settle).collect();
    let flash = match payouts::settle(&page.app, &actor, business_id, id, all).await? {
        Ok(answers) => said(&answers),
        Err(why) => Flash::bad(why.sentence()),
    };
    page.go(&back, flash).await
}

fn said(answers: &[Settled]) -> Flash {
    let count = |of: fn(&Settled) -> bool| i64::try_from(answers.iter().filter(|a| of(a)).count()).unwrap_or(0);
    let (done, already) = (count(|a| *a == Settled::Done), count(|a| *a == Settled::Already));
    let never = count(|a| matches!(a, Settled::Never(_) | Settled::NotFound));
    let mut words = format!("{} {} changed.", counted(done), if done == 1 { "line" } else { "lines" });
    if already > 0 {
        words.push_str(&format!(" {} were so before.", counted(already)));
    }
    if never > 0 {
        words.push_str(&format!(" {} stay as they are: that cannot happen to them.", counted(never)));
        return Flash::bad(words);
    }
    Flash::good(words)
}
