//! A report about a payout: uploaded, looked at with what would follow, and applied.

use std::io::{Read as _, Seek as _};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Multipart, Path};
use axum::http::StatusCode;

use super::show::find;
use crate::id::{self, Kind};
use crate::payouts::results::{Change, Columns, Look, Meaning, Reading, Verdict};
use crate::payouts::{self, Answer, AnswerRow, Examined, NotRead, PayoutRow, Refused};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, Upload, html};

/// Rows of each kind that a page shows.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "payouts/upload.html")]
struct UploadPage {
    frame: Frame,
    p: PayoutRow,
    form: Form,
    action: String,
    what: &'static str,
    /// An example of a line's id.
    line: String,
}

#[derive(Template)]
#[template(path = "payouts/results.html")]
struct ResultsPage {
    frame: Frame,
    p: PayoutRow,
    id: i64,
    file_name: String,
    form: Form,
    /// The columns to choose; empty for a bank's answer.
    columns: Vec<Chosen>,
    statuses: Vec<(String, String, Vec<Choice>)>,
    /// Why it cannot be read by these columns.
    unusable: Option<String>,
    shown: Shown,
}

/// A part of a report's rows, and the choices for it.
struct Chosen {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
    optional: bool,
}

/// The effects that a report would have.
#[derive(Default)]
struct Shown {
    changes: usize,
    /// A number and its words.
    counts: Vec<(String, &'static str)>,
    rows: Vec<RowShown>,
    unread: Vec<(u64, String)>,
    unnamed: usize,
    more: bool,
}

struct RowShown {
    at: u64,
    verdict: &'static str,
    tone: &'static str,
    referrer: String,
    amount: String,
    sentence: String,
}

fn words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Matched => ("Changes its line", "good"),
        Verdict::Unmatched => ("No line fits", "warning"),
        Verdict::Doubled => ("Several rows for one line", "warning"),
        Verdict::Differs => ("Another amount", "warning"),
        Verdict::AlreadySo => ("So already", "neutral"),
        Verdict::Pending => ("Not decided yet", "neutral"),
        Verdict::Refused => ("Cannot be", "warning"),
    }
}

impl Shown {
    fn of(examined: &Examined) -> Self {
        let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
            let count = i64::try_from(examined.count(verdict)).unwrap_or(i64::MAX);
            (count > 0).then(|| (counted(count), words(verdict).0))
        });
        // Rows that need a look stand first.
        let (mut rows, fine): (Vec<&AnswerRow>, Vec<&AnswerRow>) =
            examined.rows.iter().partition(|row| words(row.judged.verdict).1 == "warning");
        rows.extend(fine);
        let more = rows.len() > MOST || examined.unread.len() > MOST;
        Self {
            changes: examined.count(Verdict::Matched),
            counts: counts.collect(),
            rows: rows.into_iter().take(MOST).map(RowShown::of).collect(),
            unread: examined.unread.iter().take(MOST).map(|row| (row.at, row.reason.clone())).collect(),
            unnamed: examined.unnamed,
            more,
        }
    }
}

impl RowShown {
    fn of(row: &AnswerRow) -> Self {
        let (mut verdict, tone) = words(row.judged.verdict);
        if let Some(change) = &row.judged.change {
            verdict = match change {
                Change::Paid => "Paid",
                Change::Failed(_) => "Failed",
                Change::Returned(_) => "Returned",
            };
        }
        Self {
            at: row.judged.at,
            verdict,
            tone,
            referrer: row.line.as_ref().map(|line| line.referrer.clone()).unwrap_or_default(),
            amount: row.line.as_ref().map(|line| line.money().shown()).unwrap_or_default(),
            sentence: row.judged.sentence.clone(),
        }
    }
}

fn what(p: &PayoutRow) -> &'static str {
    match p.method.word() {
        "paypal" => "PayPal’s activity report as CSV.",
        "wise" => "Wise’s list of transfers as CSV.",
        "bank" => "Your bank’s answer (pain.002) as XML, or a CSV file.",
        _ => "A CSV file with a status for each line.",
    }
}

/// The id of the first line, by which people know what they look for.
async fn id_of_first(page: &Page, p: &PayoutRow) -> Result<String, Fault> {
    let first = payouts::lines(&mut page.read().await?, p.id, payouts::LineFilter::In, 0, 1).await?;
    Ok(first.first().map_or_else(|| "line_…".to_owned(), |line| id::render(Kind::PayoutLine, line.id)))
}

async fn upload_page(page: &Page, id: i64, form: Form) -> PageResult {
    let status = if form.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let p = find(page, id).await?;
    let action = format!("/payouts/{id}/results");
    html_with(
        status,
        &UploadPage {
            frame: page.frame("payouts").await?,
            what: what(&p),
            line: id_of_first(page, &p).await?,
            action,
            p,
            form,
        },
    )
}

pub(super) async fn ask(page: Page, Path(id): Path<i64>) -> PageResult {
    upload_page(&page, id, Form::default()).await
}

pub(super) async fn upload(page: Page, Path(id): Path<i64>, body: Multipart) -> PageResult {
    find(&page, id).await?;
    let Upload { mut form, file_name, mut file, size } = Upload::read(body, payouts::LARGEST_REPORT).await?;
    if size == 0 {
        form.fail("file", if file_name.is_empty() { "Choose the report." } else { "This file is empty." });
        return upload_page(&page, id, form).await;
    }
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|e| Fault::Unavailable(e.to_string()))?;
    if !payouts::is_pain002(&bytes)
        && let Err(why) = payouts::results::look(&bytes, None)
    {
        form.fail("file", why.to_string());
        return upload_page(&page, id, form).await;
    }
    let answer = Answer { file_name, bytes: Arc::new(bytes), reading: None };
    let actor = Arc::new(page.member.actor());
    match payouts::keep(&page.app, &actor, page.member.business_id, id, &answer).await? {
        Ok(report) => page.go(&format!("/payouts/{id}/results/{report}"), Flash::info("Nothing is changed yet.")).await,
        Err(why) => {
            form.fail("file", why);
            upload_page(&page, id, form).await
        }
    }
}

/// A report that was uploaded; a flash on the payout's page where it is gone.
async fn report(page: &Page, id: i64, report: i64) -> Result<Result<Answer, String>, Fault> {
    let mut conn = page.read().await?;
    let kept = payouts::kept(&mut conn, &page.app.keyring, page.member.business_id, id, report).await?;
    kept.ok_or(Fault::NotFound)
}

/// The parts of a row and their labels.
const PARTS: [(&str, &str); 7] = [
    ("status", "Status"),
    ("line", "Our line id"),
    ("recipient", "Recipient"),
    ("amount", "Amount"),
    ("currency", "Currency"),
    ("reference", "Number of the transfer"),
    ("reason", "Reason"),
];

fn part<'c>(columns: &'c Columns, name: &str) -> &'c Option<String> {
    match name {
        "status" => &columns.status,
        "line" => &columns.line,
        "recipient" => &columns.recipient,
        "amount" => &columns.amount,
        "currency" => &columns.currency,
        "reference" => &columns.reference,
        _ => &columns.reason,
    }
}

fn chosen(look: &Look) -> Vec<Chosen> {
    let of = |(name, label): (&'static str, &'static str)| {
        let column = part(&look.proposed.columns, name).clone().unwrap_or_default();
        let none = std::iter::once((String::new(), "None".to_owned()));
        let all = look.header.iter().map(|name| (name.clone(), name.clone()));
        Chosen { name, label, choices: Choice::list(none.chain(all), &column), optional: name != "status" }
    };
    PARTS.into_iter().map(of).collect()
}

fn meaning(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Paid => "Paid",
        Meaning::Failed => "Failed",
        Meaning::Returned => "Came back",
        Meaning::Pending => "Not decided yet",
        Meaning::Ignored => "Something else: skip",
    }
}

fn statuses(look: &Look) -> Vec<(String, String, Vec<Choice>)> {
    let of = |(status, rows, known): &(String, usize, Option<Meaning>)| {
        let none = std::iter::once(("", "Choose"));
        let all = none.chain(Meaning::ALL.map(|m| (m.word(), meaning(m))));
        let rows = counted(i64::try_from(*rows).unwrap_or(i64::MAX));
        (status.clone(), rows, Choice::list(all, known.map_or("", Meaning::word)))
    };
    look.statuses.iter().map(of).collect()
}

pub(super) async fn show(page: Page, Path((id, report_id)): Path<(i64, i64)>) -> PageResult {
    let p = find(&page, id).await?;
    let own = format!("/payouts/{id}");
    let answer = match report(&page, id, report_id).await? {
        Ok(answer) => answer,
        Err(why) => return page.go(&own, Flash::bad(why)).await,
    };
    let (mut columns, mut known, mut unusable) = (Vec::new(), Vec::new(), None);
    if !payouts::is_pain002(&answer.bytes) {
        let mut conn = page.read().await?;
        match payouts::reading_of(&mut conn, &p, &answer.bytes, answer.reading.as_ref()).await? {
            Ok(look) => (columns, known) = (chosen(&look), statuses(&look)),
            Err(why) => unusable = Some(why.to_string()),
        }
    }
    let shown = match payouts::examine(&page.app, page.member.business_id, id, &answer).await? {
        Ok((examined, _)) => Shown::of(&examined),
        Err(NotRead::Refused(Refused::NotFound)) => return Err(Fault::NotFound),
        Err(NotRead::Refused(why)) => return page.go(&own, Flash::bad(why.sentence())).await,
        Err(NotRead::File(why)) => {
            unusable = Some(why.to_string());
            Shown::default()
        }
    };
    html(&ResultsPage {
        frame: page.frame("payouts").await?,
        p,
        id: report_id,
        file_name: answer.file_name,
        form: Form::default(),
        columns,
        statuses: known,
        unusable,
        shown,
    })
}

/// The columns as a person chose them.
fn reading(form: &Form) -> Reading {
    let text = |name: &str| Some(form.value(name).to_owned()).filter(|text| !text.is_empty());
    let columns = Columns {
        status: text("status"),
        line: text("line"),
        recipient: text("recipient"),
        amount: text("amount"),
        currency: text("currency"),
        reference: text("reference"),
        reason: text("reason"),
    };
    let mut reading = Reading { columns, ..Reading::default() };
    for (status, word) in form.all("known").zip(form.all("means")) {
        if let Some(meaning) = Meaning::parse(word) {
            reading.choose(status, meaning);
        }
    }
    reading
}

pub(super) async fn decide(page: Page, Path((id, report_id)): Path<(i64, i64)>, form: Form) -> PageResult {
    find(&page, id).await?;
    let (own, here) = (format!("/payouts/{id}"), format!("/payouts/{id}/results/{report_id}"));
    let answer = match report(&page, id, report_id).await? {
        Ok(answer) => answer,
        Err(why) => return page.go(&own, Flash::bad(why)).await,
    };
    let (actor, business_id) = (Arc::new(page.member.actor()), page.member.business_id);
    match form.value("do") {
        "look" => {
            payouts::choose_columns(&page.app, &actor, business_id, id, report_id, &reading(&form)).await?;
            page.go(&here, Flash::info("Nothing is changed yet.")).await
        }
        "apply" => match payouts::apply(&page.app, &actor, business_id, id, &answer).await? {
            Ok(examined) => {
                payouts::forget(&page.app, &actor, business_id, id, report_id).await?;
                let changed = i64::try_from(examined.count(Verdict::Matched)).unwrap_or(i64::MAX);
                let many = if changed == 1 { "line" } else { "lines" };
                page.go(&own, Flash::good(format!("The report changed {} {many}.", counted(changed)))).await
            }
            Err(why) => page.go(&here, Flash::bad(why.sentence())).await,
        },
        _ => {
            payouts::forget(&page.app, &actor, business_id, id, report_id).await?;
            page.go(&own, Flash::info("The report was thrown away. Nothing was changed.")).await
        }
    }
}
